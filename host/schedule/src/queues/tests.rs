//! The rule by count: cores that run side by side in virtual time.
//!
//! A first-in-first-out queue fails the first and the third test, one patience for all cores the third.

use super::{BUSY_PATIENCE, Queues, SLOT_STREAK, Turn, Urgency};

/// Steps of virtual time in a tick.
const STEPS: u64 = 8;

/// A slice of a busy task is a tick and a half.
const SLICE: u64 = STEPS + STEPS / 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Never waits.
    Busy(usize),
    /// Runs for a step, and is woken again at once, from anywhere.
    Woken(usize),
    /// Like that, but its own core wakes it.
    Slotted(usize),
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
#[derive(Debug, Clone, Copy)]
struct Begin {
    step: u64,
    core: usize,
    task: Task,
}

/// Cores of the same speed over one pair of queues.
struct Machine {
    queues: Queues<Task>,
    cores: Vec<Core>,
    step: u64,
    log: Vec<Begin>,
    /// Tasks that wait after they ran, instead of being woken again.
    once: Vec<Task>,
}

impl Machine {
    fn new(cores: usize) -> Machine {
        let cores = (0..cores).map(|_| Core::default()).collect();
        Machine { queues: Queues::default(), cores, step: 0, log: Vec::new(), once: Vec::new() }
    }

    fn add(&mut self, task: Task) {
        let urgency = if matches!(task, Task::Busy(_)) { Urgency::Preempted } else { Urgency::Woken };
        self.queues.push(task, urgency);
    }

    fn run(&mut self, steps: u64) {
        for _ in 0..steps {
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
            Some(task) if self.once.contains(&task) => {}
            Some(task @ Task::Slotted(_)) => {
                if let Some(displaced) = core.slot.replace(task) {
                    self.add(displaced);
                }
            }
            Some(task) => self.add(task),
            None => {}
        }
    }

    fn begin(&mut self, index: usize) {
        let core = &mut self.cores[index];
        if core.running.is_some() {
            return;
        }
        let ticks = self.step / STEPS;
        core.running = if core.turn.may_stay(ticks) && core.slot.is_some() {
            core.turn.stays();
            core.slot.take()
        } else {
            self.queues.next(&mut core.turn, ticks, || core.slot.take())
        };
        let Some(task) = core.running else { return };
        core.until = self.step + if matches!(task, Task::Busy(_)) { SLICE } else { 1 };
        self.log.push(Begin { step: self.step, core: index, task });
    }

    fn slices(&self, of: impl Fn(&Begin) -> bool) -> usize {
        self.log.iter().filter(|begin| matches!(begin.task, Task::Busy(_)) && of(begin)).count()
    }
}

#[test]
fn one_that_is_woken_waits_for_no_slice_but_those_under_way() {
    for cores in 1..=4 {
        for arrives in 100..100 + 2 * SLICE {
            let mut machine = Machine::new(cores);
            (0..100).for_each(|task| machine.add(Task::Busy(task)));
            machine.run(arrives);
            let under_way = machine.log.len();
            machine.once.push(Task::Woken(0));
            machine.add(Task::Woken(0));
            machine.run(2 * SLICE);
            let begins: Vec<_> = machine.log[under_way..].iter().map(|begin| begin.task).collect();
            assert_eq!(begins.first(), Some(&Task::Woken(0)), "{cores} cores, step {arrives}");
        }
    }
}

#[test]
fn busy_ones_get_equal_numbers_of_slices_on_every_core() {
    for cores in 1..=4 {
        for tasks in cores..20 {
            let mut machine = Machine::new(cores);
            (0..tasks).for_each(|task| machine.add(Task::Busy(task)));
            machine.run(SLICE * 100);
            let each: Vec<_> = (0..tasks).map(|task| machine.slices(|begin| begin.task == Task::Busy(task))).collect();
            let spread = each.iter().max().unwrap() - each.iter().min().unwrap();
            assert!(spread <= 1, "{tasks} tasks on {cores} cores: {each:?}");
            for core in 0..cores {
                assert_eq!(machine.slices(|begin| begin.core == core), 100, "core {core} of {cores}");
            }
        }
    }
}

/// What each core begins beside `load`: no more than a patience without a slice, and no slice too many.
fn assert_one_slice_per_patience(cores: usize, load: impl Fn(usize) -> Task) {
    const BUSY: usize = 7;
    let mut machine = Machine::new(cores);
    (0..cores * 4).for_each(|task| machine.add(load(task)));
    (0..BUSY).for_each(|task| machine.add(Task::Busy(task)));
    machine.run(STEPS * 300);
    for core in 0..cores {
        let began = machine.log.iter().filter(|begin| begin.core == core && matches!(begin.task, Task::Busy(_)));
        let ticks: Vec<_> = began.map(|begin| begin.step / STEPS).collect();
        let gaps: Vec<_> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == BUSY_PATIENCE), "core {core} of {cores}: {gaps:?}");
        assert!(gaps.len() as u64 >= 300 / BUSY_PATIENCE - 2, "core {core} of {cores}: {ticks:?}");
    }
    let each: Vec<_> = (0..BUSY).map(|task| machine.slices(|begin| begin.task == Task::Busy(task))).collect();
    assert!(each.iter().max().unwrap() - each.iter().min().unwrap() <= 1, "{each:?}");
}

#[test]
fn under_constant_load_each_core_gives_the_busy_a_slice_per_patience() {
    for cores in 1..=4 {
        assert_one_slice_per_patience(cores, Task::Woken);
        assert_one_slice_per_patience(cores, Task::Slotted);
    }
}

#[test]
fn a_slice_that_takes_longer_than_the_patience_is_followed_by_a_woken_one() {
    let mut queues = Queues::default();
    let mut turn = Turn::default();
    queues.push("woken", Urgency::Woken);
    (0..3).for_each(|_| queues.push("busy", Urgency::Preempted));
    assert_eq!(queues.next(&mut turn, BUSY_PATIENCE, || None), Some("busy"));
    assert_eq!(queues.next(&mut turn, 9 * BUSY_PATIENCE, || None), Some("woken"));
    assert_eq!(queues.next(&mut turn, 9 * BUSY_PATIENCE, || None), Some("busy"));
}

#[test]
fn patience_begins_when_there_is_somebody_to_have_it_with() {
    let mut queues = Queues::default();
    let mut turn = Turn::default();
    (0..3).for_each(|_| queues.push("woken", Urgency::Woken));
    assert_eq!(queues.next(&mut turn, 100, || None), Some("woken"));
    queues.push("busy", Urgency::Preempted);
    assert_eq!(queues.next(&mut turn, 100 + BUSY_PATIENCE - 1, || None), Some("woken"));
    assert_eq!(queues.next(&mut turn, 100 + BUSY_PATIENCE, || None), Some("busy"));
}

#[test]
fn two_that_talk_keep_a_third_waiting_for_a_streak_or_a_tick() {
    let mut machine = Machine::new(1);
    machine.add(Task::Slotted(0));
    machine.run(1);
    machine.once.push(Task::Woken(0));
    machine.add(Task::Woken(0));
    machine.run(STEPS + 1);
    assert!(machine.log.iter().any(|begin| begin.task == Task::Woken(0)), "within a tick");

    let mut turn = Turn::default();
    let mut queues = Queues::default();
    assert_eq!(queues.next(&mut turn, 1, || Some(0)), Some(0));
    let stays = (0..2 * SLOT_STREAK).filter(|_| (turn.may_stay(1), turn.stays()).0);
    assert_eq!(stays.count(), SLOT_STREAK as usize);
}
