//! The names of what a policy can allow or deny. Owns their spelling: whoever checks a permission, and whoever reads an
//! application's policies, takes it from here. Applications may have actions of their own, for `security.can`.

/// Every spawn, and an upgrade to another entry. On the entry's id.
pub const SPAWN: &str = "process.spawn";
/// A spawn that monitors, in addition. On the entry's id.
pub const SPAWN_MONITORED: &str = "process.spawn.monitored";
/// A spawn that links, in addition. On the entry's id.
pub const SPAWN_LINKED: &str = "process.spawn.linked";
/// Every spawn and exec. On the host's id.
pub const HOST: &str = "process.host";
/// An exec. On the entry's id.
pub const EXEC: &str = "process.exec";
/// On the pid.
pub const SEND: &str = "process.send";
/// A call of a function of the process. On the pid; the attribute [`METHOD`] is the function's name.
pub const CALL: &str = "process.call";
/// On the pid.
pub const TERMINATE: &str = "process.terminate";
/// On the pid.
pub const CANCEL: &str = "process.cancel";
/// On the pid.
pub const MONITOR: &str = "process.monitor";
/// On the pid.
pub const UNMONITOR: &str = "process.unmonitor";
/// On the pid.
pub const LINK: &str = "process.link";
/// On the pid.
pub const UNLINK: &str = "process.unlink";
/// Giving a child context values. On [`CONTEXT_RESOURCE`].
pub const CONTEXT: &str = "process.context";
/// Giving a child another actor or scope. On [`SECURITY_RESOURCE`].
pub const SECURITY: &str = "process.security";
/// On the name.
pub const REGISTER: &str = "process.registry.register";
/// On the name.
pub const UNREGISTER: &str = "process.registry.unregister";
/// Giving a name to another process, or taking one from it, in addition. On that process's pid.
pub const FOREIGN: &str = "process.registry.foreign";
/// Being in a group. On the group.
pub const JOIN_GROUP: &str = "process.group.join";
/// On the variable.
pub const ENV_GET: &str = "env.get";
/// On the path.
pub const FS_READ: &str = "fs.read";
/// On the path.
pub const FS_WRITE: &str = "fs.write";
/// A call of an embedder's function. On `module.function`.
pub const MODULE_CALL: &str = "module.call";

/// The attribute of [`CALL`].
pub const METHOD: &str = "method";
/// The one resource of [`CONTEXT`].
pub const CONTEXT_RESOURCE: &str = "context";
/// The one resource of [`SECURITY`].
pub const SECURITY_RESOURCE: &str = "security";

/// All of the above actions.
pub const ALL: [&str; 23] = [
    SPAWN,
    SPAWN_MONITORED,
    SPAWN_LINKED,
    HOST,
    EXEC,
    SEND,
    CALL,
    TERMINATE,
    CANCEL,
    MONITOR,
    UNMONITOR,
    LINK,
    UNLINK,
    CONTEXT,
    SECURITY,
    REGISTER,
    UNREGISTER,
    FOREIGN,
    JOIN_GROUP,
    ENV_GET,
    FS_READ,
    FS_WRITE,
    MODULE_CALL,
];

/// What the names of the runtime's own actions begin with. Other names are the application's.
pub const FAMILIES: [&str; 4] = ["process.", "env.", "fs.", "module."];
