//! The imports of `wit/`, and the clocks of wasi, as the functions of `Host`: whoever calls them is compiled with these and with those. Owns
//! no behaviour.

use std::time::{SystemTime, UNIX_EPOCH};

use super::bindings::lunarium::process::{
    env, fs, group, link, mailbox, module, monitor, output, process, registry, security,
};
use super::{
    ActorParam, ActorResult, Answer, Decision, ExecRequest, HeldLimits, Level, Listing, Options, Refusal, Sent,
    SpawnRequest, Unread,
};

pub struct Imports;

impl Imports {
    pub fn send(&self, destination: &str, topic: &str, payload: &[u8], unread: Unread) -> Result<(), Refusal> {
        mailbox::send(destination, topic, payload, unread)
    }

    pub fn listen(&self, topic: &str) -> Result<(), Refusal> {
        mailbox::listen(topic)
    }

    pub fn unlisten(&self, topic: &str) {
        mailbox::unlisten(topic);
    }

    pub fn listen_to_all(&self) {
        mailbox::listen_to_all();
    }

    pub fn spawn(&self, request: SpawnRequest<'_>) -> Result<String, Refusal> {
        process::spawn(request)
    }

    pub fn exec(&self, request: ExecRequest<'_>) -> Result<u64, Refusal> {
        process::exec(request)
    }

    pub fn call(
        &self,
        destination: &str,
        method: &str,
        arguments: &[u8],
        timeout: Option<u64>,
    ) -> Result<u64, Refusal> {
        process::call(destination, method, arguments, timeout)
    }

    pub fn answer(&self, call: u64, payload: &[u8]) {
        process::answer(call, payload);
    }

    pub fn upgrade(&self, entry: Option<&str>, arguments: &[u8]) -> Result<(), Refusal> {
        process::upgrade(entry, arguments)
    }

    pub fn terminate(&self, destination: &str) -> Result<(), Refusal> {
        process::terminate(destination)
    }

    pub fn cancel(&self, destination: &str, deadline: Option<u64>) -> Result<(), Refusal> {
        process::cancel(destination, deadline)
    }

    pub fn limits(&self) -> HeldLimits {
        process::get_limits()
    }

    pub fn options(&self) -> Options {
        process::get_options()
    }

    pub fn set_options(&self, options: Options) {
        process::set_options(options);
    }

    pub fn link(&self, destination: &str) -> Result<(), Refusal> {
        link::link(destination)
    }

    pub fn unlink(&self, destination: &str) -> Result<(), Refusal> {
        link::unlink(destination)
    }

    pub fn monitor(&self, destination: &str) -> Result<(), Refusal> {
        monitor::monitor(destination)
    }

    pub fn unmonitor(&self, destination: &str) -> Result<(), Refusal> {
        monitor::unmonitor(destination)
    }

    pub fn register(&self, name: &str, process: Option<&str>) -> Result<(), Refusal> {
        registry::register(name, process)
    }

    pub fn lookup(&self, name: &str) -> Result<String, Refusal> {
        registry::lookup(name)
    }

    pub fn unregister(&self, name: &str) -> Result<bool, Refusal> {
        registry::unregister(name)
    }

    pub fn join_group(&self, group: &str) -> Result<(), Refusal> {
        group::join(group)
    }

    pub fn leave_group(&self, group: &str) -> Result<bool, Refusal> {
        group::leave(group)
    }

    pub fn members(&self, group: &str, after: Option<&str>) -> Result<Listing, Refusal> {
        group::members(group, after)
    }

    pub fn send_to_group(
        &self,
        group: &str,
        topic: &str,
        payload: &[u8],
        unread: Unread,
        after: Option<&str>,
    ) -> Result<Sent, Refusal> {
        group::send(group, topic, payload, unread, after)
    }

    pub fn watch_group(&self, group: &str, version: u64) -> Result<u64, Refusal> {
        group::watch(group, version)
    }

    pub fn unwatch_group(&self, group: &str) -> Result<(), Refusal> {
        group::unwatch(group)
    }

    pub fn own_actor(&self) -> Option<ActorResult> {
        security::own_actor()
    }

    pub fn own_scope(&self) -> Option<Vec<String>> {
        security::own_scope()
    }

    pub fn can(&self, action: &str, resource: &str, attributes: Option<&[u8]>) -> Result<bool, Refusal> {
        security::can(action, resource, attributes)
    }

    pub fn authorize(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        security::authorize(action, resource)
    }

    pub fn evaluate(
        &self,
        policies: &[&str],
        actor: Option<ActorParam<'_>>,
        action: &str,
        resource: &str,
        attributes: Option<&[u8]>,
    ) -> Result<Decision, Refusal> {
        security::evaluate(policies, actor, action, resource, attributes)
    }

    pub fn policy(&self, id: &str) -> Result<(), Refusal> {
        security::policy(id)
    }

    pub fn group(&self, name: &str) -> Result<Vec<String>, Refusal> {
        security::group(name)
    }

    pub fn variable(&self, name: &str) -> Result<String, Refusal> {
        env::get(name)
    }

    pub fn variables(&self) -> Vec<(String, String)> {
        env::all()
    }

    pub fn read_file(&self, path: &str, offset: u64, length: Option<u32>) -> Result<u64, Refusal> {
        fs::read(path, offset, length)
    }

    pub fn write_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        fs::write(path, contents)
    }

    pub fn append_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        fs::append(path, contents)
    }

    pub fn list_files(&self, path: &str) -> Result<u64, Refusal> {
        fs::list(path)
    }

    pub fn stat_file(&self, path: &str) -> Result<u64, Refusal> {
        fs::stat(path)
    }

    pub fn remove_file(&self, path: &str) -> Result<u64, Refusal> {
        fs::remove(path)
    }

    pub fn make_directory(&self, path: &str) -> Result<u64, Refusal> {
        fs::mkdir(path)
    }

    pub fn rename_file(&self, path: &str, to: &str) -> Result<u64, Refusal> {
        fs::rename(path, to)
    }

    pub fn find_functions(&self, module: &str, function: Option<&str>) -> Result<Vec<u8>, Refusal> {
        module::find(module, function)
    }

    pub fn call_function(&self, function: u32, arguments: &[u8]) -> Result<Answer, Refusal> {
        module::call(function, arguments)
    }

    pub fn print(&self, line: &[u8]) -> bool {
        output::print(line)
    }

    pub fn dropped(&self, lines: u32) {
        output::dropped(lines);
    }

    pub fn log(&self, level: Level, message: &str, fields: &[(&str, &str, bool)]) {
        output::log(level, message, fields);
    }

    pub fn now(&self) -> u64 {
        // Not `Instant`: the host compares `wake-at` with its own reading of this clock.
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: it writes only to the place it is given.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
    }

    pub fn wall(&self) -> (i64, u32) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs() as i64, since.subsec_nanos())
    }
}
