//! Who a process is: its pid and its frame id.

use expect_test::expect;
use lunarium_tests::{Lab, show_outcome};

use crate::check::check_main;

#[test]
fn a_pid_is_its_host_and_the_next_number_of_the_node() {
    check_main(
        r#"
        print(process.pid())
        for _ = 1, 8 do spawn("waits") end
        print(spawn("waits"))
        for _ = 1, 10 do process.terminate(spawn("waits")) end
        print(spawn("waits"))
        return process.pid() == process.pid()
        "#,
        expect![[r#"
            {app:processes|0x00001}
            {app:processes|0x0000a}
            {app:processes|0x00015}
            => true
        "#]],
    );
}

#[test]
fn a_pid_is_a_plain_string() {
    check_main(
        r#"
        local me = process.pid()
        local known = { [me] = "me" }
        process.send(me, "pid", me)
        local received = process.listen("pid"):receive()
        return type(me) .. " " .. known[received]
        "#,
        expect![[r#"
            => "string me"
        "#]],
    );
}

#[test]
fn the_child_sees_the_pid_that_spawn_returned() {
    check_main(
        r#"
        local pid = process.spawn_monitored("app:child", "app:processes")
        return process.events():receive().result.value == pid
-- entry: child
return { main = function() return process.pid() end }
        "#,
        expect![[r#"
            => true
        "#]],
    );
}

#[test]
fn a_frame_id_names_the_entry_and_the_chain() {
    check_main(
        r#"
        local entry, chain = process.id():match("^(.-)#(.+)$")
        local child_entry, child_chain = exit_of("child").result.value:match("^(.-)#(.+)$")
        local grandchild_entry, grandchild_chain = exit_of("parent").result.value:match("^(.-)#(.+)$")
        print(entry, child_entry, grandchild_entry)
        return chain == child_chain and chain == grandchild_chain
-- entry: child
return { main = function() return process.id() end }
-- entry: parent
return { main = function()
    process.spawn_monitored("app:child", "app:processes")
    return process.events():receive().result.value
end }
        "#,
        expect![[r#"
            app:main	app:child	app:child
            => true
        "#]],
    );
}

#[test]
fn each_root_process_begins_a_chain() {
    let lab = Lab::default();
    lab.define("return function() return (process.id():match('^app:main#(.+)$')) end");
    let first = show_outcome(&lab.spawn("main", Vec::new()).wait_blocking());
    let second = show_outcome(&lab.spawn("main", Vec::new()).wait_blocking());
    assert!(first.starts_with("=> \""), "{first}");
    assert_ne!(first, second);
}
