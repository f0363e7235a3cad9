//! The rule by count: cores that run side by side in virtual time.
//!
//! What each test catches: one queue, first in first out, fails all that say who waits for whom; shares without virtual
//! time fail those with two shares; woken ones first in, first out, the one with two hundred wakers of one share.

mod inside;

use std::sync::Arc;
use std::time::Duration;

use super::{Next, PATIENCE, Queues, SLICE, SLOT_STREAK, Turn, Urgency, YIELDS};
use crate::clock::TICK;
use crate::share::{Member, Portion, Share};

/// Steps of virtual time in a tick.
const STEPS: u64 = 8;

const STEP: u64 = SLICE / STEPS;

/// Steps of a busy task's slice: a tick and a half.
const LONG: u64 = STEPS + STEPS / 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Never waits.
    Busy,
    /// Runs for that many steps, and is woken again at once, from anywhere.
    Woken(u64),
    /// Runs for a step, and its own core wakes it again.
    Slotted,
    /// Begins or ends, in that many steps.
    Background(u64),
    /// Runs for a step, and waits for that many.
    Ticker(u64),
}

#[derive(Debug, Clone)]
struct Task {
    kind: Kind,
    member: Arc<Member>,
}

impl super::Task for Task {
    fn member(&self) -> &Arc<Member> {
        &self.member
    }
}

impl Task {
    fn new(kind: Kind, share: &Arc<Share>) -> Task {
        Task { kind, member: Member::of(share) }
    }

    fn is(&self, other: &Task) -> bool {
        Arc::ptr_eq(&self.member, &other.member)
    }

    fn urgency(&self) -> Urgency {
        match self.kind {
            Kind::Busy => Urgency::Preempted,
            Kind::Background(_) => Urgency::Background,
            _ => Urgency::Woken,
        }
    }

    fn steps(&self) -> u64 {
        match self.kind {
            Kind::Busy => LONG,
            Kind::Woken(steps) | Kind::Background(steps) => steps,
            Kind::Slotted | Kind::Ticker(_) => 1,
        }
    }
}

#[derive(Default)]
struct Core {
    turn: Turn,
    slot: Option<Task>,
    running: Option<Task>,
    /// The step at which `running` ends.
    until: u64,
}

/// A task that began to run.
#[derive(Debug, Clone)]
struct Begin {
    step: u64,
    core: usize,
    task: Task,
}

/// Cores of the same speed over the queues.
struct Machine {
    queues: Queues<Task>,
    cores: Vec<Core>,
    step: u64,
    log: Vec<Begin>,
    /// Those that wait, and until when.
    asleep: Vec<(u64, Task)>,
}

impl Machine {
    fn new(cores: usize) -> Machine {
        let cores = (0..cores).map(|_| Core::default()).collect();
        Machine { queues: Queues::default(), cores, step: 0, log: Vec::new(), asleep: Vec::new() }
    }

    /// Queues a task of `share`, and gives it.
    fn add(&mut self, kind: Kind, share: &Arc<Share>) -> Task {
        let task = Task::new(kind, share);
        self.push(task.clone());
        task
    }

    fn push(&mut self, task: Task) {
        let urgency = task.urgency();
        if urgency == Urgency::Woken {
            task.member.waits(Duration::from_nanos(task.steps() * STEP));
        }
        self.queues.push(task, urgency, self.step / STEPS);
    }

    fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            let due = self.asleep.extract_if(.., |(until, _)| *until <= self.step);
            for (_, task) in due.collect::<Vec<_>>() {
                self.push(task);
            }
            for core in 0..self.cores.len() {
                self.end(core);
            }
            for core in 0..self.cores.len() {
                self.begin(core);
            }
            self.step += 1;
        }
    }

    fn end(&mut self, index: usize) {
        let core = &mut self.cores[index];
        if core.until > self.step {
            return;
        }
        match core.running.take() {
            Some(Task { kind: Kind::Background(_), .. }) | None => {}
            Some(task @ Task { kind: Kind::Slotted, .. }) => {
                task.member.waits(Duration::from_nanos(STEP));
                if let Some(displaced) = core.slot.replace(task) {
                    self.push(displaced);
                }
            }
            Some(task) if task.member.is_expedited() => {}
            Some(task) => match task.kind {
                Kind::Ticker(steps) => self.asleep.push((self.step + steps, task)),
                _ => self.push(task),
            },
        }
    }

    fn begin(&mut self, index: usize) {
        let core = &mut self.cores[index];
        if core.running.is_some() {
            return;
        }
        let ticks = self.step / STEPS;
        let kept = core.slot.take_if(|task| core.turn.may_stay(ticks, &task.member));
        let next = match kept {
            Some(task) => {
                core.turn.stays();
                Some(task)
            }
            None => {
                self.queues.look(&mut core.turn, self.step * STEP, ticks);
                if let Some(task) = core.slot.take() {
                    self.queues.push(task, Urgency::Woken, ticks);
                }
                self.queues.next(self.step * STEP).map(|next| {
                    core.turn.begin(&next, self.step * STEP);
                    next.task
                })
            }
        };
        let Some(task) = next else { return };
        core.until = self.step + task.steps();
        core.running = Some(task.clone());
        self.log.push(Begin { step: self.step, core: index, task });
    }

    fn begins(&self, of: impl Fn(&Begin) -> bool) -> usize {
        self.log.iter().filter(|begin| of(begin)).count()
    }

    /// How many begin before `task` does, after the first `from`.
    fn before(&self, task: &Task, from: usize) -> usize {
        self.log[from..].iter().position(|begin| begin.task.is(task)).expect("it runs")
    }
}

