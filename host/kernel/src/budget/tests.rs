//! What accounts promise, alone and from many threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Account, Budget, Exhausted, Holding, Rank};
use crate::{HostId, Refusal, Uptime};

/// An account of which time stands still.
fn root(budget: Budget, limit: u64) -> Arc<Account> {
    Account::root(budget, limit, Arc::new(Uptime::default))
}

fn tree() -> (Arc<Account>, Arc<Account>, Arc<Account>) {
    let engine = root(Budget::Engine, 1000);
    let node = Account::child(&engine, Budget::Node, 600, 0).unwrap();
    let host = Account::child(&node, Budget::Host(HostId::new("app:h")), 300, 0).unwrap();
    (engine, node, host)
}

fn holding(account: &Arc<Account>) -> Holding {
    Holding::new(Arc::clone(account), Rank::Ordinary)
}

#[test]
fn what_is_held_is_charged_to_all_above_and_given_back() {
    let (engine, node, host) = tree();
    let mut held = holding(&host);
    held.grow(200).unwrap();
    held.shrink(50);
    let mut other = holding(&node);
    other.grow(7).unwrap();
    assert_eq!((engine.used(), node.used(), host.used(), held.bytes()), (157, 157, 150, 150));
    drop(held);
    drop(other);
    assert_eq!((engine.used(), node.used(), host.used()), (0, 0, 0));
}

#[test]
fn the_budget_that_is_exceeded_is_named_and_nothing_is_charged() {
    let (engine, node, host) = tree();
    let mut held = holding(&host);
    let refusal = held.grow(301).unwrap_err();
    assert_eq!(refusal.to_string(), "host `app:h` is at its memory budget of 300 bytes");
    assert_eq!(refusal.limit(), Some("host.memory"));
    let mut other = holding(&node);
    other.grow(400).unwrap();
    assert_eq!(held.grow(201).unwrap_err(), Exhausted { budget: Budget::Node, limit: 600 });
    let mut neighbour = holding(&engine);
    neighbour.grow(500).unwrap();
    assert_eq!(held.grow(101).unwrap_err(), Exhausted { budget: Budget::Engine, limit: 1000 });
    assert_eq!((engine.used(), node.used(), host.used(), held.bytes()), (900, 400, 0, 0));
    held.grow(100).unwrap();
}

#[test]
fn a_reserve_is_free_for_its_owner_whatever_the_others_do() {
    let engine = root(Budget::Engine, 1000);
    let quiet = Account::child(&engine, Budget::Node, 500, 200).unwrap();
    let greedy = Account::child(&engine, Budget::Node, 1000, 0).unwrap();
    assert_eq!(engine.used(), 200);
    let mut all = holding(&greedy);
    assert!(all.grow(801).is_err());
    all.grow(800).unwrap();
    let mut own = holding(&quiet);
    own.grow(200).unwrap();
    assert_eq!(own.grow(1).unwrap_err().budget, Budget::Engine);
    all.shrink(100);
    own.grow(100).unwrap();
    assert_eq!((engine.used(), quiet.used()), (1000, 300));
    // Back within the reserve: only what was beyond is given back.
    own.shrink(200);
    assert_eq!((engine.used(), quiet.used()), (900, 100));
    drop(own);
    drop(quiet);
    assert_eq!(engine.used(), 700);
}

#[test]
fn a_reserve_for_which_there_is_no_room_is_refused() {
    let engine = root(Budget::Engine, 100);
    let _first = Account::child(&engine, Budget::Node, 100, 60).unwrap();
    assert_eq!(
        Account::child(&engine, Budget::Node, 100, 60).unwrap_err(),
        Exhausted { budget: Budget::Engine, limit: 100 }
    );
    assert_eq!(engine.used(), 60);
}

#[test]
fn a_reserve_is_there_also_when_the_limit_above_has_been_lowered_below_what_is_held() {
    let engine = root(Budget::Engine, 1000);
    let node = Account::child(&engine, Budget::Node, 500, 100).unwrap();
    let greedy = Account::child(&engine, Budget::Node, 2000, 0).unwrap();
    let (mut held, mut much) = (holding(&node), holding(&greedy));
    much.grow(900).unwrap();
    engine.set_limit(300);
    assert_eq!((engine.limit(), engine.used()), (300, 1000));
    let exhausted = Exhausted { budget: Budget::Engine, limit: 300 };
    assert_eq!(much.grow(1).unwrap_err(), exhausted);
    held.grow(100).unwrap();
    assert_eq!(held.grow(1).unwrap_err(), exhausted);
    // Enough was given back.
    much.shrink(701);
    held.grow(1).unwrap();
    assert_eq!(much.grow(1).unwrap_err(), exhausted);
    engine.set_limit(301);
    much.grow(1).unwrap();
}

#[test]
fn bounds_change_while_something_is_held() {
    let engine = root(Budget::Engine, 1000);
    let node = Account::child(&engine, Budget::Node, 500, 0).unwrap();
    let mut held = holding(&node);
    held.grow(300).unwrap();
    // Below what is held nothing is taken away, and nothing added.
    node.set_bounds(200, 0).unwrap();
    assert_eq!(held.grow(1).unwrap_err(), Exhausted { budget: Budget::Node, limit: 200 });
    assert_eq!((engine.used(), node.used(), node.limit()), (300, 300, 200));
    held.shrink(150);
    held.grow(50).unwrap();
    assert!(held.grow(1).is_err());
    // A reserve is charged beyond what is held, and given back as far as nothing is held of it.
    node.set_bounds(600, 500).unwrap();
    assert_eq!((engine.used(), node.used()), (500, 200));
    held.grow(350).unwrap();
    assert_eq!((engine.used(), node.used()), (550, 550));
    node.set_bounds(600, 100).unwrap();
    assert_eq!(engine.used(), 550);
    held.shrink(500);
    assert_eq!((engine.used(), node.used()), (100, 50));
    // For one that there is no room for, nothing changes.
    let _other = Account::child(&engine, Budget::Node, 1000, 800).unwrap();
    assert_eq!(node.set_bounds(900, 300).unwrap_err(), Exhausted { budget: Budget::Engine, limit: 1000 });
    assert_eq!((engine.used(), node.limit()), (900, 600));
    node.set_bounds(10, 300).unwrap();
    assert_eq!(engine.used(), 850, "a reserve is no larger than its limit");
    drop(held);
    drop(node);
    assert_eq!(engine.used(), 800);
}

