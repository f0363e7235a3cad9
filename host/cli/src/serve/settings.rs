//! What a host is made of: the command line over the environment over the node's file; and everything that it names, opened.
//!
//! Owns what counts when several say it, and the only opening of what a host uses: at its start, and again when it reads the file again.
//! Starts nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_app::{NODE_FILE, NodeFile, TENANT_FORM, TenantBudget, TenantFile, VariableFile, is_tenant};
use lunarium_engine::Directory;
use lunarium_modules::http::{self, HOSTS, NameFiles, RESOLV_CONF, Reach};
use lunarium_modules::kv;
use lunarium_serve::endpoint::Network;
use lunarium_serve::{Folder, HostConfig, TenantConfig};

use super::requests;
use super::sockets::{Places, SocketSet};
use crate::admin::{self, AdminOptions};
use crate::arguments::{LogFormat, LogLevel, Serve};
use crate::endpoints;
use crate::socket::{self, Place};
use crate::terminal::has_colours;
use crate::{Refused, open, size};

/// Bytes of a file with a variable's value. The number: a page of a disk many times, and no more than a variable should hold.
const MAX_VARIABLE: u64 = 64 << 10;

/// What a host is made of.
pub struct Settings {
    options: Serve,
    source: Source,
    data: Option<(PathBuf, Dir)>,
    /// What the file named as `data`, if that counts.
    data_named: Option<String>,
    /// What says what names mean.
    names: NameFiles,
    /// Folders inside of tenants' own that they may change.
    own: Vec<Dir>,
    /// Folders that stay readable, so that what they hold can be read again.
    again: Vec<Dir>,
    /// What it begins with.
    first: Changing,
    sockets: SocketSet,
    /// Where the admin interface listens when nothing is said of it, if that was needed.
    default: Option<Place>,
}

/// What of it may change while it runs.
pub struct Changing {
    pub memory: Option<u64>,
    pub processes: u32,
    pub data_max: u64,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
    pub defaults: TenantBudget,
    pub tenants: Vec<TenantConfig>,
    pub places: Places,
    pub proxies: Vec<Network>,
    /// Where the tenants' grants of `http` lead.
    pub reach: Reach,
}

/// Where the tenants are named.
pub struct Source {
    /// The folder of the node's file, which stays open, with its name; none without one.
    file: Option<(Dir, PathBuf, String)>,
    /// `--tenant`
    given: Vec<(String, PathBuf)>,
}

impl Settings {
    /// Reads the node's file, and opens what it and the command line name.
    ///
    /// Errors: the report of what is wrong with the file; options that can't be meant; the data directory can't be had.
    pub fn read(options: Serve) -> Result<Self, Refused> {
        socket::prepare();
        let source = Source::of(&options)?;
        // What the file says of the form isn't known before it is read.
        let styled = options.log_format != Some(LogFormat::Json) && has_colours();
        let node = source.read(styled)?;
        let data_named = data_named(&options, &node);
        let data = options.data.clone().or_else(|| Some(source.path(data_named.as_deref()?)));
        let data = data.map(|path| open_data(&path)).transpose()?;
        let first = source.changing(&options, &node, None)?;
        let (own, again) = (own(&first.tenants), secrets(&source, &node));
        // Last, when nothing else is wrong: a socket that is made is seen by others.
        let sockets = first.places.open(&[]).whole()?;
        let is_default = first.places.admin.iter().any(Place::is_default);
        let default = sockets.admin.first().filter(|_| is_default).map(|socket| socket.place.clone());
        let names = NameFiles::of_machine();
        Ok(Self { options, source, data, data_named, names, own, again, first, sockets, default })
    }

    /// What may have changed, read again.
    ///
    /// Errors: the report of what is wrong with the file, with colours if it is to be `styled`; it names another data directory.
    pub fn read_again(&self, styled: bool) -> Result<Changing, Refused> {
        let node = self.source.read(styled)?;
        let named = data_named(&self.options, &node);
        if named != self.data_named {
            let shown = |data: &Option<String>| data.as_ref().map_or("none".to_owned(), |data| format!("`{data}`"));
            let message = format!("`data`: {} instead of {}", shown(&named), shown(&self.data_named));
            let hint = "a host keeps its directory as long as it lives: restart it to have another";
            return Err(Refused::usage(message, Some(hint.to_owned())));
        }
        self.source.changing(&self.options, &node, self.default.as_ref())
    }

