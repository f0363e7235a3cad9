//! What goes on around a node: an embedder's code that panics or never gets on, what it asks of a node under attack, and
//! the slot that one process leaves to the next.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use futures_lite::future::block_on;
use lunarium_engine::{
    Attribute, Chunk, Condition, Engine, EntryId, Field, HostId, Level, Limits, LogField, NodeConfig, Operand,
    Operator, Output, Pattern, Policy, PolicyEffect, ProcessLabel, ScopeSpec, SecuritySpec, SpawnRequest, Value,
};
use lunarium_tests::{HOST, Lab};

use crate::case::Case;
use crate::components;
use crate::hostile::{self, Hostile};
use crate::neighbour::Neighbour;
use crate::runner::end_of;

const BUG: &str = "Internal: host bug";

/// With the real guest.
pub fn of_lua() -> Vec<Case> {
    vec![
        Case::body("a panic of the host where it prints", BUG, "print('x')").on_node(panics),
        Case::body("a panic of the host where it logs", BUG, "logger:info('x')").on_node(panics),
        Case::body("a panic that carries what panics again", BUG, "print('again')").on_node(panics),
        Case::body("a panic of the host where the output is full", BUG, "print('full')").on_node(panics),
        Case::script(
            "a hundred panics of the host",
            "=> 100",
            r#"
return { main = function()
    local events, count = process.events(), 0
    for i = 1, 100 do process.spawn_monitored("app:child", "app:processes") end
    for i = 1, 100 do if events:receive().error then count = count + 1 end end
    return count
end }
-- entry: child
return { main = function() print("x") end }"#,
        )
        .on_node(panics),
        Case::embedder("a waker that panics, of who waits for another's end", "=> \"well\"", a_waker_that_panics),
        Case::body("an output that is full for ever", "Canceled: process terminated", "while true do print('x') end")
            .on_node(full)
            .ended_after(3),
        Case::embedder("a service that comes back to a node full of others", "=> \"back\"", a_service_comes_back)
            .with_processes(500),
        Case::embedder(
            "a message of the embedder that decodes to more than there is",
            "=> {\"ResourceExhausted\", \"goes on\"}",
            too_much,
        ),
        Case::embedder("policies of expensive expressions, asked without end", "ResourceExhausted cpu", expensive)
            .with_cpu(300),
        Case::embedder("a check of a source nested a hundred thousand times", "refused", |lab, _| {
            let source = "(".repeat(100_000);
            block_on(lab.node.check(&Chunk::new("@deep.lua", source))).map_or("refused", |_| "compiled").to_owned()
        }),
    ]
}

/// With the hostile component.
pub fn of_components() -> Vec<Case> {
    vec![
        Case::embedder(
            "secrets in the slot of who has ended",
            "nothing found in 200 slots, 128 of them used before",
            slots,
        ),
        Case::embedder("checks that trap, lie and call the host", "=> 3 refused", |lab, _| {
            let refused =
                ["to trap when it is to check", "to lie when it is to check", "to call the host when it is to check"];
            let check = |tried| block_on(lab.node.check(&Chunk::new("@x.lua", components::source(place(tried)))));
            format!("=> {} refused", refused.into_iter().filter(|tried| check(tried).is_err()).count())
        }),
        Case::embedder("to loop when it is looked at", "ResourceExhausted cpu", |lab, _| {
            lab.define(&components::source(place("to loop when it is looked at")));
            let handle = lab.spawn("main", Vec::new());
            assert!(block_on(handle.started()));
            assert!(lab.node.at_rest_blocking(handle.pid()).is_none());
            end_of(&handle)
        })
        .with_cpu(300),
    ]
}

/// Where a guest stands in the table.
fn place(tried: &str) -> usize {
    let is = |hostile: &&Hostile| hostile.tried == tried;
    hostile::common().iter().position(is).expect("a guest of the table")
}

/// Panics at every call, or says that it is full and panics then.
struct Panics;

/// Carried by a panic; panics itself.
struct Again;

impl Drop for Again {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

impl Output for Panics {
    fn print(&self, _: &ProcessLabel, line: &str) -> bool {
        match line {
            "full" => false,
            "again" => std::panic::panic_any(Again),
            _ => panic!("on purpose"),
        }
    }

    fn on_ready(&self, _: Waker) {
        panic!("on purpose");
    }

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[LogField]) {
        panic!("on purpose");
    }
}

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