#[test]
fn headroom_is_for_services() {
    let node = root(Budget::Node, 100);
    node.add_headroom(30);
    let mut child = holding(&node);
    child.grow(70).unwrap();
    assert!(child.grow(1).is_err());
    let mut service = Holding::new(Arc::clone(&node), Rank::Service);
    service.grow(30).unwrap();
    assert!(service.grow(1).is_err());
    // A service that runs has its room already: nothing more is kept.
    child.shrink(20);
    child.grow(20).unwrap();
    service.shrink(10);
    assert!(child.grow(1).is_err(), "kept for when it grows again");
    service.grow(10).unwrap();
}

#[test]
fn what_cannot_be_refused_is_charged_beyond_the_limit() {
    let (engine, node, host) = tree();
    let mut held = holding(&host);
    held.grow_anyway(2000);
    assert_eq!((engine.used(), node.used(), host.used()), (2000, 2000, 2000));
    assert!(held.another().grow(1).is_err());
    held.shrink(3000);
    assert_eq!((engine.used(), held.bytes()), (0, 0));
}

#[test]
fn a_part_of_what_is_held_is_given_to_another_and_back() {
    let (engine, _node, host) = tree();
    let process = Account::of_process(&host);
    let mut held = holding(&process);
    held.grow(100).unwrap();
    let (mut part, rest) = (held.split(30), held.split(1000));
    assert_eq!((held.bytes(), part.bytes(), rest.bytes(), engine.used()), (0, 30, 70, 100));
    part.grow(10).unwrap();
    drop(rest);
    assert_eq!((process.used(), host.used(), engine.used()), (40, 40, 40));
    drop(part);
    assert!(held.grow(301).is_err_and(|refusal| refusal.limit() == Some("host.memory")), "a process has no own");
    assert_eq!((process.used(), engine.used()), (0, 0));
}

#[test]
fn what_is_held_is_summed_up_over_time_also_when_its_holder_is_gone() {
    const SECOND: u64 = 1_000_000_000;
    let clock = Arc::new(AtomicU64::new(7));
    let read = Arc::clone(&clock);
    let engine = Account::root(Budget::Engine, 1000, Arc::new(move || Uptime::from_nanos(read.load(Relaxed))));
    let pass = |nanos: u64| {
        clock.fetch_add(nanos, Relaxed);
    };
    let node = Account::child(&engine, Budget::Node, 600, 50).unwrap();
    let process = Account::of_process(&node);
    pass(SECOND);
    let mut held = holding(&process);
    held.grow(100).unwrap();
    pass(2 * SECOND);
    held.grow_anyway(10);
    pass(SECOND / 2);
    held.shrink(90);
    pass(4 * SECOND);
    assert_eq!((process.byte_seconds(), node.byte_seconds()), (335, 335));
    // Its reserve from the start on, and what is beyond.
    assert_eq!(engine.byte_seconds(), 375 + 2 * 50 + 30);
    drop(held);
    drop(process);
    pass(9 * SECOND);
    assert_eq!(node.byte_seconds(), 335);
    drop(node);
    pass(SECOND);
    assert_eq!(engine.byte_seconds(), 375 + 2 * 50 + 30 + 9 * 50);
}

#[test]
fn messages_and_starts_are_counted_here_and_above() {
    let (engine, node, host) = tree();
    let other = Account::child(&engine, Budget::Node, 10, 0).unwrap();
    let process = Account::of_process(&host);
    process.count_spawn();
    process.count_messages(3);
    host.count_messages(2);
    other.count_spawn();
    let counted = |account: &Account| (account.messages(), account.spawns());
    assert_eq!([&process, &host, &node, &engine].map(|account| counted(account)), [(3, 1), (5, 1), (5, 1), (5, 2)]);
}

/// Many threads grow and shrink below one node with reserves: in the end nothing is left, and at no time does a budget
/// hold more than it may.
#[test]
fn usage_returns_to_zero_from_many_threads() {
    let engine = root(Budget::Engine, 10_000);
    let node = Account::child(&engine, Budget::Node, 5_000, 0).unwrap();
    let hosts = [0_u64, 700].map(|reserve| {
        let budget = Budget::Host(HostId::new(format!("app:{reserve}")));
        Account::child(&node, budget, 3_000, reserve).unwrap()
    });
    std::thread::scope(|scope| {
        for seed in 0..4_usize {
            let host = &hosts[seed % 2];
            let node = &node;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed as u64);
                let mut held = holding(host);
                for _ in 0..20_000 {
                    match random.bool() {
                        true => drop(held.grow(random.u64(..900))),
                        false => held.shrink(random.u64(..900)),
                    }
                    assert!(host.used() <= 3_000 && node.used() <= 5_000);
                }
            });
        }
    });
    assert_eq!(hosts.each_ref().map(|host| host.used()), [0, 0]);
    assert_eq!(node.used(), 700);
    drop(hosts);
    assert_eq!((node.used(), engine.used()), (0, 0));
}
