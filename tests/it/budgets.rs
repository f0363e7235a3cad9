//! What many processes hold together, and what happens where a budget ends.

use std::time::Instant;

use expect_test::{Expect, expect};
use futures_lite::future::block_on;
use lunarium_engine::{Chunk, Definition, EntryId, Handle, HostDefinition, HostId, Limits, Node, SpawnRequest, Value};
use lunarium_tests::{HOST, Lab, PROCESSES, show_outcome};

const MIB: u64 = 1 << 20;

/// A node of so many bytes with hosts of so many, each named, with its reserve.
fn lab(memory: u64, hosts: &[(&str, u64, u64)]) -> Lab {
    let lab = Lab::made(Limits::default(), PROCESSES, |config| config.with_memory(memory, 0));
    for (id, memory, reserve) in hosts {
        let limits = Limits { memory: 64 * MIB, ..Limits::default() };
        let host = HostDefinition::new(HostId::new(*id)).with_memory(*memory, *reserve).with_limits(limits);
        lab.node.add_host(host).unwrap();
    }
    lab
}

fn spawn(node: &Node, host: &str, source: &str) -> Handle {
    let entry = EntryId::new(format!("app:{}", source.len()));
    node.define(Definition::new(entry.clone(), Chunk::new("@main.lua", source)));
    node.spawn(SpawnRequest::new(entry, HostId::new(host))).unwrap()
}

fn check(node: &Node, host: &str, source: &str, expect: Expect) {
    expect.assert_eq(&show_outcome(&spawn(node, host, source).wait_blocking()));
    // An end is told before its memory is given back.
    while node.instance_count() > node.process_count() {
        std::thread::yield_now();
    }
}

/// Everything is given back.
fn settle(node: &Node, reserves: u64) {
    while node.instance_count() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(node.usage().of("node.memory").unwrap().used, reserves);
}

const SLEEPER: &str = "return { main = function() process.inbox():receive() end }";

#[test]
fn children_end_at_the_budget_of_their_host() {
    let lab = lab(u64::MAX, &[("app:small", 16 * MIB, 0), ("app:large", u64::MAX, 0)]);
    let node = &lab.node;
    node.define(Definition::new(EntryId::new("app:child"), Chunk::new("@child.lua", SLEEPER)));
    let parent = r#"return { main = function(host)
        local count = 0
        while true do
            local pid, err = process.spawn("app:child", "app:small")
            if err then return { tostring(err), err:kind(), err:details().limit, err:retryable(), count } end
            count = count + 1
            if count > 1000 then return "no end" end
        end
    end }"#;
    check(
        node,
        "app:large",
        parent,
        expect![[
            r#"=> {"host `app:small` is at its memory budget of 16777216 bytes", "ResourceExhausted", "host.memory", false, 63}"#
        ]],
    );
    for pid in node.pids() {
        node.terminate(&pid).unwrap();
    }
    settle(node, 0);
}

