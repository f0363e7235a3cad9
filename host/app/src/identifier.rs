//! The names of an application's entries: `namespace:name`.
//!
//! Owns their syntax and how a bare name gets its namespace. Does not know which entries exist.

use crate::yaml::At;

/// Bytes of a whole id. Ids stand in every pid and on every log line.
const MAX_ID: usize = 255;

/// What a namespace looks like, for hints.
pub const NAMESPACE_FORM: &str =
    "a namespace is letters, digits, `_` and `-` in parts joined by dots, each beginning with a letter: `app.jobs`";
/// What a name looks like, for hints.
pub(crate) const NAME_FORM: &str =
    "a name is letters, digits, `_`, `-` and `.`, beginning with a letter: `echo_worker`";

/// Whether a text can be a namespace.
pub fn is_namespace(text: &str) -> bool {
    text.len() < MAX_ID && text.split('.').all(|part| begins_with_letter(part) && part.bytes().all(is_name_byte))
}

pub(crate) fn is_name(text: &str) -> bool {
    text.len() < MAX_ID && begins_with_letter(text) && text.bytes().all(|byte| is_name_byte(byte) || byte == b'.')
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

/// The full id with the place of the reference.
pub(crate) fn full_id_at(namespace: &str, reference: At<String>) -> At<String> {
    At { value: full_id(namespace, &reference.value), span: reference.span }
}
