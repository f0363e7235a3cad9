//! The programs of an application: chunks of Lua, and where their lines are for people.
//!
//! Owns what a chunk is called and how its lines are found again. A chunk's name is the path inside the application: a script
//! never learns where on the machine it lies.

use std::fmt;
use std::sync::Arc;

use lunarium_engine::Chunk;

use crate::report::Mistake;
use crate::source::{At, Lines, Place, SourceFile};

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
    /// The program in a file of this path in the application. `source` is what names it in an index file.
    pub(crate) fn of_file(file: Arc<SourceFile>, path: &str, source: Option<&Place>) -> Self {
        let chunk = Chunk::new(format!("@{path}"), Arc::clone(&file.text));
        Self { chunk, file: Some(file), source: source.cloned(), lines: Lines::default() }
    }

    /// The program that an entry's `source` is itself.
    pub(crate) fn of_text(entry: &str, source: &At<String>) -> Self {
        let chunk = Chunk::new(format!("={entry}"), source.value.as_str());
        Self { chunk, file: None, source: Some(source.place.clone()), lines: Lines::default() }
    }

    /// The mistake of a program that doesn't compile; `message` is Lua's, `name:line: text`.
    pub(crate) fn mistake(&self, message: &str, line: Option<u32>) -> Mistake {
        if let Some(line) = line
            && let Some(place) = self.place_of(line)
        {
            let text = message.split_once(&format!(":{line}: ")).map_or(message, |(_, text)| text);
            return Mistake::new(format!("Lua does not compile: {text}")).at(&place);
        }
        let mistake = match &self.file {
            Some(file) => Mistake::new(format!("`{}` does not compile: {message}", file.shown)),
            None => Mistake::new(format!("Lua does not compile: {message}")),
        };
        match &self.source {
            Some(source) => mistake.at(source),
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

/// The programs of an application.
#[derive(Default)]
pub(crate) struct Programs {
    /// In the order they were first named.
    all: Vec<Program>,
}

impl fmt::Debug for Programs {
    /// Their texts are the definitions' too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} programs", self.all.len())
    }
}

impl Programs {
    pub(crate) fn push(&mut self, program: Program) {
        self.all.push(program);
    }

    pub(crate) fn all(&self) -> &[Program] {
        &self.all
    }
}
