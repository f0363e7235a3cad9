//! Shares inside of others, and shares that have a most.

use super::*;

#[test]
fn shares_inside_of_one_get_slices_by_their_weight_whatever_stands_beside_it() {
    for cores in 1..=4 {
        for kind in [Kind::Busy, Kind::Woken(3), Kind::Background(2)] {
            let (mut machine, node) = (Machine::new(cores), Share::new(100));
            let (one, three, beside) = (Share::inside(&node, 100), Share::inside(&node, 300), weighing(200));
            (0..40).for_each(|_| drop(machine.add(kind, &one)));
            (0..8).for_each(|_| drop(machine.add(kind, &three)));
            (0..8).for_each(|_| drop(machine.add(kind, &beside)));
            (0..30_000).filter(|_| matches!(kind, Kind::Background(_))).for_each(|task| {
                machine.add(kind, [&one, &three, &beside][task % 3]);
            });
            machine.run(4000);
            let of = |share| machine.begins(|begin| Arc::ptr_eq(begin.task.member.share(), share));
            let [one, three, beside] = [&one, &three, &beside].map(of);
            assert!((one * 3).abs_diff(three) <= 8 * cores, "{cores} cores, {kind:?}: {one} and {three}");
            assert!(((one + three) * 2).abs_diff(beside) <= 8 * cores, "{cores}, {kind:?}: {one}, {three}, {beside}");
        }
    }
}

#[test]
fn a_share_inside_that_had_nothing_to_run_has_saved_up_nothing_not_even_when_its_node_had_nothing_either() {
    let (mut machine, node) = (Machine::new(1), Share::new(100));
    let (early, late) = (Share::inside(&node, 100), Share::inside(&node, 100));
    (0..100).for_each(|_| drop(machine.add(Kind::Background(STEPS), &early)));
    machine.run(101 * STEPS);
    let from = machine.log.len();
    (0..2).for_each(|_| drop(machine.add(Kind::Busy, &early)));
    (0..2).for_each(|_| drop(machine.add(Kind::Busy, &late)));
    machine.run(10 * LONG);
    let of_late = machine.log[from..].iter().filter(|begin| Arc::ptr_eq(begin.task.member.share(), &late)).count();
    assert!((4..=6).contains(&of_late), "{of_late} of 10");
}

/// Half a core.
const HALF: Portion = Portion { weight: Portion::WEIGHT, most: Some(Duration::from_millis(500)) };

/// Ticks by which nobody has anything saved up any more.
const SPENT: u64 = 2 * 100;

#[test]
fn a_share_has_no_more_than_its_most_also_when_nobody_else_wants_it() {
    for cores in 1..=4 {
        for kind in [Kind::Busy, Kind::Woken(3), Kind::Slotted] {
            let shares = [Share::inside(&Share::new(HALF), 100), Share::inside(&Share::new(100), HALF)];
            for share in shares {
                let mut machine = Machine::new(cores);
                (0..8).for_each(|_| drop(machine.add(kind, &share)));
                machine.run(SPENT * STEPS);
                let before = share.used();
                machine.run(1000 * STEPS);
                let used = (share.used() - before).as_nanos() as u64 / SLICE;
                // Of a thousand ticks; and what was under way on each core at the ends.
                assert!(used.abs_diff(500) <= 3 * cores as u64, "{cores} cores, {kind:?}: {used}");
            }
        }
    }
}

#[test]
fn a_share_that_rests_leaves_its_time_to_the_others_and_has_its_most_beside_them() {
    for cores in 1..=4 {
        let (mut machine, other) = (Machine::new(cores), share());
        let capped = Share::inside(&Share::new(Portion { most: Some(Duration::from_millis(250)), ..HALF }), 100);
        (0..8).for_each(|_| drop(machine.add(Kind::Busy, &capped)));
        (0..8).for_each(|_| drop(machine.add(Kind::Busy, &other)));
        machine.run(SPENT * STEPS);
        let before = [capped.used(), other.used()];
        machine.run(1000 * STEPS);
        let used = [capped.used() - before[0], other.used() - before[1]].map(|used| used.as_nanos() as u64 / SLICE);
        assert!(used[0].abs_diff(250) <= 3 * cores as u64, "{cores} cores: {used:?}");
        assert!((used[0] + used[1]).abs_diff(1000 * cores as u64) <= 3 * cores as u64, "{cores} cores: {used:?}");
    }
}