    /// The command line.
    pub fn options(&self) -> &Serve {
        &self.options
    }

    /// Where the node's file is.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where the admin interface listens when nothing is said of it, if that was needed.
    pub fn default(&self) -> Option<&Place> {
        self.default.as_ref()
    }

    /// Whether it may be told to listen elsewhere, to want another token, or to ask servers, while it runs.
    pub fn may_change_sockets(&self) -> bool {
        self.source.file.is_some() || self.options.admin.admin.iter().any(|address| address.starts_with("tcp:"))
    }

    /// Whether the host may change what its second process goes by: it may write to the folder of the node's file, or to that of the name servers.
    pub fn may_write_file(&self) -> bool {
        let Some((dir, _, name)) = &self.source.file else { return false };
        let path = |dir: &Dir| fs::read_link(format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd())).ok();
        let Some(folder) = path(dir) else { return true };
        // Where it leads to, if it is a link.
        let Ok(file) = folder.join(name).canonicalize() else { return true };
        let mut read = vec![folder, file];
        for names in [RESOLV_CONF, HOSTS] {
            // A link can be replaced, and what it leads to written.
            read.extend([Some(PathBuf::from(names)), Path::new(names).canonicalize().ok()].into_iter().flatten());
        }
        let is_around = |written: PathBuf| read.iter().any(|read| read.starts_with(&written));
        self.writable().into_iter().any(|dir| path(dir).is_none_or(is_around))
    }

    /// What it begins with; its tenants are taken.
    pub fn first(&mut self) -> &mut Changing {
        &mut self.first
    }

    /// Whether it listens anywhere, or may begin to.
    pub fn may_listen(&self) -> bool {
        self.first.places.is_any() || self.source.file.is_some()
    }

    /// Where it listens.
    pub fn take_sockets(&mut self) -> SocketSet {
        std::mem::take(&mut self.sockets)
    }

    /// What says what names mean: once.
    pub fn take_names(&mut self) -> NameFiles {
        std::mem::take(&mut self.names)
    }

    /// Where stores are kept.
    pub fn data_path(&self) -> Option<&Path> {
        self.data.as_ref().map(|(path, _)| path.as_path())
    }

    /// The folders that are read.
    pub fn readable(&self) -> Vec<&Dir> {
        let folders = self.first.tenants.iter().filter_map(|tenant| tenant.folder.as_ref()?.as_ref().ok());
        let folders = folders.map(|folder| &folder.dir);
        let node = self.source.file.iter().map(|(dir, ..)| dir);
        let granted = self.granted().filter(|(_, write)| !write).map(|(dir, _)| dir);
        folders.chain(node).chain(granted).chain(&self.again).collect()
    }

    /// The folders that are written to.
    pub fn writable(&self) -> Vec<&Dir> {
        let granted = self.granted().filter(|(_, write)| *write).map(|(dir, _)| dir);
        granted.chain(&self.own).chain(self.data.iter().map(|(_, dir)| dir)).collect()
    }

    /// The directories that tenants may be granted, and whether they may change them.
    fn granted(&self) -> impl Iterator<Item = (&Dir, bool)> {
        self.first.tenants.iter().flat_map(|tenant| {
            let writable = |name: &str| {
                tenant
                    .allowance
                    .directories()
                    .any(|(path, write)| write && Directory::normal_name(path).is_ok_and(|path| path == name))
            };
            let open = tenant.directories.iter().filter_map(|(name, dir)| Some((name, dir.as_ref().ok()?)));
            open.map(move |(name, dir)| (dir, writable(name)))
        })
    }

    pub fn take_data(&self) -> Result<Option<Dir>, Refused> {
        let cloned = self.data.as_ref().map(|(_, dir)| dir.try_clone()).transpose();
        cloned.map_err(|error| Refused::machine(error.to_string()))
    }
}

impl Source {
    /// Opens the folder of the node's file.
    ///
    /// Errors: there is none; an option can't be meant.
    pub fn of(options: &Serve) -> Result<Self, Refused> {
        let given = options.tenants.iter().map(|text| tenant(text)).collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        if let Some((name, _)) = given.iter().find(|(name, _)| !names.insert(name)) {
            return Err(Refused::usage(format!("`--tenant` names `{name}` twice"), None));
        }
        let path = options.path.clone().or_else(|| given.is_empty().then(|| PathBuf::from(".")));
        Ok(Self { file: path.map(|path| open_node(&path)).transpose()?, given })
    }

