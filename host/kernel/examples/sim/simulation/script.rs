//! Scripts: what happens, as data. Owns the steps and how a seed makes them. A step names processes by small numbers
//! that count back from the youngest, so that it still means something when others are left out.

use fastrand::Rng;

/// Counts back from the youngest process, wrapping around within the last [`REACH`].
pub type Who = u8;

/// How many of the youngest processes a script can name: enough of them dead, enough alive.
pub const REACH: usize = 14;
/// How many names there are.
pub const NAMES: u8 = 5;

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
        few: bool,
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
    /// The engine performs some effects.
    Perform(u8),
    /// With the bytes of the payload.
    Send(Option<Who>, Dest, u8),
    /// The engine hands over at most so many items and bytes, up to a credit.
    Take {
        who: Who,
        items: u8,
        bytes: u16,
        credit: u16,
    },
    /// The script reads messages, and the guest reports.
    Read(Who, u8),
}

/// The script of a seed.
pub fn generate(seed: u64, steps: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    (0..steps).map(|_| step(&mut rng)).collect()
}

fn step(rng: &mut Rng) -> Step {
    let who = rng.u8(..);
    match rng.u8(..100) {
        0..14 => Step::Spawn {
            parent: some(rng, 80, |rng| rng.u8(..)),
            host: rng.u8(..4),
            monitored: rng.u8(..3) == 0,
            linked: rng.u8(..3) == 0,
            few: rng.u8(..3) == 0,
        },
        14..25 => Step::Link(who, dest(rng)),
        25..28 => Step::Unlink(who, dest(rng)),
        28..37 => Step::Monitor(who, dest(rng)),
        37..40 => Step::Unmonitor(who, dest(rng)),
        40..46 => Step::Register(who, rng.u8(..NAMES), some(rng, 30, dest)),
        46..48 => Step::Lookup(who, rng.u8(..NAMES)),
        48..50 => Step::Unregister(who, rng.u8(..NAMES)),
        50..54 => Step::Trap(who, rng.u8(..3) != 0),
        54..56 => Step::Terminate(some(rng, 70, |rng| rng.u8(..)), dest(rng)),
        56..62 => Step::Cancel(some(rng, 70, |rng| rng.u8(..)), dest(rng), some(rng, 50, |rng| rng.i8(-5..50))),
        62..66 => Step::Exit(who, rng.bool()),
        66..69 => Step::Advance(rng.u8(..30)),
        69..79 => Step::Perform(rng.u8(..8)),
        79..90 => Step::Send(some(rng, 90, |rng| rng.u8(..)), dest(rng), rng.u8(..)),
        90..95 => Step::Take { who, items: rng.u8(..6), bytes: rng.u16(..600), credit: rng.u16(..1_200) },
        95..99 => Step::Read(who, rng.u8(..4)),
        _ if rng.u8(..8) == 0 => Step::StopHost(rng.u8(..4)),
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
