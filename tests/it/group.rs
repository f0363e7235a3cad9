//! Groups: who is in one, who gets what is sent to it, who is told of changes, and what all of that may cost.

use expect_test::expect;
use lunarium_engine::{EntryId, Limits, Pattern, Policy, PolicyEffect};
use lunarium_tests::{Lab, transcript_in};

use crate::check::check_main;

/// Entries that join.
const JOINS: &str = "
-- entry: joins
return { main = function(group, parent)
    local ok, err = process.group.join(group)
    if parent then process.send(parent, 'joined', ok, err and err:kind()) end
    local msg = process.inbox():receive()
    if parent then process.send(parent, 'got', msg:topic(), msg:payload(), msg:from()) end
    process.inbox():receive()
end }
";

#[test]
fn whoever_has_joined_gets_what_is_sent() {
    check_main(
        &format!(
            r#"
        local group, me = process.group, process.pid()
        local inbox = process.inbox()
        local a, b = process.spawn("app:joins", "app:processes", "g", me), process.spawn("app:joins", "app:processes", "g", me)
        inbox:receive() inbox:receive()
        local members = group.members("g")
        print(#members, members[1] == a, members[2] == b)
        print(group.send("g", "t", "hello"))
        for _ = 1, 2 do
            local got = inbox:receive():payload()
            print(got[1], got[2], got[3] == me)
        end
        process.terminate(a)
        print(#group.members("g"), group.send("g", "t"))
        print(group.join("g"), group.join("g"), #group.members("g"))
        print(group.leave("g"), #group.members("g"))
        print(#group.members("nobody's"), group.send("nobody's", "t"))
        {JOINS}"#
        ),
        expect![[r#"
            2	true	true
            2	nil
            t	hello	true
            t	hello	true
            1	1	nil
            true	true	2
            true	1
            0	0	nil
            => nil
        "#]],
    );
}

#[test]
fn a_monitor_tells_of_joins_and_ends() {
    check_main(
        &format!(
            r#"
        local changes, members = process.group.monitor("g")
        print(#members)
        local pid = process.spawn("app:joins", "app:processes", "g")
        local change = changes:receive()
        print(change.group, #change.joined, change.joined[1] == pid, #change.left)
        process.terminate(pid)
        change = changes:receive()
        print(#change.joined, change.left[1] == pid)
        print(process.group.unmonitor(changes), changes:receive())
        {JOINS}"#
        ),
        expect![[r#"
            0
            g	1	true	0
            0	true
            true	nil	false
            => nil
        "#]],
    );
}

#[test]
fn it_stays_in_its_groups_when_it_goes_on_as_another_program() {
    check_main(
        r#"
        local changes = process.group.monitor("g")
        local pid = process.spawn("app:first", "app:processes", process.pid())
        print(changes:receive().joined[1] == pid)
        print(process.inbox():receive():topic(), process.group.members("g")[1] == pid)
-- entry: first
return { main = function(parent)
    process.group.join("g")
    process.group.monitor("other")
    process.upgrade("app:second", parent)
end }
-- entry: second
return { main = function(parent)
    process.send(parent, "second")
    process.inbox():receive()
end }
        "#,
        expect![[r#"
            true
            second	true
            => nil
        "#]],
    );
}

#[test]
fn limits_are_named() {
    let lab = Lab::new(Limits { groups: 2, ..Limits::default() });
    let text = transcript_in(
        &lab,
        r#"
        local group = process.group
        local function told(value, err) print(value, err and err:kind(), err and err:details() and err:details().limit, err) end
        told(group.join("a")) told(group.join("b")) told(group.join("c"))
        print(process.limits().groups.used, process.limits().groups.limit)
        group.leave("b")
        local changes = group.monitor("a")
        time.sleep("1ms")
        print(process.limits().groups.used)
        -- No room to watch: its channel is closed.
        local more = group.monitor("b")
        print(more:receive())
        told(group.send("a", "t", ("x"):rep(1 << 20)))
        return function() end
        "#,
    );
    expect![[r#"
        true	nil	nil	nil
        true	nil	nil	nil
        nil	ResourceExhausted	groups	{app:processes|0x00001} is at its limit of 2 groups that it is in or watches
        2	2
        2
        nil	false
        nil	Invalid	nil	payload exceeds the message limit of 1048576 bytes
        => nil
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_message_to_many_is_bounded_by_its_bytes() {
    check_main(
        &format!(
            r#"
        local me = process.pid()
        local inbox = process.inbox()
        for i = 1, 300 do process.spawn("app:joins", "app:processes", "g", i == 300 and me) end
        inbox:receive()
        while #process.group.members("g") < 300 do time.sleep("1ms") end
        print(#process.group.members("g"))
        local sent, err = process.group.send("g", "t", ("x"):rep(300000))
        print(sent, err:kind(), err:details().limit)
        print(err)
        -- In two pieces.
        print(process.group.send("g", "t", "small"))
        print(inbox:receive():payload()[2])
        {JOINS}"#
        ),
        expect![[r#"
            300
            nil	ResourceExhausted	group.bytes
            payload of 300005 bytes to 300 members of group `g` exceeds the limit of 67108864 bytes
            300	nil
            small
            => nil
        "#]],
    );
}

#[test]
fn policies_decide_who_joins_and_who_is_sent_to() {
    let lab = Lab::new(Limits::default());
    let policy = |id: &str, action: &str, resource: &str| Policy {
        id: EntryId::new(id),
        effect: PolicyEffect::Allow,
        actions: vec![Pattern::parse(action).unwrap()],
        resources: vec![Pattern::parse(resource).unwrap()],
        conditions: Vec::new(),
    };
    for policy in [policy("app:joins_ours", "process.group.join", "ours.*"), policy("app:sends", "process.send", "*")] {
        lab.node.define_policy(policy, &[]);
    }
    let text = transcript_in(
        &lab,
        r#"
        local function run(...)
            local ids = {}
            for i, id in ipairs { ... } do ids[i] = security.policy(id) end
            local spawner = process.with_context({}):with_scope(security.new_scope(ids))
            print(spawner:exec("app:tries", "app:processes"))
        end
        process.group.join("ours.all")
        run() run("app:joins_ours") run("app:sends", "app:joins_ours")
        return function() end
        -- entry: tries
        return { main = function()
            local group, told = process.group, {}
            for _, name in ipairs { "ours.all", "theirs" } do
                local ok, err = group.join(name)
                told[#told + 1] = ok and "in" or err:message()
            end
            return table.concat(told, "; ") .. "; " .. group.send("ours.all", "t")
        end }
        "#,
    );
    expect![[r#"
        permission `process.group.join` on `ours.all` is missing; permission `process.group.join` on `theirs` is missing; 0	nil
        in; permission `process.group.join` on `theirs` is missing; 0	nil
        in; permission `process.group.join` on `theirs` is missing; 2	nil
        => nil
    "#]].assert_eq(&text);
}