    /// Reads the node's file.
    ///
    /// Errors: the report of what is wrong with it, with colours if it is to be `styled`.
    pub fn read(&self, styled: bool) -> Result<NodeFile, Refused> {
        let Some((dir, shown, name)) = &self.file else { return Ok(NodeFile::default()) };
        let (node, mut report) = NodeFile::draft(dir, shown, name);
        requests::check(&node, &mut report);
        if report.is_empty() { Ok(node) } else { Err(Refused::report(&report, styled)) }
    }

    /// Reads one tenant's entry, if there is one, and where all grants lead.
    ///
    /// Errors: the report of what is wrong with the file.
    pub fn read_tenant(&self, name: &str) -> Result<(Option<TenantConfig>, Reach), Refused> {
        let node = self.read(false)?;
        let entry = self.entries(&node).find(|(file, _)| file.name == name);
        let config = entry.map(|(file, path)| self.tenant(&file, path));
        Ok((config, self.reach(&node)))
    }

    /// Where a host is to listen; the admin interface at `default` if nothing is said of it and that is known.
    ///
    /// Errors: something that is said is no place.
    pub fn places(&self, options: &Serve, node: &NodeFile, default: Option<&Place>) -> Result<Places, Refused> {
        let admin = self.admin(options, node);
        let places = admin::places(&admin, default)?;
        let is_tcp = places.iter().any(|place| place.unix().is_none());
        let http = options.http.as_deref().or_else(|| Some(node.http.as_ref()?.address.as_str()));
        Ok(Places {
            admin: places,
            token_file: admin.admin_token_file.filter(|_| is_tcp),
            http: http.map(endpoints::place),
        })
    }

    /// Where the tenants' grants of `http` lead.
    pub fn reach(&self, node: &NodeFile) -> Reach {
        let tenants = node.tenants.iter().filter(|file| !self.names(&file.name));
        Reach::of(tenants.flat_map(|tenant| tenant.allowance.settings(http::NAME)))
    }

    /// Whether the command line has a tenant of this name: then the file's isn't looked at.
    fn names(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// What people call it.
    pub fn shown(&self) -> String {
        let file = self.file.as_ref().map(|(_, folder, name)| folder.join(name).display().to_string());
        file.unwrap_or_else(|| "the command line".to_owned())
    }

    /// What may change, as it is now.
    ///
    /// Errors: options that can't be meant.
    fn changing(&self, options: &Serve, node: &NodeFile, default: Option<&Place>) -> Result<Changing, Refused> {
        let size = |option, given: &Option<String>| size(option, given.as_deref());
        Ok(Changing {
            memory: size("--memory", &options.memory)?.or(node.memory),
            processes: options.processes.or(node.processes).unwrap_or(HostConfig::MAX_PROCESSES),
            data_max: size("--data-max", &options.data_max)?.or(node.data_max).unwrap_or(kv::QUOTA),
            log_level: options.log_level.or_else(|| level(node)).unwrap_or(LogLevel::Info),
            log_format: options.log_format.or_else(|| format(node)).unwrap_or(LogFormat::Text),
            defaults: node.defaults,
            tenants: self.tenants(node),
            places: self.places(options, node, default)?,
            proxies: requests::proxies(node),
            reach: self.reach(node),
        })
    }

    /// Where the admin interface listens: what the file says counts where the command line and its environment say nothing.
    fn admin(&self, options: &Serve, node: &NodeFile) -> AdminOptions {
        let mut wanted = options.admin.clone();
        let Some(file) = &node.admin else { return wanted };
        if wanted.admin.is_empty() {
            let address = file.address.as_str();
            wanted.admin.push(match address.strip_prefix("unix:") {
                Some(path) => format!("unix:{}", self.path(path).display()),
                None => address.to_owned(),
            });
        }
        let token_file = || Some(self.path(file.token_file.as_ref()?.as_str()));
        wanted.admin_token_file = wanted.admin_token_file.or_else(token_file);
        wanted
    }

    /// A path of the node's file: relative to its folder.
    fn path(&self, path: &str) -> PathBuf {
        match &self.file {
            Some((_, folder, _)) => folder.join(path),
            None => PathBuf::from(path),
        }
    }

    /// The entries of the command line, then those of the file, with their folders' paths.
    fn entries<'s>(&'s self, node: &'s NodeFile) -> impl Iterator<Item = (Cow<'s, TenantFile>, Option<PathBuf>)> {
        let given = self.given.iter().map(|(name, path)| {
            let shown = path.display().to_string();
            let file = TenantFile::at(name, &format!("--tenant {name}={shown}"), &shown);
            (Cow::Owned(file), Some(path.clone()))
        });
        let named = node.tenants.iter().filter(|file| !self.names(&file.name));
        given.chain(named.map(|file| (Cow::Borrowed(file), file.path.as_ref().map(|path| self.path(path.as_str())))))
    }

