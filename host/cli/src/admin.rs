//! The sockets of the admin interface.
//!
//! Owns what becomes of a socket that an earlier run has left, and that nothing is open to others by mistake.

use std::fs::{self, Permissions};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Refused;
use crate::remote::place;
use crate::socket::Place;

/// Bytes of a socket's path: what Linux has room for, but for the last.
const PATH: usize = 107;

/// Options of who serves an admin interface.
#[derive(Debug, Clone, Args)]
pub struct AdminOptions {
    /// Where the admin interface listens: `unix:PATH`, `tcp:ADDRESS:PORT` (with `--admin-token-file`), or `none`; a socket of this user's by
    /// default; repeatable
    #[arg(
        long = "admin",
        value_name = "ADDRESS",
        env = "LUNARIUM_ADMIN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub admin: Vec<String>,

    /// The file with the token that each request over TCP must have; nobody else may be able to read it
    #[arg(long, value_name = "FILE", env = TOKEN_VARIABLE, hide_env_values = true)]
    pub admin_token_file: Option<PathBuf>,

    /// A name of this machine by which the admin interface is reached, beside `localhost` and its addresses; repeatable
    #[arg(
        long = "admin-host",
        value_name = "NAME",
        env = "LUNARIUM_ADMIN_HOST",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub admin_hosts: Vec<String>,
}

/// The environment variable of the token's file.
pub const TOKEN_VARIABLE: &str = "LUNARIUM_ADMIN_TOKEN_FILE";

/// Sockets of the admin interface, at most.
pub const MOST: usize = 64;

/// Where the options say that it listens; `default`: where it does when they say nothing, if that was found already.
///
/// Errors: one is no place.
pub fn places(options: &AdminOptions, default: Option<&Place>) -> Result<Vec<Place>, Refused> {
    if options.admin.is_empty() {
        // A host of whom nobody knows could hardly be told from one that is gone.
        return Ok(vec![default.cloned().unwrap_or_else(Place::default_socket)]);
    }
    let mut places: Vec<Place> = Vec::new();
    for address in options.admin.iter().filter(|address| *address != "none") {
        parse(address)
            .map_err(|(_, hint)| Refused::usage(format!("`--admin {address}` is no address"), Some(hint.to_owned())))?;
        let is_tcp = address.starts_with("tcp:");
        if is_tcp && places.iter().any(|place| place.unix().is_none()) {
            return Err(Refused::usage("`--admin tcp:…` stands there twice".to_owned(), None));
        }
        if is_tcp && options.admin_token_file.is_none() {
            let help = "a file of mode 0600 with what `openssl rand -hex 32` prints".to_owned();
            return Err(Refused::usage(format!("`--admin {address}` needs `--admin-token-file FILE`"), Some(help)));
        }
        places.push(Place::new(address));
    }
    if places.len() > MOST {
        return Err(Refused::usage(format!("`--admin` names more than {MOST} sockets"), None));
    }
    Ok(places)
}

/// Looks at how an address is written.
///
/// Errors: it is none, with how one is written.
pub fn parse(written: &str) -> Result<(), (String, &'static str)> {
    let is_tcp = written.strip_prefix("tcp:").is_some_and(place::has_port);
    let is_one = written == "none" || written.starts_with("unix:") || is_tcp;
    let hint = "it is `unix:PATH`, `tcp:ADDRESS:PORT` or `none`";
    if is_one { Ok(()) } else { Err((format!("`admin`: `{written}` is no address"), hint)) }
}

/// The place that a default stands for.
///
/// Errors: there is none for it.
pub fn find(place: &Place) -> Result<Place, Refused> {
    if !place.is_default() {
        return Ok(place.clone());
    }
    Ok(Place::new(&format!("unix:{}", place::default_socket()?.display())))
}

/// Opens the socket at a place.
///
/// Errors: it can't be opened, or is taken.
pub fn open(place: &Place) -> Result<OwnedFd, Refused> {
    match place.shown.split_once(':') {
        Some(("unix", path)) => unix(Path::new(path)).map(Into::into),
        _ => tcp(place.name.trim_start_matches("tcp:")).map(Into::into),
    }
}

fn tcp(address: &str) -> Result<TcpListener, Refused> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            let help = "another program listens there: stop it, or take another port";
            Refused::machine(format!("`--admin tcp:{address}` is taken")).with_hint(help)
        }
        _ => Refused::usage(format!("`--admin tcp:{address}` can't be opened: {error}"), None),
    })
}

