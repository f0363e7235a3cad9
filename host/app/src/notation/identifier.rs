//! Names: of entries (`namespace:name`), of imports and of variables.
//!
//! Owns their syntax, and how a bare name gets its namespace. Does not know which entries exist.

use lunarium_contract::length;

/// What a namespace looks like, for hints.
pub const NAMESPACE_FORM: &str =
    "a namespace is letters, digits, `_` and `-` in parts joined by dots, each beginning with a letter: `app.jobs`";
/// What a name looks like, for hints.
pub(crate) const NAME_FORM: &str =
    "a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`";

/// Bytes of a tenant's name. The number: as a label of a host name, which it may stand in.
const TENANT: usize = 63;

/// What a tenant's name looks like, for hints.
pub const TENANT_FORM: &str =
    "a tenant's name is up to 63 lower-case letters, digits and `-`, beginning with a letter: `shop-2`";

/// Whether a text can be the name of a tenant.
pub fn is_tenant(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= TENANT && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(is_part)
}

/// Whether a text can be a namespace.
pub fn is_namespace(text: &str) -> bool {
    text.len() < length::ID && text.split('.').all(|part| begins_with_letter(part) && part.bytes().all(is_name_byte))
}

pub(crate) fn is_name(text: &str) -> bool {
    text.len() < length::ID && begins_with_letter(text) && text.bytes().all(|byte| is_name_byte(byte) || byte == b'.')
}

fn begins_with_letter(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The full id of a reference that stands in an entry of `namespace`: a bare name means the same namespace.
pub(crate) fn full_id(namespace: &str, reference: &str) -> String {
    if reference.contains(':') { reference.to_owned() } else { format!("{namespace}:{reference}") }
}

/// What is wrong with a full id of sound parts: together they may be too long.
pub(crate) fn too_long(id: &str) -> Option<String> {
    (id.len() > length::ID).then(|| format!("an id of {} bytes is longer than {} bytes", id.len(), length::ID))
}

/// What is wrong with the alias of an import.
pub(crate) fn unfit_alias(alias: &str) -> Option<String> {
    let fits = (1..=length::ALIAS).contains(&alias.len());
    (!fits).then(|| format!("an alias has from 1 to {} bytes", length::ALIAS))
}

/// What a variable's name looks like, when this is none.
pub(crate) fn unfit_variable(name: &str) -> Option<String> {
    let fits = (1..=length::VARIABLE).contains(&name.len()) && !name.contains(['=', '\0']);
    (!fits).then(|| format!("a name has 1 to {} bytes and no `=`", length::VARIABLE))
}