    fn tenants(&self, node: &NodeFile) -> Vec<TenantConfig> {
        self.entries(node).map(|(file, path)| self.tenant(&file, path)).collect()
    }

    fn tenant(&self, file: &TenantFile, path: Option<PathBuf>) -> TenantConfig {
        let mut config = TenantConfig::new(file.name.as_str());
        config.named = true;
        config.folder = path.map(|path| {
            // Behind the wall one can be opened that can't be read.
            let read = |dir: Dir| dir.entries().map(|_| dir);
            let dir = Dir::open_ambient_dir(&path, ambient_authority()).and_then(read);
            let shown = path.clone();
            dir.map(|dir| Folder { dir, shown }).map_err(|error| unopened(&path, &error))
        });
        config.budget = file.budget;
        config.env = file.env.iter().map(|(name, value)| (name.clone(), self.value(value))).collect();
        config.directories = directories(file);
        config.allowance = file.allowance.clone();
        config.hosts = file.hosts.iter().map(|host| host.as_str().to_owned()).collect();
        config.requests = file.requests;
        config
    }

    /// The value of a variable.
    fn value(&self, value: &VariableFile) -> Result<String, String> {
        match value {
            VariableFile::Text(text) => Ok(text.clone()),
            VariableFile::File(path) => {
                let path = self.path(path.as_str());
                secret(&path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))
            }
        }
    }
}

fn unopened(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder `{path}`"),
        io::ErrorKind::NotADirectory => format!("`{path}` is not a folder"),
        io::ErrorKind::PermissionDenied => format!(
            "folder `{path}` can't be opened: {error}\n\
             help: a host reads only the folders that were named at its start; `lunarium deploy` sends it others"
        ),
        _ => format!("folder `{path}` can't be opened: {error}"),
    }
}

/// What a file holds, without its last newline.
fn secret(path: &Path) -> io::Result<String> {
    let file = open::file(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let too_long = || io::Error::other(format!("it has more than {MAX_VARIABLE} bytes"));
    let text = io::read_to_string(&*open::bounded(file, MAX_VARIABLE)?.ok_or_else(too_long)?)?;
    let text = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text);
    Ok(text.to_owned())
}

/// The folders of the files with variables' values, which may be written anew.
fn secrets(source: &Source, node: &NodeFile) -> Vec<Dir> {
    let files = node.tenants.iter().flat_map(|tenant| tenant.env.values()).filter_map(|value| match value {
        VariableFile::File(path) => Some(source.path(path.as_str())),
        VariableFile::Text(_) => None,
    });
    let folders: BTreeSet<PathBuf> =
        files.filter_map(|path| Some(path.canonicalize().ok()?.parent()?.to_owned())).collect();
    folders.iter().filter_map(|folder| Dir::open_ambient_dir(folder, ambient_authority()).ok()).collect()
}

/// The folders inside of their own that tenants may change, open: those that there are.
fn own(tenants: &[TenantConfig]) -> Vec<Dir> {
    let open = |tenant: &TenantConfig| {
        let folder = tenant.folder.as_ref().and_then(|folder| folder.as_ref().ok());
        let paths = tenant.allowance.own_directories();
        paths.filter_map(|path| folder?.dir.open_dir(path).ok()).collect::<Vec<_>>()
    };
    tenants.iter().flat_map(open).collect()
}

