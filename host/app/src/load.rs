//! Reading an application: files in, a checked application or a report out.
//!
//! Owns the order of the checks and that all of them run: what one finds doesn't hide what another would. Refuses to
//! start anything.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use lunarium_engine::{Chunk, CompileError, Definition, Directory, Globals, Grants, Module, Node};
use lunarium_kernel::EntryId;

use crate::application::{App, DEFAULT_HOST, Host, MAIN, Program};
use crate::raw::{self, Kind, RawEntry};
use crate::report::{Mistake, Report};
use crate::resolve::{self, Authority};
use crate::review;
use crate::source::{At, Files, Found, INDEX, ReadError, SourceFile};

/// Whoever tells whether a chunk is Lua.
pub trait Compiler {
    /// Compiles a chunk without running it, and tells which globals it uses.
    fn check(&self, chunk: &Chunk) -> impl Future<Output = Result<Globals, CompileError>> + Send;

    /// The modules that scripts will have, if they are granted them.
    fn modules(&self) -> Vec<Module>;
}

impl Compiler for Node {
    fn check(&self, chunk: &Chunk) -> impl Future<Output = Result<Globals, CompileError>> + Send {
        Self::check(self, chunk)
    }

    fn modules(&self) -> Vec<Module> {
        Self::modules(self)
    }
}

/// An application that was read; whether its programs compile isn't known yet.
#[derive(Debug)]
pub struct Draft {
    pub(crate) app: App,
    /// Of the programs that compile, each with its number.
    globals: Vec<(usize, Globals)>,
    /// Of whoever has compiled them.
    modules: Vec<Module>,
    /// The names of modules in grants.
    granted: Vec<At<String>>,
    /// The names in `modules:`, and those of imports.
    wished: Vec<At<String>>,
    aliases: BTreeSet<String>,
    ids: review::Ids,
    pub(crate) report: Report,
    warnings: Vec<Mistake>,
}

impl Draft {
    /// Reads the application in `dir`: every `_index.yaml` and the sources they name.
    ///
    /// `shown` is the folder's path as the user gave it; it is only shown. What the application grants of the world
    /// outside comes from `authority`, now: values of variables, open directories, settings of modules. Mistakes are kept for
    /// [`Draft::finish`].
    pub fn of_folder(dir: &Dir, shown: &Path, authority: &dyn Authority) -> Self {
        let mut files = Files::new(dir, shown);
        let indexes = files.find_indexes();
        Self::of_indexes(&mut files, indexes, authority)
    }

    /// The same, of these index files, and of what couldn't be searched for them.
    pub(crate) fn of_indexes(
        files: &mut Files<'_>,
        (found, unsearched): (Vec<Found>, Vec<ReadError>),
        authority: &dyn Authority,
    ) -> Self {
        let mut report = Report::default();
        report.extend(unsearched.into_iter().map(|error| Mistake::new(error.to_string())));
        if found.is_empty() && report.is_empty() {
            let message = format!("there is no `{INDEX}` in `{}` or below it", files.shown(""));
            let hint = "a single program runs without: `lunarium run file.lua`";
            report.push(Mistake::new(message).hint(Some(hint.to_owned())));
        }
        let (mut entries, mut strict) = (Vec::new(), false);
        for index in found {
            match files.read(&index.path()) {
                Ok(file) => {
                    let read = raw::read(&file, &index.folder, &mut report);
                    entries.extend(read.entries);
                    strict |= read.strict;
                }
                Err(error) => report.push(Mistake::new(error.to_string())),
            }
        }
        let (app, chunks) = resolve::resolve(&entries, strict, files, authority, &mut report);
        let warnings = review::of_entries(&entries, &chunks);
        let granted = entries.iter().filter_map(RawEntry::grants).flat_map(|grants| grants.modules.iter().cloned());
        let granted = granted.collect();
        let wished = entries.iter().flat_map(RawEntry::modules).cloned().collect();
        let aliases = entries.iter().flat_map(RawEntry::imports).map(|import| import.alias.value.clone()).collect();
        let ids = ids(&entries);
        Self { app, granted, wished, aliases, ids, report, warnings, globals: Vec::new(), modules: Vec::new() }
    }

    /// Reads a single program: `app:main` on `app:processes`. It may be a plain script, which returns nothing.
    ///
    /// `dir` is the file's folder as people see it in `shown`, `name` the file's name in it.
    pub fn of_file(dir: &Dir, shown: &Path, name: &str) -> Self {
        let mut report = Report::default();
        let mut app = App { hosts: vec![Host::of_default()], ..App::default() };
        match Files::new(dir, shown).read(name) {
            Ok(file) => {
                app.add_single(Program::of_file(file, name, None));
            }
            Err(error) => report.push(Mistake::new(error.to_string())),
        }
        Self { report, ..Self::of_app(app) }
    }

    /// A single program whose text is given: `app:main` on `app:processes`. `name` is what messages call it.
    pub fn of_text(name: &str, text: &str) -> Self {
        let mut app = App { hosts: vec![Host::of_default()], ..App::default() };
        let file = Arc::new(SourceFile::new(name.to_owned(), text.into()));
        app.add_single(Program::of_file(file, name, None));
        Self::of_app(app)
    }

    /// No program at all: `app:processes`, a host.
    pub fn of_nothing() -> Self {
        Self::of_app(App { hosts: vec![Host::of_default()], ..App::default() })
    }

