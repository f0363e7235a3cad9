//! One process can't touch another, also not through the slot it leaves behind.

use lunarium_engine::{Limits, Value};
use lunarium_tests::{Lab, show_outcome};

#[test]
fn a_trap_or_a_kill_in_one_process_takes_nobody_down() {
    let lab = Lab::new(Limits { memory: 2 << 20, ..Limits::default() });
    lab.define(
        r#"
-- entry: neighbour
return { main = function() for _ = 1, 50 do time.sleep("1ms") end return "well" end }
-- entry: hog
return { main = function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end }
-- entry: deep
return { main = function() local function f(n) return 1 + f(n) end return f(1) end }
-- entry: cdeep
return { main = function() local function f(s) return (s:gsub("x", f)) end return f("x") end }
-- entry: nested
return { main = function() return load(("("):rep(100000) .. "1" .. (")"):rep(100000)) end }
-- entry: tostring
return { main = function() local t = setmetatable({}, {}) getmetatable(t).__tostring = function(v) return tostring(v) end return tostring(t) end }
-- entry: unpack
return { main = function() return table.unpack({}, 1, 1e8) end }
-- entry: concat
return { main = function() return #table.concat(setmetatable({}, { __len = function() return 1 << 40 end })) end }
-- entry: format
return { main = function() return string.format("%99.99f%99d", 1e300, 1) end }"#,
    );
    let neighbour = lab.spawn("neighbour", Vec::new());
    for name in ["hog", "deep", "cdeep", "nested", "tostring", "unpack", "concat", "format"] {
        let outcome = show_outcome(&lab.spawn(name, Vec::new()).wait_blocking());
        assert!(!outcome.contains("trap") && !outcome.contains("bug"), "{name}: {outcome}");
    }
    assert_eq!(show_outcome(&neighbour.wait_blocking()), "=> \"well\"");
    lab.settle();
}

#[test]
fn a_recycled_slot_holds_nothing_of_its_last_process() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: secret
return { main = function()
    local keep = {}
    for i = 1, 2000 do keep[i] = "top-secret-" .. i .. ("s"):rep(100) end
    process.send(process.pid(), "x", keep)
    return #keep
end }
-- entry: fresh
return { main = function()
    -- All a script can see of memory is what it allocates: strings and buffers are always written before they are read,
    -- so look at the whole instance from outside instead: it has the size of a fresh one.
    process.inbox():receive()
end }"#,
    );
    let fresh = lab.spawn("fresh", Vec::new());
    let fresh = lab.node.at_rest_blocking(fresh.pid()).expect("it waits");
    for _ in 0..20 {
        assert_eq!(show_outcome(&lab.spawn("secret", Vec::new()).wait_blocking()), "=> 2000");
    }
    let reused = lab.spawn("fresh", Vec::new());
    assert_eq!(lab.node.at_rest_blocking(reused.pid()).expect("it waits"), fresh);
}

#[test]
fn ten_thousand_spawns_and_ends_leave_nothing_behind() {
    let lab = Lab::default();
    let outcome = lab.run(
        r#"
return { main = function()
    local events, open = process.events(), 0
    for i = 1, 10000 do
        assert(process.spawn_monitored("app:child", "app:processes", i))
        open = open + 1
        if open == 50 then events:receive() open = open - 1 end
    end
    for _ = 1, open do events:receive() end
    return process.registry.lookup("child 10000")
end }
-- entry: child
return { main = function(i)
    process.registry.register("child " .. i)
    process.link(process.spawn("app:grandchild", "app:processes"))
end }
-- entry: grandchild
return { main = function() end }"#,
    );
    assert_eq!(show_outcome(&outcome), "failed NotFound: name `child 10000` not found");
    lab.settle();
}

#[test]
fn a_kill_storm_leaves_nothing_behind() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: child
return { main = function(parent)
    process.registry.register("name " .. process.pid())
    time.after("1h")
    process.spawn_linked("app:child2", "app:processes")
    while true do process.send(parent, "x", 1) end
end }
-- entry: child2
return { main = function() while true do time.sleep("1ms") end end }"#,
    );
    let sink = lab.spawn("child2", Vec::new());
    for _ in 0..10 {
        let target = Value::from(sink.pid().as_str());
        let handles: Vec<_> = (0..50).map(|_| lab.spawn("child", vec![target.clone()])).collect();
        for handle in handles {
            lab.node.terminate(handle.pid()).expect("it runs");
        }
    }
    lab.node.terminate(sink.pid()).expect("it lives");
    lab.settle();
}