/// The directories that a tenant's entry allows, open, by their normal names.
pub(super) fn directories(file: &TenantFile) -> BTreeMap<String, io::Result<Dir>> {
    let normal = file.allowance.directories().filter_map(|(path, _)| Directory::normal_name(path).ok());
    normal.map(|path| (path.clone(), Dir::open_ambient_dir(&path, ambient_authority()))).collect()
}

/// `NAME=PATH`
fn tenant(text: &str) -> Result<(String, PathBuf), Refused> {
    let (name, path) = text.split_once('=').ok_or_else(|| {
        let message = format!("`--tenant {text}` is not of the form NAME=PATH");
        Refused::usage(message, Some("write it like `--tenant shop=/srv/shop`".to_owned()))
    })?;
    if !is_tenant(name) {
        return Err(Refused::usage(format!("`{name}` can't be the name of a tenant"), Some(TENANT_FORM.to_owned())));
    }
    Ok((name.to_owned(), PathBuf::from(path)))
}

/// The folder of a node's file, as it was given, and the file's name in it.
pub fn open_node(path: &Path) -> Result<(Dir, PathBuf, String), Refused> {
    let (folder, name) = if path.is_dir() {
        (path.to_owned(), NODE_FILE.to_owned())
    } else {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(NODE_FILE).to_owned();
        (path.parent().unwrap_or(Path::new("")).to_owned(), name)
    };
    let opened = open::folder(&folder);
    let dir = Dir::open_ambient_dir(opened, ambient_authority());
    let dir = dir.map_err(|error| Refused::usage(unopened(opened, &error), None))?;
    if !dir.exists(&name) {
        let file = folder.join(&name);
        let hint = "`--tenant NAME=PATH` serves an application without one".to_owned();
        return Err(Refused::usage(format!("there is no file `{}`", file.display()), Some(hint)));
    }
    Ok((dir, folder, name))
}

/// Opens the data directory, or makes it.
fn open_data(path: &Path) -> Result<(PathBuf, Dir), Refused> {
    let refused = |error: io::Error| Refused::machine(format!("`--data`: `{}`: {error}", path.display()));
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).map_err(refused)?;
    let path = path.canonicalize().map_err(refused)?;
    let dir = Dir::open_ambient_dir(&path, ambient_authority()).map_err(refused)?;
    lock(&path)?;
    Ok((path, dir))
}

/// Locks the data directory for as long as the program lives.
fn lock(path: &Path) -> Result<(), Refused> {
    let name = path.join("lock");
    let refused = |error: io::Error| Refused::machine(format!("`--data`: `{}`: {error}", name.display()));
    if name.is_symlink() {
        return Err(refused(io::Error::other("it is a symbolic link, and none is followed here")));
    }
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {
            std::mem::forget(file);
            Ok(())
        }
        Err(fs::TryLockError::WouldBlock) => {
            Err(Refused::machine(format!("`--data`: another host uses `{}`", path.display())))
        }
        Err(fs::TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// What the file names as `data`, where the command line names none.
fn data_named(options: &Serve, node: &NodeFile) -> Option<String> {
    if options.data.is_some() { None } else { Some(node.data.as_ref()?.as_str().to_owned()) }
}

fn level(node: &NodeFile) -> Option<LogLevel> {
    clap::ValueEnum::from_str(node.log_level.as_deref()?, false).ok()
}

fn format(node: &NodeFile) -> Option<LogFormat> {
    clap::ValueEnum::from_str(node.log_format.as_deref()?, false).ok()
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{MAX_VARIABLE, secret};

    #[test]
    fn a_secret_is_a_file_of_bounded_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let most = usize::try_from(MAX_VARIABLE).unwrap();
        for (text, expected) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("", "")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(secret(&path).unwrap(), expected);
        }
        std::fs::write(&path, "x".repeat(most)).unwrap();
        assert_eq!(secret(&path).unwrap().len(), most);
        std::fs::write(&path, "x".repeat(most + 1)).unwrap();
        assert_eq!(secret(&path).unwrap_err().to_string(), "it has more than 65536 bytes");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(secret(&path).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(secret(folder.path()).unwrap_err().to_string(), "it is not a file");
        // Nobody will ever write to it.
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(secret(&pipe).unwrap_err().to_string(), "it is not a file");
    }
}