    /// Nothing is wrong with it yet.
    pub(crate) fn of_app(app: App) -> Self {
        let processes = app.definitions.iter().map(|definition| definition.entry.to_string()).collect();
        Self {
            granted: Vec::new(),
            wished: Vec::new(),
            aliases: BTreeSet::new(),
            ids: review::Ids { processes, ..review::Ids::default() },
            report: Report::default(),
            warnings: Vec::new(),
            globals: Vec::new(),
            modules: Vec::new(),
            app,
        }
    }

    /// Whether it is one program, without an index file.
    pub fn is_single(&self) -> bool {
        self.app.definitions.iter().any(|definition| definition.plain)
    }

    /// The most processes that can be alive at once, by the application's hosts; none when a host doesn't say.
    pub fn max_processes(&self) -> Option<u32> {
        self.app.max_processes()
    }

    /// The directories that the application grants, to an entry or a host; one may come several times.
    pub fn directories(&self) -> impl Iterator<Item = &Directory> {
        self.grants().flat_map(|grants| &grants.fs)
    }

    /// Whether it grants a module of this name, to an entry or a host.
    pub fn grants_module(&self, name: &str) -> bool {
        self.grants().any(|grants| grants.modules.contains(name))
    }

    /// Whether it has endpoints that can be served.
    pub fn has_endpoints(&self) -> bool {
        !self.app.endpoints.is_empty()
    }

    /// Whether something is wrong with it, as far as is known.
    pub fn is_wrong(&self) -> bool {
        !self.report.is_empty()
    }

    fn grants(&self) -> impl Iterator<Item = &Grants> {
        let entries = self.app.definitions.iter().map(|definition| &*definition.grants);
        entries.chain(self.app.hosts.iter().map(|host| &*host.definition.grants))
    }

    /// Compiles every program, each in `compiler`'s sandbox, whose modules are those that [`Draft::review`] knows.
    pub async fn compile(&mut self, compiler: &impl Compiler) {
        self.modules = compiler.modules();
        for (number, program) in self.app.programs.all().iter().enumerate() {
            match compiler.check(&program.chunk).await {
                Ok(globals) => self.globals.push((number, globals)),
                Err(error) => self.report.push(program.mistake(&error.message, error.line)),
            }
        }
    }

    /// Everything that is wrong, and what hardly can be meant: globals that nobody defines, modules and fields of modules that
    /// aren't there, a `main` that was misspelt, entries that nothing uses, limits that change nothing.
    ///
    /// What is unused shows only when nothing is wrong: an entry that can't be read may be what uses it.
    pub fn review(mut self) -> Report {
        self.warn();
        self.report
    }

    /// A warning for each program whose `main` was misspelt, where it is compiled: what is run of it would do nothing, without a word.
    pub fn misspelt(&self) -> Report {
        let mut report = Report::default();
        report.extend(review::misspelt(&self.app, &self.checked()));
        report
    }

    /// The application, and the report of what hardly can be meant: see [`Draft::review`].
    ///
    /// Errors: the report of everything that is wrong, without warnings.
    pub fn judge(mut self) -> Result<(App, Report), Report> {
        if !self.report.is_clean() {
            self.report.sort();
            return Err(self.report);
        }
        self.warn();
        Ok((self.app, self.report))
    }

    fn warn(&mut self) {
        let unused = if self.report.is_clean() { std::mem::take(&mut self.warnings) } else { Vec::new() };
        let checked = self.checked();
        let undefined = review::undefined(&self.app, &checked);
        let unknown = review::unknown(&self.app, &checked, &self.modules, &self.granted);
        let misspelt = review::misspelt(&self.app, &checked);
        let wished = review::wished(&self.wished, &self.modules, &self.aliases);
        let warnings: Vec<_> = undefined
            .into_iter()
            .chain(wished)
            .chain(review::starts(&checked, &self.ids))
            .chain(review::idle(&self.app, &checked, self.is_single()))
            .chain(unknown)
            .chain(misspelt)
            .chain(unused)
            .collect();
        self.report.extend(warnings);
        self.report.sort();
    }

    /// The programs that are compiled, with what was seen of each.
    fn checked(&self) -> Vec<(&Program, &Globals)> {
        let programs = self.app.programs.all();
        self.globals.iter().filter_map(|(number, globals)| Some((programs.get(*number)?, globals))).collect()
    }

    /// The application.
    ///
    /// Errors: the report of everything that is wrong.
    pub fn finish(mut self) -> Result<App, Report> {
        if self.report.is_clean() {
            Ok(self.app)
        } else {
            self.report.sort();
            Err(self.report)
        }
    }
}

/// The ids of all entries, by what they can be named as.
fn ids(entries: &[RawEntry]) -> review::Ids {
    let mut ids = review::Ids::default();
    for entry in entries {
        let place = match entry.kind() {
            Some(Kind::Process) => &mut ids.processes,
            Some(Kind::Host) => &mut ids.hosts,
            Some(Kind::Policy) => &mut ids.policies,
            Some(_) => continue,
            None => &mut ids.unusable,
        };
        place.insert(entry.id().to_owned());
        ids.groups
            .extend(entry.policy().into_iter().flat_map(|policy| &policy.groups).map(|group| group.value.clone()));
    }
    ids
}

impl App {
    fn add_single(&mut self, program: Program) {
        let entry = EntryId::new(format!("{}:{MAIN}", default_space()));
        self.definitions.push(Definition::new(entry, program.chunk.clone()).with_plain());
        self.programs.push(program);
    }
}

/// The namespace of what has no index file.
pub(crate) fn default_space() -> &'static str {
    DEFAULT_HOST.split_once(':').map_or("app", |(space, _)| space)
}
