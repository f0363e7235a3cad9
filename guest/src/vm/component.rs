//! The component: the world's exports over [`Vm`], and its imports as a [`Host`]. Owns the one VM of the instance.
//! Calls in the wrong order are the host's bug, and trap.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Vm;
use crate::host::bindings::Guest as World;
use crate::host::bindings::exports::lunarium::process::guest::Guest;
use crate::host::bindings::lunarium::process::{
    env, fs, group, link, mailbox, module, monitor, output, process, registry, security,
};
use crate::host::{
    ActorParam, ActorResult, Answer, Chunk, Decision, Event, ExecRequest, Globals, HeldLimits, Host, Level, Listing,
    Options, Program, Refusal, Sent, SpawnRequest, Status, Unread,
};

thread_local! {
    static VM: RefCell<Option<Vm>> = const { RefCell::new(None) };
}

struct Component;

impl World for Component {
    fn init() {
        VM.with_borrow_mut(|vm| {
            assert!(vm.is_none(), "init called twice");
            *vm = Some(Vm::new(Box::new(Imports)));
        });
    }
}

fn with_vm<T>(body: impl FnOnce(&mut Vm) -> T) -> T {
    VM.with_borrow_mut(|vm| match vm {
        Some(vm) => body(vm),
        None => panic!("called before init"),
    })
}

impl Guest for Component {
    fn start(program: Program, arguments: Vec<u8>) -> Status {
        with_vm(|vm| vm.start(program, &arguments))
    }

    fn resume(batch: Vec<u8>, events: Option<Vec<Event>>) -> Status {
        with_vm(|vm| vm.resume(batch, events.unwrap_or_default()))
    }

    fn give_back() -> Vec<Event> {
        with_vm(Vm::give_back)
    }

    fn check(chunk: Chunk) -> Result<Globals, String> {
        with_vm(|vm| vm.check(&chunk))
    }

    fn compile(chunk: Chunk) -> Result<Vec<u8>, String> {
        with_vm(|vm| vm.compile(&chunk))
    }

    #[inline(never)]
    fn stack_pointer() -> u32 {
        let local = 0u8;
        std::hint::black_box(&raw const local) as u32
    }
}

struct Imports;

impl Host for Imports {
    fn send(&self, destination: &str, topic: &str, payload: &[u8], unread: Unread) -> Result<(), Refusal> {
        mailbox::send(destination, topic, payload, unread)
    }

    fn listen(&self, topic: &str) -> Result<(), Refusal> {
        mailbox::listen(topic)
    }

    fn unlisten(&self, topic: &str) {
        mailbox::unlisten(topic);
    }

    fn listen_to_all(&self) {
        mailbox::listen_to_all();
    }

    fn spawn(&self, request: SpawnRequest<'_>) -> Result<String, Refusal> {
        process::spawn(request)
    }

    fn exec(&self, request: ExecRequest<'_>) -> Result<u64, Refusal> {
        process::exec(request)
    }

    fn call(&self, destination: &str, method: &str, arguments: &[u8], timeout: Option<u64>) -> Result<u64, Refusal> {
        process::call(destination, method, arguments, timeout)
    }

    fn answer(&self, call: u64, payload: &[u8]) {
        process::answer(call, payload);
    }

    fn upgrade(&self, entry: Option<&str>, arguments: &[u8]) -> Result<(), Refusal> {
        process::upgrade(entry, arguments)
    }

    fn terminate(&self, destination: &str) -> Result<(), Refusal> {
        process::terminate(destination)
    }

    fn cancel(&self, destination: &str, deadline: Option<u64>) -> Result<(), Refusal> {
        process::cancel(destination, deadline)
    }

    fn limits(&self) -> HeldLimits {
        process::get_limits()
    }

    fn options(&self) -> Options {
        process::get_options()
    }

    fn set_options(&self, options: Options) {
        process::set_options(options);
    }

    fn link(&self, destination: &str) -> Result<(), Refusal> {
        link::link(destination)
    }

    fn unlink(&self, destination: &str) -> Result<(), Refusal> {
        link::unlink(destination)
    }

