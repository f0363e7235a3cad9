//! From `process.lua` and `library.lua` to definitions.
//!
//! Owns which libraries a program gets: all that it reaches through imports.

use lunarium_engine::{Chunk, Definition, Library};
use lunarium_kernel::EntryId;

use super::grants::Granter;
use super::graph::{self, Edges};
use super::imports;
use super::resolver::Resolver;
use crate::raw::RawBody;

impl Resolver<'_> {
    /// The definition of every process whose source was loaded.
    pub(super) fn definitions(
        &mut self,
        chunks: &[Option<Chunk>],
        edges: &Edges,
        granter: &mut Granter<'_>,
    ) -> Vec<Definition> {
        let mut definitions = Vec::new();
        for (number, (entry, chunk)) in self.entries.iter().zip(chunks).enumerate() {
            let RawBody::Process(process) = &entry.body else { continue };
            let grants = granter.grants(&process.grants, self.report);
            let Some(chunk) = chunk else { continue };
            let definition = Definition::new(EntryId::new(entry.id()), chunk.clone());
            let definition = match &process.method {
                Some(method) => definition.with_method(method.as_str()),
                None => definition,
            };
            let definition = definition
                .with_imports(imports::of_entry(entry), self.libraries(number, chunks, edges))
                .with_limits(process.limits.clone())
                .with_grants(grants);
            definitions.push(definition);
        }
        definitions
    }

    /// Every library whose source was loaded.
    pub(super) fn all_libraries(&self, chunks: &[Option<Chunk>]) -> Vec<Library> {
        let entries = self.entries.iter().zip(chunks);
        let libraries = entries.filter(|(entry, _)| matches!(entry.body, RawBody::Library(_)));
        libraries
            .filter_map(|(entry, chunk)| {
                Some(Library::new(EntryId::new(entry.id()), chunk.clone()?, imports::of_entry(entry)))
            })
            .collect()
    }

    fn libraries(&self, number: usize, chunks: &[Option<Chunk>], edges: &Edges) -> Vec<Library> {
        let needed = graph::reachable(edges.get(number).into_iter().flatten().copied(), edges);
        let libraries = self.entries.iter().zip(chunks).zip(needed).filter(|(_, needed)| *needed);
        libraries
            .filter_map(|((entry, chunk), _)| {
                let (entry, imports) = (EntryId::new(entry.id()), imports::of_entry(entry));
                Some(Library::new(entry, chunk.clone()?, imports))
            })
            .collect()
    }
}
