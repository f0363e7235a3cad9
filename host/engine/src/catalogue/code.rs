//! The compiled form of a definition, made once and shared by all its processes.
//!
//! Owns when it is made: by the second process, because most definitions of a short run are used once; and where: in an
//! instance of its own that runs no script, so that nothing a script does can change what others run. Refuses to keep a
//! source that doesn't compile: each process then says itself what is wrong with it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Chunk, Definition, Import};
use crate::wasm::guest as wit;

/// A definition as the node keeps it.
pub(crate) struct Code {
    pub(crate) definition: Definition,
    used: AtomicBool,
    /// Inner none: it can't be made.
    compiled: OnceLock<Option<Compiled>>,
}

/// What `compile` gave for the program and, in their order, for its libraries.
pub(crate) struct Compiled {
    pub(crate) program: Vec<u8>,
    pub(crate) libraries: Vec<Vec<u8>>,
}

impl Code {
    pub(crate) fn new(definition: Definition) -> Code {
        Code { definition, used: AtomicBool::new(false), compiled: OnceLock::new() }
    }

    /// Whether it is time to compile: it was used before, and nobody has tried yet.
    pub(crate) fn wants_compiling(&self) -> bool {
        self.used.swap(true, Ordering::Relaxed) && self.compiled.get().is_none()
    }

    /// Keeps what was compiled. Of several that were made at once, the first stays.
    pub(crate) fn keep(&self, compiled: Option<Compiled>) {
        let _ = self.compiled.set(compiled);
    }

    /// The program, compiled or not.
    pub(crate) fn program(&self) -> wit::Chunk<'_> {
        piece(&self.definition.chunk, self.compiled().map(|compiled| &compiled.program))
    }

    /// Every source of the definition: the program's first, then its libraries'.
    pub(crate) fn sources(&self) -> impl Iterator<Item = wit::Chunk<'_>> {
        let libraries = self.definition.libraries.iter().map(|library| &library.chunk);
        std::iter::once(&self.definition.chunk).chain(libraries).map(source)
    }

    /// The library at this place of the definition's list, compiled or not.
    fn library<'a>(&'a self, place: usize, chunk: &'a Chunk) -> wit::Chunk<'a> {
        piece(chunk, self.compiled().and_then(|compiled| compiled.libraries.get(place)))
    }

    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get()?.as_ref()
    }
}

/// The borrowed import lists of a definition, which `start` refers to.
pub(crate) struct ImportLists<'a> {
    pub(crate) program: Vec<wit::Import<'a>>,
    libraries: Vec<Vec<wit::Import<'a>>>,
}

impl<'a> ImportLists<'a> {
    pub(crate) fn new(definition: &'a Definition) -> ImportLists<'a> {
        ImportLists {
            program: imports(&definition.imports),
            libraries: definition.libraries.iter().map(|library| imports(&library.imports)).collect(),
        }
    }

    /// The libraries, each with its imports.
    pub(crate) fn libraries(&'a self, code: &'a Code) -> Vec<wit::Library<'a>> {
        let libraries = code.definition.libraries.iter().zip(&self.libraries).enumerate();
        let libraries = libraries.map(|(place, (library, imports))| wit::Library {
            entry: library.entry.as_str(),
            chunk: code.library(place, &library.chunk),
            imports,
        });
        libraries.collect()
    }
}

fn imports(imports: &[Import]) -> Vec<wit::Import<'_>> {
    imports.iter().map(|import| wit::Import { alias: &import.alias, entry: import.entry.as_str() }).collect()
}

fn piece<'a>(chunk: &'a Chunk, compiled: Option<&'a Vec<u8>>) -> wit::Chunk<'a> {
    match compiled {
        Some(compiled) => wit::Chunk { name: &chunk.name, code: wit::Code::Compiled(compiled) },
        None => source(chunk),
    }
}

/// A chunk as it was written.
pub(crate) fn source(chunk: &Chunk) -> wit::Chunk<'_> {
    wit::Chunk { name: &chunk.name, code: wit::Code::Source(&chunk.source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lunarium_kernel::EntryId;

    #[test]
    fn the_second_process_compiles_or_when_it_is_killed_the_next() {
        let chunk = Chunk::new("@a.lua", "return 1");
        let code = Code::new(Definition::new(EntryId::new("app:a"), chunk));
        assert!(!code.wants_compiling());
        assert!(code.wants_compiling());
        assert!(code.wants_compiling());
        code.keep(Some(Compiled { program: b"compiled".to_vec(), libraries: Vec::new() }));
        assert!(!code.wants_compiling());
        code.keep(None);
        assert!(matches!(code.program().code, wit::Code::Compiled(b"compiled")));
    }
}