/// One inside of a share that stands beside the others.
fn share() -> Arc<Share> {
    weighing(Portion::WEIGHT)
}

/// The same, of this weight.
fn weighing(weight: u32) -> Arc<Share> {
    Share::inside(&Share::new(weight), Portion::default())
}

fn is_busy(begin: &Begin) -> bool {
    begin.task.kind == Kind::Busy
}

#[test]
fn one_that_is_woken_waits_for_no_slice_but_those_under_way() {
    for cores in 1..=4 {
        for arrives in 100..100 + 2 * LONG {
            let (mut machine, share) = (Machine::new(cores), share());
            (0..100).for_each(|_| drop(machine.add(Kind::Busy, &share)));
            machine.run(arrives);
            let under_way = machine.log.len();
            let woken = machine.add(Kind::Ticker(1000), &share);
            machine.run(2 * LONG);
            assert_eq!(machine.before(&woken, under_way), 0, "{cores} cores, step {arrives}");
        }
    }
}

#[test]
fn busy_ones_get_equal_numbers_of_slices_on_every_core() {
    for cores in 1..=4 {
        for tasks in cores..20 {
            let (mut machine, share) = (Machine::new(cores), share());
            let tasks: Vec<_> = (0..tasks).map(|_| machine.add(Kind::Busy, &share)).collect();
            machine.run(LONG * 100);
            let each: Vec<_> = tasks.iter().map(|task| machine.begins(|begin| begin.task.is(task))).collect();
            let spread = each.iter().max().unwrap() - each.iter().min().unwrap();
            assert!(spread <= 1, "{} tasks on {cores} cores: {each:?}", tasks.len());
            for core in 0..cores {
                assert_eq!(machine.begins(|begin| begin.core == core), 100, "core {core} of {cores}");
            }
        }
    }
}

#[test]
fn under_constant_load_the_busy_get_a_slice_after_each_patience() {
    for cores in 1..=4 {
        for load in [Kind::Woken(1), Kind::Slotted] {
            let (mut machine, share) = (Machine::new(cores), share());
            (0..cores * 4).for_each(|_| drop(machine.add(load, &share)));
            (0..7).for_each(|_| drop(machine.add(Kind::Busy, &share)));
            let steps = 3000;
            machine.run(steps);
            // A third of the time: a patience is twice as long as a slice. What is under way when it ends isn't counted yet.
            let slices = machine.begins(is_busy) as u64 * (PATIENCE / STEP + LONG);
            let time = steps * cores as u64;
            assert!(slices <= time + 4 * LONG, "{cores} cores, {load:?}: {slices} of {time}");
            assert!(slices >= time * 3 / 4, "{cores} cores, {load:?}: {slices} of {time}");
        }
    }
}

#[test]
fn a_slice_that_takes_longer_than_the_patience_is_followed_by_a_woken_one() {
    let (mut queues, mut turn, share) = (Queues::default(), Turn::default(), share());
    let mut now = 0;
    let mut next = |queues: &mut Queues<Task>, takes: u64| {
        let next = queues.next(now).unwrap();
        turn.begin(&next, now);
        now += takes;
        let Next { task, urgency, .. } = next;
        queues.push(task, urgency, 0);
        queues.look(&mut turn, now, 0);
        urgency
    };
    queues.push(Task::new(Kind::Woken(1), &share), Urgency::Woken, 0);
    (0..3).for_each(|_| queues.push(Task::new(Kind::Busy, &share), Urgency::Preempted, 0));
    assert_eq!(next(&mut queues, PATIENCE), Urgency::Woken);
    assert_eq!(next(&mut queues, 9 * PATIENCE), Urgency::Preempted);
    assert_eq!(next(&mut queues, PATIENCE), Urgency::Woken);
    assert_eq!(next(&mut queues, 1), Urgency::Preempted);
}

