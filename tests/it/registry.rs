//! Names: who holds one, and until when.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn a_name_leads_to_its_holder() {
    check_main(
        r#"
        local r, me = process.registry, process.pid()
        print(r.register("me"))
        print(r.lookup("me"))
        print(r.register("me"))
        print(r.register("me", me))
        print(r.register("also me"))
        print(r.lookup("also me") == r.lookup("me"))
        local child = spawn("waits")
        print(r.register("child", child))
        print(r.lookup("child") == child)
        print(kind(r.lookup("nobody")))
        "#,
        expect![[r#"
            true	nil
            {app:processes|0x00001}	nil
            true	nil
            true	nil
            true	nil
            true
            true	nil
            true
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn a_held_name_already_exists_for_others() {
    check_main(
        r#"
        local r, child = process.registry, spawn("waits")
        print(r.register("mine"))
        print(kind(r.register("mine", child)))
        print(r.register("its", child))
        print(kind(r.register("its")))
        print(exit_of("tries").error:kind())
        print(r.lookup("mine"))
-- entry: tries
return { main = function() return process.registry.register("mine") end }
        "#,
        expect![[r#"
            true	nil
            nil	AlreadyExists
            true	nil
            nil	AlreadyExists
            AlreadyExists
            {app:processes|0x00001}	nil
            => nil
        "#]],
    );
}

#[test]
fn a_dead_process_gets_no_name() {
    check_main(
        r#"
        local r = process.registry
        print(kind(r.register("ghost", exit_of("gives").from)))
        print(kind(r.register("ghost", "{app:processes|0x09999}")))
        print(kind(r.lookup("ghost")))
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            nil	NotFound
            => nil
        "#]],
    );
}

#[test]
fn unregister_tells_whether_somebody_held_it() {
    check_main(
        r#"
        local r = process.registry
        r.register("mine")
        print((r.unregister("mine")))
        print((r.unregister("mine")))
        print((r.unregister("never")))
        print(kind(r.lookup("mine")))
        print(r.register("mine", spawn("waits")))
        "#,
        expect![[r#"
            true
            false
            false
            nil	NotFound
            true	nil
            => nil
        "#]],
    );
}

#[test]
fn names_are_freed_when_their_holder_ends() {
    check_main(
        r#"
        local r = process.registry
        local pid = process.spawn_monitored("app:waits", "app:processes")
        r.register("one", pid) r.register("two", pid)
        process.send(pid, "t")
        process.events():receive()
        print(kind(r.lookup("one")))
        print(kind(process.send("two", "t")))
        print(r.register("one"), r.register("two"))
        -- Who registered it for another does not hold it.
        print(exit_of("registers", spawn("waits")).result)
        print(r.lookup("for another"))
-- entry: registers
return { main = function(other) return process.registry.register("for another", other) end }
        "#,
        expect![[r#"
            nil	NotFound
            nil	NotFound
            true	true	nil
            true
            {app:processes|0x00003}	nil
            => nil
        "#]],
    );
}

#[test]
fn every_call_takes_a_name_for_a_pid() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        process.registry.register("child", spawn("waits"))
        print(process.monitor("child"), process.link("child"))
        print(process.unmonitor("child"), process.unlink("child"))
        print(process.monitor("child"), process.link("child"))
        print(process.cancel("child"), process.send("child", "t", "named"))
        print(process.events():receive().result)
        "#,
        expect![[r#"
            true	true	nil
            true	true	nil
            true	true	nil
            true	true	nil
            named
            => nil
        "#]],
    );
}

#[test]
fn a_name_is_any_text_but_a_pids() {
    check_main(
        r#"
        local r = process.registry
        for _, name in ipairs { " ", "a b", "\u{65e5}\u{672c}", "@x", "{", "a.b:c/d", "\0" } do
            assert(r.register(name), name)
            assert(r.lookup(name) == process.pid(), name)
            assert(process.send(name, "t", name))
            assert(process.listen("t"):receive() == name)
        end
        "#,
        expect![[r#"
            => nil
        "#]],
    );
}

#[test]
fn ones_own_name_is_oneself() {
    check_main(
        r#"
        process.registry.register("me")
        print(kind(process.monitor("me")))
        print(kind(process.link("me")))
        print(process.unmonitor("me"), process.unlink("me"))
        print(process.send("me", "t", "to myself"), process.listen("t"):receive())
        "#,
        expect![[r#"
            nil	Invalid
            nil	Invalid
            true	true	nil
            true	to myself	true
            => nil
        "#]],
    );
}
