//! Entries that nothing uses: no service, no import, and no source that as much as holds their name.
//!
//! Owns what counts as a mention. Errs towards silence: an id can be put together at run time, so any word that could be
//! its name will do.

use std::collections::{BTreeMap, BTreeSet};

use lunarium_engine::Chunk;

use crate::application::MAIN;
use crate::grants::RawGrants;
use crate::raw::{RawBody, RawEntry, RawService};
use crate::report::{Mistake, Place};
use crate::security::RawSecurity;
use crate::yaml::{At, Node, Shape};

/// A warning for each entry that nothing uses. `chunks` are the entries' own.
pub(crate) fn unused(entries: &[RawEntry], chunks: &[Option<Chunk>]) -> Vec<Mistake> {
    let uses = Uses::of(entries, chunks);
    let warning = |(entry, chunk): (&RawEntry, &Option<Chunk>)| {
        let (message, hint) = uses.lacking(entry, chunk.as_ref())?;
        let place = Place::new(&entry.file, entry.id.span.clone());
        Some(Mistake::warning(message).at(place).hint(hint))
    };
    entries.iter().zip(chunks).filter_map(warning).collect()
}

/// What uses entries, by their ids.
struct Uses<'a> {
    run: BTreeSet<&'a str>,
    imported: BTreeSet<&'a str>,
    /// Variables.
    granted: BTreeSet<&'a str>,
    /// Hosts that a service runs on, or that something depends on.
    hosts: BTreeSet<&'a str>,
    /// Where everything runs that names no host.
    is_only_host: bool,
    /// Policies that a host or a service names.
    policies: BTreeSet<&'a str>,
    mentions: Mentions<'a>,
}

impl<'a> Uses<'a> {
    fn of(entries: &'a [RawEntry], chunks: &'a [Option<Chunk>]) -> Self {
        let text = |id: &'a At<String>| id.value.as_str();
        let services = || entries.iter().filter_map(service);
        let needed = entries.iter().filter_map(RawEntry::lifecycle).flat_map(|lifecycle| &lifecycle.depends_on);
        let hosts = services().filter_map(|service| service.host.as_ref()).chain(needed).map(text);
        Self {
            run: services().filter_map(|service| service.process.as_ref()).map(text).collect(),
            imported: entries.iter().flat_map(RawEntry::imports).map(|import| text(&import.entry)).collect(),
            granted: entries.iter().filter_map(grants).flat_map(|grants| &grants.env).map(text).collect(),
            hosts: hosts.collect(),
            is_only_host: entries.iter().filter(|entry| matches!(entry.body, RawBody::Host(_))).count() == 1,
            policies: entries.iter().filter_map(security).flat_map(RawSecurity::policies).map(text).collect(),
            mentions: Mentions::of(entries, chunks),
        }
    }

    /// What to say about an entry that nothing uses, with a hint; none when something may.
    fn lacking(&self, entry: &RawEntry, chunk: Option<&Chunk>) -> Option<(String, String)> {
        let id = entry.id.value.as_str();
        let name = id.split_once(':').map_or(id, |(_, name)| name);
        match &entry.body {
            RawBody::Process(_) => {
                let own = chunk.map(|chunk| &*chunk.name);
                let is_used = name == MAIN || self.run.contains(id) || self.mentions.outside(name, own);
                (!is_used).then(|| {
                    let message = format!("nothing starts process `{id}`: no service runs it, and no source names it");
                    (message, format!("only `lunarium run -x {id}` does"))
                })
            }
            RawBody::Library(_) => (!self.imported.contains(id)).then(|| {
                (format!("nothing imports library `{id}`"), "name it in the `imports` of an entry".to_owned())
            }),
            RawBody::Host(_) => {
                let is_used = self.is_only_host || self.hosts.contains(id) || self.mentions.outside(name, None);
                (!is_used).then(|| {
                    let message =
                        format!("nothing uses process host `{id}`: no service runs on it, and no source names it");
                    (message, format!("only `lunarium run --host {id}` does"))
                })
            }
            RawBody::Policy(policy) => {
                let is_used = policy.is_grouped() || self.policies.contains(id) || self.mentions.outside(name, None);
                (!is_used).then(|| {
                    let message = format!("nothing uses policy `{id}`: it is in no group, and nothing names it");
                    (message, "name it in the `security` of a host or a service".to_owned())
                })
            }
            RawBody::Variable(variable) => {
                let name = variable.variable.as_ref()?.value.as_str();
                (!self.granted.contains(name)).then(|| {
                    let message = format!("nothing is granted the variable `{name}`");
                    (message, "name it in the `grants` of an entry or a process host: `env: [NAME]`".to_owned())
                })
            }
            RawBody::Service(_) | RawBody::Unusable => None,
        }
    }
}

fn security(entry: &RawEntry) -> Option<&RawSecurity> {
    match &entry.body {
        RawBody::Service(service) => service.security.as_ref(),
        RawBody::Host(host) => host.security.as_ref(),
        _ => None,
    }
}

fn grants(entry: &RawEntry) -> Option<&RawGrants> {
    match &entry.body {
        RawBody::Process(process) => Some(&process.grants),
        RawBody::Host(host) => Some(&host.grants),
        _ => None,
    }
}

fn service(entry: &RawEntry) -> Option<&RawService> {
    match &entry.body {
        RawBody::Service(service) => Some(service),
        _ => None,
    }
}

/// Which words stand where.
struct Mentions<'a> {
    /// By a word, the chunk that holds it; none when several do, or a service's input.
    words: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Mentions<'a> {
    fn of(entries: &'a [RawEntry], chunks: &'a [Option<Chunk>]) -> Self {
        let mut mentions = Self { words: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        for chunk in chunks.iter().flatten() {
            if seen.insert(&*chunk.name) {
                mentions.add(&chunk.source, Some(&chunk.name));
            }
        }
        for service in entries.iter().filter_map(service) {
            service.input.iter().for_each(|input| mentions.add_input(input));
        }
        mentions
    }

    fn add(&mut self, text: &'a str, chunk: Option<&'a str>) {
        for word in words(text) {
            let place = self.words.entry(word).or_insert(chunk);
            if *place != chunk {
                *place = None;
            }
        }
    }

    fn add_input(&mut self, node: &'a Node) {
        match &node.shape {
            Shape::Text(text) => self.add(text, None),
            Shape::List(items) => items.iter().for_each(|item| self.add_input(item)),
            Shape::Table(pairs) => pairs.iter().for_each(|(_, item)| self.add_input(item)),
            Shape::Null | Shape::Boolean(_) | Shape::Integer(_) | Shape::Float(_) => {}
        }
    }

    /// Whether a name may be mentioned anywhere but in its own chunk. The full id would mention the name as well.
    fn outside(&self, name: &str, own: Option<&str>) -> bool {
        words(name).all(|word| match self.words.get(word) {
            None => false,
            Some(None) => true,
            Some(chunk) => *chunk != own,
        })
    }
}

/// Names hold other characters too; then each part of them counts.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
