//! The programs of the guides and of the reference, word for word, with the real guest.
//!
//! Owns the players around each program: who sends to it, whom it starts, who watches. The texts are in `guides/`: the four
//! guides are one text in four languages, the reference is a file of its own; a line `-- block: name` stands before each block.
//! Blocks that return a table are entries as they are; the others are pasted into a `main`.

use expect_test::{Expect, expect};
use lunarium_engine::{Chunk, Definition, EntryId, Value};
use lunarium_tests::{Lab, show_outcome};

mod tables;
mod texts;

use texts::{guides, with_each_guide};

/// The process module's reference.
const REFERENCE: &str = include_str!("guides/reference.lua");

/// A block of the reference, as it stands there.
fn block(name: &str) -> &'static str {
    let mut blocks = REFERENCE.split("-- block: ").filter_map(|block| block.split_once('\n'));
    blocks.find(|(title, _)| *title == name).map(|(_, text)| text).expect("a block of the reference")
}

/// Blocks pasted into a `main`, with something before and after them.
fn pasted(before: &str, block: &str, after: &str) -> String {
    format!("local function main(...)\n{before}\n{block}\n{after}\nend\nreturn {{ main = main }}")
}

/// Runs `app:main` beside other entries, which are given by their whole ids.
fn run(main: &str, entries: &[(&str, &str)]) -> String {
    let lab = Lab::default();
    for (id, source) in entries.iter().chain([&("app:main", main)]) {
        lab.node.define(Definition::new(EntryId::new(*id), Chunk::new("@guide.lua", *source)));
    }
    let outcome = lab.spawn("main", Vec::new()).wait_blocking();
    let mut lines = lab.printed();
    lines.push(show_outcome(&outcome));
    lines.join("\n") + "\n"
}

/// A `main` that starts `app:block`, does something to `pid`, and returns what that one returned.
fn driver(act: &str) -> String {
    pasted(
        "local pid = process.spawn_monitored('app:block', 'app:processes')",
        act,
        "return process.events():receive().result.value",
    )
}

#[test]
fn every_block_of_every_guide_is_here() {
    const BLOCKS: [&str; 16] = [
        "spawn",
        "pid",
        "send",
        "listen",
        "inbox",
        "echo",
        "monitor",
        "monitor_later",
        "unmonitor",
        "spawn_linked",
        "link",
        "trap_links",
        "register",
        "unregister",
        "pool",
        "pool_worker",
    ];
    for guide in guides() {
        let titles: Vec<_> = guide.blocks.iter().map(|(title, _)| *title).collect();
        let expected = if guide.language == "spanish" { &BLOCKS[..14] } else { &BLOCKS[..] };
        assert_eq!(titles, expected, "{}", guide.language);
        let verifies = guide.block("trap_links").expect("trap_links").contains("get_options");
        assert_eq!(verifies, guide.language != "spanish", "{}", guide.language);
    }
}

