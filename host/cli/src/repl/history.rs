//! What was typed before, in a file of the user's.
//!
//! Owns the file: it is opened, read and made smaller before the wall is built, and only added to behind it. An input is a line in it, its own line
//! ends escaped. What can't be kept is no reason not to go on.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Inputs that are kept.
pub const KEPT: usize = 1000;
/// Bytes of one that is. A larger one was pasted, most likely.
const LONGEST: usize = 16 * 1024;
/// Bytes of the file that are read, its last ones. Above a quarter of it the file is made smaller.
const READ: u64 = 1024 * 1024;

/// The inputs of before, and the file that more are added to.
#[derive(Default)]
pub struct History {
    pub entries: Vec<String>,
    file: Option<File>,
}

impl History {
    /// Opens the history's file, or makes it: that which was named (none, by an empty name), or that of the user's state. And what keeps it from
    /// being kept.
    pub fn open(named: Option<&OsStr>) -> (Self, Option<String>) {
        let path = match named {
            Some(name) if name.is_empty() => return (Self::default(), None),
            Some(name) => Some(PathBuf::from(name)),
            None => of_user(),
        };
        // Nobody's home, nobody's history.
        let Some(path) = path else { return (Self::default(), None) };
        match Self::open_at(&path, named.is_none()) {
            Ok(history) => (history, None),
            Err(error) => (Self::default(), Some(format!("`{}`: {error}", path.display()))),
        }
    }

    fn open_at(path: &Path, is_own: bool) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|_| is_own) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // Inputs may hold secrets. Nobody waits for the other end of a pipe.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let options = &mut OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("is not a file"));
        }
        let entries = read(&mut file, metadata.len())?;
        if metadata.len() > READ / 4 {
            file.set_len(0)?;
            file.write_all(entries.iter().map(|entry| line_of(entry)).collect::<String>().as_bytes())?;
        }
        Ok(Self { entries, file: Some(file) })
    }

    /// Keeps an input. One that begins with a space, is the last one again, or is long, isn't.
    pub fn add(&mut self, input: &str) -> bool {
        let is_last = self.entries.last().is_some_and(|last| last == input);
        if input.starts_with(char::is_whitespace) || input.is_empty() || is_last || input.len() > LONGEST {
            return false;
        }
        self.entries.push(input.to_owned());
        if self.entries.len() > KEPT {
            self.entries.remove(0);
        }
        // In one piece, so that two prompts don't mix. A full disk keeps nobody from evaluating.
        if let Some(file) = &mut self.file
            && file.write_all(line_of(input).as_bytes()).is_err()
        {
            self.file = None;
        }
        true
    }
}

fn of_user() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(state.or_else(|| Some(home?.join(".local/state")))?.join("lunarium/history"))
}

/// The last entries.
fn read(file: &mut File, length: u64) -> io::Result<Vec<String>> {
    let skipped = length.saturating_sub(READ);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().skip(usize::from(skipped > 0)).filter(|line| !line.is_empty()).collect();
    let first = lines.len().saturating_sub(KEPT);
    Ok(lines.into_iter().skip(first).map(entry_of).collect())
}

fn line_of(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r") + "\n"
}

fn entry_of(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        entry.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    entry
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{History, KEPT, LONGEST};

    #[test]
    fn what_was_typed_is_there_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let open = || History::open(Some(path.as_os_str()));
        let (mut history, complaint) = open();
        assert_eq!((complaint, history.entries.len()), (None, 0));
        let typed = ["one", "one", " secret", "for i = 1, 2 do\n  print('\\n')\r\nend", "", &"x".repeat(LONGEST + 1)];
        assert_eq!(typed.map(|input| history.add(input)), [true, false, false, true, false, false]);
        assert_eq!(open().0.entries, ["one", "for i = 1, 2 do\n  print('\\n')\r\nend"]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let old: String = (0..400_000).map(|number| format!("{number}\n")).collect();
        std::fs::write(&path, old).unwrap();
        let (mut history, _) = History::open(Some(path.as_os_str()));
        assert_eq!((history.entries.len(), history.entries.first().unwrap().as_str()), (KEPT, "399000"));
        history.add("new");
        assert_eq!(history.entries.len(), KEPT);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), text.lines().last()), (KEPT + 1, Some("new")));
    }

    #[test]
    fn what_is_no_file_is_told_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (history, complaint) = History::open(Some(folder.path().as_os_str()));
        assert!(history.entries.is_empty() && complaint.unwrap().contains("Is a directory"), "a folder");
        let (history, complaint) = History::open(Some("/dev/zero".as_ref()));
        assert!(history.entries.is_empty() && complaint.unwrap().contains("`/dev/zero`: is not a file"), "a device");
        assert!(History::open(Some("".as_ref())).1.is_none());
    }
}
