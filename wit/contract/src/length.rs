//! The longest texts and largest lists, in bytes where nothing else is said. At each limit the guest refuses what is
//! longer before it calls the host, with the length in the message; the host checks again.

/// A registered name. The same as a topic: both stand in messages to people.
pub const NAME: usize = 255;

/// A topic.
pub const TOPIC: usize = 255;

/// An id: of a process host, an entry, a policy or a group. It stands in every pid and on every log line.
pub const ID: usize = 255;

/// A pid's text: `{host|0x…}` with the longest host and number.
pub const PID: usize = ID + "{|0x}".len() + PID_DIGITS;

/// Digits of a pid's number: at most as many as a `u64` has.
pub const PID_DIGITS: usize = 16;

/// Digits of a pid's number at the least; shorter numbers are filled with zeros.
pub const PID_DIGITS_LEAST: usize = 5;

/// Any destination. What is longer is neither pid nor name.
pub const DESTINATION: usize = if PID > NAME { PID } else { NAME };

/// An actor's id.
pub const ACTOR: usize = 255;

/// An actor's meta, and the attributes of a question, each a payload. Policies may look at them on every call.
pub const META: usize = 16 << 10;

/// Values in an actor's meta, and in the attributes of a question, counted with those inside of others: a table of one byte
/// takes the host hundreds.
pub const META_VALUES: usize = 1_000;

/// Policies of one scope, counted. Each call looks at all of them.
pub const POLICIES: usize = 256;

/// An action or a resource that a script asks about: room for a long path.
pub const QUESTION: usize = 4 << 10;

/// A path, as long as Linux takes them.
pub const PATH: usize = 4095;

/// The name of an environment variable.
pub const VARIABLE: usize = 255;

/// The name under which an import is required.
pub const ALIAS: usize = 255;

/// One log line, its fields included; each field counts one more. The rest is cut.
pub const LOG_LINE: usize = 8 << 10;

/// The name of an embedder's module, and of a function in it.
pub const WORD: usize = 64;

/// How much an error message repeats of a text that a script chose.
pub const SHOWN: usize = 255;

/// The message of a failure that leaves its process. The rest is cut: it travels along links and monitors, and into logs.
pub const FAILURE: usize = 8 << 10;

/// The traceback of a failure that leaves its process. The rest is cut.
pub const STACK: usize = 16 << 10;

/// What the payload of an error object takes beside its details.
pub const ERROR: usize = FAILURE + STACK + 64;

/// Requests of one process under way, counted. As many as it can sensibly keep busy; each may hold a reply of a
/// message's size.
pub const REQUESTS: u32 = 1_000;

/// Calls of one process under way that it hasn't answered, counted; half of them of one caller. As many as requests of who asks.
pub const CALLS: usize = 1_000;

/// The name of a function that is called.
pub const METHOD: usize = 255;

/// The name of a group.
pub const GROUP: usize = 255;

/// Members of a group that one call lists or sends to, counted: a call takes as long as so many messages.
pub const GROUP_SLICE: usize = 256;

/// Members of one group, counted. More than a node has processes by default.
pub const GROUP_MEMBERS: usize = 10_000;

/// Processes that watch one group, counted: each change, and each end of a member, tells all of them at once.
pub const GROUP_WATCHERS: usize = 64;

/// Payload bytes of one message to a group, once for each member: 64 of the largest, or 6.5 KB for each of 10,000.
pub const FAN_OUT: usize = 64 << 20;

/// File operations of one process under way, counted. Further ones wait in the guest.
pub const FILE_OPERATIONS: usize = 8;

/// Entries of a directory that one `fs.list` gives, counted.
pub const LISTED: usize = 10_000;

/// Reads of unknown globals that `check` tells of, counted.
pub const GLOBAL_READS: usize = 1_000;

/// Lua calls inside each other, in one coroutine; C functions among them. At the limit, or where the stack would take half
/// of the `memory` limit: Lua's error "stack overflow". The number is Lua's own order of magnitude.
pub const LUA_CALLS: u32 = 200_000;
