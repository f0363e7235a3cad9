//! One process's Lua: building the state (its snapshot is taken then), starting the program, and turns: hand over events,
//! run until everything waits. Owns the order of these; queues and routing are the prelude's, how an end is told is
//! `outcome.rs`'s.

#[cfg(target_family = "wasm")]
mod component;
pub mod globals;
mod heap;
pub mod prelude;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_int};

use lunarium_contract::{OWN_CHUNK, length, module};

use crate::api::{self, base64, chunk::load_chunk, duration, hash, json, random, time, uuid};
use crate::codec::decode_spread;
use crate::host::{
    Asked, Called, Chunk, Code, ErrorKind, Event, GlobalUse, Globals, Named, Outcome, Program, Returning, Status,
};
use crate::lua::wait::limit_stack;
use crate::lua::{Broken, Kind, Library, Lua};
use crate::state::context::Context;
use crate::state::error::kept;
use crate::state::object::Object;
use crate::time::duration::Duration;
use crate::turn::outcome;
use crate::turn::slots::state;
use crate::turn::upgrade::Leftovers;
use crate::turn::{Calls, turn};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Fresh,
    Running,
    Stopped,
    Ended,
}

/// A Lua state with everything a process has.
pub struct Vm {
    lua: Lua,
    context: *mut Context,
    calls: Calls,
    phase: Phase,
    /// What was handed over last, once the process goes on elsewhere: messages of it may have to be given back.
    batch: Vec<u8>,
    /// Once the process goes on elsewhere, and was asked.
    leftovers: Option<Leftovers>,
}

impl Vm {
    /// Builds the state, without a program. What is here is in the snapshot, and costs nothing at spawn.
    ///
    /// Panics: when the prelude is broken, which a test would have shown.
    pub fn new(host: Box<Asked>) -> Self {
        let context = Box::leak(Box::new(Context::new(host)));
        heap::keep_room(CHANCE);
        let pointer: *mut Context = context;
        let Some(lua) = Lua::new(&context.memory, pointer) else { panic!("no memory for a Lua state") };
        // Garbage of the building must not be in every process. And the generational collector doesn't write to what is
        // old: the pages of the prelude stay shared between all processes.
        let built = lua.protect(build).and_then(|calls| lua.protect(|lua| lua.freeze()).map(|()| calls));
        match built {
            Ok(calls) => {
                heap::begin_page();
                heap::take_room();
                lua.settle();
                heap::keep_room(size_of::<RefCell<Self>>());
                // Where what was settled was before.
                heap::fill_holes();
                heap::take_room();
                Self { lua, context: pointer, calls, phase: Phase::Fresh, batch: Vec::new(), leftovers: None }
            }
            Err(_) => panic!("prelude: {}", String::from_utf8_lossy(lua.bytes(-1).unwrap_or_default())),
        }
    }

    /// Starts the program and runs it until it waits or ends.
    ///
    /// Panics: when called twice.
    pub fn start(&mut self, program: Program, arguments: &[u8]) -> Status {
        assert!(self.phase == Phase::Fresh, "start called twice");
        self.phase = Phase::Running;
        let context = self.lua.context();
        context.message_limit.set(program.limits.message as usize);
        context.cpu.start(context.host.now());
        // On top of what the snapshot holds: that is the same for every process, and not the script's doing.
        context.memory.allow(program.limits.memory);
        limit_stack(self.lua, program.limits.memory);
        let prepared = self.lua.protect(|lua| prepare(lua, &self.calls, &program, arguments));
        // The source is compiled; only the libraries' texts are needed later.
        let mut program = program;
        program.chunk.code = Code::Source(String::new());
        let _ = context.program.set(program);
        match prepared {
            Ok(Ok(())) => self.turn(Vec::new(), Vec::new()),
            Ok(Err(message)) => self.end(outcome::failure(ErrorKind::Invalid, message)),
            Err(why) => self.broken(why),
        }
    }

    /// Hands over messages and events (`lunarium_contract::batch`), fires due timers, and runs until everything waits.
    ///
    /// Panics: before `start`, and after the end.
    pub fn resume(&mut self, batch: Vec<u8>, events: Vec<Event>) -> Status {
        assert!(self.phase == Phase::Running, "resume of a process that isn't running");
        self.turn(batch, events)
    }