#[test]
fn memory_ends_at_the_budget_as_at_the_process_own_limit() {
    let lab = lab(u64::MAX, &[("app:small", 12 * MIB, 0)]);
    let node = &lab.node;
    check(
        node,
        "app:small",
        r#"return { main = function()
            local ok, err = pcall(function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end)
            return { ok, err, #("y"):rep(1 << 20) }
        end }"#,
        expect![[r#"=> {false, "not enough memory", 1048576}"#]],
    );
    check(
        node,
        "app:small",
        r#"return { main = function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end }"#,
        expect![[
            r#"failed ResourceExhausted: not enough memory: host `app:small` is at its memory budget of 12582912 bytes {"limit" = "host.memory"}"#
        ]],
    );
    settle(node, 0);
}

#[test]
fn who_stays_within_its_reserve_never_pays_for_the_others() {
    let lab = lab(40 * MIB, &[("app:greedy", u64::MAX, 0), ("app:quiet", u64::MAX, 8 * MIB)]);
    let node = &lab.node;
    let greedy = spawn(
        node,
        "app:greedy",
        r#"return { main = function()
            local t = {}
            pcall(function() while true do t[#t + 1] = ("x"):rep(100000) .. #t end end)
            process.send(process.pid(), "full", 1)
            process.listen("full"):receive()
            process.inbox():receive()
        end }"#,
    );
    assert!(block_on(greedy.started()));
    check(node, "app:quiet", r#"return { main = function() return #("y"):rep(3 << 20) end }"#, expect!["=> 3145728"]);
    node.terminate(greedy.pid()).unwrap();
    settle(node, 8 * MIB);
}

#[test]
fn a_mailbox_is_charged_to_its_receivers_host() {
    let lab = lab(u64::MAX, &[("app:small", MIB, 0), ("app:large", u64::MAX, 0)]);
    let node = &lab.node;
    let receiver = spawn(node, "app:small", "return { main = function() local t = 0 while true do t = t + 1 end end }");
    let sender = r#"return { main = function(to)
        local count = 0
        while true do
            local ok, err = process.send(to, "t", ("x"):rep(100000))
            if err then return { tostring(err), err:kind(), err:retryable(), count } end
            count = count + 1
        end
    end }"#;
    node.define(Definition::new(EntryId::new("app:sender"), Chunk::new("@sender.lua", sender)));
    let request = SpawnRequest::new(EntryId::new("app:sender"), HostId::new("app:large"));
    let sender = node.spawn(request.with_arguments(vec![Value::from(receiver.pid().as_str())])).unwrap();
    expect![[
        r#"=> {"mailbox can't hold more: host `app:small` is at its memory budget of 1048576 bytes", "RateLimited", true, 7}"#
    ]]
    .assert_eq(&show_outcome(&sender.wait_blocking()));
    node.terminate(receiver.pid()).unwrap();
    settle(node, 0);
}

#[test]
fn arguments_count_until_they_are_delivered() {
    let lab = lab(u64::MAX, &[("app:small", u64::MAX, 0)]);
    let node = &lab.node;
    // The new incarnation has fresh memory: what is held then is what is kept of the arguments, and of the message.
    let source = r#"return { main = function(text)
        if #text > 1 then process.upgrade(nil, "x") end
        process.inbox():receive()
    end }"#;
    let entry = EntryId::new("app:main");
    node.define(Definition::new(entry.clone(), Chunk::new("@main.lua", source)));
    let large = Value::from("x".repeat(1_000_000).as_str());
    let spawned = |argument| {
        let request = SpawnRequest::new(entry.clone(), HostId::new("app:small")).with_arguments(vec![argument]);
        let handle = node.spawn(request).unwrap();
        assert!(block_on(handle.started()));
        while node.waiting_count() == 0 {
            std::thread::yield_now();
        }
        let used = node.usage().of("node.memory").unwrap().used;
        node.terminate(handle.pid()).unwrap();
        settle(node, 0);
        used
    };
    assert_eq!(spawned(large), spawned(Value::from("x")));
}

#[test]
fn a_service_that_comes_back_finds_the_place_and_the_memory_that_are_kept() {
    let lab = lab(u64::MAX, &[("app:small", 8 * MIB, 0)]);
    let node = &lab.node;
    let small = HostId::new("app:small");
    node.keep_place(&small).unwrap();
    node.define(Definition::new(EntryId::new("app:child"), Chunk::new("@child.lua", SLEEPER)));
    // The service fills the host with children, and ends.
    check(
        node,
        "app:small",
        r#"return { main = function()
            local count = 0
            while true do
                local pid, err = process.spawn("app:child", "app:small")
                if err then return err:details().limit end
            end
        end }"#,
        expect![[r#"=> "host.memory""#]],
    );
    let service = spawn(
        node,
        "app:small",
        r#"return { main = function() local t = ("x"):rep(1 << 20) process.inbox():receive() end }"#,
    );
    assert!(block_on(service.started()));
    for pid in node.pids() {
        node.terminate(&pid).unwrap();
    }
    settle(node, 0);
}

#[test]
fn one_node_ends_at_its_budget_and_its_neighbour_goes_on() {
    let hosts = [("app:h", u64::MAX, 0)];
    let (small, other) = (lab(12 * MIB, &hosts), lab(u64::MAX, &hosts));
    let (small, other) = (&small.node, &other.node);
    let hog = r#"return { main = function() return #("y"):rep(16 << 20) end }"#;
    check(
        small,
        "app:h",
        hog,
        expect![[
            r#"failed ResourceExhausted: not enough memory: the node is at its memory budget of 12582912 bytes {"limit" = "node.memory"}"#
        ]],
    );
    check(other, "app:h", hog, expect!["=> 16777216"]);
    settle(small, 0);
    settle(other, 0);
}

#[test]
fn who_logs_little_is_heard_beside_who_logs_without_end() {
    let began = Instant::now();
    let lab = Lab::made(Limits::default(), PROCESSES, |config| config.with_log_bytes(100_000));
    let node = &lab.node;
    let hog = r#"return { main = function()
        local logger = require("logger")
        while true do for i = 1, 100 do logger:info(("x"):rep(1000)) end time.sleep("1ms") end
    end }"#;
    let hogs: Vec<Handle> = (0..5).map(|_| spawn(node, HOST, hog)).collect();
    for hog in &hogs {
        assert!(block_on(hog.started()));
    }
    let quiet = r#"return { main = function()
        local logger = require("logger")
        for i = 1, 200 do logger:info("quiet " .. i) time.sleep("1ms") end
    end }"#;
    assert_eq!(show_outcome(&spawn(node, HOST, quiet).wait_blocking()), "=> nil");
    for hog in &hogs {
        node.terminate(hog.pid()).unwrap();
    }
    settle(node, 0);
    let lines = lab.logged();
    let quiet: Vec<&String> = lines.iter().filter(|line| line.contains(" quiet ")).collect();
    assert_eq!(quiet.len(), 200);
    // Five of them may write five thousand lines a second by their own limits.
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 2;
    assert!(lines.len() - 200 <= seconds * 200, "{} in {seconds} s", lines.len());
}

#[test]
fn names_and_topics_are_charged_to_the_host_and_given_back() {
    let lab = lab(u64::MAX, &[("app:small", MIB / 2, 0)]);
    let node = &lab.node;
    check(
        node,
        "app:small",
        r#"return { main = function()
            local function fill(act)
                for i = 1, 1024 do
                    local ok, err = act(("x"):rep(250) .. i)
                    if err then return { err:kind(), err:details().limit, i > 100 } end
                end
            end
            local names = fill(process.registry.register)
            -- What is charged for names goes by steps.
            local topics = fill(process.listen)
            local held = process.limits().names.used
            for i = 1, held do process.registry.unregister(("x"):rep(250) .. i) end
            return { names, topics, process.registry.register("after") }
        end }"#,
        expect![[
            r#"=> {{"ResourceExhausted", "host.memory", true}, {"ResourceExhausted", "host.memory", false}, true}"#
        ]],
    );
    settle(node, 0);
}

