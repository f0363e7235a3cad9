//! The programs of the four guides, as far as one process shows them: word for word, the others played by the fake host.

use expect_test::expect;

use super::*;
use crate::host::{Ended, ErrorKind, Failure, Outcome};

fn child_ends(case: &Case, outcome: Outcome) {
    *case.host.child.borrow_mut() = Some(outcome);
}

fn fails() -> Outcome {
    Outcome::Failed(Failure {
        kind: ErrorKind::Internal,
        message: "boom".to_owned(),
        retryable: false,
        details: None,
        stack: None,
    })
}

#[test]
fn receive_by_topic() {
    let program = r#"
local function main()
    local ch = process.listen("messages")

    local msg = ch:receive()
    if msg then
        -- msg is the payload directly
        print("Received:", msg)
        return true
    end

    return false
end

return { main = main }"#;
    Case::new(program).message(Some(PEER), "messages", b"\xa5hello").check(expect![[r#"
        Received:	hello
        => true
    "#]]);
}

#[test]
fn receive_by_inbox() {
    let program = r#"
local function main()
    local inbox_ch = process.inbox()
    local specific_ch = process.listen("specific_topic")

    while true do
        local result = channel.select({
            specific_ch:case_receive(),
            inbox_ch:case_receive()
        })

        if result.channel == specific_ch then
            -- Messages to "specific_topic" arrive here
            local payload = result.value
        elseif result.channel == inbox_ch then
            -- Messages to ANY OTHER topic arrive here
            local msg = result.value
            print("Inbox got:", msg.topic, msg.payload)
        end
    end
end
return { main = main }"#;
    Case::new(program)
        .message(Some(PEER), "specific_topic", b"\x01")
        .message(Some(PEER), "other", b"\xa5hello")
        .message(None, "nobody's", b"\x07")
        .check(expect![[r#"
            Inbox got:	other	hello
            Inbox got:	nobody's	7
            -- waits; unread 0 (0 bytes)
        "#]]);
}

#[test]
fn echo_to_the_sender() {
    let program = r#"
-- Worker that echoes messages back to sender
local function main()
    local ch = process.listen("echo", { message = true })

    local msg = ch:receive()
    if msg then
        local sender = msg:from()
        local payload = msg:payload()

        if sender then
            process.send(sender, "reply", payload)
        end
        return true
    end

    return false
end

return { main = main }"#;
    let case = Case::new(program).message(Some(PEER), "echo", b"\x93\x01\x02\x03");
    case.host.log_sends.set(true);
    case.check(expect![[r#"
        -- send reply [1, 2, 3] (unread 0, 0)
        => true
    "#]]);
}

#[test]
fn spawn_and_send() {
    let case = Case::body(
        r#"
local pid, err = process.spawn("app.test.process:echo_worker", "app:processes", "hello")
if err then
    return false, "spawn failed: " .. err
end

-- pid is a string identifier for the spawned process
print("Started worker:", pid)

local worker_pid = pid
local sent, err = process.send(worker_pid, "messages", "hello from parent")
if err then
    return false, "send failed: " .. err
end
local my_pid = process.pid()
"#,
    );
    case.host.log_sends.set(true);
    case.check(expect![[r#"
        -- spawn app.test.process:echo_worker app:processes ["hello"] false false
        Started worker:	{app:processes|0x00002}
        -- send messages "hello from parent" (unread 0, 0)
        => nil
    "#]]);
}

const MONITOR: &str = r#"
local events_ch = process.events()

local worker_pid, err = process.spawn_monitored(
    "app.test.process:events_exit_worker",
    "app:processes"
)
if err then
    return false, "spawn failed: " .. err
end

-- Wait for EXIT event
local timeout = time.after("3s")
local result = channel.select {
    events_ch:case_receive(),
    timeout:case_receive(),
}

if result.channel == timeout then
    return false, "timeout waiting for EXIT event"
end

local event = result.value
if event.kind == process.event.EXIT then
    print("Worker exited:", event.from)
    if event.error then
        print("Exit error:", event.error)
    end
    -- Access return value via event.result
    print(event.result, event.at)
end
"#;

#[test]
fn monitor_a_child() {
    let case = Case::body(MONITOR);
    child_ends(&case, Outcome::Completed(b"\xa4done".to_vec()));
    case.check(expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        Worker exited:	{app:processes|0x00002}
        done	12.5
        => nil
    "#]]);
    let case = Case::body(MONITOR);
    child_ends(&case, fails());
    case.check(expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        Worker exited:	{app:processes|0x00002}
        Exit error:	boom
        boom	12.5
        => nil
    "#]]);
    Case::body(MONITOR).check(expect![[r#"
        -- spawn app.test.process:events_exit_worker app:processes [] true false
        !! ErrorKind::Internal: timeout waiting for EXIT event
    "#]]);
}

const TRAP: &str = r#"
local function main()
    -- Enable trap_links to receive LINK_DOWN events instead of crashing
    local ok, err = process.set_options({ trap_links = true })
    if not ok then
        return false, "set_options failed: " .. err
    end

    -- Verify trap_links is enabled
    local opts = process.get_options()
    if not opts.trap_links then
        return false, "trap_links should be true"
    end

    local events_ch = process.events()

    -- Spawn a linked process that will fail
    local error_pid, err2 = process.spawn_linked(
        "app.test.process:error_exit_worker",
        "app:processes"
    )
    if err2 then
        return false, "spawn error worker failed: " .. err2
    end

    -- Wait for LINK_DOWN event
    local timeout = time.after("2s")
    local result = channel.select {
        events_ch:case_receive(),
        timeout:case_receive(),
    }

    if result.channel == timeout then
        return false, "timeout waiting for LINK_DOWN"
    end

    local event = result.value
    if event.kind == process.event.LINK_DOWN then
        print("Linked process died:", event.from)
        -- Handle gracefully instead of crashing
        return true
    end

    return false, "expected LINK_DOWN, got: " .. tostring(event.kind)
end

return { main = main }"#;

#[test]
fn trap_links() {
    let case = Case::new(TRAP);
    child_ends(&case, fails());
    case.check(expect![[r#"
        -- spawn app.test.process:error_exit_worker app:processes [] false true
        Linked process died:	{app:processes|0x00002}
        => true
    "#]]);
    Case::new(TRAP).check(expect![[r#"
        -- spawn app.test.process:error_exit_worker app:processes [] false true
        !! ErrorKind::Internal: timeout waiting for LINK_DOWN
    "#]]);
}

#[test]
fn names() {
    let program = r#"
local function main()
    local test_name = "my_service_" .. tostring(os.time())

    -- Register current process with a name
    local ok, err = process.registry.register(test_name)
    if err then
        return false, "register failed: " .. err
    end

    -- Lookup the registered name
    local pid, lookup_err = process.registry.lookup(test_name)
    if lookup_err then
        return false, "lookup failed: " .. lookup_err
    end

    -- Verify it resolves to our PID
    if pid ~= process.pid() then
        return false, "lookup returned wrong pid"
    end
    local unregistered = process.registry.unregister(test_name)
    if not unregistered then
        print("Name was not registered")
    end

    -- Lookup after unregister returns nil + error
    local pid, err = process.registry.lookup(test_name)
    -- pid will be nil, err will be non-nil
    print(pid, err ~= nil)
    return true
end

return { main = main }"#;
    Case::new(program).check(expect![[r#"
        nil	true
        => true
    "#]]);
}

#[test]
fn a_pool_of_workers() {
    let program = r#"
-- Parent process
local time = require("time")

local function main()
    local events_ch = process.events()

    -- Track spawned workers
    local workers = {}
    local worker_count = 1

    -- Spawn multiple monitored workers
    for i = 1, worker_count do
        local worker_pid, err = process.spawn_monitored(
            "app.test.process:task_worker",
            "app:processes",
            { task_id = i, value = i * 10 }
        )

        if err then
            return false, "spawn worker " .. i .. " failed: " .. err
        end

        workers[worker_pid] = { task_id = i, started = os.time() }
    end

    -- Wait for all workers to complete
    local completed = 0
    local timeout = time.after("10s")

    while completed < worker_count do
        local result = channel.select {
            events_ch:case_receive(),
            timeout:case_receive(),
        }

        if result.channel == timeout then
            return false, "timeout waiting for workers"
        end

        local event = result.value
        if event.kind == process.event.EXIT then
            local worker = workers[event.from]
            if worker then
                if event.error then
                    print("Worker " .. worker.task_id .. " failed:", event.error)
                else
                    print("Worker " .. worker.task_id .. " completed:", event.result)
                end
                completed = completed + 1
            end
        end
    end

    return true
end

return { main = main }"#;
    let case = Case::new(program);
    child_ends(&case, Outcome::Completed(b"\x14".to_vec()));
    case.check(expect![[r#"
        -- spawn app.test.process:task_worker app:processes [{"task_id": 1, "value": 10}] true false
        Worker 1 completed:	20
        => true
    "#]]);
    let case = Case::new(program);
    child_ends(&case, fails());
    case.check(expect![[r#"
        -- spawn app.test.process:task_worker app:processes [{"task_id": 1, "value": 10}] true false
        Worker 1 failed:	boom
        => true
    "#]]);
    let worker = r#"
local time = require("time")

local function main(task)
    -- Simulate work
    time.sleep("100ms")

    -- Process task
    local result = task.value * 2

    return result
end

return { main = main }"#;
    Case::new(worker).arguments(b"\x91\x81\xa5value\x0a").check(expect![[r#"
        => 20
    "#]]);
}

#[test]
fn events_read_as_the_reference_says() {
    Case::body(
        "local events = process.events()
        for i = 1, 4 do
          local e = events:receive()
          print(e.kind, e.from, e.at, e.deadline, e.error, e.result and e.result.value, e.other)
          if e.result then print('result: ' .. e.result, e.result .. '!', tostring(e.result)) end
        end",
    )
    .event(Event::Exit(Ended { sender: PEER.to_owned(), at: 1.5, outcome: Outcome::Completed(b"\x2a".to_vec()) }))
    .event(Event::LinkDown(Ended { sender: PEER.to_owned(), at: 2.0, outcome: fails() }))
    .event(Event::Cancel(Cancel { sender: None, at: 3.0, deadline: None }))
    .event(Event::Cancel(Cancel { sender: Some(PEER.to_owned()), at: 4.0, deadline: Some(1_767_323_045_250_000_000) }))
    .check(expect![[r#"
        pid.exit	{app:processes|0x00002}	1.5	nil	nil	42	nil
        result: 42	42!	42
        pid.link.down	{app:processes|0x00002}	2.0	nil	boom	nil	nil
        result: boom	boom!	boom
        pid.cancel	nil	3.0	nil	nil	nil	nil
        pid.cancel	{app:processes|0x00002}	4.0	2026-01-02T03:04:05.25Z	nil	nil	nil
        => nil
    "#]]);
}

use crate::host::Cancel;
