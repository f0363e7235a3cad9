//! What belongs to one process besides its Lua state: the host, the limits, and where in Lua the runtime's own types are.
//! References and types are set while the state is built, limits and program by `start`; what changes later counts what
//! arrives or is kept for use again, and is never borrowed across a call that raises: such a borrow would last for good.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use lunarium_contract::ErrorKind as Kind;

use super::random::Random;
use crate::host::{Asked, ErrorKind, Message, Program, Unread};
use crate::lua::memory::Memory;
use crate::lua::{Items, Lua, Reference};
use crate::time::zone::Zones;

/// One of the runtime's types: tables or userdata with a metatable no script can get hold of.
#[derive(Clone, Copy, Default)]
pub struct Type {
    kept: Option<Reference>,
    address: usize,
}

impl Type {
    /// Pops the metatable and remembers it. Raises.
    pub fn keep(lua: Lua) -> Self {
        let address = lua.address(-1);
        Self { kept: Some(lua.keep()), address }
    }

    /// Pushes the metatable; nil before there is one.
    pub fn push(&self, lua: Lua) {
        match self.kept {
            Some(kept) => lua.push_kept(kept),
            None => lua.push_nil(),
        }
    }

    /// Gives the value on top this type.
    #[inline]
    pub fn set(&self, lua: Lua) {
        if let Some(kept) = self.kept {
            lua.push_kept(kept);
            lua.set_metatable(-2);
        }
    }

    /// Whether a value with this metatable (`Lua::metatable`) is of this type.
    #[inline]
    pub fn is(&self, metatable: usize) -> bool {
        metatable != 0 && metatable == self.address
    }
}

/// The runtime's types, as far as Rust code has to know them.
#[derive(Default)]
pub struct Types {
    pub error: Cell<Type>,
    pub channel: Cell<Type>,
    pub case: Cell<Type>,
    pub message: Cell<Type>,
    /// What `msg.topic` and `msg.payload` read without a call: travels as the value in it.
    pub field: Cell<Type>,
    pub timer: Cell<Type>,
    pub actor: Cell<Type>,
    pub policy: Cell<Type>,
    pub scope: Cell<Type>,
    pub time: Cell<Type>,
    pub duration: Cell<Type>,
    pub spawner: Cell<Type>,
    pub null: Cell<Type>,
}

/// The time the process has run, as far as anybody asks: reading the clock twice a turn would cost those who don't. So what
/// ran before the first question is counted only if it was in the first turn.
#[derive(Default)]
pub struct CpuClock {
    /// Nanoseconds of the monotonic clock at which the count is zero.
    base: Cell<u64>,
    /// When the process began to wait, once somebody has asked.
    parked: Cell<Option<u64>>,
    asked: Cell<bool>,
    waited: Cell<bool>,
}

impl CpuClock {
    /// The first turn begins.
    pub fn start(&self, now: u64) {
        self.base.set(now);
    }

    /// Nanoseconds run so far.
    pub fn read(&self, now: u64) -> u64 {
        if !self.asked.replace(true) && self.waited.get() {
            self.base.set(now);
        }
        now.saturating_sub(self.base.get())
    }

    /// The process waits from now on.
    pub fn park(&self, now: impl FnOnce() -> u64) {
        self.waited.set(true);
        if self.asked.get() {
            self.parked.set(Some(now()));
        }
    }

    /// It goes on.
    pub fn resume(&self, now: impl FnOnce() -> u64) {
        if let Some(parked) = self.parked.take() {
            self.base.set(self.base.get().saturating_add(now().saturating_sub(parked)));
        }
    }
}

/// Where a message is that was handed over decoded.
pub enum Kept {
    /// In the batch, from this byte on.
    Short(usize),
    /// Without its payload: that is in Lua.
    Long(Message),
}

/// Places of those who wait for replies. One is used again when it is free: in a table by the numbers of requests, which only grow,
/// Lua would have to make room time and again.
#[derive(Default)]
pub struct Waiting {
    taken: Vec<(u64, i64)>,
    free: Vec<i64>,
}

impl Waiting {
    /// The place that the next one gets.
    pub fn next(&self) -> i64 {
        self.free.last().copied().unwrap_or(self.taken.len() as i64 + 1)
    }

    /// It is for whoever waits for the reply to this request.
    pub fn take(&mut self, request: u64) {
        let place = self.next();
        self.free.pop();
        self.taken.push((request, place));
    }

    /// The place of who waits for it; nobody waits any more. None: nobody did.
    pub fn leave(&mut self, request: u64) -> Option<i64> {
        let at = self.taken.iter().position(|(taken, _)| *taken == request)?;
        let (_, place) = self.taken.swap_remove(at);
        self.free.push(place);
        Some(place)
    }
}