#[test]
fn two_that_talk_keep_a_third_waiting_for_a_streak_or_a_tick() {
    let (mut machine, share) = (Machine::new(1), share());
    machine.add(Kind::Slotted, &share);
    machine.run(1);
    let third = machine.add(Kind::Ticker(1000), &share);
    machine.run(STEPS + 1);
    assert!(machine.before(&third, 0) <= STEPS as usize, "within a tick");

    let (member, other) = (Member::of(&share), Member::of(&self::share()));
    let (mut turn, mut queues) = (Turn::default(), Queues::default());
    assert!(!turn.may_stay(0, &member), "whose time it spends isn't known");
    queues.push(Task { kind: Kind::Slotted, member: Arc::clone(&member) }, Urgency::Woken, 0);
    turn.begin(&queues.next(0).unwrap(), 0);
    assert!(!turn.may_stay(0, &other), "it would spend the time of another");
    assert!(!turn.may_stay(1, &member), "a tick is over");
    let stays = (0..2 * SLOT_STREAK).filter(|_| (turn.may_stay(0, &member), turn.stays()).0);
    assert_eq!(stays.count(), SLOT_STREAK as usize);
}

/// Of a ticker that begins `after` that many steps beside what `load` adds, and waits 40 between two runs: the longest that it waited for a core, in steps.
fn worst_delay(cores: usize, ticker: &Arc<Share>, after: u64, load: impl FnOnce(&mut Machine)) -> u64 {
    const WAIT: u64 = 5 * STEPS;
    let mut machine = Machine::new(cores);
    load(&mut machine);
    machine.run(after);
    let ticker = machine.add(Kind::Ticker(WAIT), ticker);
    machine.run(4000);
    let begins: Vec<_> = machine.log.iter().filter(|begin| begin.task.is(&ticker)).map(|begin| begin.step).collect();
    assert!(begins.len() > 10, "{begins:?}");
    begins.windows(2).map(|pair| pair[1] - pair[0] - WAIT - 1).max().unwrap()
}

#[test]
fn whatever_another_share_does_a_quiet_one_waits_for_the_pieces_under_way() {
    for cores in 1..=4 {
        for kind in [Kind::Woken(STEPS), Kind::Busy, Kind::Background(STEPS), Kind::Slotted] {
            let delay = worst_delay(cores, &share(), 0, |machine| {
                let share = share();
                (0..200).for_each(|_| drop(machine.add(kind, &share)));
                (0..20_000)
                    .filter(|_| matches!(kind, Kind::Background(_)))
                    .for_each(|_| drop(machine.add(kind, &share)));
            });
            assert!(delay <= LONG, "{cores} cores, {kind:?}: {delay} steps");
        }
    }
}

#[test]
fn beside_two_hundred_wakers_of_its_own_share_that_run_for_long_a_quiet_one_waits_for_the_pieces_under_way() {
    for cores in 1..=4 {
        let share = share();
        let wakers = |machine: &mut Machine| (0..200).for_each(|_| drop(machine.add(Kind::Woken(STEPS), &share)));
        let delay = worst_delay(cores, &share, 5 * 200 * STEPS, wakers);
        assert!(delay <= STEPS, "{cores} cores: {delay} steps");
    }
}

#[test]
fn shares_get_slices_by_their_weight() {
    for cores in 1..=4 {
        for kind in [Kind::Busy, Kind::Woken(3), Kind::Background(2)] {
            let (mut machine, one, three) = (Machine::new(cores), weighing(100), weighing(300));
            // However many tasks each has.
            (0..40).for_each(|_| drop(machine.add(kind, &one)));
            (0..8).for_each(|_| drop(machine.add(kind, &three)));
            (0..20_000).filter(|_| matches!(kind, Kind::Background(_))).for_each(|task| {
                machine.add(kind, if task % 2 == 0 { &one } else { &three });
            });
            machine.run(4000);
            let of = |share| machine.begins(|begin| Arc::ptr_eq(begin.task.member.share(), share));
            let (one, three) = (of(&one), of(&three));
            assert!((one * 3).abs_diff(three) <= 8 * cores, "{cores} cores, {kind:?}: {one} and {three}");
        }
    }
}

#[test]
fn who_had_nothing_to_run_has_saved_up_nothing() {
    for cores in 1..=2 {
        let (mut machine, early, late) = (Machine::new(cores), share(), share());
        (0..4).for_each(|_| drop(machine.add(Kind::Busy, &early)));
        machine.run(100 * LONG);
        let from = machine.log.len();
        (0..4).for_each(|_| drop(machine.add(Kind::Busy, &late)));
        machine.run(10 * LONG);
        let of_late = machine.log[from..].iter().filter(|begin| Arc::ptr_eq(begin.task.member.share(), &late)).count();
        assert!(of_late.abs_diff(5 * cores) <= cores, "{of_late} of {}", 10 * cores);
    }
}