#[test]
fn each_language_has_its_own_comments() {
    let told: Vec<_> =
        guides().iter().map(|guide| guide.language.to_owned() + "\n" + guide.block("send").unwrap()).collect();
    expect![[r#"
        russian
        -- Send to process by PID
        local sent, err = process.send(worker_pid, "messages", "hello from parent")
        if err then
            return false, "send failed: " .. err
        end

        -- send returns (bool, error)

        spanish
        -- Enviar a proceso por PID
        local sent, err = process.send(worker_pid, "messages", "hello from parent")
        if err then
            return false, "send failed: " .. err
        end

        -- send retorna (bool, error)

        chinese
        -- 通过 PID 发送到进程
        local sent, err = process.send(worker_pid, "messages", "hello from parent")
        if err then
        return false, "send failed: " .. err
        end
        -- send 返回 (bool, error)

        japanese
        -- PIDでプロセスに送信
        local sent, err = process.send(worker_pid, "messages", "hello from parent")
        if err then
            return false, "send failed: " .. err
        end

        -- sendは(bool, error)を返す
    "#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn spawn_and_send() {
    let worker = "return { main = function(...) print('worker got', ..., process.listen('messages'):receive()) end }";
    let expected = expect![[r#"
        Started worker:	{app:processes|0x00002}
        worker got	hello	hello from parent	true
        => true
    "#]];
    for guide in guides() {
        let blocks = [guide.block("spawn").expect("spawn"), guide.block("send").expect("send")];
        let both = blocks.join("local worker_pid = pid process.monitor(pid)\n");
        let main = pasted("", &both, "process.events():receive() return sent");
        expected.assert_eq(&run(&main, &[("app.test.process:echo_worker", worker)]));
    }
    with_each_guide(
        "spawn",
        expect![["failed Internal: spawn failed: entry `app.test.process:echo_worker` not found\n"]],
        |text| run(&pasted("", text, ""), &[]),
    );
    with_each_guide("send", expect![["failed Internal: send failed: name `nobody` not found\n"]], |text| {
        run(&pasted("local worker_pid = 'nobody'", text, ""), &[])
    });
    with_each_guide("pid", expect![["=> \"{app:processes|0x00001}\"\n"]], |text| {
        run(&pasted("", text, "return my_pid"), &[])
    });
}

#[test]
fn receive_by_topic() {
    let expected = expect![[r#"
        Received:	hello
        => true
    "#]];
    let main = driver("process.send(pid, 'other', 'not this') process.send(pid, 'messages', 'hello')");
    with_each_guide("listen", expected, |text| run(&main, &[("app:block", text)]));
}

#[test]
fn receive_by_inbox() {
    // It never ends and tells nobody, so its starter is the test itself.
    let expected = ["Inbox got:\torders\ttwo coffees", "Inbox got:\tcomplaints\t42"];
    for guide in guides() {
        let lab = Lab::default();
        lab.define(&(guide.block("inbox").expect("inbox").to_owned() + "return { main = main }"));
        let handle = lab.spawn("main", Vec::new());
        for (topic, payload) in
            [("specific_topic", Value::Nil), ("orders", "two coffees".into()), ("complaints", Value::Integer(42))]
        {
            lab.node.send(handle.pid().as_str(), topic, &payload).expect("it lives");
        }
        let mut lines = Vec::new();
        while lines.len() < 2 && handle.outcome().is_none() {
            lines.extend(lab.printed());
            std::thread::yield_now();
        }
        assert_eq!(lines, expected);
    }
}

#[test]
fn echo_to_the_sender() {
    let expected = expect![[r#"
        echo?	true
        => true
    "#]];
    let main = driver("process.send(pid, 'echo', 'echo?') print(process.listen('reply'):receive())");
    with_each_guide("echo", expected, |text| run(&main, &[("app:block", text)]));
}

#[test]
fn spawn_with_monitoring() {
    let worker = |body| format!("return {{ main = function() {body} end }}");
    for (body, expected) in [
        (
            "return 'all done'",
            expect![[r#"
                Worker exited:	{app:processes|0x00002}
                all done
                => nil
            "#]],
        ),
        (
            "error('it broke', 0)",
            expect![[r#"
                Worker exited:	{app:processes|0x00002}
                Exit error:	it broke
                it broke
                => nil
            "#]],
        ),
    ] {
        with_each_guide("monitor", expected, |text| {
            run(&pasted("", text, "print(event.result)"), &[("app.test.process:events_exit_worker", &worker(body))])
        });
    }
}

#[test]
fn explicit_monitoring() {
    let entries = [
        ("app.test.process:long_worker", "return function() return process.inbox():receive():payload() end"),
        ("app:gives", "return function(...) return ... end"),
    ];
    let expected = expect![[r#"
        true	stopped
        => nil
    "#]];
    let after = "process.send(worker_pid, 'stop', 'stopped') local e = events_ch:receive() print(e.from == worker_pid, e.result)";
    with_each_guide("monitor_later", expected, |text| run(&pasted("", text, after), &entries));

    let fence = "process.spawn_monitored('app:gives', 'app:processes', 'nothing of the worker')";
    let after = format!("process.terminate(worker_pid) {fence} print(ok, err) return events_ch:receive().result.value");
    let expected = expect![[r#"
        true	nil
        => "nothing of the worker"
    "#]];
    for guide in guides() {
        let both = guide.block("monitor_later").expect("monitor_later").to_owned()
            + guide.block("unmonitor").expect("unmonitor");
        expected.assert_eq(&run(&pasted("", &both, &after), &entries));
    }
}

#[test]
fn spawn_linked() {
    let waits = "return function() process.inbox():receive() end";
    let fails = "return function() error('boom', 0) end";
    let expected = expect![["failed Internal: linked process failed: {app:processes|0x00002}: boom\n"]];
    with_each_guide("spawn_linked", expected, |text| {
        run(&pasted("", text, "time.sleep('1h')"), &[("app.test.process:child_worker", fails)])
    });
    let expected = expect![[r#"
        child	linked process failed: {app:processes|0x00002}: crashed
        parent	crashed
        => nil
    "#]];
    let main = r"
        local names = { [process.spawn_monitored('app:block', 'app:processes', process.pid())] = 'parent' }
        local child = process.listen('child'):receive()
        process.monitor(child)
        names[child] = 'child'
        for pid, name in pairs(names) do if name == 'parent' then process.send(pid, 'crash') end end
        local ends = {}
        for i = 1, 2 do local e = process.events():receive() ends[i] = names[e.from] .. '\t' .. e.error end
        table.sort(ends)
        print(ends[1]) print(ends[2])";
    with_each_guide("spawn_linked", expected, |text| {
        let after = "process.send((...), 'child', pid) process.listen('crash'):receive() error('crashed', 0)";
        let parent = pasted("", text, after);
        run(&pasted("", main, ""), &[("app:block", &parent), ("app.test.process:child_worker", waits)])
    });
}

#[test]
fn link_and_unlink() {
    let waits = [("app:waits", "return function() process.inbox():receive() end")];
    let before = "local target_pid = process.spawn('app:waits', 'app:processes')";
    let after = "print(ok, err) process.terminate(target_pid) time.sleep('5ms') return 'survived'";
    let expected = expect![[r#"
        true	nil
        => "survived"
    "#]];
    with_each_guide("link", expected, |text| run(&pasted(before, text, after), &waits));
    with_each_guide("link", expect![["failed Internal: link failed: name `nobody` not found\n"]], |text| {
        run(&pasted("local target_pid = 'nobody'", text, ""), &[])
    });
}

#[test]
fn trap_links() {
    let entries = [("app.test.process:error_exit_worker", "return function() error('boom') end")];
    let expected = expect![[r#"
        Linked process died:	{app:processes|0x00002}
        => true
    "#]];
    with_each_guide("trap_links", expected, |text| run(text, &entries));
}

#[test]
fn names() {
    with_each_guide("register", expect![["=> true\n"]], |text| run(text, &[]));
    let expected = expect![[r#"
        nil	NotFound
        => nil
    "#]];
    let before = "local test_name = 'a name' process.registry.register(test_name)";
    with_each_guide("unregister", expected, |text| run(&pasted(before, text, "print(pid, err:kind())"), &[]));
    let expected = expect![[r#"
        Name was not registered
        nil	NotFound
        => nil
    "#]];
    let before = "local test_name = 'a name'";
    with_each_guide("unregister", expected, |text| run(&pasted(before, text, "print(pid, err:kind())"), &[]));
}

#[test]
fn a_pool_of_workers() {
    // The workers end in any order.
    let sorted = |text: String| {
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n"
    };
    let expected = expect![[r#"
        => true
        Worker 1 completed:	20
        Worker 2 completed:	40
        Worker 3 completed:	60
        Worker 4 completed:	80
        Worker 5 completed:	100
    "#]];
    for guide in guides().iter().filter(|guide| guide.language != "spanish") {
        let worker = guide.block("pool_worker").expect("pool_worker");
        let text = run(guide.block("pool").expect("pool"), &[("app.test.process:task_worker", worker)]);
        expected.assert_eq(&sorted(text));
    }
    let worker = "return function(task) if task.value > 30 then error('too much', 0) end return task.value end";
    let expected = expect![[r#"
        => true
        Worker 1 completed:	10
        Worker 2 completed:	20
        Worker 3 completed:	30
        Worker 4 failed:	too much
        Worker 5 failed:	too much
    "#]];
    with_each_guide("pool", expected, |text| sorted(run(text, &[("app.test.process:task_worker", worker)])));
}

/// A block of the reference pasted into a `main` between what it needs and what shows what it did.
fn reference(name: &str, before: &str, after: &str, expect: Expect) {
    let entries = [
        ("app:waits", "return function() process.inbox():receive() end"),
        ("app:counts", "return function(...) return select('#', ...) end"),
        (
            "app:tells",
            "return function(...) local m = process.inbox():receive() return m.topic .. m.payload .. (ctx.get('k') or '') end",
        ),
    ];
    expect.assert_eq(&run(&pasted(before, block(name), after), &entries));
}

#[test]
fn the_reference_asks_who_it_is() {
    let expected = expect![[r#"
        true	{app:processes|0x00001}
        => nil
    "#]];
    reference("identity", "", "print(frame_id:match('^app:main#.') ~= nil, pid)", expected);
}

#[test]
fn the_reference_sends_spawns_and_ends() {
    let before = "local destination, topic = process.pid(), 't' return (function(...)";
    let expected = expect![[r#"
        true	nil	x	y
        => nil
    "#]];
    let after = "local got = process.listen(topic):receive() print(ok, err, got[1], got[2]) end)('x', 'y')";
    reference("send", before, after, expected);
    let before = "local id, host = 'app:counts', 'app:processes' return (function(...)";
    let after = "print(pid, err) local es = process.events() return { es:receive().result.value, es:receive().result.value } end)('x', 'y')";
    let expected = expect![[r#"
        {app:processes|0x00005}	nil
        => {2, 2}
    "#]];
    reference("spawn", before, after, expected);
    // It is dead when it is cancelled.
    let expected = expect![[r#"
        nil	NotFound
        => nil
    "#]];
    let before = "local destination = process.spawn('app:waits', 'app:processes')";
    reference("control", before, "print(ok, err:kind())", expected);
}

#[test]
fn the_reference_watches_and_sets_options() {
    let expected = expect![[r#"
        true	nil
        => nil
    "#]];
    reference("watch", "local destination = process.spawn('app:waits', 'app:processes')", "print(ok, err)", expected);
    let expected = expect![[r#"
        false	true	true	nil
        => nil
    "#]];
    let after = "print(options.trap_links, process.get_options().trap_links, ok, err)";
    reference("options", "", after, expected);
}

#[test]
fn the_reference_receives() {
    let me = "local me = process.pid()";
    let expected = expect![[r#"
        t	true
        => "pid.cancel"
    "#]];
    let after = "process.send(process.pid(), 't') process.cancel(process.pid()) \
        print(inbox:receive():topic(), process.inbox() == inbox) return events:receive().kind";
    reference("channels", "", after, expected);
    let expected = expect![[r#"
        nil	false
        1
        => nil
    "#]];
    let before = "local topic, options = 't', { message = true }";
    let after = "process.send(process.pid(), topic, 1) \
        print(ch:receive()) print(process.inbox():receive():payload())";
    reference("listen", before, after, expected);
    let expected = expect![[r#"
        topic	{app:processes|0x00001}	payload
        => nil
    "#]];
    let before = format!("{me} local inbox = process.inbox() process.send(me, 'topic', 'payload')");
    reference("message", &before, "print(msg:topic(), msg:from(), msg:payload())", expected);
}

#[test]
fn the_reference_spawns_with_context() {
    let after = "spawner:with_context { k = '!' }:with_message('t', 'p'):spawn_monitored('app:tells', 'app:processes') \
        return process.events():receive().result.value";
    reference("with_context", "", after, expect![["=> \"tp!\"\n"]]);
    let before =
        "local id, host, spawner = 'app:counts', 'app:processes', process.with_context {} return (function(...)";
    let after = "local es = process.events() return { es:receive().result.value, es:receive().result.value } end)('x', 'y', 'z')";
    reference("builder_spawn", before, after, expect![["=> {3, 3}\n"]]);
}

#[test]
fn the_reference_names() {
    let before = "local name, pid = 'a name', process.pid()";
    let expected = expect![[r#"
        {app:processes|0x00001}	true	nil
        => nil
    "#]];
    reference("registry", before, "print(pid, ok, (process.registry.lookup(name)))", expected);
}

#[test]
fn the_reference_calls_and_upgrades() {
    let before = "local id, host = 'app:counts', 'app:processes' return (function(...)";
    let expected = expect![[r#"
        2	nil
        => nil
    "#]];
    reference("exec", before, "print(result, err) end)('x', 'y')", expected);
    // The first call of the two doesn't return; the second is reached where the first is refused.
    let before = "local id, preserved_state = 'app:counts', 'state' return (function(...)";
    reference("upgrade", before, "end)('x', 'y', 'z')", expect![["=> 3\n"]]);
    let before = "local state = ... if state then return state end
        local id, preserved_state = 'app:nobody', 'preserved' return (function(...)";
    reference("upgrade", before, "end)()", expect![["=> \"preserved\"\n"]]);
}

#[test]
fn the_reference_builds_a_spawner() {
    let before = "local values, name, topic = { k = '!' }, 'a name', 't'
        local actor, scope = security.new_actor('ada'), security.new_scope {}
        local spawner = process.with_context {} return (function(...)";
    // Each method gives another spawner: the one they are called on stays as it is.
    let after = "spawner:with_message('t', 'p'):spawn_monitored('app:tells', 'app:processes')
        print(process.events():receive().result, (process.registry.lookup(name)))
        spawner:with_context(values):with_name(name):with_message(topic, ...)
            :spawn_monitored('app:tells', 'app:processes')
        print((process.registry.lookup(name)))
        return process.events():receive().result.value end)('q')";
    let expected = expect![[r#"
        tp	nil
        {app:processes|0x00003}
        => "tq!"
    "#]];
    reference("builder", before, after, expected);
}