#[test]
fn one_inside_that_rests_keeps_none_beside_it_from_running() {
    let (mut machine, node) = (Machine::new(1), Share::new(100));
    let (capped, free) = (Share::inside(&node, HALF), Share::inside(&node, 100));
    machine.add(Kind::Busy, &capped);
    machine.add(Kind::Busy, &free);
    machine.run(SPENT * STEPS);
    let before = free.used();
    machine.run(1000 * STEPS);
    let used = (free.used() - before).as_nanos() as u64 / SLICE;
    assert!((490..=510).contains(&used), "{used} of 1000");
}

#[test]
fn who_uses_less_than_its_most_never_rests() {
    let (mut machine, share) = (Machine::new(1), Share::inside(&Share::new(HALF), 100));
    let ticker = machine.add(Kind::Ticker(3), &share);
    machine.run(4000);
    assert_eq!(machine.begins(|begin| begin.task.is(&ticker)), 1000);
}

#[test]
fn what_rests_is_not_counted_and_is_due_when_its_allowance_has_grown() {
    let (mut machine, share) = (Machine::new(1), Share::inside(&Share::new(HALF), 100));
    (0..3).for_each(|_| drop(machine.add(Kind::Busy, &share)));
    machine.run(SPENT * STEPS);
    while machine.queues.next_due().is_none() {
        machine.run(1);
    }
    let due = machine.queues.next_due().unwrap();
    assert_eq!(machine.queues.len(), 0);
    assert!(machine.queues.next(due - 1).is_none());
    assert!(due > machine.step * STEP && due <= (machine.step + 2 * LONG) * STEP);
    // Whatever is pushed meanwhile waits with it.
    let task = machine.add(Kind::Woken(1), &share);
    assert!(machine.queues.next(due - 1).is_none());
    assert_eq!(machine.queues.next_due(), Some(due));
    assert!(machine.queues.next(due).unwrap().task.is(&task));
    assert_eq!((machine.queues.len(), machine.queues.next_due()), (3, None));
    // And in the end all comes out, however long it would have to wait.
    share.top().charge(1 << 60, 0);
    assert!(machine.queues.next(due).is_none());
    assert_eq!(std::iter::from_fn(|| machine.queues.next(u64::MAX)).count(), 3);
}

#[test]
fn who_has_ended_waits_for_no_allowance_and_takes_a_share_of_its_own_for_it() {
    for cores in 1..=4 {
        let mut machine = Machine::new(cores);
        let (capped, other) =
            (Share::inside(&Share::new(Portion { most: Some(Duration::ZERO), ..HALF }), 100), share());
        let all: Vec<_> = (0..300).map(|_| machine.add(Kind::Busy, &capped)).collect();
        (0..8).for_each(|_| drop(machine.add(Kind::Busy, &other)));
        machine.run(SPENT * STEPS);
        let from = machine.log.len();
        for task in &all {
            task.member.end();
            // Those under way come into the queues later.
            machine.queues.expedite(&task.member, machine.step / STEPS);
        }
        let used = capped.used();
        machine.run(2 * 300 * LONG / cores as u64);
        let begins = &machine.log[from..];
        let ends = begins.iter().filter(|begin| Arc::ptr_eq(begin.task.member.share(), &capped)).count();
        let others = begins.len() - ends;
        assert!(ends.abs_diff(others) <= 4 * cores, "{cores} cores: {ends} beside {others}");
        assert!(ends >= 290, "{ends}");
        assert!(capped.used() > used, "it is counted all the same");
    }
}
