//! `lunarium fmt`: sources as the house writes them.
//!
//! Owns which files that are, and that none is lost: the new text takes the place of the old one when it is whole, and only of the text that it was
//! made of. How a source is laid out stands in `layout`; whether it is Lua, the guest says before.

mod difference;
mod layout;
mod pieces;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _, PermissionsExt as _};
use lunarium_app::Sources;
use lunarium_engine::{Chunk, Node, NodeConfig};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::runtime::{Builder, Runtime};

use self::difference::difference;
use self::layout::laid_out;
use crate::arguments::Fmt;
use crate::open::{self, Place};
use crate::terminal::{visible, write_error};
use crate::verdict::{FAILURE, SUCCESS, USAGE};
use crate::wall::{Sockets, Wall};
use crate::{FEW_PROCESSES, Refused, Silence, start_node};

/// Lays the sources out, or tells how they differ from that, and returns the exit code.
///
/// Errors: the command line is wrong, or the machine refuses. Nothing was written then.
pub fn run(options: &Fmt) -> Result<u8, Refused> {
    let wanted = !options.no_confine;
    if let [path] = options.paths.as_slice()
        && path == Path::new("-")
    {
        let text = open::script(io::stdin().lock()).map_err(|error| Refused::usage(error.to_string(), None))?;
        Wall::build(wanted, [], Sockets::None)?;
        return Formatter::start(options.check)?.input(&text);
    }
    if options.paths.iter().any(|path| path == Path::new("-")) {
        return Err(Refused::usage("`-`, standard input, stands alone".to_owned(), None));
    }
    let folders = Folders::open(&options.paths)?;
    // A file that is made has the mode that it is made with: behind the wall none can be changed.
    umask(Mode::empty());
    let dirs: Vec<&Dir> = folders.0.values().map(|folder| &folder.dir).collect();
    match options.check {
        true => Wall::around(wanted, &dirs, &[], Sockets::None)?,
        false => Wall::around(wanted, &[], &dirs, Sockets::None)?,
    };
    Formatter::start(options.check)?.folders(&folders)
}

/// What was named, opened.
struct Folders(BTreeMap<PathBuf, Folder>);

struct Folder {
    dir: Dir,
    /// All below it; else these.
    is_whole: bool,
    files: Vec<String>,
}

impl Folders {
    fn open(paths: &[PathBuf]) -> Result<Self, Refused> {
        let mut folders = Self(BTreeMap::new());
        for path in paths {
            let place = open::place(path).map_err(|error| Refused::usage(error.to_string(), None))?;
            let (folder, file) = match place {
                Place::Folder(folder) => (folder, None),
                Place::File { folder, name } => (folder, Some(name)),
            };
            let entry = match folders.0.entry(folder) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let refused = |error| open::OpenError::Io { path: path.clone(), error };
                    let opened = Dir::open_ambient_dir(open::folder(entry.key()), ambient_authority()).map_err(refused);
                    let dir = opened.map_err(|error| Refused::usage(error.to_string(), None))?;
                    entry.insert(Folder { dir, is_whole: false, files: Vec::new() })
                }
            };
            match file {
                Some(file) => entry.files.push(file),
                None => entry.is_whole = true,
            }
        }
        Ok(folders)
    }
}

/// Lays out one source after the other.
struct Formatter {
    node: Node,
    runtime: Runtime,
    is_check: bool,
    /// What goes to standard output.
    told: String,
    /// Sources that aren't laid out, or weren't.
    changed: usize,
    has_failed: bool,
}

impl Formatter {
    fn start(is_check: bool) -> Result<Self, Refused> {
        let node = start_node(NodeConfig::new(Arc::new(Silence)), Some(FEW_PROCESSES), Vec::new())?;
        // Without a driver: there is nothing to wait for but the engine.
        let runtime = Builder::new_current_thread().build().map_err(|error| Refused::machine(error.to_string()))?;
        Ok(Self { node, runtime, is_check, told: String::new(), changed: 0, has_failed: false })
    }

    /// From standard input to standard output.
    fn input(mut self, text: &str) -> Result<u8, Refused> {
        match self.laid_out("standard input", text) {
            Ok(laid_out) if self.is_check => self.differs("standard input", text, &laid_out),
            Ok(laid_out) => self.told = laid_out,
            Err(why) => self.fail(&why),
        }
        self.finish()
    }

