//! The Lua text behind `source:`.
//!
//! Owns the two forms of a source: a file, or the text itself. Compiles nothing.

use std::collections::BTreeMap;

use lunarium_engine::Chunk;

use crate::application::{Program, Programs};
use crate::notation::hint;
use crate::raw::RawEntry;
use crate::report::{Mistake, Report};
use crate::source::{At, Files, ReadError, resolve};

const FILE_SCHEME: &str = "file://";

/// Loads the source of every entry. Second: the chunk of each, by its number; none where there is none, or it was reported.
pub(super) fn load(entries: &[RawEntry], files: &mut Files<'_>, report: &mut Report) -> (Programs, Vec<Option<Chunk>>) {
    let mut loader = Loader { files, programs: Programs::default(), by_path: BTreeMap::new() };
    let mut chunks = Vec::with_capacity(entries.len());
    for entry in entries {
        let chunk = entry.source().map(|source| loader.load(entry, source)).transpose();
        chunks.push(chunk.unwrap_or_else(|mistake| {
            report.push(mistake);
            None
        }));
    }
    (loader.programs, chunks)
}

struct Loader<'f, 'd> {
    files: &'f mut Files<'d>,
    programs: Programs,
    /// Each file's text is kept once.
    by_path: BTreeMap<String, Chunk>,
}

impl Loader<'_, '_> {
    fn load(&mut self, entry: &RawEntry, source: &At<String>) -> Result<Chunk, Mistake> {
        match source.value.strip_prefix(FILE_SCHEME) {
            Some(path) => self.file(entry, source, path),
            None => self.text(entry, source),
        }
    }

    fn file(&mut self, entry: &RawEntry, source: &At<String>, path: &str) -> Result<Chunk, Mistake> {
        let refused = |error: ReadError| Mistake::new(error.to_string()).at(&source.place);
        let path = resolve(&entry.folder, path).map_err(refused)?;
        if let Some(chunk) = self.by_path.get(&path) {
            return Ok(chunk.clone());
        }
        let file = self.files.read(&path).map_err(|error| {
            let hint = matches!(error, ReadError::Missing(_)).then(|| self.similar(&path)).flatten();
            refused(error).hint(hint)
        })?;
        let chunk = self.add(Program::of_file(file, &path, Some(&source.place)));
        self.by_path.insert(path, chunk.clone());
        Ok(chunk)
    }

    fn text(&mut self, entry: &RawEntry, source: &At<String>) -> Result<Chunk, Mistake> {
        let text = source.value.trim();
        // Otherwise Lua complains about a path, which helps nobody.
        if !text.contains(char::is_whitespace) && (text.ends_with(".lua") || text.contains("://")) {
            let hint = format!("a file is written `{FILE_SCHEME}{}`", text.rsplit("://").next().unwrap_or(text));
            let mistake = Mistake::new(format!("source `{text}` is neither a file nor Lua"));
            return Err(mistake.at(&source.place).hint(Some(hint)));
        }
        Ok(self.add(Program::of_text(entry.id(), source)))
    }

    fn add(&mut self, program: Program) -> Chunk {
        let chunk = program.chunk.clone();
        self.programs.push(program);
        chunk
    }

    /// A hint for a file that isn't there: the nearest name of its folder.
    fn similar(&self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let names = self.files.lua_files(folder);
        hint(name, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