/// A socket at a path. One that an earlier run has left is replaced; one at which a host listens stays.
fn unix(path: &Path) -> Result<UnixListener, Refused> {
    let shown = path.display();
    let refused =
        |what: String, help: &str| Refused::usage(format!("admin socket `{shown}` {what}"), Some(help.to_owned()));
    let cannot = |error: io::Error| Refused::usage(format!("admin socket `{shown}` can't be made: {error}"), None);
    let length = path.as_os_str().len();
    if length == 0 || length > PATH {
        return Err(refused(format!("has a path of {length} bytes"), "a socket's path has from 1 to 107"));
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(refused("is there, and isn't a socket".to_owned(), "`--admin unix:PATH` names another place"));
        }
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => {
                let help = "stop that one, or give this one a socket of its own: `--admin unix:PATH`";
                let message = format!("admin socket `{shown}` is another host's, which listens there");
                return Err(Refused::machine(message).with_hint(help));
            }
            // Nobody listens: who made it has ended.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(cannot)?,
            Err(error) => return Err(cannot(error)),
        },
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    // Until then, and whatever this does: of other users nobody is let in.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use super::{AdminOptions, open, places};
    use crate::Refused;
    use crate::remote::place::token;
    use crate::socket::Place;

    fn options(addresses: &[&str], token: Option<&Path>) -> AdminOptions {
        let admin = addresses.iter().map(|address| (*address).to_owned()).collect();
        AdminOptions { admin, admin_token_file: token.map(Into::into), admin_hosts: Vec::new() }
    }

    fn opened(address: &str, token: Option<&Path>) -> Result<OwnedFd, Refused> {
        open(&places(&options(&[address], token), None)?.remove(0))
    }

    fn refused(address: &str) -> String {
        opened(address, None).unwrap_err().text
    }

    #[test]
    fn a_socket_that_was_left_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address = format!("unix:{}", path.display());
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a socket stays when who has made it ends");
        let first = opened(&address, None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let told = refused(&address);
        let shown = path.display();
        assert_eq!(
            told,
            format!(
                "error: admin socket `{shown}` is another host's, which listens there\nhelp: stop that one, or give this one a socket of its own: `--admin unix:PATH`"
            )
        );
        drop(first);
        opened(&address, None).unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "precious").unwrap();
        assert!(refused(&format!("unix:{}", file.display())).contains("is there, and isn't a socket"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
        assert!(refused("unix:/nowhere/at/all.sock").contains("can't be made: No such file"));
        assert!(refused(&format!("unix:/{}", "x".repeat(200))).contains("has a path of 201 bytes"));
        assert!(refused("unix:").contains("has a path of 0 bytes"));
        assert!(refused("/run/x").starts_with("error: `--admin /run/x` is no address"));
        assert_eq!(places(&options(&["none"], None), None).unwrap(), []);
        let default = Place::new("unix:/run/x");
        assert_eq!(places(&options(&[], None), Some(&default)).unwrap(), [default]);
    }

    #[test]
    fn a_place_is_the_same_however_it_is_written() {
        let here = std::env::current_dir().unwrap();
        let name = |written: &str| Place::new(written).name;
        for written in ["unix:a.sock".to_owned(), "unix:./a.sock".to_owned(), format!("unix:{}/a.sock", here.display())]
        {
            assert_eq!(name(&written), format!("unix:{}/a.sock", here.display()));
        }
        assert_eq!(name("tcp:127.0.0.1:80"), "tcp:127.0.0.1:80");
    }

    #[test]
    fn tcp_needs_a_token_and_a_port_that_is_free() {
        assert!(
            refused("tcp:127.0.0.1:0").starts_with("error: `--admin tcp:127.0.0.1:0` needs `--admin-token-file FILE`")
        );
        let file = Path::new("token");
        let twice = options(&["tcp:127.0.0.1:0", "tcp:127.0.0.1:0"], Some(file));
        assert!(places(&twice, None).unwrap_err().text.contains("stands there twice"));
        let listener = TcpListener::from(opened("tcp:127.0.0.1:0", Some(file)).unwrap());
        let taken = format!("tcp:{}", listener.local_addr().unwrap());
        let told = opened(&taken, Some(file)).unwrap_err().text;
        assert!(told.starts_with(&format!("error: `--admin {taken}` is taken\nhelp: another program")), "{told}");
        let told = opened("tcp:localhost", Some(file)).unwrap_err().text;
        assert!(told.contains("is no address\nhelp: it is `unix:PATH`, `tcp:ADDRESS:PORT`"), "{told}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(token(&file).unwrap_err().text.contains("can be read by others: its mode is 0644"));
    }
}
