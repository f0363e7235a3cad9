//! An application's folder as an archive.
//!
//! Owns that the same files are the same bytes, and that an archive has folders and files alone. What of them an application needs, the host
//! decides.

use std::fs;
use std::io;
use std::path::Path;

use lunarium_serve::MAX_ARCHIVE;
use tar::{Builder, EntryType, Header};

use crate::Refused;

/// A folder that is nobody's program.
const LEFT_OUT: &str = ".git";

/// The archive.
///
/// Errors: it can't be read, has something else than folders and files, or is too large.
pub fn folder(path: &Path) -> Result<Vec<u8>, Refused> {
    let refused = |error: io::Error| Refused::usage(format!("`{}` can't be deployed: {error}", path.display()), None);
    if !fs::metadata(path).map_err(refused)?.is_dir() {
        let help = "an application is a folder with `_index.yaml` files".to_owned();
        return Err(Refused::usage(format!("`{}` is no folder", path.display()), Some(help)));
    }
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, path, Path::new("")).map_err(refused)?;
    archive.into_inner().map_err(refused)
}

fn add(archive: &mut Builder<Vec<u8>>, root: &Path, inside: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(root.join(inside))?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = inside.join(entry.file_name());
        let wrong = |what: String| io::Error::other(format!("`{}` {what}", path.display()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if entry.file_name() == LEFT_OUT {
                continue;
            }
            let mut header = header(EntryType::Directory, 0);
            archive.append_data(&mut header, &path, io::empty())?;
            add(archive, root, &path)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path())?;
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if bytes.len().saturating_add(archive.get_ref().len()) > MAX_ARCHIVE {
                return Err(wrong(format!("makes it larger than {} MiB", MAX_ARCHIVE >> 20)));
            }
            archive.append_data(&mut header(EntryType::Regular, size), &path, bytes.as_slice())?;
        } else {
            return Err(wrong("is neither a folder nor a file: links and the like can't be deployed".to_owned()));
        }
    }
    Ok(())
}

/// Without times and owners: they are this machine's.
fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    header
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::folder;

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for names in [(&one, ["b.lua", "a.lua"]), (&other, ["a.lua", "b.lua"])] {
            let (dir, names) = names;
            names.iter().for_each(|name| fs::write(dir.path().join(name), name).unwrap());
            fs::create_dir_all(dir.path().join("lib/.git")).unwrap();
            fs::write(dir.path().join("lib/.git/HEAD"), "secret").unwrap();
        }
        let tar = folder(one.path()).unwrap();
        assert_eq!(tar, folder(other.path()).unwrap());
        let mut archive = tar::Archive::new(tar.as_slice());
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names.iter().map(|name| name.trim_end_matches('/')).collect::<Vec<_>>(), ["a.lua", "b.lua", "lib"]);
    }

    #[test]
    fn links_and_what_is_no_folder_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let told = folder(dir.path()).unwrap_err().text;
        assert!(
            told.ends_with("`link` is neither a folder nor a file: links and the like can't be deployed"),
            "{told}"
        );
        fs::write(dir.path().join("file"), "").unwrap();
        let told = folder(&dir.path().join("file")).unwrap_err().text;
        assert!(told.contains("is no folder\nhelp: an application is a folder"), "{told}");
        assert!(folder(&dir.path().join("none")).unwrap_err().text.contains("No such file"));
    }
}
