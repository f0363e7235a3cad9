//! What the digest covers.

use super::*;

/// A guest of its own for one test; removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let root = std::env::temp_dir().join(format!("lunarium-digest-{}-{test}", std::process::id()));
        for folder in ["guest/src/api", "guest/dist", "wit"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        let folder = Self(root);
        folder.write("guest/src/lib.rs", "one");
        folder.write("wit/world.wit", "two");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a file");
    }

    fn digest(&self) -> String {
        of_sources(&self.0.join("guest")).expect("readable sources")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("own folder");
    }
}

#[test]
fn is_what_sha256sum_prints() {
    let one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  src/lib.rs\n";
    let two = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  ../wit/world.wit\n";
    assert_eq!(Folder::new("known").digest(), hex(&Sha256::digest(format!("{two}{one}"))));
}

#[test]
fn sees_every_change_of_a_source() {
    let folder = Folder::new("changes");
    let mut seen = vec![folder.digest()];
    let mut changed = |digest: String| {
        assert!(!seen.contains(&digest), "unchanged");
        seen.push(digest);
    };
    folder.write("guest/src/lib.rs", "other");
    changed(folder.digest());
    folder.write("guest/src/api/mailbox.rs", "new, deeper");
    changed(folder.digest());
    folder.write("guest/lua.patch", "new");
    changed(folder.digest());
    fs::remove_file(folder.0.join("wit/world.wit")).expect("own file");
    changed(folder.digest());
}

#[test]
fn ignores_what_is_built() {
    let folder = Folder::new("built");
    let before = folder.digest();
    folder.write("guest/dist/DIGEST", "anything");
    assert_eq!(before, folder.digest());
}
