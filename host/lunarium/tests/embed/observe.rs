//! What an embedder sees of processes: all of them, and one with its lists.

use lunarium::{
    ActorSpec, EntryId, ErrorKind, LimitName, Node, Pattern, Policy, PolicyEffect, ProcessInfo, ProcessState,
    ScopeSpec, SecuritySpec, Value,
};

use super::node;

const PARENT: &str = r#"
return { main = function()
    process.registry.register("second")
    process.registry.register("first")
    local ch = process.listen("t")
    local list = process.listen("kept")
    local children = {}
    for i = 1, 2 do children[i] = process.spawn_linked_monitored("plugins:child.lua", "plugins") end
    ch:receive()
end, add = function(a, b) return a + b end }"#;

const CHILD: &str = "return { main = function() process.monitor('first') process.inbox():receive() end }";

fn wait_until<T>(mut seen: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        std::thread::yield_now();
    }
}

/// Once all of them wait.
fn settled(node: &Node, count: usize) -> Vec<ProcessInfo> {
    wait_until(|| {
        let all = node.processes();
        let wait = all.len() == count && all.iter().all(|one| one.state == ProcessState::Waiting);
        wait.then_some(all)
    })
}

#[test]
fn what_there_is_to_know_of_every_process_is_told() {
    let (node, _) = node();
    node.plugin("child.lua", CHILD).arguments(()).spawn().unwrap().terminate().unwrap();
    let everything = Policy {
        id: EntryId::new("app:everything"),
        effect: PolicyEffect::Allow,
        actions: vec![Pattern::Any],
        resources: vec![Pattern::Any],
        conditions: Vec::new(),
    };
    node.define_policy(everything, &[]);
    let scope = ScopeSpec::new(vec![EntryId::new("app:everything")], Vec::new());
    let actor = SecuritySpec::new().with_actor(ActorSpec::new("ada", None).unwrap()).with_scope(scope);
    let plugin = node.plugin("parent.lua", PARENT).security(actor).start_blocking().unwrap();
    let all = settled(&node, 3);
    let [parent, child, other] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&parent.pid, parent.entry.as_str()), (plugin.pid(), "plugins:parent.lua"));
    assert_eq!((parent.host.as_str(), parent.actor.as_deref()), ("plugins", Some("ada")));
    assert_eq!(parent.names, ["first", "second"]);
    assert_eq!((parent.links, parent.monitors, parent.watchers), (2, 2, 2));
    assert!(parent.memory >= 256 << 10 && parent.cpu.as_nanos() > 0 && parent.uptime >= parent.cpu);
    assert_eq!((child.entry.as_str(), child.links, child.monitors, child.watchers), ("plugins:child.lua", 1, 1, 1));
    assert_eq!((child.actor.as_deref(), child.names.len()), (Some("ada"), 0), "inherited");
    assert_eq!((parent.messages, child.messages + other.messages), (0, 0));
    plugin.send("kept", "four").unwrap();
    let parent = wait_until(|| node.process(plugin.pid()).filter(|seen| seen.info.state == ProcessState::Waiting));
    assert_eq!(parent.scope.as_deref(), Some(&[EntryId::new("app:everything")][..]));
    assert_eq!((parent.info.messages, parent.info.message_bytes), (1, 9), "payload and topic");
}

#[test]
fn one_process_is_shown_with_its_lists() {
    let (node, _) = node();
    node.plugin("child.lua", CHILD).spawn().unwrap().terminate().unwrap();
    let plugin = node.plugin("parent.lua", PARENT).limit(LimitName::Links, 7).start_blocking().unwrap();
    let all = settled(&node, 3);
    let children = [all[1].pid.clone(), all[2].pid.clone()];
    let seen = node.process(plugin.pid()).unwrap();
    assert_eq!(
        (&seen.links[..], &seen.monitors[..], &seen.watchers[..]),
        (&children[..], &children[..], &children[..])
    );
    assert_eq!((seen.limits.links, seen.usage.of("links").unwrap().used), (7, 2));
    assert!(seen.frame.starts_with("plugins:parent.lua#"), "{}", seen.frame);
    assert_eq!(seen.scope, None);
    assert_eq!((&seen.info.pid, seen.info.uptime > all[0].uptime), (&all[0].pid, true));
    assert_eq!(
        (node.find("first"), node.find(children[0].as_str())),
        (Some(all[0].pid.clone()), Some(children[0].clone()))
    );
    plugin.terminate().unwrap();
    assert!(node.process(plugin.pid()).is_none() && node.find("first").is_none());
}

