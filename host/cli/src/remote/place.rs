//! Where a host listens: its default socket, and what `--node` names.
//!
//! Owns the order in which places are looked at, the same for who listens and who asks; and that a place anybody could have made is
//! believed only when it is this user's.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use lunarium_serve::{Token, Way};

use super::arguments::Target;
use crate::{Refused, open};

/// Bytes of a file with a token.
const TOKEN_BYTES: u64 = 4 << 10;

/// Whether a port stands behind an address, whatever that is.
pub fn has_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Where the host is that a command line means.
///
/// Errors: it means none, or its token can't be read.
pub fn find(target: &Target) -> Result<Way, Refused> {
    let token = target.token_file.as_deref().map(token).transpose()?;
    // Of several that the host's variable names, the first.
    let node = target.node.as_deref().and_then(|nodes| nodes.split(',').find(|node| *node != "none"));
    let Some(node) = node else { return existing().map(Way::Unix) };
    // `tcp:` as `--admin` of the host has it, which stands in the same variable.
    if let Some(rest) = node.strip_prefix("http://").or_else(|| node.strip_prefix("tcp:")) {
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if !has_port(authority) || authority.contains(['/', '@', '?', '#']) {
            let message = format!("`{node}` is no address of a host");
            return Err(Refused::usage(message, Some("it is `http://ADDRESS:PORT`".to_owned())));
        }
        let unnamed = || {
            let help = "the host's `--admin-token-file` names it".to_owned();
            Refused::usage("a host with a URL needs `--token-file FILE`".to_owned(), Some(help))
        };
        return Ok(Way::Tcp(authority.to_owned(), token.ok_or_else(unnamed)?));
    }
    if node.starts_with("https://") {
        let help =
            "a tunnel to its socket is one way: `ssh -L /tmp/there.sock:/run/lunarium/admin.sock there`".to_owned();
        return Err(Refused::usage("the admin interface has no TLS".to_owned(), Some(help)));
    }
    Ok(Way::Unix(PathBuf::from(node.strip_prefix("unix:").unwrap_or(node))))
}