#[test]
fn a_share_that_cannot_use_its_weight_has_saved_up_nothing_either() {
    // Two cores: the one task of `heavy` has a core for itself, and would be entitled to more.
    let (mut machine, heavy, light) = (Machine::new(2), weighing(300), weighing(100));
    machine.add(Kind::Busy, &heavy);
    (0..3).for_each(|_| drop(machine.add(Kind::Busy, &light)));
    machine.run(200 * LONG);
    let from = machine.log.len();
    (0..5).for_each(|_| drop(machine.add(Kind::Busy, &heavy)));
    machine.run(20 * LONG);
    let of_light = machine.log[from..].iter().filter(|begin| Arc::ptr_eq(begin.task.member.share(), &light)).count();
    assert!((8..=12).contains(&of_light), "{of_light} of 40");
}

#[test]
fn a_start_waits_for_one_rotation_of_the_busy() {
    for cores in 1..=4 {
        for busy in [1, 5, 50] {
            let (mut machine, share) = (Machine::new(cores), share());
            (0..busy).for_each(|_| drop(machine.add(Kind::Busy, &share)));
            machine.run(10 * LONG);
            let from = machine.log.len();
            let start = machine.add(Kind::Background(1), &share);
            machine.run(LONG * (busy + 10));
            assert!(machine.before(&start, from) <= busy as usize, "{cores} cores, {busy} busy");
        }
    }
}

#[test]
fn starts_without_end_take_turns_with_the_busy_and_a_woken_one_waits_for_none() {
    for cores in 1..=4_usize {
        let (mut machine, share) = (Machine::new(cores), share());
        let busy = 5;
        (0..busy).for_each(|_| drop(machine.add(Kind::Busy, &share)));
        (0..20_000).for_each(|_| drop(machine.add(Kind::Background(1), &share)));
        machine.run(4000);
        let rounds = machine.begins(is_busy) / busy;
        let starts = machine.begins(|begin| begin.task.urgency() == Urgency::Background);
        // A tick of starts in each round, and what the other cores had begun by then.
        assert!(
            starts.abs_diff(rounds * STEPS as usize) <= rounds * (cores - 1) + 2 * STEPS as usize,
            "{starts} in {rounds}"
        );
        let from = machine.log.len();
        let woken = machine.add(Kind::Ticker(1000), &share);
        machine.run(2 * LONG);
        assert_eq!(machine.before(&woken, from), 0, "{cores} cores");
    }
}

#[test]
fn woken_ones_without_end_leave_starts_a_turn_after_each_patience() {
    let (mut machine, share) = (Machine::new(1), share());
    (0..10).for_each(|_| drop(machine.add(Kind::Woken(1), &share)));
    (0..2000).for_each(|_| drop(machine.add(Kind::Background(1), &share)));
    machine.run(3200);
    let starts = machine.begins(|begin| begin.task.urgency() == Urgency::Background) as u64;
    assert!(starts.abs_diff(800) <= STEPS, "{starts} of 3200");
}

#[test]
fn short_ones_without_end_do_not_starve_one_that_runs_for_long() {
    let (mut machine, share) = (Machine::new(1), share());
    (0..4).for_each(|_| drop(machine.add(Kind::Woken(1), &share)));
    let long = machine.add(Kind::Woken(2 * STEPS), &share);
    machine.run(100_000);
    let begins: Vec<_> = machine.log.iter().filter(|begin| begin.task.is(&long)).map(|begin| begin.step).collect();
    // A burst is 2 ticks at most, and it lets others go first for so many of that.
    assert!(begins.windows(2).all(|pair| pair[1] - pair[0] <= (YIELDS + 2) * 2 * STEPS), "{begins:?}");
    assert!(begins.len() > 8, "{begins:?}");
}

#[test]
fn a_burst_is_the_time_between_two_waits_and_one_that_is_unlike_the_others_counts_little() {
    let member = Member::of(&share());
    (0..40).for_each(|_| member.waits(TICK));
    assert!(member.burst().abs_diff(SLICE) < SLICE / 100);
    for (used, counts) in [(Duration::ZERO, 0), (10_000 * TICK, 2 * SLICE)] {
        let before = member.burst();
        member.waits(used);
        assert_eq!(member.burst(), (3 * before + counts) / 4);
    }
    // Every second time is enough to be long.
    (0..40).for_each(|time| member.waits(if time % 2 == 0 { TICK } else { Duration::ZERO }));
    assert!(member.burst() > SLICE / 3);
}

#[test]
fn what_a_weight_does_not_divide_is_not_lost() {
    let share = Share::new(3);
    (0..9).for_each(|_| share.charge(1, 0));
    assert_eq!(share.place().0, 3);
}
