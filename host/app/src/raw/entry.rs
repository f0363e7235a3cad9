//! An entry as written: its id, its kind, and what it holds.
//!
//! Owns the keys that every entry has, and which reader a kind has.

use super::elsewhere;
use super::endpoint::{self, RawEndpoint};
use super::field::Field;
use super::fields::Fields;
use super::grants::{self, RawGrants, RawVariable};
use super::host::{self, RawHost};
use super::kind::Kind;
use super::lifecycle::RawLifecycle;
use super::policy::{self, RawPolicy};
use super::program::{self, RawImport, RawLibrary, RawProcess};
use super::security::RawSecurity;
use super::service::{self, RawService};
use crate::notation::{NAME_FORM, full_id, hint, is_name, too_long};
use crate::source::At;

/// An entry with its full id and its place.
#[derive(Debug)]
pub(crate) struct RawEntry {
    /// The folder of its file, relative to the app.
    pub(crate) folder: String,
    /// The place is the name's.
    pub(crate) id: At<String>,
    pub(crate) body: RawBody,
}

/// What an entry is.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an application has some hundred entries, each read once")]
pub(crate) enum RawBody {
    Process(RawProcess),
    Library(RawLibrary),
    Host(RawHost),
    Service(RawService),
    Policy(RawPolicy),
    Variable(RawVariable),
    Endpoint(RawEndpoint),
    /// A kind that was reported; the id is kept, so that references to it aren't reported too.
    Unusable,
}

impl RawEntry {
    pub(crate) fn id(&self) -> &str {
        &self.id.value
    }

    /// Its kind; none when that is unknown.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Some(match &self.body {
            RawBody::Process(_) => Kind::Process,
            RawBody::Library(_) => Kind::Library,
            RawBody::Host(_) => Kind::Host,
            RawBody::Service(_) => Kind::Service,
            RawBody::Policy(_) => Kind::Policy,
            RawBody::Variable(_) => Kind::Variable,
            RawBody::Endpoint(_) => Kind::Endpoint,
            RawBody::Unusable => return None,
        })
    }

    pub(crate) fn source(&self) -> Option<&At<String>> {
        match &self.body {
            RawBody::Process(process) => process.source.as_ref(),
            RawBody::Library(library) => library.source.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn imports(&self) -> &[RawImport] {
        match &self.body {
            RawBody::Process(process) => &process.imports,
            RawBody::Library(library) => &library.imports,
            _ => &[],
        }
    }

    /// The names in its `modules:`.
    pub(crate) fn modules(&self) -> &[At<String>] {
        match &self.body {
            RawBody::Process(process) => &process.modules,
            RawBody::Library(library) => &library.modules,
            _ => &[],
        }
    }

    pub(crate) fn grants(&self) -> Option<&RawGrants> {
        match &self.body {
            RawBody::Process(process) => Some(&process.grants),
            RawBody::Host(host) => Some(&host.grants),
            _ => None,
        }
    }

    pub(crate) fn security(&self) -> Option<&RawSecurity> {
        match &self.body {
            RawBody::Host(host) => host.security.as_ref(),
            RawBody::Service(service) => service.security.as_ref(),
            RawBody::Endpoint(endpoint) => endpoint.security.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn lifecycle(&self) -> Option<&RawLifecycle> {
        match &self.body {
            RawBody::Host(host) => Some(&host.lifecycle),
            RawBody::Service(service) => Some(&service.lifecycle),
            _ => None,
        }
    }

    pub(crate) fn service(&self) -> Option<&RawService> {
        match &self.body {
            RawBody::Service(service) => Some(service),
            _ => None,
        }
    }

    pub(crate) fn endpoint(&self) -> Option<&RawEndpoint> {
        match &self.body {
            RawBody::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    pub(crate) fn policy(&self) -> Option<&RawPolicy> {
        match &self.body {
            RawBody::Policy(policy) => Some(policy),
            _ => None,
        }
    }
}

/// Reads one entry. Without a usable id nothing can refer to it, so it is checked and dropped.
pub(super) fn read(item: Field<'_>, folder: &str) -> Option<RawEntry> {
    let mut fields = Fields::open(item)?;
    let name = fields.required("name").and_then(|field| Some((field, field.text()?)));
    let (what, place) = match &name {
        Some((_, name)) => (format!("entry `{}`", name.value), name.place.clone()),
        None => ("the entry".to_owned(), item.page.place(&first_byte(item.node.span.start))),
    };
    fields.rename(what);
    fields.shown_at(place);
    let kind = fields.required("kind").and_then(|field| Some((field, field.text()?)));
    if let Some(meta) = fields.optional("meta") {
        meta.table();
    }
    let body = match kind.and_then(|(field, text)| self::kind(field, &text.value)) {
        Some(kind) => {
            let body = body(kind, &mut fields);
            fields.finish();
            body
        }
        // Which keys belong here isn't known.
        None => RawBody::Unusable,
    };
    let (field, name) = name?;
    Some(RawEntry { folder: folder.to_owned(), id: id(field, name)?, body })
}

fn first_byte(start: usize) -> std::ops::Range<usize> {
    start..start.saturating_add(1)
}

fn kind(field: Field<'_>, text: &str) -> Option<Kind> {
    let kind = Kind::parse(text);
    if Kind::is_foreign(text) {
        field.page.foreign.set(true);
    }
    if kind.is_none() {
        let instead = elsewhere::instead_of(text).map(str::to_owned);
        field.hinted(format!("unknown kind `{text}`"), instead.or_else(|| hint(text, &Kind::ALL.map(Kind::as_str))));
    }
    kind
}

fn body(kind: Kind, fields: &mut Fields<'_>) -> RawBody {
    match kind {
        Kind::Process => RawBody::Process(program::process(fields)),
        Kind::Library => RawBody::Library(program::library(fields)),
        Kind::Host => RawBody::Host(host::read(fields)),
        Kind::Service => RawBody::Service(service::read(fields)),
        Kind::Policy => RawBody::Policy(policy::read(fields)),
        Kind::Variable => RawBody::Variable(grants::read_variable(fields)),
        Kind::Endpoint => RawBody::Endpoint(endpoint::read(fields)),
    }
}

/// The full id that a name has in its file's namespace.
fn id(field: Field<'_>, name: At<String>) -> Option<At<String>> {
    if !is_name(&name.value) {
        field.hinted(format!("`{}` is not a name", name.value), Some(NAME_FORM.to_owned()));
        return None;
    }
    // A namespace that can't be used was reported.
    let namespace = Some(field.page.namespace).filter(|namespace| !namespace.is_empty())?;
    let id = full_id(namespace, &name.value);
    if let Some(fault) = too_long(&id) {
        field.mistake(fault);
    }
    Some(At { value: id, place: name.place })
}
