//! What the guest asks of the world: on wasm the imports of `wit/`, natively a trait, in tests a fake. Owns no behaviour;
//! units, errors and "never blocks" are said in `wit/`.

pub mod bindings;
#[cfg(target_family = "wasm")]
mod imports;

#[cfg(test)]
pub use bindings::exports::lunarium::process::guest::{Call, Library, Limits, Modules, Reply};
pub use bindings::exports::lunarium::process::guest::{
    Called, Cancel, Chunk, Code, Ended, Event, Failure, GlobalUse, Globals, Import, Message, Named, Outcome, Parked,
    Program, Returning, Status,
};
pub use bindings::lunarium::process::group::{Listing, Sent};
pub use bindings::lunarium::process::module::{Answer, Short};
pub use bindings::lunarium::process::output::Level;
pub use bindings::lunarium::process::process::{
    ExecRequest, FirstMessage, Held, Limits as HeldLimits, Options, SpawnRequest,
};
pub use bindings::lunarium::process::security::{ActorParam, ActorResult, Decision};
pub use bindings::lunarium::process::types::{ErrorKind, Refusal, Unread};

/// Who is asked. On wasm it is no trait's object: a call goes straight to its import, and the table of functions, which each instance
/// has, needs no places for them.
#[cfg(target_family = "wasm")]
pub use imports::Imports as Asked;
#[cfg(not(target_family = "wasm"))]
pub type Asked = dyn Host;

/// The host functions, and the clocks.
#[cfg(not(target_family = "wasm"))]
pub trait Host {
    fn send(&self, destination: &str, topic: &str, payload: &[u8], unread: Unread) -> Result<(), Refusal>;
    fn listen(&self, topic: &str) -> Result<(), Refusal>;
    fn unlisten(&self, topic: &str);
    fn listen_to_all(&self);

    fn spawn(&self, request: SpawnRequest<'_>) -> Result<String, Refusal>;
    /// The id of the request that the child's end answers.
    fn exec(&self, request: ExecRequest<'_>) -> Result<u64, Refusal>;
    /// The id of the request that the answer replies to; `timeout` in nanoseconds from now.
    fn call(&self, destination: &str, method: &str, arguments: &[u8], timeout: Option<u64>) -> Result<u64, Refusal>;
    fn answer(&self, call: u64, payload: &[u8]);
    /// Notes what the process goes on as; none: the entry it runs.
    fn upgrade(&self, entry: Option<&str>, arguments: &[u8]) -> Result<(), Refusal>;
    fn terminate(&self, destination: &str) -> Result<(), Refusal>;
    /// `deadline` in nanoseconds from now.
    fn cancel(&self, destination: &str, deadline: Option<u64>) -> Result<(), Refusal>;
    fn limits(&self) -> HeldLimits;
    fn options(&self) -> Options;
    fn set_options(&self, options: Options);

    fn link(&self, destination: &str) -> Result<(), Refusal>;
    fn unlink(&self, destination: &str) -> Result<(), Refusal>;
    fn monitor(&self, destination: &str) -> Result<(), Refusal>;
    fn unmonitor(&self, destination: &str) -> Result<(), Refusal>;

    fn register(&self, name: &str, process: Option<&str>) -> Result<(), Refusal>;
    fn lookup(&self, name: &str) -> Result<String, Refusal>;
    fn unregister(&self, name: &str) -> Result<bool, Refusal>;

    fn join_group(&self, group: &str) -> Result<(), Refusal>;
    fn leave_group(&self, group: &str) -> Result<bool, Refusal>;
    fn members(&self, group: &str, after: Option<&str>) -> Result<Listing, Refusal>;
    fn send_to_group(
        &self,
        group: &str,
        topic: &str,
        payload: &[u8],
        unread: Unread,
        after: Option<&str>,
    ) -> Result<Sent, Refusal>;
    /// The id of the request that a change of the group replies to.
    fn watch_group(&self, group: &str, version: u64) -> Result<u64, Refusal>;
    fn unwatch_group(&self, group: &str) -> Result<(), Refusal>;

    /// Whom the process acts for.
    fn own_actor(&self) -> Option<ActorResult>;
    /// Ids of the policies that decide for it.
    fn own_scope(&self) -> Option<Vec<String>>;
    fn can(&self, action: &str, resource: &str, attributes: Option<&[u8]>) -> Result<bool, Refusal>;
    fn authorize(&self, action: &str, resource: &str) -> Result<(), Refusal>;
    fn evaluate(
        &self,
        policies: &[&str],
        actor: Option<ActorParam<'_>>,
        action: &str,
        resource: &str,
        attributes: Option<&[u8]>,
    ) -> Result<Decision, Refusal>;
    fn policy(&self, id: &str) -> Result<(), Refusal>;
    fn group(&self, name: &str) -> Result<Vec<String>, Refusal>;

    fn variable(&self, name: &str) -> Result<String, Refusal>;
    /// Names and values.
    fn variables(&self) -> Vec<(String, String)>;

    /// Each gives the id of a request.
    fn read_file(&self, path: &str, offset: u64, length: Option<u32>) -> Result<u64, Refusal>;
    fn write_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal>;
    fn append_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal>;
    fn list_files(&self, path: &str) -> Result<u64, Refusal>;
    fn stat_file(&self, path: &str) -> Result<u64, Refusal>;
    fn remove_file(&self, path: &str) -> Result<u64, Refusal>;
    fn make_directory(&self, path: &str) -> Result<u64, Refusal>;
    fn rename_file(&self, path: &str, to: &str) -> Result<u64, Refusal>;

    /// A payload: from the names of a module's functions, or of that one, to their numbers and whether they may answer later.
    fn find_functions(&self, module: &str, function: Option<&str>) -> Result<Vec<u8>, Refusal>;
    fn call_function(&self, function: u32, arguments: &[u8]) -> Result<Answer, Refusal>;

    fn print(&self, line: &[u8]) -> bool;
    fn dropped(&self, lines: u32);
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str, bool)]);

    /// Nanoseconds of the monotonic clock, the one of `wake-at`.
    fn now(&self) -> u64;
    /// Unix seconds and nanoseconds.
    fn wall(&self) -> (i64, u32);
}

/// A refusal of the guest's own.
pub fn refusal(kind: ErrorKind, message: String) -> Refusal {
    Refusal { kind, message, retryable: false, limit: None }
}