#[test]
fn a_name_that_is_given_away_is_charged_to_who_gets_it() {
    let lab = lab(u64::MAX, &[("app:small", u64::MAX, 0), ("app:large", u64::MAX, 0)]);
    let node = &lab.node;
    let receiver = spawn(node, "app:small", SLEEPER);
    assert!(block_on(receiver.started()));
    let of = |host| node.host_usage(&HostId::new(host)).unwrap().of("host.memory").unwrap().used;
    let before = of("app:small");
    let giver = r#"return { main = function(to)
        for i = 1, 1000 do assert(process.registry.register(("x"):rep(240) .. i, to)) end
        local ok, err = process.registry.register("one", to)
        for i = 1, 100 do assert(process.registry.register(("x"):rep(240) .. 1, to)) end
    end }"#;
    node.define(Definition::new(EntryId::new("app:giver"), Chunk::new("@giver.lua", giver)));
    let request = SpawnRequest::new(EntryId::new("app:giver"), HostId::new("app:large"));
    let giver = node.spawn(request.with_arguments(vec![Value::from(receiver.pid().as_str())])).unwrap();
    assert_eq!(show_outcome(&giver.wait_blocking()), "=> nil");
    // 240 bytes and what a name costs beside them, in steps of 64 KiB beyond 16.
    let grown = of("app:small") - before;
    assert!((400_000..550_000).contains(&grown), "{grown}");
    node.terminate(receiver.pid()).unwrap();
    settle(node, 0);
}
