//! Files with tests: which there are, and what a process of one is made of.
//!
//! Owns their ending, and what stands in for an application where there is no index file. Runs nothing, and doesn't know what a
//! test is: whoever runs them brings the Lua for it.

use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_contract::OWN_CHUNK;
use lunarium_engine::{Chunk, Definition, Grants, Import, Library};
use lunarium_kernel::EntryId;

use crate::application::{App, Program, TestChunk, own_library};
use crate::load::{Draft, default_space};
use crate::notation::is_name;
use crate::report::Mistake;
use crate::resolve::Authority;
use crate::source::{Files, join};

/// How the name of a file with tests ends.
pub const TEST_ENDING: &str = "_test.lua";

/// What a process of a test's file is made of, besides the file.
#[derive(Debug, Clone, Copy)]
pub struct TestFile<'a> {
    /// Its path inside the application.
    pub path: &'a str,
    chunk: &'a Chunk,
}

impl Draft {
    /// Reads an application with its tests: those of `only`, a path inside of it, or all below it. Where no index file is, each
    /// Lua file beside is an entry `app:NAME`, and a library `NAME`.
    pub fn of_tests(dir: &Dir, shown: &Path, only: Option<&str>, authority: &dyn Authority) -> Self {
        let mut files = Files::new(dir, shown);
        let mut draft = Self::of_folder_or_files(dir, shown, authority);
        let (found, unsearched) = match only {
            Some(path) => (vec![path.to_owned()], Vec::new()),
            None => {
                let (found, unsearched) = files.find(|name| name.ends_with(TEST_ENDING));
                (found.into_iter().map(|(folder, name)| join(&folder, &name)).collect(), unsearched)
            }
        };
        draft.report.extend(unsearched.into_iter().map(|error| Mistake::new(error.to_string())));
        for path in found {
            if let Some(program) = draft.add_file(&mut files, &path) {
                draft.app.tests.push(TestChunk { path, chunk: program });
            }
        }
        draft
    }

    /// Reads the application in a folder: see [`Draft::of_folder`]. Where no index file is, each Lua file beside is an entry `app:NAME`, and a
    /// library `NAME`.
    pub fn of_folder_or_files(dir: &Dir, shown: &Path, authority: &dyn Authority) -> Self {
        let mut files = Files::new(dir, shown);
        let indexes = files.find_indexes();
        if indexes.0.is_empty() { Self::of_files(&mut files) } else { Self::of_indexes(&mut files, indexes, authority) }
    }

    /// Lua files without an index file: each finds the others, as tests do.
    fn of_files(files: &mut Files<'_>) -> Self {
        let mut draft = Self::of_nothing();
        for path in files.lua_files("") {
            let name = path.trim_end_matches(".lua");
            if path.ends_with(TEST_ENDING) || !is_name(name) {
                continue;
            }
            let Some(chunk) = draft.add_file(files, &path) else { continue };
            let id = EntryId::new(format!("{}:{name}", default_space()));
            draft.app.definitions.push(Definition::new(id.clone(), chunk.clone()).with_plain());
            draft.app.libraries.push(Library::new(id, chunk, Vec::new()));
        }
        let imports = draft.app.library_imports();
        for library in &mut draft.app.libraries {
            library.imports.clone_from(&imports);
        }
        for definition in &mut draft.app.definitions {
            definition.imports.clone_from(&imports);
            definition.libraries.clone_from(&draft.app.libraries);
        }
        draft
    }

    fn add_file(&mut self, files: &mut Files<'_>, path: &str) -> Option<Chunk> {
        match files.read(path) {
            Ok(file) => {
                let program = Program::of_file(file, path, None);
                let chunk = program.chunk.clone();
                self.app.programs.push(program);
                Some(chunk)
            }
            Err(error) => {
                self.report.push(Mistake::new(error.to_string()));
                None
            }
        }
    }
}

impl App {
    /// The files with tests, by their paths.
    pub fn tests(&self) -> impl Iterator<Item = TestFile<'_>> {
        self.tests.iter().map(|test| TestFile { path: &test.path, chunk: &test.chunk })
    }

    /// A process of a test's file: it runs `method` of `driver`, whose `require("file")` is the file; both find `face` as `name`,
    /// and that a module of the same name. The file finds every library of the application, by its id and, where only one is
    /// called so, by its name. It has every module that anybody here is granted.
    pub fn test_definition(
        &self,
        file: TestFile<'_>,
        method: &str,
        name: &str,
        face: &str,
        driver: &str,
    ) -> Definition {
        let face = own_library(name, face);
        let of_face = Import::new(name, face.entry.clone());
        let mut imports = self.library_imports();
        imports.retain(|import| *import.alias != *name);
        imports.push(of_face.clone());
        let tests = Library::new(EntryId::new("lunarium:file"), file.chunk.clone(), imports);
        let driven = vec![of_face, Import::new("file", tests.entry.clone())];
        let mut libraries = self.libraries.clone();
        libraries.extend([face, tests]);
        let mut grants = Grants::default();
        let given = self.definitions.iter().map(|definition| &definition.grants);
        for given in given.chain(self.hosts.iter().map(|host| &host.definition.grants)) {
            grants.modules.extend(given.modules.iter().cloned());
        }
        grants.modules.insert(name.into());
        Definition::new(EntryId::new(format!("test:{method}")), Chunk::new(OWN_CHUNK, driver))
            .with_method(method)
            .with_imports(driven, libraries)
            .with_grants(Arc::new(grants))
    }
}
