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
    plugin.terminate().unwrap();
    assert!(node.process(plugin.pid()).is_none());
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
