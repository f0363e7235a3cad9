//! Scripts: what happens, as data. Owns the steps and how a seed makes them. A step names processes by small numbers
//! that count back from the youngest, so that it still means something when other steps are left out.

use fastrand::Rng;

/// Below [`LIVING`] it counts back from the youngest living process, else from the youngest of all, wrapping around.
pub type Who = u8;

/// Most steps name the living, or a script would mostly be refused.
pub const LIVING: Who = 230;
/// How many of the youngest processes, dead or alive, a script can name.
pub const REACH: usize = 14;
/// How many names there are.
pub const NAMES: u8 = 5;
/// How many groups.
pub const GROUPS: u8 = 3;
/// How many topics.
pub const TOPICS: u8 = 3;

/// A destination as a script writes it.
#[derive(Clone, Debug)]
pub enum Dest {
    Pid(Who),
    Name(u8),
    /// The number of a process, on a host where it isn't.
    WrongHost(Who),
    /// A pid that was never given out.
    Never,
    Empty,
    Long,
}

#[derive(Clone, Debug)]
pub enum Step {
    Spawn {
        parent: Option<Who>,
        host: u8,
        monitored: bool,
        linked: bool,
        exec: bool,
        name: Option<u8>,
        /// Says what it may hold, and how long it may live.
        room: u8,
    },
    StopHost(u8),
    Link(Who, Dest),
    Unlink(Who, Dest),
    Monitor(Who, Dest),
    Unmonitor(Who, Dest),
    Register(Who, u8, Option<Dest>),
    Lookup(Who, u8),
    Unregister(Who, u8),
    Trap(Who, bool),
    Terminate(Option<Who>, Dest),
    /// With the nanoseconds until the deadline, which may be over already.
    Cancel(Option<Who>, Dest, Option<i8>),
    Exit(Who, bool),
    Advance(u8),
    /// The wall clock is set, by so many nanoseconds.
    SetClock(i16),
    /// The engine performs some effects.
    Perform(u8),
    /// The engine carries out so many consequences.
    Turn(u8),
    /// With the topic and the bytes of the payload.
    Send(Option<Who>, Dest, u8, u8),
    Listen(Who, u8),
    Unlisten(Who, u8),
    ListenToAll(Who),
    /// The engine hands over at most so many items and bytes, up to a credit.
    Take {
        who: Who,
        items: u8,
        bytes: u16,
        credit: u16,
    },
    /// The script reads messages of a topic, and the guest reports; then the process may wait.
    Read(Who, u8, u8, bool),
    /// The process starts over, within other limits.
    Upgrade(Who, u8),
    JoinGroup(Who, u8),
    LeaveGroup(Who, u8),
    /// True: as the group is now, else as it was once.
    WatchGroup(Who, u8, bool),
    UnwatchGroup(Who, u8),
    /// The process asks somebody outside.
    Ask(Who),
    /// The process wants so many tasks done.
    Task(Who, u8),
    /// A thread begins the process's next task.
    NextTask(Who),
    /// Somebody outside, or a thread, answers a request with so many bytes.
    Answer(Who, u8, u8),
}

/// The script of a seed.
pub fn generate(seed: u64, steps: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    (0..steps).map(|_| step(&mut rng)).collect()
}

fn step(rng: &mut Rng) -> Step {
    let who = rng.u8(..);
    match rng.u8(..100) {
        0..16 => Step::Spawn {
            parent: some(rng, 70, |rng| rng.u8(..)),
            host: rng.choice([0, 0, 1, 1, 1, 1, 2]).unwrap_or(0),
            monitored: rng.u8(..5) == 0,
            linked: rng.u8(..5) == 0,
            exec: rng.u8(..4) == 0,
            name: some(rng, 20, |rng| rng.u8(..NAMES)),
            room: rng.u8(..),
        },
        16..23 => Step::Link(who, dest(rng)),
        23..26 => match rng.u8(..9) {
            0..6 => Step::Listen(who, rng.u8(..TOPICS)),
            6..8 => Step::Unlisten(who, rng.u8(..TOPICS)),
            _ => Step::ListenToAll(who),
        },
        26..28 => Step::Unlink(who, dest(rng)),
        28..36 => Step::Monitor(who, dest(rng)),
        36 => Step::Unmonitor(who, dest(rng)),
        37 => match rng.u8(..8) {
            0..4 => Step::JoinGroup(who, rng.u8(..GROUPS)),
            4 => Step::LeaveGroup(who, rng.u8(..GROUPS)),
            5..7 => Step::WatchGroup(who, rng.u8(..GROUPS), rng.u8(..4) != 0),
            _ => Step::UnwatchGroup(who, rng.u8(..GROUPS)),
        },
        38..43 => Step::Register(who, rng.u8(..NAMES), some(rng, 30, dest)),
        43..45 => Step::Lookup(who, rng.u8(..NAMES)),
        45..47 => Step::Unregister(who, rng.u8(..NAMES)),
        47..51 => Step::Trap(who, rng.u8(..3) != 0),
        51..52 => Step::Terminate(some(rng, 70, |rng| rng.u8(..)), dest(rng)),
        52..57 => Step::Cancel(some(rng, 70, |rng| rng.u8(..)), dest(rng), some(rng, 30, |rng| rng.i8(-5..100))),
        57..60 => Step::Exit(who, rng.bool()),
        60..62 => Step::Advance(rng.u8(..30)),
        62..66 => Step::Perform(rng.u8(..8)),
        66..68 => Step::Turn(rng.u8(..3)),
        68 => Step::SetClock(rng.i16(..)),
        69..80 => Step::Send(some(rng, 90, |rng| rng.u8(..)), dest(rng), rng.u8(..TOPICS), rng.u8(..)),
        80..83 if rng.bool() => Step::Ask(who),
        80..83 => Step::Task(who, rng.choice([1, 1, 2, 9]).unwrap_or(1)),
        83..85 => Step::NextTask(who),
        85..87 => Step::Answer(who, rng.u8(..), rng.u8(..)),
        87..93 => Step::Take { who, items: rng.u8(..6), bytes: rng.u16(..600), credit: rng.u16(..1_200) },
        93..97 => Step::Read(who, rng.u8(..TOPICS), rng.u8(..4), rng.bool()),
        97..98 => Step::Upgrade(who, rng.u8(..)),
        _ if rng.u8(..16) == 0 => Step::StopHost(rng.u8(..3)),
        _ => Step::Perform(255),
    }
}

fn some<T>(rng: &mut Rng, percent: u8, make: fn(&mut Rng) -> T) -> Option<T> {
    (rng.u8(..100) < percent).then(|| make(rng))
}

fn dest(rng: &mut Rng) -> Dest {
    match rng.u8(..40) {
        0..30 => Dest::Pid(rng.u8(..)),
        30..36 => Dest::Name(rng.u8(..NAMES)),
        36 => Dest::WrongHost(rng.u8(..)),
        37 => Dest::Never,
        38 => Dest::Empty,
        _ => Dest::Long,
    }
}
