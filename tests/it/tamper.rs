//! Objects of the runtime that a script takes apart with `rawget` and `rawset`: at most the script's own process ends,
//! and never by a trap.

use std::time::Duration;

use lunarium_tests::{Lab, show_outcome};

/// Each is the body of a `main`.
const ATTACKS: &[(&str, &str)] = &[
    (
        "the coroutine of a task that waits",
        r#"local ch = channel.new()
        coroutine.spawn(function() ch:receive() end)
        for _, node in next, ch do
            if type(node) == "table" then
                for _, co in next, node do
                    if type(co) == "thread" then
                        pcall(coroutine.resume, co) pcall(coroutine.close, co) pcall(coroutine.wrap, co)
                        pcall(debug.traceback, co)
                    end
                end
            end
        end
        ch:send(1)
        time.sleep(1)"#,
    ),
    (
        "a queue that ends in itself",
        r#"local ch = channel.new()
        coroutine.spawn(function() ch:receive() end)
        for _, node in next, ch do
            if type(node) == "table" then for i = 1, 20 do rawset(node, i, node) end end
        end
        pcall(ch.send, ch, 1) pcall(ch.close, ch)
        time.sleep(1)"#,
    ),
    (
        "the buffer of a channel",
        "local ch = channel.new(1) ruin(ch) pcall(ch.send, ch, 1) pcall(ch.receive, ch) pcall(ch.close, ch)",
    ),
    ("the inbox", "local ch = process.inbox() ruin(ch) process.send(process.pid(), 't', 1) time.sleep(1) ch:receive()"),
    (
        "a listener",
        "local ch = process.listen('t') ruin(ch) process.send(process.pid(), 't', 1) time.sleep(1) ch:receive()",
    ),
    ("the events", "local ch = process.events() ruin(ch) process.cancel(process.pid()) time.sleep(1) ch:receive()"),
    (
        "payloads that nobody encoded",
        r#"for _, bytes in ipairs { "", "\xc1", "\xdd\xff\xff\xff\xff", "\xd6\1\0\0\0\9", "\xdb\xff\xff\xff\xff", "\xc9\0\0\0\0\2",
            "\xc9\xff\xff\xff\xff\2", "\xd7\4\0", ("\x91"):rep(100000), "\xdf\xff\xff\xff\xff", "\xc9\0\0\0\1\3\xc0", "\x81\xc0\1" } do
            local ch = process.listen("t")
            rawset(ch, 1, { bytes, "t", false }) rawset(ch, 2, 1) rawset(ch, 3, 3)
            pcall(ch.receive, ch)
            process.unlisten(ch)
        end"#,
    ),
    (
        "a message",
        r#"process.send(process.pid(), "t", 1)
        local msg = process.inbox():receive()
        ruin(msg)
        pcall(msg.payload, msg) pcall(msg.topic, msg) pcall(msg.from, msg) pcall(tostring, msg)
        pcall(process.send, process.pid(), "t", msg)"#,
    ),
    (
        "an error that is raised",
        "local err = errors.new('x') ruin(err) pcall(tostring, err) pcall(process.send, process.pid(), 't', err) error(err)",
    ),
    ("an error that is returned", "local err = errors.new('x') ruin(err) return nil, err"),
    (
        "an error whose details are itself",
        "local err = errors.new('x') rawset(err, 4, { err }) rawset(err, 2, err) error(err)",
    ),
    ("a timer", "local t = time.timer('1ms') ruin(t) pcall(t.stop, t) pcall(t.reset, t, 1) time.sleep(5)"),
    (
        "the heap of timers",
        r#"local t = time.timer("1ms")
        for _, entry in next, t do if type(entry) == "table" then ruin(entry) end end
        time.sleep(5)"#,
    ),
    (
        "a logger",
        r#"local log = logger:with { a = 1 }
        ruin(log)
        pcall(log.info, log, "x") pcall(log.info, log, "x", { b = 1 }) pcall(log.with, log, { c = 2 }) pcall(json.encode, log)
        local root = logger
        ruin(root)
        root:error("x")"#,
    ),
    (
        "an actor",
        "local actor = security.new_actor('ada', { a = 1 }) ruin(actor) pcall(actor.id, actor) pcall(actor.meta, actor) pcall(tostring, actor)",
    ),
    (
        "a scope",
        r#"local scope = security.new_scope {}
        ruin(scope)
        pcall(scope.policies, scope) pcall(scope.contains, scope, "x") pcall(scope.without, scope, "x") pcall(tostring, scope)"#,
    ),
    (
        "a case",
        r#"local ch = channel.new(1)
        local case = ch:case_receive()
        ruin(case)
        pcall(channel.select, { case, default = true }) pcall(channel.select, { case })"#,
    ),
];

/// Puts every kind of value into every slot, one kind a process.
fn ruin(value: &str) -> String {
    format!(
        "local function ruin(object) local keys = {{}} for key in next, object do keys[#keys + 1] = key end \
         for i = 1, 13 do keys[#keys + 1] = i end for _, key in next, keys do rawset(object, key, {value}) end end "
    )
}

#[test]
fn tampering_harms_only_its_own_process() {
    let lab = Lab::default();
    for (name, attack) in ATTACKS {
        for value in ["nil", "{}", "5", "-1", "1e300", "'text'", "print", "coroutine.create(print)", "object"] {
            let main = format!("return function() {} {attack} end", ruin(value));
            lab.define(&main);
            let handle = lab.spawn("main", Vec::new());
            // It may wait for ever for what it has ruined, or loop. It may also be gone already.
            let _ = lab.node.cancel(handle.pid(), Some(Duration::from_millis(100)));
            let outcome = show_outcome(&handle.wait_blocking());
            assert!(!outcome.contains("trap") && !outcome.contains("bug"), "{name}, {value}: {outcome}");
        }
    }
    assert_eq!(show_outcome(&lab.run("return function() time.sleep(1) return 'well' end")), "=> \"well\"");
    lab.settle();
}
