//! The module `process`, as far as it only passes things on.

use expect_test::expect;

use super::*;

#[test]
fn a_process_knows_itself() {
    check(
        "print(process.pid(), process.id())",
        expect![[r#"
        {app:processes|0x00001}	app:main#1
        => nil
    "#]],
    );
}

#[test]
fn spawns_pass_their_arguments() {
    check(
        "print(process.spawn('app:x', 'app:processes')) print(process.spawn('app:x', 'app:processes', 1, nil, { a = 2 }, nil))
        process.spawn_monitored('app:x', 'h') process.spawn_linked('app:x', 'h') process.spawn_linked_monitored('app:x', 'h')
        print(process.spawn('app:nobody', 'h'))
        print(process.spawn()) print(process.spawn('app:x')) print(pcall(process.spawn, {}, 'h')) print(pcall(process.spawn, 'x', {}))",
        expect![[r#"
            -- spawn app:x app:processes [] false false
            {app:processes|0x00002}	nil
            -- spawn app:x app:processes [1, nil, {"a": 2}, nil] false false
            {app:processes|0x00002}	nil
            -- spawn app:x h [] true false
            -- spawn app:x h [] false true
            -- spawn app:x h [] true true
            nil	entry `app:nobody` not found
            nil	process id is missing
            nil	host is missing
            false	bad argument #1 to 'process.spawn' (string expected, got table)
            false	bad argument #2 to 'process.spawn' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn calls_on_a_process_take_pid_or_name() {
    check(
        "local peer = '{app:processes|0x00002}' process.registry.register('peer', peer)
        for _, name in ipairs{ 'monitor', 'unmonitor', 'link', 'unlink', 'terminate', 'cancel' } do
          local f = process[name]
          print(name, f(peer)) print(name, f('peer')) print(name, f('nobody')) print(name, f()) print(pcall(f, {}))
        end",
        expect![[r#"
            -- monitor {app:processes|0x00002}
            monitor	true	nil
            -- monitor {app:processes|0x00002}
            monitor	true	nil
            monitor	nil	process `nobody` not found
            monitor	nil	destination is missing
            false	bad argument #1 to 'process.monitor' (string expected, got table)
            -- unmonitor {app:processes|0x00002}
            unmonitor	true	nil
            -- unmonitor {app:processes|0x00002}
            unmonitor	true	nil
            unmonitor	nil	process `nobody` not found
            unmonitor	nil	destination is missing
            false	bad argument #1 to 'process.unmonitor' (string expected, got table)
            -- link {app:processes|0x00002}
            link	true	nil
            -- link {app:processes|0x00002}
            link	true	nil
            link	nil	process `nobody` not found
            link	nil	destination is missing
            false	bad argument #1 to 'process.link' (string expected, got table)
            -- unlink {app:processes|0x00002}
            unlink	true	nil
            -- unlink {app:processes|0x00002}
            unlink	true	nil
            unlink	nil	process `nobody` not found
            unlink	nil	destination is missing
            false	bad argument #1 to 'process.unlink' (string expected, got table)
            -- terminate {app:processes|0x00002}
            terminate	true	nil
            -- terminate {app:processes|0x00002}
            terminate	true	nil
            terminate	nil	process `nobody` not found
            terminate	nil	destination is missing
            false	bad argument #1 to 'process.terminate' (string expected, got table)
            -- cancel None {app:processes|0x00002}
            cancel	true	nil
            -- cancel None {app:processes|0x00002}
            cancel	true	nil
            cancel	nil	process `nobody` not found
            cancel	nil	destination is missing
            false	bad argument #1 to 'process.cancel' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn cancel_takes_a_deadline() {
    check(
        "local peer = '{app:processes|0x00002}'
        print(process.cancel(peer, '5s')) print(process.cancel(peer, 1500)) print(process.cancel(peer, 2 * time.MINUTE))
        print(process.cancel(peer, 0)) print(process.cancel(peer, nil))
        print(process.cancel(peer, '5')) print(process.cancel(peer, -1)) print(process.cancel(peer, 1.5))
        print(pcall(process.cancel, peer, {}))",
        expect![[r#"
            -- cancel Some(5000000000) {app:processes|0x00002}
            true	nil
            -- cancel Some(1500000000) {app:processes|0x00002}
            true	nil
            -- cancel Some(120000000000) {app:processes|0x00002}
            true	nil
            -- cancel Some(0) {app:processes|0x00002}
            true	nil
            -- cancel None {app:processes|0x00002}
            true	nil
            nil	`5` is not a duration
            nil	duration -1ms is negative
            nil	duration is not an integral number of milliseconds
            false	bad argument #2 to 'process.cancel' (duration expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn options_are_all_or_nothing() {
    check(
        "local o = process.get_options() print(o.trap_links, o ~= process.get_options())
        print(process.set_options({ trap_links = true })) print(process.get_options().trap_links)
        print(process.set_options({ trap_links = false, other = 1 })) print(process.set_options({ trap_links = 1 }))
        print(process.set_options({ [1] = true })) print(process.set_options()) print(process.set_options('x'))
        print(select(2, process.set_options()):kind())
        print(process.get_options().trap_links) print(process.set_options({})) print(process.get_options().trap_links)",
        expect![[r#"
            false	true
            true	nil
            true
            false	unknown option `other`
            false	trap_links is a number, not a boolean
            false	an option's name is a number, not a string
            false	options are missing
            false	options are a string, not a table
            Invalid
            true
            true	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn names_are_registered_found_and_freed() {
    check(
        "local r = process.registry
        print(r.register('a')) print(r.register('a', process.pid())) print(r.register('a', '{app:processes|0x00002}'))
        print(r.lookup('a')) print(r.unregister('a')) print(r.unregister('a')) print(r.lookup('a'))
        print(r.register()) print(r.register('')) print(r.register(('x'):rep(256))) print(r.lookup()) print(r.unregister())
        print(pcall(r.register, {})) print(pcall(r.register, 'x', {}))",
        expect![[r#"
            true	nil
            true	nil
            nil	name `a` is already held by {app:processes|0x00001}
            {app:processes|0x00001}	nil
            true	nil
            false	nil
            nil	name `a` is not registered
            nil	name is missing
            nil	name has 0 bytes, not 1 to 255
            nil	name has 256 bytes, not 1 to 255
            nil	name is missing
            nil	name is missing
            false	bad argument #1 to '?' (string expected, got table)
            false	bad argument #2 to '?' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn limits_tell_what_is_used_of_each() {
    check(
        r#"
        local names, all = {}, process.limits()
        for name in pairs(all) do names[#names + 1] = name end
        table.sort(names)
        for _, name in ipairs(names) do
            if name ~= "memory" then print(name, all[name].used, all[name].limit) end
        end
        process.listen("one") process.listen("two") time.after("1h")
        coroutine.spawn(function() process.inbox():receive() end)
        local later = process.limits()
        print(later.listeners.used, later.timers.used, later.coroutines.used)
        local before, held = process.limits().memory.used, ("x"):rep(1000000)
        local memory = process.limits().memory
        print(memory.used - before > #held / 2, memory.used < memory.limit, memory.limit)
        all.memory.limit = 1
        print(process.limits().memory.limit == memory.limit)"#,
        expect![[r#"
            coroutines	0	10000
            cpu	1ms	10ms
            cpu_total	2ms	20ms
            groups	10	100
            lifetime	3ms	nil
            links	6	60
            listeners	0	1024
            log_lines	9	90
            mailbox_bytes	5	50
            mailbox_messages	4	40
            message	nil	1048576
            monitors	7	70
            names	8	80
            timers	0	10000
            2	1	1
            true	true	16777216
            true
            => nil
        "#]],
    );
}