#[test]
fn parents_definitions_and_what_is_between_processes_are_told() {
    let (node, _) = node();
    node.plugin("child.lua", CHILD).spawn().unwrap().terminate().unwrap();
    let plugin = node.plugin("parent.lua", PARENT).start_blocking().unwrap();
    let all = settled(&node, 3);
    let [parent, child, other] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&parent.parent, &child.parent, &other.parent), (&None, &Some(parent.pid.clone()), &child.parent));
    let runs = |pid| {
        let seen = node.process(pid).unwrap();
        (seen.definition.map(|definition| definition.chunk.source.to_string()), seen.is_current)
    };
    assert_eq!(runs(&child.pid), (Some(CHILD.to_owned()), true));
    node.plugin("child.lua", "return function() end").spawn().unwrap().result_blocking::<()>().unwrap();
    assert_eq!(runs(&child.pid), (Some(CHILD.to_owned()), false), "it goes on as what it began as");
    let mailbox = node.mailbox("own").unwrap();
    assert_eq!(runs(mailbox.pid()), (None, true));
    drop(mailbox);

    let pids: Vec<_> = all.iter().map(|process| process.pid.clone()).collect();
    let [first, second, third] = [0, 1, 2].map(|place| pids[place].number());
    let seen = node.relations(&pids, 100);
    assert_eq!((seen.links, seen.is_complete), (vec![(first, second), (first, third)], true));
    assert_eq!(seen.monitors, [(first, second), (first, third), (second, first), (third, first)]);
    let seen = node.relations(&pids[1..], 100);
    assert_eq!((seen.links.len(), seen.monitors.len(), seen.is_complete), (0, 0, true), "among these there is nothing");
    let seen = node.relations(&pids, 3);
    assert_eq!((seen.links.len() + seen.monitors.len(), seen.is_complete), (3, false));
    assert!(!node.relations(&pids, 1).is_complete, "a process with more than that isn't read whole");
    plugin.terminate().unwrap();
    wait_until(|| (node.process_count() == 0).then_some(()));
    assert_eq!(node.relations(&pids, 100).links, []);
}

#[test]
fn a_process_that_runs_is_seen_without_being_asked() {
    let (node, _) = node();
    let source = "return function() while true do end end";
    let plugin = node.plugin("loop.lua", source).spawn().unwrap();
    wait_until(|| node.process(plugin.pid()).filter(|seen| seen.info.state == ProcessState::Running));
    plugin.terminate().unwrap();
    let kind = plugin.result_blocking::<Value>().unwrap_err().kind();
    assert_eq!((kind, node.processes()), (ErrorKind::Canceled, Vec::new()));
}

/// Starts and ends children without end, which refuse, fail and are refused.
const CHURN: &str = r#"return function()
    for i = 1, 600 do
        process.spawn("plugins:churned.lua", "plugins", i)
        process.spawn("plugins:nobody.lua", "plugins")
        process.send("full", "t", 1)
        if i % 10 == 0 then time.sleep(1) end
    end
end"#;

#[test]
fn who_looks_and_who_never_reads_hold_up_nobody_while_processes_come_and_go() {
    let (node, _) = node();
    let mut limits = lunarium::LimitsOverride::default();
    limits.set(LimitName::MailboxMessages, 1).unwrap();
    let full = node.mailbox_within("full", &limits).unwrap();
    let churned = "return function(i) if i % 2 == 0 then error(('x'):rep(10000), 0) end end";
    node.plugin("churned.lua", churned).arguments(1).spawn().unwrap().result_blocking::<()>().unwrap();
    let mut idle: Vec<_> = (0..2_000).map(|_| node.events()).collect();
    let plugin = node.plugin("churn.lua", CHURN).spawn().unwrap();
    while plugin.outcome().is_none() {
        let all = node.processes();
        assert!(all.windows(2).all(|pair| pair[0].pid.number() < pair[1].pid.number()));
        for one in &all {
            // It may have ended meanwhile.
            if let Some(details) = node.process(&one.pid) {
                assert_eq!(details.info.entry, one.entry);
            }
        }
        node.audit().unwrap();
    }
    plugin.result_blocking::<()>().unwrap();
    wait_until(|| (node.process_count() == 1).then_some(()));
    assert_eq!(node.processes()[0].pid, *full.pid());
    for events in &mut idle {
        let missed = match events.try_next() {
            Some(lunarium::NodeEvent::Missed { events }) => events,
            other => panic!("{other:?}"),
        };
        let read = std::iter::from_fn(|| events.try_next()).count();
        assert!(missed > 0 && read == 1_024, "{missed} {read}");
    }
    drop(idle);
    node.audit().unwrap();
}

#[test]
fn a_mailbox_under_flood_is_read_dropped_and_opened_again() {
    let (node, _) = node();
    let flood = r#"return function()
        local sent, refused = 0, 0
        while refused < 50 do
            local ok, err = process.send("ledger", ("t"):rep(64), ("x"):rep(1000))
            if ok then sent = sent + 1 else
                refused = refused + 1
                if err:kind() == errors.NOT_FOUND then time.sleep(1) end
            end
            pcall(process.link, "ledger")
            pcall(process.monitor, "ledger")
            process.cancel("ledger")
        end
        return sent
    end"#;
    let plugins: Vec<_> = (0..8).map(|i| node.plugin(&format!("f{i}.lua"), flood).spawn().unwrap()).collect();
    let mut rounds = 0;
    while plugins.iter().any(|plugin| plugin.outcome().is_none()) {
        // Its name is free as soon as it is dropped.
        let mut ledger = node.mailbox("ledger").unwrap();
        for _ in 0..rounds % 50 {
            let seen =
                std::pin::pin!(ledger.next()).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            if seen.is_pending() {
                break;
            }
        }
        rounds += 1;
    }
    for plugin in &plugins {
        // Nobody was ended by it: a mailbox that is dropped ends normally.
        plugin.result_blocking::<i64>().unwrap();
    }
    wait_until(|| (node.instance_count() == 0 && node.process_count() == 0).then_some(()));
    node.audit().unwrap();
}
