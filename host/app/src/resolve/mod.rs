//! From entries as written to an application: references followed, defaults filled in.
//!
//! Owns every check that needs more than one entry: ids that are taken or unknown, imports, circles. Does not parse
//! and does not compile.

mod authority;
mod definitions;
mod endpoints;
mod grants;
mod graph;
mod hosts;
mod imports;
mod resolver;
mod security;
mod services;
mod sources;

use lunarium_engine::Chunk;

pub use authority::{Authority, NoAuthority};

use self::grants::Granter;
use self::resolver::Resolver;
use crate::application::App;
use crate::raw::RawEntry;
use crate::report::Report;
use crate::source::Files;

/// Follows every reference. Whatever is wrong goes into the report; the application is only fit to run without. Second: the
/// chunk of each entry that has one.
pub(crate) fn resolve(
    entries: &[RawEntry],
    strict: bool,
    files: &mut Files<'_>,
    authority: &dyn Authority,
    report: &mut Report,
) -> (App, Vec<Option<Chunk>>) {
    let mut granter = Granter::new(files.dir(), authority, entries, report);
    let (programs, chunks) = sources::load(entries, files, report);
    let mut resolver = Resolver::new(entries, report);
    let imports = resolver.imports();
    let definitions = resolver.definitions(&chunks, &imports, &mut granter);
    let libraries = resolver.all_libraries(&chunks);
    let services = resolver.services();
    let hosts = resolver.hosts(&services, &mut granter);
    let endpoints = resolver.endpoints(&hosts);
    let policies = resolver.policies();
    let tests = Vec::new();
    (App { definitions, hosts, services, endpoints, programs, policies, libraries, tests, strict }, chunks)
}
