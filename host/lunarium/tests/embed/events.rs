//! What an embedder learns of what happens on a node, and what stands in its log.

use lunarium::output::Captured;
use lunarium::{Ending, ErrorKind, Events, LimitName, Node, NodeEvent, Pid, ScopeSpec, SecuritySpec};

use super::{kind, node};

fn until(events: &mut Events, last: impl Fn(&NodeEvent) -> bool) -> Vec<NodeEvent> {
    let mut seen = Vec::new();
    loop {
        let event = events.next_blocking().unwrap();
        let is_last = last(&event);
        seen.push(event);
        if is_last {
            return seen;
        }
    }
}

fn end_of(pid: &Pid) -> impl Fn(&NodeEvent) -> bool {
    move |event| matches!(event, NodeEvent::Ended { pid: ended, .. } if ended == pid)
}

/// An event in one line.
fn shown(event: &NodeEvent) -> String {
    match event {
        NodeEvent::Spawned { entry, parent, .. } => format!("spawned {entry} by {parent:?}"),
        NodeEvent::Ended { entry, ending: Ending::Completed, .. } => format!("ended {entry}"),
        NodeEvent::Ended { entry, ending: Ending::Failed { kind, message, limit, .. }, .. } => {
            format!("failed {entry}: {kind} {message} {limit:?}")
        }
        NodeEvent::Upgraded { from, to, .. } => format!("upgraded {from} to {to}"),
        NodeEvent::Refused { by, action, target, kind, message, limit, .. } => {
            format!("refused {action} of {target} by {}: {kind} {message} {limit:?}", by.is_some())
        }
        NodeEvent::LimitReached { limit, .. } => format!("reached {limit}"),
        event => format!("{event:?}"),
    }
}

fn all_shown(events: &[NodeEvent]) -> Vec<String> {
    events.iter().map(shown).collect()
}

#[test]
fn a_life_is_told_from_its_start_to_its_end() {
    let (node, _) = node();
    let mut events = node.events();
    let next = "return function() error('boom', 0) end";
    let next = node.plugin("next.lua", next).spawn().unwrap();
    until(&mut events, end_of(next.pid()));
    let source = "return function() process.upgrade('plugins:next.lua') end";
    let plugin = node.plugin("first.lua", source).spawn().unwrap();
    let seen = until(&mut events, end_of(plugin.pid()));
    assert_eq!(
        all_shown(&seen),
        [
            "spawned plugins:first.lua by None",
            "upgraded plugins:first.lua to plugins:next.lua",
            "failed plugins:next.lua: Internal boom None",
        ]
    );
    assert!(seen.iter().all(|event| match event {
        NodeEvent::Spawned { pid, .. } | NodeEvent::Upgraded { pid, .. } | NodeEvent::Ended { pid, .. } => {
            pid == plugin.pid()
        }
        _ => false,
    }));
}

#[test]
fn a_child_is_told_with_its_parent_and_a_limit_that_ends_by_its_name() {
    let (node, _) = node();
    node.plugin("fine.lua", "return function() return 'fine' end")
        .spawn()
        .unwrap()
        .result_blocking::<String>()
        .unwrap();
    let mut events = node.events();
    let source = "return function() process.spawn('plugins:fine.lua', 'plugins') while true do end end";
    let plugin = node.plugin("loop.lua", source).cpu(std::time::Duration::from_millis(20)).spawn().unwrap();
    let seen = until(&mut events, end_of(plugin.pid()));
    let pid = plugin.pid();
    assert!(all_shown(&seen).contains(&format!("spawned plugins:fine.lua by {:?}", Some(pid))), "{seen:?}");
    assert_eq!(seen.last().and_then(NodeEvent::limit), Some("cpu"));
}

const REFUSED: &str = r#"
return function(other)
    process.send("nobody", "t", 1)
    process.send(other, "t", 1)
    process.send(other, "t", 2)
    process.send(other, "t", 3)
    process.link(other)
    for i = 1, 9 do logger:info("line") end
end"#;

#[test]
fn what_a_limit_refuses_is_told_with_who_asked_and_what_for() {
    let (node, _) = node();
    let waits = "return function() time.sleep('1h') end";
    let other = node.plugin("waits.lua", waits).limit(LimitName::MailboxMessages, 16).start_blocking().unwrap();
    let mut events = node.events();
    let plugin = node.plugin("r.lua", REFUSED).limit(LimitName::Links, 0).limit(LimitName::LogLines, 2);
    let plugin = plugin.arguments(other.pid().as_str()).spawn().unwrap();
    let seen = until(&mut events, end_of(plugin.pid()));
    let pid = other.pid();
    let full = "share of the mailbox for topics without a listener is full: 2 messages of 2 are unread; \
                nobody listens on `t`";
    assert_eq!(
        all_shown(&seen),
        [
            "spawned plugins:r.lua by None".to_owned(),
            format!("refused process.send of {pid} by true: RateLimited {full} Some(\"mailbox_messages\")"),
            format!(
                "refused process.link of {pid} by true: ResourceExhausted {} is at its limit of 0 links Some(\"links\")",
                plugin.pid()
            ),
            "reached log_lines".to_owned(),
            "ended plugins:r.lua".to_owned(),
        ]
    );
}