    /// The next of what the script hasn't received; none: that was all. Nothing runs here from now on.
    ///
    /// Panics: unless the process waits or goes on elsewhere; and without memory, which is as if it had failed there.
    pub fn give_back(&mut self) -> Vec<Event> {
        assert!(matches!(self.phase, Phase::Running | Phase::Stopped), "give-back of a process that has none");
        self.phase = Phase::Stopped;
        let find = self.calls.leftovers;
        let (leftovers, batch) = (&mut self.leftovers, &self.batch);
        let result =
            self.lua.protect(|lua| leftovers.get_or_insert_with(|| Leftovers::find(lua, find)).take(lua, batch));
        result.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(self.lua.bytes(-1).unwrap_or_default())))
    }

    /// Compiles a chunk without running it, and tells which globals it uses.
    ///
    /// Errors: Lua's message.
    pub fn check(&self, chunk: &Chunk) -> Result<Globals, String> {
        self.load(chunk)?;
        // Without memory for the dump nothing is told, which is no fault of the chunk.
        let mut lua = self.lua;
        let dump = lua.dump();
        lua.pop(1);
        let members = self.members();
        let found = dump.and_then(|dump| globals::uses(&dump, &members.tables)).unwrap_or_default();
        Ok(self.globals(found, members.names))
    }

    fn globals(&self, found: globals::Uses, members: Vec<String>) -> Globals {
        let there = self.global_names();
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        let using = |module, name, line, assigned| GlobalUse { module, name, line, assigned };
        let is_other = |name: &String| there.binary_search(name).is_err();
        let assigned = found.assigned.into_iter().map(|(name, line)| (text(name), line, true));
        let reads = found.reads.into_iter().map(|(line, name)| (text(name), line, false));
        let globals = assigned.chain(reads).filter(|(name, ..)| is_other(name));
        let globals = globals.map(|(name, line, assigned)| using(None, name, line, assigned));
        let modules = found.modules;
        let any = modules.escaped.into_iter().map(|module| using(Some(text(module)), "*".to_owned(), 0, true));
        let assigned = modules.assigned.into_iter();
        let assigned = assigned.map(|((module, name), line)| using(Some(text(module)), text(name), line, true));
        let reads = modules.reads.into_iter().map(|(line, module, name)| (text(module), text(name), line));
        let reads = reads.filter(|(module, name, _)| members.binary_search(&format!("{module}.{name}")).is_err());
        let reads = reads.map(|(module, name, line)| using(Some(module), name, line, false));
        let uses = globals.chain(any).chain(assigned).chain(reads).collect();
        let named = |(line, name)| Named { name: text(name), line };
        let required = modules.required.into_iter().map(named).collect();
        let returned = modules.returned.into_iter().map(|(name, line)| named((line, name))).collect();
        let called = |call: globals::Call| Called {
            function: text(call.function),
            line: call.line,
            texts: call.texts.into_iter().map(|(place, found)| (place, text(found))).collect(),
            dropped: call.dropped,
        };
        let calls = modules.calls.into_iter().map(called).collect();
        let returns = match (modules.gives, modules.has_idle_main) {
            (true, _) => Returning::Something,
            (false, false) => Returning::Nothing,
            (false, true) => Returning::NothingOfMain,
        };
        Globals { there, members, uses, required, returned, returns, calls }
    }

    /// What every process finds, sorted.
    fn global_names(&self) -> Vec<String> {
        let mut lua = self.lua;
        lua.push_globals();
        let names = field_names(lua);
        lua.pop(1);
        names
    }

    /// What modules have, those too that need grants.
    fn members(&self) -> Members {
        let mut lua = self.lua;
        let mut members = Members::default();
        lua.push_globals();
        for library in OF_LUA {
            lua.get_field(-1, library);
            members.add(lua, &library.to_string_lossy());
            lua.pop(1);
        }
        lua.pop(1);
        lua.push_loaded();
        for module in module::ALWAYS.into_iter().chain(module::GRANTED) {
            lua.push_bytes(module.as_bytes());
            lua.get(-2);
            members.add(lua, module);
            lua.pop(1);
        }
        lua.pop(1);
        members.names.sort_unstable();
        members.names.dedup();
        members
    }

    #[cfg(test)]
    pub fn dump_for_test(&self, source: &str) -> Vec<u8> {
        self.lua.load(source.as_bytes(), c"=x").ok().and_then(|()| self.lua.dump()).unwrap_or_default()
    }

    /// Compiles a chunk for `start`.
    ///
    /// Errors: Lua's message.
    pub fn compile(&self, chunk: &Chunk) -> Result<Vec<u8>, String> {
        self.load(chunk)?;
        let mut lua = self.lua;
        let compiled = lua.dump();
        lua.pop(1);
        compiled.ok_or_else(|| "not enough memory".to_owned())
    }

    /// Leaves the chunk's function.
    fn load(&self, chunk: &Chunk) -> Result<(), String> {
        load_chunk(self.lua, chunk).map_err(|_| {
            let mut lua = self.lua;
            let message = String::from_utf8_lossy(lua.bytes(-1).unwrap_or_default()).into_owned();
            lua.pop(1);
            message
        })
    }

    fn turn(&mut self, mut batch: Vec<u8>, events: Vec<Event>) -> Status {
        let calls = &self.calls;
        let context = self.lua.context();
        context.cpu.resume(|| context.host.now());
        let mut events = events.into_iter();
        match self.lua.protect(|lua| turn(lua, calls, &mut batch, &mut events)) {
            Ok(Status::Parked(parked)) => {
                context.cpu.park(|| context.host.now());
                Status::Parked(parked)
            }
            Ok(Status::Upgrade) => {
                self.phase = Phase::Stopped;
                self.batch = batch;
                Status::Upgrade
            }
            Ok(Status::Exited(outcome)) => self.end(outcome),
            Err(why) => self.broken(why),
        }
    }

    /// The runtime itself raised, outside of any coroutine: at the memory limit, most likely.
    fn broken(&mut self, why: Broken) -> Status {
        let message = kept(self.lua.bytes(-1).unwrap_or_default(), length::FAILURE);
        self.lua.pop(1);
        self.end(match why {
            Broken::Memory => outcome::out_of_memory(None),
            Broken::Raised => outcome::failure(ErrorKind::Internal, message),
        })
    }

    fn end(&mut self, outcome: Outcome) -> Status {
        self.phase = Phase::Ended;
        Status::Exited(outcome)
    }
}

