//! An `_index.yaml` as written: shapes checked, references not yet followed.
//!
//! Owns the keys and kinds of the format. Refuses to know about other files: whether an id exists, whether a source
//! can be read and whether imports go in circles is `resolve`'s.

mod elsewhere;
mod endpoint;
mod entry;
mod field;
mod fields;
mod grants;
mod host;
mod kind;
mod lifecycle;
mod limits;
mod node;
mod policy;
mod program;
mod security;
mod service;
mod value;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

pub(crate) use endpoint::RawEndpoint;
pub(crate) use entry::{RawBody, RawEntry};
pub(crate) use grants::{KEYS as GRANT_KEYS, RawDirectory, RawGrants, RawSettings, RawVariable};
pub(crate) use kind::Kind;
pub(crate) use lifecycle::{RawLifecycle, RawRestart};
pub use node::{AdminFile, HttpFile, TenantBudget, VariableFile, Written};
pub(crate) use node::{RawNode, RawTenant, read as read_node};
pub(crate) use security::RawSecurity;
pub(crate) use service::RawService;

use self::field::{Field, Name, Page};
use self::fields::Fields;
use crate::notation::{NAMESPACE_FORM, is_namespace};
use crate::report::{Mistake, Report};
use crate::source::{self, Node, Shape, SourceFile};

/// The version of the format.
const VERSION: &str = "1.0";

/// What one file holds.
#[derive(Debug, Default)]
pub(crate) struct RawIndex {
    pub(crate) entries: Vec<RawEntry>,
    /// The application is strict.
    pub(crate) strict: bool,
}

/// Reads one file. Whatever is wrong goes into the report; entries are returned as far as they can be used.
pub(crate) fn read(file: &Arc<SourceFile>, folder: &str, report: &mut Report) -> RawIndex {
    let (mistakes, foreign) = (RefCell::default(), Cell::new(false));
    let page = Page { file, namespace: "", mistakes: &mistakes, foreign: &foreign };
    let index = match source::parse(&file.text) {
        Ok(node) => index(&node, page, folder).unwrap_or_default(),
        Err(error) => {
            page.push(Mistake::new(error.message).at(&page.place(&error.span)));
            RawIndex::default()
        }
    };
    report.extend(mistakes.into_inner());
    index
}

fn index(node: &Node, page: Page<'_>, folder: &str) -> Option<RawIndex> {
    // Its table begins at the first key, which is a fine place for what the file lacks.
    let start = page.place(&(0..0));
    if matches!(node.shape, Shape::Null) {
        page.push(Mistake::new("the file is empty").at(&start));
        return None;
    }
    let mut top = Fields::open(Field { node, name: Name::Noun("the file"), page })?;
    top.shown_at(start);
    if let Some(field) = top.required("version") {
        check_version(field);
    }
    let namespace = top.required("namespace").and_then(namespace).unwrap_or_default();
    let entries = top.required("entries");
    let strict = security::read_strict(&mut top, folder.is_empty());
    top.finish();
    let page = Page { namespace: &namespace, ..page };
    let items = entries.map(|field| Field { page, ..field }.items(Name::Noun("an entry")));
    let entries: Vec<RawEntry> = items.into_iter().flatten().filter_map(|item| entry::read(item, folder)).collect();
    if page.foreign.get() {
        entries.iter().for_each(|entry| warn_of_start(entry, page));
    }
    Some(RawIndex { entries, strict })
}

/// Where the format comes from, a service that doesn't say `auto_start` isn't started.
fn warn_of_start(entry: &RawEntry, page: Page<'_>) {
    if entry.service().is_some_and(|service| service.lifecycle.auto_start.is_none()) {
        let message = format!("`{}` doesn't say `auto_start`: here it starts, in Wippy it wouldn't", entry.id());
        let hint = "write `lifecycle: {auto_start: true}`, or `false`".to_owned();
        page.push(Mistake::warning(message).at(&entry.id.place).hint(Some(hint)));
    }
}

fn check_version(field: Field<'_>) {
    if let Some(version) = field.text().filter(|version| version.value != VERSION) {
        let message = format!("version `{}` is not known", version.value);
        field.hinted(message, Some(format!("write `version: \"{VERSION}\"`")));
    }
}

fn namespace(field: Field<'_>) -> Option<String> {
    let namespace = field.text()?.value;
    if !is_namespace(&namespace) {
        field.hinted(format!("`{namespace}` is not a namespace"), Some(NAMESPACE_FORM.to_owned()));
        return None;
    }
    Some(namespace)
}