    fn folders(mut self, folders: &Folders) -> Result<u8, Refused> {
        for (shown, folder) in &folders.0 {
            let shown = if shown == Path::new(".") { Path::new("") } else { shown };
            let sources = Sources::new(&folder.dir, shown);
            let mut files = folder.files.clone();
            if folder.is_whole {
                let (found, unsearched) = sources.find();
                unsearched.iter().for_each(|why| self.fail(why));
                files.extend(found);
            }
            files.sort();
            files.dedup();
            for file in files {
                self.file(&folder.dir, &sources, &file).unwrap_or_else(|why| self.fail(&why));
            }
        }
        self.finish()
    }

    /// Errors: what is to be said.
    fn file(&mut self, dir: &Dir, sources: &Sources<'_>, path: &str) -> Result<(), String> {
        let shown = sources.shown(path);
        let metadata = dir.symlink_metadata(path).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
        if metadata.is_symlink() {
            return Err(format!("`{shown}` is a link: name the file that it leads to"));
        }
        let text = sources.read(path)?;
        let laid_out = self.laid_out(&shown, &text)?;
        if laid_out == text {
            return Ok(());
        }
        if self.is_check {
            self.differs(&shown, &text, &laid_out);
            return Ok(());
        }
        if metadata.permissions().readonly() {
            return Err(format!("`{shown}` is read-only"));
        }
        let is_same = || sources.read(path).is_ok_and(|now| now == text);
        replace(dir, path, &laid_out, is_same).map_err(|error| format!("`{shown}` is as it was: {error}"))?;
        self.changed += 1;
        self.told.push_str(&visible(&format!("formatted {shown}\n")));
        Ok(())
    }

    /// Errors: what is to be said: it isn't Lua.
    fn laid_out(&self, shown: &str, text: &str) -> Result<String, String> {
        let chunk = Chunk::new(format!("@{shown}"), text);
        if let Err(error) = self.runtime.block_on(self.node.check(&chunk)) {
            return Err(match error.line {
                Some(line) => {
                    let message = error.message.split_once(&format!(":{line}: ")).map(|(_, message)| message);
                    format!("{shown}:{line}: {}", message.unwrap_or(&error.message))
                }
                None => format!("{shown}: {}", error.message),
            });
        }
        laid_out(text).map_err(|error| format!("{shown}: {error}"))
    }

    fn differs(&mut self, shown: &str, text: &str, laid_out: &str) {
        if laid_out != text {
            self.changed += 1;
            self.told.push_str(&visible(&difference(shown, text, laid_out)));
        }
    }

    fn fail(&mut self, why: &str) {
        self.has_failed = true;
        write_error(&visible(&format!("error: {why}\n")));
    }

    fn finish(self) -> Result<u8, Refused> {
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(self.told.as_bytes()).and_then(|()| out.flush()) {
            return Refused::output(&error);
        }
        if self.is_check && self.changed > 0 {
            let (count, verb) = (self.changed, if self.changed == 1 { "differs" } else { "differ" });
            let plural = if count == 1 { "" } else { "s" };
            write_error(&format!("error: {count} file{plural} {verb} from the layout that `lunarium fmt` gives\n"));
        }
        Ok(match (self.has_failed, self.is_check && self.changed > 0) {
            (true, _) => USAGE,
            (false, true) => FAILURE,
            (false, false) => SUCCESS,
        })
    }
}

/// Puts a text in the place of a file's, with its mode: at no time is there neither. `is_same` says whether the file is as it was read.
///
/// Errors: why it is as it was.
fn replace(dir: &Dir, path: &str, text: &str, is_same: impl Fn() -> bool) -> io::Result<()> {
    let mode = dir.metadata(path)?.permissions().mode();
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let beside = format!(".{name}.{}.new", std::process::id());
    let beside = if folder.is_empty() { beside } else { format!("{folder}/{beside}") };
    let put = || {
        let mut wanted = OpenOptions::new();
        wanted.write(true).create_new(true).mode(mode & 0o777);
        let mut file = dir.open_with(&beside, &wanted)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if !is_same() {
            return Err(io::Error::other("it has changed meanwhile"));
        }
        dir.rename(&beside, dir, path)
    };
    put().inspect_err(|_| drop(dir.remove_file(&beside)))
}
