//! `security:` as written: of a host or a service, and of the application.
//!
//! Owns its keys. Whether the policies and groups exist is seen when all is read.

use lunarium_engine::ActorSpec;

use super::field::{Field, Name};
use super::fields::Fields;
use super::value::value;
use crate::source::At;

/// `security:` of a host or a service.
#[derive(Debug)]
pub(crate) struct RawSecurity {
    pub(crate) actor: Option<ActorSpec>,
    pub(crate) policies: Option<Vec<At<String>>>,
    pub(crate) groups: Option<Vec<At<String>>>,
}

impl RawSecurity {
    /// The policies it names.
    pub(crate) fn policies(&self) -> &[At<String>] {
        self.policies.as_deref().unwrap_or_default()
    }

    /// The groups it names.
    pub(crate) fn groups(&self) -> &[At<String>] {
        self.groups.as_deref().unwrap_or_default()
    }
}

/// Reads the `security` of a host or a service.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<RawSecurity> {
    let field = fields.optional("security")?;
    let mut own = Fields::open(field)?;
    let written = own.optional("actor");
    let actor = written.and_then(actor);
    let policies = own.optional("policies").map(|field| field.ids(Name::Noun("a policy")));
    let groups = own.optional("groups").map(|field| field.ids(Name::Noun("a group")));
    own.finish();
    if written.is_none() && policies.is_none() && groups.is_none() {
        let hint = "give it an `actor`, `policies` or `groups`, or leave it out".to_owned();
        field.hinted("`security` says nothing", Some(hint));
    }
    Some(RawSecurity { actor, policies, groups })
}

fn actor(field: Field<'_>) -> Option<ActorSpec> {
    let mut own = Fields::open(field)?;
    let id = own.required("id").and_then(|field| Some((field, field.text()?)));
    let meta = own.optional("meta");
    own.finish();
    let meta = meta.filter(|meta| meta.table().is_some()).map(|meta| value(meta.node));
    let (field, id) = id?;
    ActorSpec::new(&id.value, meta.as_ref()).map_err(|error| field.mistake(error.to_string())).ok()
}

/// Reads the `security` of an index file: whether the application is strict. Only that of the application's own folder
/// counts.
pub(super) fn read_strict(top: &mut Fields<'_>, is_root: bool) -> bool {
    let Some(field) = top.optional("security") else { return false };
    if !is_root {
        let hint = "move it to the `_index.yaml` of the application's own folder: it counts for all of it".to_owned();
        field.hinted("`security` of the application stands in a folder of it", Some(hint));
        return false;
    }
    let Some(mut own) = Fields::open(field) else { return false };
    own.required("strict");
    let strict = own.boolean("strict").unwrap_or_default();
    own.finish();
    strict
}