    fn monitor(&self, destination: &str) -> Result<(), Refusal> {
        monitor::monitor(destination)
    }

    fn unmonitor(&self, destination: &str) -> Result<(), Refusal> {
        monitor::unmonitor(destination)
    }

    fn register(&self, name: &str, process: Option<&str>) -> Result<(), Refusal> {
        registry::register(name, process)
    }

    fn lookup(&self, name: &str) -> Result<String, Refusal> {
        registry::lookup(name)
    }

    fn unregister(&self, name: &str) -> Result<bool, Refusal> {
        registry::unregister(name)
    }

    fn join_group(&self, group: &str) -> Result<(), Refusal> {
        group::join(group)
    }

    fn leave_group(&self, group: &str) -> Result<bool, Refusal> {
        group::leave(group)
    }

    fn members(&self, group: &str, after: Option<&str>) -> Result<Listing, Refusal> {
        group::members(group, after)
    }

    fn send_to_group(
        &self,
        group: &str,
        topic: &str,
        payload: &[u8],
        unread: Unread,
        after: Option<&str>,
    ) -> Result<Sent, Refusal> {
        group::send(group, topic, payload, unread, after)
    }

    fn watch_group(&self, group: &str, version: u64) -> Result<u64, Refusal> {
        group::watch(group, version)
    }

    fn unwatch_group(&self, group: &str) -> Result<(), Refusal> {
        group::unwatch(group)
    }

    fn own_actor(&self) -> Option<ActorResult> {
        security::own_actor()
    }

    fn own_scope(&self) -> Option<Vec<String>> {
        security::own_scope()
    }

    fn can(&self, action: &str, resource: &str, attributes: Option<&[u8]>) -> Result<bool, Refusal> {
        security::can(action, resource, attributes)
    }

    fn authorize(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        security::authorize(action, resource)
    }

    fn evaluate(
        &self,
        policies: &[&str],
        actor: Option<ActorParam<'_>>,
        action: &str,
        resource: &str,
        attributes: Option<&[u8]>,
    ) -> Result<Decision, Refusal> {
        security::evaluate(policies, actor, action, resource, attributes)
    }

    fn policy(&self, id: &str) -> Result<(), Refusal> {
        security::policy(id)
    }

    fn group(&self, name: &str) -> Result<Vec<String>, Refusal> {
        security::group(name)
    }

    fn variable(&self, name: &str) -> Result<String, Refusal> {
        env::get(name)
    }

    fn variables(&self) -> Vec<(String, String)> {
        env::all()
    }

    fn read_file(&self, path: &str, offset: u64, length: Option<u32>) -> Result<u64, Refusal> {
        fs::read(path, offset, length)
    }

    fn write_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        fs::write(path, contents)
    }

    fn append_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        fs::append(path, contents)
    }

    fn list_files(&self, path: &str) -> Result<u64, Refusal> {
        fs::list(path)
    }

    fn stat_file(&self, path: &str) -> Result<u64, Refusal> {
        fs::stat(path)
    }

    fn remove_file(&self, path: &str) -> Result<u64, Refusal> {
        fs::remove(path)
    }

    fn make_directory(&self, path: &str) -> Result<u64, Refusal> {
        fs::mkdir(path)
    }

    fn rename_file(&self, path: &str, to: &str) -> Result<u64, Refusal> {
        fs::rename(path, to)
    }

    fn find_functions(&self, module: &str, function: Option<&str>) -> Result<Vec<u8>, Refusal> {
        module::find(module, function)
    }

    fn call_function(&self, function: u32, arguments: &[u8]) -> Result<Answer, Refusal> {
        module::call(function, arguments)
    }

    fn print(&self, line: &[u8]) -> bool {
        output::print(line)
    }

    fn dropped(&self, lines: u32) {
        output::dropped(lines);
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str, bool)]) {
        output::log(level, message, fields);
    }

    fn now(&self) -> u64 {
        // Not `Instant`: the host compares `wake-at` with its own reading of this clock.
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: it writes only to the place it is given.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
    }

    fn wall(&self) -> (i64, u32) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs() as i64, since.subsec_nanos())
    }
}

crate::host::bindings::export!(Component with_types_in crate::host::bindings);
