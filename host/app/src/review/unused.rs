//! Entries that nothing uses: no service, no import, and no source that as much as holds their name.
//!
//! Owns what counts as a use.

use std::collections::BTreeSet;

use lunarium_engine::Chunk;

use super::mentions::Mentions;
use crate::application::MAIN;
use crate::raw::{RawBody, RawEntry, RawSecurity};
use crate::report::Mistake;
use crate::source::At;

/// A warning for each entry that nothing uses. `chunks` are the entries' own.
pub(super) fn unused(entries: &[RawEntry], chunks: &[Option<Chunk>]) -> Vec<Mistake> {
    let uses = Uses::of(entries, chunks);
    let warning = |(entry, chunk): (&RawEntry, &Option<Chunk>)| {
        let (message, hint) = uses.lacking(entry, chunk.as_ref())?;
        Some(Mistake::warning(message).at(&entry.id.place).hint(Some(hint)))
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
        let services = || entries.iter().filter_map(RawEntry::service);
        let needed = entries.iter().filter_map(RawEntry::lifecycle).flat_map(|lifecycle| &lifecycle.depends_on);
        let endpoints = || entries.iter().filter_map(RawEntry::endpoint);
        let hosts = services().filter_map(|service| service.host.as_ref()).chain(needed);
        let hosts = hosts.chain(endpoints().filter_map(|endpoint| endpoint.host.as_ref())).map(text);
        let run = services().filter_map(|service| service.process.as_ref());
        let run = run.chain(endpoints().filter_map(|endpoint| endpoint.process.as_ref()));
        Self {
            run: run.map(text).collect(),
            imported: entries.iter().flat_map(RawEntry::imports).map(|import| text(&import.entry)).collect(),
            granted: entries.iter().filter_map(RawEntry::grants).flat_map(|grants| &grants.env).map(text).collect(),
            hosts: hosts.collect(),
            is_only_host: entries.iter().filter(|entry| matches!(entry.body, RawBody::Host(_))).count() == 1,
            policies: entries.iter().filter_map(RawEntry::security).flat_map(RawSecurity::policies).map(text).collect(),
            mentions: Mentions::of(entries, chunks),
        }
    }

    /// What to say about an entry that nothing uses, with a hint; none when something may.
    fn lacking(&self, entry: &RawEntry, chunk: Option<&Chunk>) -> Option<(String, String)> {
        let id = entry.id();
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
                let is_used =
                    !policy.groups.is_empty() || self.policies.contains(id) || self.mentions.outside(name, None);
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
            RawBody::Service(_) | RawBody::Endpoint(_) | RawBody::Unusable => None,
        }
    }
}
