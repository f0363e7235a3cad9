//! What a node knows, replaced while it runs: all of it at once, for whoever starts; and a process that is told to go on as
//! another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lunarium_engine::{
    Chunk, Definition, EntryId, Grants, HostDefinition, HostError, HostId, Node, Policy, PolicyEffect, SpawnRequest,
    UpgradeError, Value, World,
};
use lunarium_tests::{Lab, show_outcome};

const HOST: &str = "app:replaced";

/// A world whose program and host say the same word.
fn simple(word: &str) -> World {
    let source = format!("return {{ main = function() return '{word} ' .. env.get('WORD') end }}");
    let mut world = World::new();
    world.definitions = vec![Definition::new(EntryId::new("app:w"), Chunk::new("@w.lua", source))];
    let grants = Grants::new().with_variable("WORD", Some(word.to_owned()));
    world.hosts = vec![HostDefinition::new(HostId::new(HOST)).with_grants(grants)];
    world.places = vec![HostId::new(HOST)];
    world
}

fn spawn(node: &Node) -> String {
    let request = SpawnRequest::new(EntryId::new("app:w"), HostId::new(HOST));
    show_outcome(&node.spawn(request).unwrap().wait_blocking())
}

#[test]
fn a_start_sees_all_of_the_new_world_or_all_of_the_old() {
    let lab = Lab::default();
    let node = lab.node.clone();
    node.replace(simple("a")).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let switching = {
        let (node, done) = (node.clone(), Arc::clone(&done));
        thread::spawn(move || {
            let words = ["b", "a"].into_iter().cycle();
            words.take_while(|_| !done.load(Ordering::Relaxed)).map(|word| node.replace(simple(word)).unwrap()).count()
        })
    };
    let mut seen = [false; 2];
    // Until both were seen: a switch may not come between two starts for long.
    for _ in 0..10_000 {
        match spawn(&node).as_str() {
            "=> \"a a\"" => seen[0] = true,
            "=> \"b b\"" => seen[1] = true,
            other => panic!("half of each: {other}"),
        }
        if seen == [true, true] {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    assert!(switching.join().unwrap() > 0);
    assert_eq!((seen, node.audit().map(drop)), ([true; 2], Ok(())));
}

#[test]
fn what_is_not_in_the_new_world_is_gone_and_who_runs_goes_on() {
    let lab = Lab::default();
    let node = &lab.node;
    let mut waiting = simple("a");
    let source = "return { main = function() process.inbox():receive() return env.get('WORD') end }";
    waiting.definitions = vec![Definition::new(EntryId::new("app:w"), Chunk::new("@w.lua", source))];
    node.replace(waiting).unwrap();
    let request = || SpawnRequest::new(EntryId::new("app:w"), HostId::new(HOST));
    let old = node.spawn(request()).unwrap();
    node.replace(World::new()).unwrap();
    assert_eq!(node.spawn(request()).map(drop).unwrap_err().to_string(), "entry `app:w` not found");
    node.send(old.pid().as_str(), "go", &Value::Nil).unwrap();
    assert_eq!(show_outcome(&old.wait_blocking()), "=> \"a\"");
    node.replace(simple("b")).unwrap();
    assert_eq!(spawn(node), "=> \"b b\"");
}

#[test]
fn places_and_budgets_do_not_add_up_over_worlds() {
    let lab = Lab::default();
    let node = &lab.node;
    for word in ["a", "b"].into_iter().cycle().take(200) {
        let mut world = simple(word);
        world.hosts[0].memory = 64 << 20;
        world.hosts[0].reserve = 32 << 20;
        node.replace(world).unwrap();
    }
    let usage = node.host_usage(&HostId::new(HOST)).unwrap();
    assert_eq!(usage.of("host.memory").unwrap().limit, 64 << 20);
    // With a place kept for each world that there was, no child could start any more.
    let source = "return { main = function() return (process.exec('app:child', 'app:replaced')) end }";
    let child = Definition::new(
        EntryId::new("app:child"),
        Chunk::new("@c.lua", "return { main = function() return 'child' end }"),
    );
    let mut world = simple("a");
    world.definitions = vec![Definition::new(EntryId::new("app:w"), Chunk::new("@w.lua", source)), child];
    world.hosts[0].max_processes = 3;
    node.replace(world).unwrap();
    assert_eq!(spawn(node), "=> \"child\"");
    assert_eq!(node.audit().map(drop), Ok(()));
}

#[test]
fn a_wrong_world_changes_nothing() {
    let lab = Lab::default();
    let node = &lab.node;
    node.replace(simple("a")).unwrap();
    let mut unknown = simple("b");
    unknown.places.push(HostId::new("app:nowhere"));
    assert!(matches!(node.replace(unknown), Err(HostError::Unknown { .. })));
    let mut greedy = simple("b");
    greedy.hosts[0].memory = 1 << 60;
    greedy.hosts[0].reserve = 1 << 60;
    assert!(matches!(node.replace(greedy), Err(HostError::Reserve(_))));
    assert_eq!(spawn(node), "=> \"a a\"");
}

#[test]
fn policies_and_strictness_are_the_new_world_s() {
    let lab = Lab::default();
    let node = &lab.node;
    let mut world = simple("a");
    let any = || vec![lunarium_engine::Pattern::Any];
    let id = EntryId::new("app:any");
    let policy = Policy {
        id: id.clone(),
        effect: PolicyEffect::Allow,
        actions: any(),
        resources: any(),
        conditions: Vec::new(),
    };
    world.policies = vec![(policy, vec![EntryId::new("app:all")])];
    let source = "return { main = function() return (security.named_scope('app:all')) ~= nil end }";
    let asks = || vec![Definition::new(EntryId::new("app:w"), Chunk::new("@w.lua", source))];
    world.definitions = asks();
    node.replace(world).unwrap();
    assert_eq!(spawn(node), "=> true");
    let mut without = simple("a");
    without.definitions = asks();
    node.replace(without).unwrap();
    assert_eq!(spawn(node), "=> false");
}

#[test]
fn a_process_that_is_told_to_goes_on_as_another_when_it_waits() {
    let lab = Lab::default();
    lab.define(
        "-- entry: old\nreturn function() process.registry.register('me') process.listen('never'):receive() end",
    );
    lab.define(
        "-- entry: new\nreturn function(word)
            return word .. tostring(process.registry.lookup('me') == process.pid()) .. process.listen('work'):receive()
        end",
    );
    let handle = lab.spawn("old", Vec::new());
    futures_lite::future::block_on(handle.started());
    lab.node.send("me", "work", &Value::from("unread")).unwrap();
    lab.node.upgrade(handle.pid(), &EntryId::new("app:new"), &[Value::from("word")]).unwrap();
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> \"wordtrueunread\"");
    let error = lab.node.upgrade(handle.pid(), &EntryId::new("app:new"), &[]).unwrap_err();
    assert!(matches!(error, UpgradeError::Process(_)), "{error}");
}

#[test]
fn what_it_was_handed_and_has_not_received_goes_with_it() {
    let lab = Lab::default();
    // It listens, so that both messages are handed over, and receives one of them.
    lab.define(
        "-- entry: old\nreturn function()
            local work = process.listen('work')
            work:receive()
            process.registry.register('ready')
            process.listen('never'):receive()
        end",
    );
    lab.define("-- entry: new\nreturn function() return (process.listen('work'):receive()) end");
    let handle = lab.spawn("old", Vec::new());
    futures_lite::future::block_on(handle.started());
    for word in ["one", "two"] {
        lab.node.send(handle.pid().as_str(), "work", &Value::from(word)).unwrap();
    }
    while lab.node.send("ready", "other", &Value::Nil).is_err() {
        thread::yield_now();
    }
    lab.node.upgrade(handle.pid(), &EntryId::new("app:new"), &[]).unwrap();
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> \"two\"");
}

#[test]
fn an_order_that_cannot_be_is_refused_and_one_to_the_dead_is_forgotten() {
    let lab = Lab::default();
    lab.define("-- entry: old\nreturn function() process.events():receive() end");
    let handle = lab.spawn("old", Vec::new());
    let error = lab.node.upgrade(handle.pid(), &EntryId::new("app:nobody"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "entry `app:nobody` not found");
    let large = Value::from("x".repeat(2 << 20).as_str());
    assert!(lab.node.upgrade(handle.pid(), &EntryId::new("app:old"), &[large]).is_err());
    lab.node.upgrade(handle.pid(), &EntryId::new("app:old"), &[]).unwrap();
    lab.node.terminate(handle.pid()).unwrap();
    handle.wait_blocking();
    assert_eq!(lab.node.audit().map(drop), Ok(()));
}
