//! Reading an application: files in, a checked application or a report out.
//!
//! Owns the order of the checks and that all of them run: what one finds doesn't hide what another would. Refuses to
//! start anything.

use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_engine::{Chunk, CompileError, Definition, Node};
use lunarium_kernel::{EntryId, LimitsOverride};

use crate::application::{App, DEFAULT_HOST, MAIN};
use crate::files::{Files, INDEX};
use crate::grants::Authority;
use crate::program::{Program, Programs};
use crate::raw;
use crate::report::{Mistake, Report};
use crate::resolve;

/// Whoever tells whether a chunk is Lua.
pub trait Compiler {
    /// Compiles a chunk without running it.
    fn check(&self, chunk: &Chunk) -> impl Future<Output = Result<(), CompileError>> + Send;
}

impl Compiler for Node {
    fn check(&self, chunk: &Chunk) -> impl Future<Output = Result<(), CompileError>> + Send {
        Self::check(self, chunk)
    }
}

/// An application that was read; whether its programs compile isn't known yet.
#[derive(Debug)]
pub struct Draft {
    app: App,
    programs: Programs,
    report: Report,
}

impl Draft {
    /// Reads the application in `dir`: every `_index.yaml` and the sources they name.
    ///
    /// `shown` is the folder's path as the user gave it; it is only shown. What the application grants of the world
    /// outside comes from `authority`, now: values of variables and open directories. Mistakes are kept for
    /// [`Draft::finish`].
    pub fn of_folder(dir: &Dir, shown: &Path, authority: &dyn Authority) -> Self {
        let mut report = Report::default();
        let mut files = Files::new(dir, shown);
        let found = files.find_indexes(&mut report);
        if found.is_empty() && report.is_empty() {
            let message = format!("there is no `{INDEX}` in `{}` or below it", files.shown(""));
            let hint = "a single program runs without: `lunarium run file.lua`";
            report.push(Mistake::new(message).hint(hint));
        }
        let mut entries = Vec::new();
        for index in found {
            match files.read(&index.path()) {
                Ok(file) => entries.extend(raw::read(&file, &index.folder, &mut report)),
                Err(error) => report.push(Mistake::new(error.to_string())),
            }
        }
        let (app, programs) = resolve::resolve(&entries, &mut files, authority, &mut report);
        Self { app, programs, report }
    }

    /// Reads a single program: `app:main` on `app:processes`.
    ///
    /// `dir` is the file's folder as people see it in `shown`, `name` the file's name in it.
    pub fn of_file(dir: &Dir, shown: &Path, name: &str) -> Self {
        let mut report = Report::default();
        let mut programs = Programs::default();
        let mut app = App { hosts: vec![resolve::default_host()], ..App::default() };
        match Files::new(dir, shown).read(name) {
            Ok(file) => {
                let program = Program::of_file(file, name);
                app.definitions.push(single(&program));
                programs.all.push(program);
            }
            Err(error) => report.push(Mistake::new(error.to_string())),
        }
        Self { app, programs, report }
    }

    /// The most processes that can be alive at once, by the application's hosts; none when a host doesn't say.
    pub fn max_processes(&self) -> Option<u32> {
        self.app.max_processes()
    }

    /// Compiles every program, each in `compiler`'s sandbox.
    pub async fn compile(&mut self, compiler: &impl Compiler) {
        for program in &self.programs.all {
            if let Err(error) = compiler.check(&program.chunk).await {
                self.report.push(program.mistake(&error.message, error.line));
            }
        }
    }

    /// The application.
    ///
    /// Errors: the report of everything that is wrong.
    pub fn finish(mut self) -> Result<App, Report> {
        if self.report.is_empty() {
            Ok(self.app)
        } else {
            self.report.sort();
            Err(self.report)
        }
    }
}

fn single(program: &Program) -> Definition {
    let space = DEFAULT_HOST.split_once(':').map_or("app", |(space, _)| space);
    Definition {
        entry: EntryId::new(format!("{space}:{MAIN}")),
        method: Arc::from(MAIN),
        chunk: program.chunk.clone(),
        imports: Vec::new(),
        libraries: Vec::new(),
        limits: LimitsOverride::default(),
        grants: Arc::default(),
    }
}