/// What belongs to one process besides its Lua state.
pub struct Context {
    pub host: Box<Asked>,
    pub memory: Memory,
    pub types: Types,
    /// Bytes of one message, and of one line of output.
    pub message_limit: Cell<usize>,
    /// The prelude's table `{messages, bytes, count, numbers}`: what is handed over and not yet received, and the numbers of
    /// the messages that were received in this turn.
    pub unread: Cell<Option<(Reference, Items<3>)>>,
    /// A table of those who wait for replies, by their places, and the scheduler's state.
    pub requests: Cell<Option<(Reference, Reference)>>,
    /// Whose place is which.
    pub waiting: RefCell<Waiting>,
    /// Tracebacks of calls that have failed and aren't answered yet, by their coroutines.
    pub traces: RefCell<BTreeMap<usize, String>>,
    /// Messages and events that have arrived so far: their numbers tell their order, and the host which it means.
    pub arrived: Cell<i64>,
    /// Messages of this turn that were handed over decoded, by number: what is needed to give them back.
    pub handed: RefCell<Vec<(i64, Kept)>>,
    /// Numbers of the messages that were received in this turn without a stay in the prelude's tables.
    pub received: RefCell<Vec<u64>>,
    /// Garbage was collected in this turn for what has come.
    pub collected: Cell<bool>,
    /// Kept between messages, so that sending allocates nothing.
    pub buffer: Cell<Vec<u8>>,
    /// What `require` can load. Empty before `start`.
    pub program: OnceCell<Program>,
    /// For `os.clock`.
    pub cpu: CpuClock,
    /// Time zones in use.
    pub zones: Zones,
    /// `json.null`.
    pub null: Cell<Option<Reference>>,
    pub random: Random,
}

impl Context {
    pub fn new(host: Box<Asked>) -> Self {
        Self {
            host,
            memory: Memory::unlimited(),
            types: Types::default(),
            message_limit: Cell::new(0),
            unread: Cell::new(None),
            requests: Cell::new(None),
            waiting: RefCell::default(),
            traces: RefCell::default(),
            arrived: Cell::new(0),
            handed: RefCell::new(Vec::new()),
            received: RefCell::new(Vec::new()),
            collected: Cell::new(false),
            buffer: Cell::new(Vec::new()),
            program: OnceCell::new(),
            cpu: CpuClock::default(),
            zones: Zones::default(),
            null: Cell::new(None),
            random: Random::default(),
        }
    }

    /// What the process holds of its mailbox at this moment.
    #[inline]
    pub fn unread(&self) -> Unread {
        let Some((_, counts)) = self.unread.get() else { return Unread { messages: 0, bytes: 0 } };
        let number = |place| u32::try_from(counts.integer(place)).unwrap_or(0);
        Unread { messages: number(1), bytes: number(2) }
    }

    /// The messages received since this was last asked; none when all were, which `unread` tells as well.
    pub fn take_received(&self, mut lua: Lua, unread: Unread) -> Vec<u64> {
        let mut received = self.received.borrow_mut();
        let Some((kept, counts)) = self.unread.get() else { return std::mem::take(&mut *received) };
        let count = counts.integer(3);
        counts.set_integer(3, 0);
        if unread.messages == 0 {
            // Its room is kept.
            received.clear();
            return Vec::new();
        }
        let mut received = std::mem::take(&mut *received);
        lua.push_kept(kept);
        lua.get_item(-1, 4);
        for place in 1..=count {
            lua.get_item(-1, place);
            received.extend(lua.integer(-1).and_then(|number| u64::try_from(number).ok()));
            lua.pop(1);
        }
        lua.pop(2);
        received
    }
}

impl Lua {
    /// What belongs to the process besides this state.
    #[inline]
    pub fn context(&self) -> &'static Context {
        self.besides()
    }
}

/// The kinds of `wit/` and those of the contract.
const KINDS: [(ErrorKind, Kind); Kind::ALL.len()] = [
    (ErrorKind::NotFound, Kind::NotFound),
    (ErrorKind::AlreadyExists, Kind::AlreadyExists),
    (ErrorKind::Invalid, Kind::Invalid),
    (ErrorKind::PermissionDenied, Kind::PermissionDenied),
    (ErrorKind::Unavailable, Kind::Unavailable),
    (ErrorKind::Internal, Kind::Internal),
    (ErrorKind::Canceled, Kind::Canceled),
    (ErrorKind::Conflict, Kind::Conflict),
    (ErrorKind::Timeout, Kind::Timeout),
    (ErrorKind::RateLimited, Kind::RateLimited),
    (ErrorKind::ResourceExhausted, Kind::ResourceExhausted),
    (ErrorKind::Unknown, Kind::Unknown),
];

/// The value a script sees for a kind (`errors.NOT_FOUND` is `"NotFound"`).
pub fn kind_text(kind: ErrorKind) -> &'static str {
    KINDS.iter().find(|(wit, _)| *wit == kind).map_or("", |(_, kind)| kind.as_str())
}

/// The kind of a script's value; anything of its own invention is `Unknown`.
pub fn kind_of(text: &[u8]) -> ErrorKind {
    KINDS.iter().find(|(_, kind)| kind.as_str().as_bytes() == text).map_or(ErrorKind::Unknown, |(wit, _)| *wit)
}