fn panics(mut config: NodeConfig) -> NodeConfig {
    config.output = Arc::new(Panics);
    config
}

struct Full;

impl Output for Full {
    fn print(&self, _: &ProcessLabel, _: &str) -> bool {
        false
    }

    fn on_ready(&self, _: Waker) {}

    fn log(&self, _: &ProcessLabel, _: Level, _: &str, _: &[LogField]) {}
}

fn full(mut config: NodeConfig) -> NodeConfig {
    config.output = Arc::new(Full);
    config
}

/// One that is waited for by somebody whose waker panics, and linked with another, is terminated by a third.
fn a_waker_that_panics(lab: &Lab, _: &Neighbour) -> String {
    lab.define(
        r#"
return { main = function(pid) process.terminate(pid) return "well" end }
-- entry: waits
return { main = function(pid) if pid then process.link(pid) end process.inbox():receive() end }"#,
    );
    let victim = lab.spawn("waits", Vec::new());
    let pid = Value::from(victim.pid().as_str());
    let linked = lab.spawn("waits", vec![pid.clone()]);
    assert!(block_on(linked.started()));
    let waker = Waker::from(Arc::new(Panics));
    let mut end = Box::pin(victim.wait());
    assert!(end.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let outcome = end_of(&lab.spawn("main", vec![pid]));
    end_of(&linked);
    outcome
}

fn a_service_comes_back(lab: &Lab, neighbour: &Neighbour) -> String {
    // The one that fills the node is such a service, too.
    (0..2).for_each(|_| lab.node.keep_place(&HostId::new(HOST)).expect("the lab's host"));
    lab.define(
        r#"
return { main = function() while true do process.spawn("app:main", "app:processes") end end }
-- entry: service
return { main = function() return "back" end }"#,
    );
    lab.spawn("main", Vec::new());
    neighbour.wait(20);
    end_of(&lab.spawn("service", Vec::new()))
}

fn too_much(lab: &Lab, _: &Neighbour) -> String {
    lab.define(
        r#"
return { main = function()
    local ch = process.listen("t")
    local ok, err = pcall(ch.receive, ch)
    return { not ok and err:kind() or "none", (ch:receive()) }
end }"#,
    );
    let process = lab.spawn("main", Vec::new());
    let list = Value::Array(vec![Value::Array(Vec::new()); 100]);
    for value in [Value::Array(vec![list; 2_000]), Value::from("goes on")] {
        lab.node.send(process.pid().as_str(), "t", &value).expect("it lives");
    }
    end_of(&process)
}

fn expensive(lab: &Lab, _: &Neighbour) -> String {
    let condition = || {
        let field = Field::parse("meta.x").expect("a field");
        let pattern = Operand::Value(Attribute::Text(b"(a*)*(b|a+)*$".to_vec()));
        Condition::new(field, Operator::Matches, Some(pattern)).expect("a condition")
    };
    let policies: Vec<EntryId> = (0..256).map(|number| EntryId::new(format!("app:p{number}"))).collect();
    for id in &policies {
        let any = || vec![Pattern::parse("*").expect("a pattern")];
        let policy = Policy {
            id: id.clone(),
            effect: PolicyEffect::Deny,
            actions: any(),
            resources: any(),
            conditions: vec![condition()],
        };
        lab.node.define_policy(policy, &[]);
    }
    lab.define(
        "return { main = function() local x = ('a'):rep(16000) .. '!' while true do security.can('a', 'r', { x = x }) end end }",
    );
    let security = SecuritySpec::new().with_scope(ScopeSpec::new(policies, Vec::new()));
    let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST)).with_security(security);
    end_of(&lab.node.spawn(request).expect("a process"))
}

/// Two hundred in turn on an engine of 72 slots: each looks for the secret in all memory that it can get, and leaves it
/// there. So 128 of them have had a slot that was used before.
fn slots(_: &Lab, _: &Neighbour) -> String {
    let engine = Engine::new(components::config(components::COMMON, 8)).expect("an engine");
    let lab = Lab::on(&engine, Limits::default(), 8, |config| config);
    lab.define(&components::source(place("secrets, looked for and left")));
    for number in 0..200 {
        let end = end_of(&lab.spawn("main", Vec::new()));
        if end != "=> 0" {
            return format!("{end} in slot {number}");
        }
    }
    lab.settle();
    "nothing found in 200 slots, 128 of them used before".to_owned()
}
