//! The Lua text behind `source:`.
//!
//! Owns the two forms of a source (a file, or the text itself) and what its chunk is called. A chunk's name is the
//! path inside the application: a script never learns where on the machine it lies.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use lunarium_engine::Chunk;

use crate::files::{self, Files, ReadError};
use crate::lines::Lines;
use crate::raw::RawEntry;
use crate::report::{Findings, Mistake, Place, Report, SourceFile};
use crate::suggest;
use crate::yaml::At;

const FILE_SCHEME: &str = "file://";

/// A chunk with where to point when it doesn't compile.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) chunk: Chunk,
    /// Where its text is; none when it stands in the index file.
    file: Option<Arc<SourceFile>>,
    /// The `source` key's value, when there is one.
    source: Option<Place>,
    /// Of a chunk that has no file.
    lines: Lines,
}

impl Program {
    /// A program of its own, without an index file.
    pub(crate) fn of_file(file: Arc<SourceFile>, path: &str) -> Self {
        Self { chunk: file_chunk(&file, path), file: Some(file), source: None, lines: Lines::default() }
    }

    /// The mistake of a program that doesn't compile; `message` is Lua's, `name:line: text`.
    pub(crate) fn mistake(&self, message: &str, line: Option<u32>) -> Mistake {
        if let Some(line) = line
            && let Some(place) = self.place_of(line)
        {
            let text = message.split_once(&format!(":{line}: ")).map_or(message, |(_, text)| text);
            return Mistake::new(format!("Lua does not compile: {text}")).at(place);
        }
        let mistake = match &self.file {
            Some(file) => Mistake::new(format!("`{}` does not compile: {message}", file.shown)),
            None => Mistake::new(format!("Lua does not compile: {message}")),
        };
        match &self.source {
            Some(source) => mistake.at(source.clone()),
            None => mistake,
        }
    }

    /// Where a line of the program is as nearly as can be told: a text whose lines aren't found in the index file stands
    /// where its `source` begins.
    pub(crate) fn nearest_place(&self, line: u32) -> Option<Place> {
        self.place_of(line).or_else(|| self.source.clone().filter(|_| self.file.is_none()))
    }

    /// The name that Lua's messages call it by: long ones are cut as `luaO_chunkid` does.
    pub(crate) fn shown_name(&self) -> String {
        const ROOM: usize = 60;
        let name = self.chunk.name.as_bytes();
        let rest = name.get(1..).unwrap_or_default();
        let shown = match name.first() {
            _ if name.len() <= ROOM => rest.to_vec(),
            Some(b'@') => [b"...", rest.get(rest.len().saturating_sub(ROOM - 4)..).unwrap_or_default()].concat(),
            _ => rest.get(..ROOM - 1).unwrap_or_default().to_vec(),
        };
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Where a line of the program is: in its file, or in the index file when the line is found there as it is.
    pub(crate) fn place_of(&self, line: u32) -> Option<Place> {
        match (&self.file, &self.source) {
            (Some(file), _) => {
                // What ends too early is told on the line after the last.
                let lines = file.lines.count(&file.text);
                usize::try_from(line).is_ok_and(|line| line <= lines).then(|| Place::line(file, line))
            }
            (None, Some(source)) => {
                let index = usize::try_from(line.checked_sub(1)?).ok()?;
                // All of it is on the line of its key.
                let text = &self.chunk.source;
                if text.trim_end().lines().nth(1).is_none() {
                    return (index == 0).then(|| source.clone());
                }
                let is_there = self.lines.start(text, index) < text.len();
                is_there.then(|| source.line_below(index, self.lines.line(text, index)))?
            }
            (None, None) => None,
        }
    }
}

fn file_chunk(file: &SourceFile, path: &str) -> Chunk {
    Chunk { name: format!("@{path}").into(), source: Arc::clone(&file.text) }
}

/// The programs of an application, each file's text kept once.
#[derive(Default)]
pub(crate) struct Programs {
    /// In the order they were first named.
    pub(crate) all: Vec<Program>,
    by_path: BTreeMap<String, Chunk>,
}

impl fmt::Debug for Programs {
    /// Their texts are the definitions' too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} programs", self.all.len())
    }
}

impl Programs {
    /// The chunk of an entry's source; none when it was reported.
    pub(crate) fn load(
        &mut self,
        entry: &RawEntry,
        source: &At<String>,
        files: &mut Files<'_>,
        report: &mut Report,
    ) -> Option<Chunk> {
        let Some(path) = source.value.strip_prefix(FILE_SCHEME) else {
            return self.inline(entry, source, report);
        };
        let resolved = match files::resolve(&entry.folder, path) {
            Ok(resolved) => resolved,
            Err(error) => {
                refuse(entry, source, &error, None, report);
                return None;
            }
        };
        if let Some(chunk) = self.by_path.get(&resolved) {
            return Some(chunk.clone());
        }
        match files.read(&resolved) {
            Ok(file) => {
                let chunk = file_chunk(&file, &resolved);
                let place = Place::new(&entry.file, source.span.clone());
                self.all.push(Program {
                    chunk: chunk.clone(),
                    file: Some(file),
                    source: Some(place),
                    lines: Lines::default(),
                });
                self.by_path.insert(resolved, chunk.clone());
                Some(chunk)
            }
            Err(error) => {
                let hint = matches!(error, ReadError::Missing(_)).then(|| similar(files, &resolved)).flatten();
                refuse(entry, source, &error, hint, report);
                None
            }
        }
    }

    fn inline(&mut self, entry: &RawEntry, source: &At<String>, report: &mut Report) -> Option<Chunk> {
        let text = source.value.trim();
        // Otherwise Lua complains about a path, which helps nobody.
        if !text.contains(char::is_whitespace) && (text.ends_with(".lua") || text.contains("://")) {
            let hint = format!("a file is written `{FILE_SCHEME}{}`", text.rsplit("://").next().unwrap_or(text));
            let mut findings = Findings { file: &entry.file, report };
            findings.hinted(&source.span, format!("source `{text}` is neither a file nor Lua"), Some(hint));
            return None;
        }
        let name = format!("={}", entry.id.value);
        let chunk = Chunk { name: name.into(), source: source.value.as_str().into() };
        let place = Place::new(&entry.file, source.span.clone());
        self.all.push(Program { chunk: chunk.clone(), file: None, source: Some(place), lines: Lines::default() });
        Some(chunk)
    }
}

fn refuse(entry: &RawEntry, source: &At<String>, error: &ReadError, hint: Option<String>, report: &mut Report) {
    Findings { file: &entry.file, report }.hinted(&source.span, error.to_string(), hint);
}

/// A hint for a file that isn't there: the nearest name of its folder.
fn similar(files: &Files<'_>, path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let names = files.lua_files(folder);
    suggest::hint(name, &names.iter().map(String::as_str).collect::<Vec<_>>())
}