impl Drop for Vm {
    /// Only tests get here: on wasm an instance's memory goes as a whole.
    fn drop(&mut self) {
        self.lua.close();
        // SAFETY: from `Box::leak` in `new`; the state that referred to it is closed.
        #[allow(unsafe_code, reason = "counterpart of the leak in `new`")]
        drop(unsafe { Box::from_raw(self.context) });
    }
}

/// What modules have.
#[derive(Default)]
struct Members {
    /// With the module's name and a dot before each.
    names: Vec<String>,
    /// The names of modules, and of tables in them.
    tables: BTreeSet<Vec<u8>>,
}

impl Members {
    /// Adds what the table on top of the stack has.
    fn add(&mut self, mut lua: Lua, module: &str) {
        // Whoever has a metatable has more than can be seen; that of `string` only makes it callable.
        if lua.kind(-1) != Kind::Table || lua.metatable(-1) != 0 && module != "string" {
            return;
        }
        self.tables.insert(module.as_bytes().to_vec());
        for name in field_names(lua) {
            let path = format!("{module}.{name}");
            lua.push_bytes(name.as_bytes());
            lua.get(-2);
            self.add(lua, &path);
            lua.pop(1);
            self.names.push(path);
        }
    }
}

/// The names of the fields of the table on top of the stack, sorted.
fn field_names(lua: Lua) -> Vec<String> {
    let names = lua.texts(lua.top()).map(|(name, _)| String::from_utf8_lossy(name).into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

/// Opens Lua's libraries, makes the runtime's types and loads the prelude. Raises.
fn build(mut lua: Lua) -> Calls {
    lua.push_globals();
    lua.open(Library::Base);
    lua.pop(1);
    // What its chance comes from is written to at every start.
    heap::take_room();
    lua.open(Library::Math);
    lua.set_field(-2, c"math");
    let libraries = [
        (c"coroutine", Library::Coroutine),
        (c"table", Library::Table),
        (c"string", Library::String),
        (c"utf8", Library::Utf8),
        (c"os", Library::Os),
        (c"debug", Library::Debug),
    ];
    for (name, library) in libraries {
        lua.open(library);
        lua.set_field(-2, name);
    }
    time::open(lua);
    json::open(lua);
    lua.new_table(0, 64);
    api::install(lua);
    lua.new_table(0, duration::CONSTANTS.len());
    for (name, nanoseconds) in duration::CONSTANTS {
        Duration(nanoseconds).push(lua);
        lua.set_field(-2, name);
    }
    lua.set_field(-2, c"durations");
    json::push_module(lua);
    lua.set_field(-2, c"json");
    let runtime = lua.top();
    prelude::load(lua);
    add_pure_modules(lua, runtime);
    lua.push_loaded();
    // `coroutine` is Lua's own, and there already; a logger's methods are named after their logger.
    let named = [c"process", c"channel", c"time", c"errors", c"ctx", c"json", c"security", c"env", c"fs"];
    for name in named.into_iter().chain(PURE_MODULES.map(|(name, _)| name)) {
        lua.get_field(runtime, name);
        lua.set_field(-2, name);
    }
    let call = |name| {
        lua.get_field(runtime, name);
        lua.keep()
    };
    Calls {
        start: call(c"start"),
        state: call(c"state"),
        listeners: call(c"listeners"),
        inbox: call(c"inbox"),
        deliver: call(c"deliver"),
        called: call(c"called"),
        ended: call(c"ended"),
        cancel: call(c"canceled"),
        leftovers: call(c"leftovers"),
        output_ready: call(c"output_ready"),
        release_pollers: call(c"release_pollers"),
        fire_due: call(c"fire_due"),
        next_due: call(c"next_due"),
    }
}

/// Bytes of the block that `math.random` keeps its state in.
const CHANCE: usize = 56;

/// Lua's own libraries, as globals.
const OF_LUA: [&CStr; 6] = [c"string", c"table", c"math", c"utf8", c"os", c"debug"];

/// Pushes a module. Raises.
type Push = fn(Lua);

/// Modules of which nothing is in the prelude.
const PURE_MODULES: [(&CStr, Push); 4] = [
    (c"base64", base64::push_module),
    (c"hash", hash::push_module),
    (c"uuid", uuid::push_module),
    (c"random", random::push_module),
];

/// Adds them to the runtime's table, the globals and what `require` finds. Raises.
///
/// They are made last, because no process writes to them: between what every process writes to, they would spread it over more pages,
/// of which each has a copy.
fn add_pure_modules(mut lua: Lua, runtime: c_int) {
    lua.get_field(runtime, c"modules");
    let modules = lua.top();
    lua.push_globals();
    for (name, push_module) in PURE_MODULES {
        push_module(lua);
        for place in [runtime, modules, modules + 1] {
            lua.push_copy(-1);
            lua.set_field(place, name);
        }
        lua.pop(1);
    }
    lua.pop(2);
}

/// Seeds what chance there is, tells the scheduler's state of the process, compiles the program and queues its main coroutine. The
/// error is Lua's message. Raises.
fn prepare(lua: Lua, calls: &Calls, program: &Program, arguments: &[u8]) -> Result<(), String> {
    let (seed, first, second, third) = program.seed;
    let seed = lua.seed(seed);
    lua.context().random.start([first, second, third]);
    tell_state(lua, calls, program);
    lua.push_kept(calls.start);
    lua.push_integer(seed);
    match &program.method {
        Some(method) => lua.push_bytes(method.as_bytes()),
        None => lua.push_nil(),
    }
    for holds in [program.plain, program.chunk.name == OWN_CHUNK, program.modules.env, program.modules.fs] {
        lua.push_boolean(holds);
    }
    match load_chunk(lua, &program.chunk) {
        Ok(()) => {}
        // Raised again, so that it counts as what it is.
        Err(Broken::Memory) => lua.raise(),
        Err(Broken::Raised) => return Err(kept(lua.bytes(-1).unwrap_or_default(), length::FAILURE)),
    }
    let count = decode_spread(lua, arguments);
    lua.call(7 + count, 0);
    Ok(())
}

/// Where it lies: a table with a name for each would be made for this once, at each start. Raises.
fn tell_state(mut lua: Lua, calls: &Calls, program: &Program) {
    lua.push_kept(calls.state);
    let place = lua.top();
    let Some(state) = lua.items::<{ state::COUNT }>(place) else { lua.raise_text("bug: no state") };
    let limits = &program.limits;
    state.set_integer(state::MOST_TIMERS, i64::from(limits.timers));
    state.set_integer(state::MOST_COROUTINES, i64::from(limits.coroutines));
    state.set_integer(state::MOST_LISTENERS, i64::from(limits.listeners));
    let texts = [(state::PID, program.pid.as_bytes()), (state::FRAME, program.frame.as_bytes())];
    for (number, text) in texts.into_iter().chain(program.context.as_deref().map(|context| (state::CONTEXT, context))) {
        lua.push_bytes(text);
        lua.set_item(place, number);
    }
    lua.pop(1);
}