#[test]
fn memory_that_a_process_did_not_get_is_told_once_while_it_goes_on() {
    let node = Node::builder().memory(8 << 20).output(Captured::new()).start().unwrap();
    let mut events = node.events();
    let source = "return function()
        for _ = 1, 3 do
            pcall(function() local t = {} while true do t[#t + 1] = ('x'):rep(100000) end end)
            time.sleep('1ms')
        end
    end";
    let plugin = node.plugin("hog.lua", source).memory(64 << 20).spawn().unwrap();
    let seen = until(&mut events, end_of(plugin.pid()));
    let expected = ["spawned plugins:hog.lua by None", "reached node.memory", "ended plugins:hog.lua"];
    assert_eq!(all_shown(&seen), expected);
}

#[test]
fn what_a_policy_refuses_is_told_and_so_is_what_the_program_itself_may_not() {
    let captured = Captured::new();
    let node = Node::builder().max_processes(1).output(captured).start().unwrap();
    let mut events = node.events();
    let source = "return function() process.spawn('plugins:x', 'plugins') process.inbox():receive() end";
    let nothing = SecuritySpec::new().with_scope(ScopeSpec::default());
    let plugin = node.plugin("x", source).security(nothing).start_blocking().unwrap();
    assert_eq!(kind(node.plugin("y", source).spawn()).0, ErrorKind::ResourceExhausted);
    plugin.terminate().unwrap();
    let seen = until(&mut events, end_of(plugin.pid()));
    assert_eq!(
        all_shown(&seen)[1..],
        [
            "refused process.spawn of plugins:x by true: PermissionDenied permission `process.spawn` on `plugins:x` is \
             missing None",
            "refused process.spawn of plugins:y by false: ResourceExhausted the node is at its limit of 1 processes \
             Some(\"node.processes\")",
            "failed plugins:x: Canceled process terminated None",
        ]
    );
}

#[test]
fn readers_are_told_what_they_missed_and_when_the_node_is_gone() {
    let (node, _) = node();
    let (mut slow, mut quick) = (node.events(), node.events());
    let source = "return function() end";
    let mut last = None;
    for _ in 0..700 {
        let plugin = node.plugin("short.lua", source).spawn().unwrap();
        plugin.result_blocking::<()>().unwrap();
        until(&mut quick, end_of(plugin.pid()));
        last = Some(plugin);
    }
    assert_eq!(slow.next_blocking(), Some(NodeEvent::Missed { events: 2 * 700 - 1024 }));
    assert_eq!(until(&mut slow, end_of(last.unwrap().pid())).len(), 1024);
    let plugin = node.plugin("w.lua", "return function() time.sleep('1h') end").start_blocking().unwrap();
    drop(node);
    assert_eq!(until(&mut slow, end_of(plugin.pid())).len(), 2);
    assert_eq!(slow.next_blocking(), None);
}

#[tokio::test]
async fn events_come_as_a_stream_too() {
    use futures_lite::StreamExt as _;
    let (node, _) = node();
    let events = node.events();
    let plugin = node.plugin("short.lua", "return function() end").start().await.unwrap();
    let seen: Vec<NodeEvent> = events.take(2).collect().await;
    assert!(end_of(plugin.pid())(&seen[1]), "{seen:?}");
}

#[test]
fn at_debug_level_each_start_and_each_end_is_a_line() {
    let captured = Captured::new();
    let node = Node::builder().debug().output(captured.clone()).start().unwrap();
    let mut events = node.events();
    node.plugin("b.lua", "return function() error('boom', 0) end")
        .spawn()
        .unwrap()
        .result_blocking::<()>()
        .unwrap_err();
    let source = "return function() process.spawn_monitored('plugins:b.lua', 'plugins') process.events():receive() end";
    let plugin = node.plugin("a.lua", source).spawn().unwrap();
    until(&mut events, end_of(plugin.pid()));
    drop(node);
    while events.next_blocking().is_some() {}
    let mut lines: Vec<String> = captured.take().iter().map(ToString::to_string).collect();
    // Ends are told before they are logged, so lines of different processes may change places.
    lines.sort();
    assert_eq!(
        lines,
        [
            "DEBUG plugins:a.lua#00002: ended".to_owned(),
            "DEBUG plugins:a.lua#00002: started".to_owned(),
            "DEBUG plugins:b.lua#00001: failed: boom (Internal)".to_owned(),
            "DEBUG plugins:b.lua#00001: started".to_owned(),
            "DEBUG plugins:b.lua#00002: failed: boom (Internal)".to_owned(),
            format!("DEBUG plugins:b.lua#00002: started parent={}", plugin.pid()),
        ]
    );
}