/// The token in a file.
///
/// Errors: it can't be read, others can read it, or it is none.
pub fn token(path: &Path) -> Result<Token, Refused> {
    let cannot = |error: io::Error| Refused::usage(format!("token file `{}`: {error}", path.display()), None);
    // What is looked at is what is read.
    let file = open::file(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if !metadata.is_file() {
        return Err(Refused::usage(format!("token file `{}` isn't a file", path.display()), None));
    }
    if metadata.mode() & 0o077 != 0 {
        let message = format!(
            "token file `{}` can be read by others: its mode is {:04o}",
            path.display(),
            metadata.mode() & 0o7777
        );
        return Err(Refused::usage(message, Some(format!("`chmod 600 {}`", path.display()))));
    }
    let too_long =
        || Refused::usage(format!("token file `{}` has more than {TOKEN_BYTES} bytes", path.display()), None);
    let text = open::bounded(file, TOKEN_BYTES).map_err(cannot)?.ok_or_else(too_long)?;
    let text = String::from_utf8_lossy(&text);
    Token::new(&text).map_err(|error| Refused::usage(format!("token file `{}`: {error}", path.display()), None))
}

/// This user.
fn user() -> u32 {
    // Without it nothing here is anybody's.
    fs::metadata("/proc/self").map_or(u32::MAX, |metadata| metadata.uid())
}

/// The folders of default sockets, with the sockets: the session's, the system's, and one below `/tmp` for who has neither.
fn defaults() -> [Option<PathBuf>; 3] {
    let session = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
    [
        session.filter(|path| path.is_absolute()).map(|path| path.join("lunarium")),
        Some(PathBuf::from("/run/lunarium")),
        Some(env::temp_dir().join(format!("lunarium-{}", user()))),
    ]
}

/// A socket's name in one of the folders.
const SOCKET: &str = "admin.sock";

/// The default socket that is there.
fn existing() -> Result<PathBuf, Refused> {
    let all: Vec<PathBuf> = defaults().into_iter().flatten().map(|folder| folder.join(SOCKET)).collect();
    let is_socket = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let is_ours = |path: &Path| path.starts_with("/run") || path.parent().is_some_and(|folder| owned(folder).is_ok());
    if let Some(found) = all.iter().find(|path| is_socket(path) && is_ours(path)) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = all.iter().map(|path| format!("`{}`", path.display())).collect();
    let message = format!("no host is found: there is no socket {}", looked.join(", "));
    let help = "`lunarium serve` starts one; `--node SOCKET|URL` names one that is elsewhere";
    Err(Refused::machine(message).with_hint(help))
}

/// A folder of this user's into which nobody else can write.
fn owned(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let is_ours = metadata.is_dir() && metadata.uid() == user() && metadata.mode() & 0o022 == 0;
    if is_ours { Ok(()) } else { Err(io::Error::other("it isn't a folder that only this user can write to")) }
}

/// Where a host listens when nothing is said; its folder is made.
///
/// Errors: it can't be made, or belongs to somebody else.
pub fn default_socket() -> Result<PathBuf, Refused> {
    // What systemd has made for the service.
    let service = env::var_os("RUNTIME_DIRECTORY").and_then(|paths| {
        let first = paths.to_str()?.split(':').next()?.to_owned();
        (!first.is_empty()).then(|| PathBuf::from(first))
    });
    if let Some(folder) = service {
        return Ok(folder.join(SOCKET));
    }
    let [session, system, own] = defaults();
    let folders = if user() == 0 { [system, session, own] } else { [session, own, None] };
    let mut refused = None;
    for folder in folders.into_iter().flatten() {
        let made = DirBuilder::new().mode(0o700).create(&folder);
        let made = made.or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) });
        match made.and_then(|()| owned(&folder)) {
            Ok(()) => return Ok(folder.join(SOCKET)),
            Err(error) => refused = Some(format!("`{}`: {error}", folder.display())),
        }
    }
    let message = format!("there is no place for the admin socket: {}", refused.unwrap_or_default());
    Err(Refused::usage(message, Some("`--admin unix:PATH` names one".to_owned())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Target, Way, find, token};

    fn target(node: &str, token_file: Option<&std::path::Path>) -> Target {
        Target { node: Some(node.to_owned()), token_file: token_file.map(Into::into), json: false, admin: None }
    }

    fn refused(node: &str) -> String {
        find(&target(node, None)).unwrap_err().text
    }

    #[test]
    fn a_host_is_a_socket_or_an_address() {
        for path in ["/run/x.sock", "unix:/run/x.sock"] {
            let Ok(Way::Unix(found)) = find(&target(path, None)) else { panic!("{path}") };
            assert_eq!(found.to_str(), Some("/run/x.sock"));
        }
        assert!(refused("tcp:127.0.0.1:80").contains("needs `--token-file FILE`"));
        assert!(refused("https://a:1").starts_with("error: the admin interface has no TLS\nhelp: a tunnel"));
        assert_eq!(refused("http://a"), "error: `http://a` is no address of a host\nhelp: it is `http://ADDRESS:PORT`");
        assert!(refused("http://me@a:80").contains("is no address"));
        assert!(refused("http://a:80").starts_with("error: a host with a URL needs `--token-file FILE`"));
    }

    #[test]
    fn a_token_that_others_can_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let told = token(&path).unwrap_err().text;
        let shown = path.display();
        assert_eq!(
            told,
            format!("error: token file `{shown}` can be read by others: its mode is 0640\nhelp: `chmod 600 {shown}`")
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(token(&path).unwrap().as_str(), "0123456789abcdef0123456789abcdef");
        std::fs::write(&path, "short").unwrap();
        assert!(token(&path).unwrap_err().text.contains("it has 5 characters, and a token has at least 20"));
        std::fs::write(&path, "x".repeat(4097)).unwrap();
        assert!(token(&path).unwrap_err().text.ends_with("has more than 4096 bytes"));
        assert!(token(folder.path()).unwrap_err().text.contains("isn't a file"));
        assert!(token(&folder.path().join("none")).unwrap_err().text.contains("No such file"));
        std::fs::write(&path, "0123456789abcdef0123456789abcdef").unwrap();
        let found = find(&target("http://[::1]:80/", Some(&path)));
        let Ok(Way::Tcp(authority, _)) = found else { panic!("{found:?}") };
        assert_eq!(authority, "[::1]:80");
    }
}
