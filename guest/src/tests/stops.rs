//! A coroutine that is stopped while it waits, by a program of the runtime's own: what it waited for is left whole.

use expect_test::{Expect, expect};

use super::Case;
use crate::host::Modules;

/// A program of our own: `under(f)` runs `f` beside it, and gives what stops it.
fn check(body: &str, expect: Expect) {
    let script = format!(
        "local own = ...
        local function under(f)
          local stop
          coroutine.spawn(function() stop = own.stopper() f() print('went on') end)
          return stop
        end
        return {{ main = function() {body}\nend }}"
    );
    let own = Case::new(&script).with(|program| "=[lunarium]".clone_into(&mut program.chunk.name));
    own.with(|program| program.modules = Modules { env: false, fs: true }).check(expect);
}

#[test]
fn a_value_goes_to_the_next_who_waits() {
    check(
        "local ch = channel.new()
        local stop = under(function() print('got', ch:receive()) end)
        coroutine.spawn(function() print('next got', ch:receive()) end)
        print(stop(), stop()) -- what is left of it is about to end
        ch:send('value')
        time.sleep(1)
        local other = channel.new()
        stop = under(function() channel.select { ch:case_receive(), other:case_receive(), other:case_send(1) } end)
        print(stop())
        time.sleep(1)
        print(stop())
        local read = under(function() print('read', other:receive()) end)
        print(channel.select { other:case_send(2), default = true }.default)
        time.sleep(1)
        stop = under(function() ch:send('lost') end)
        print(stop(), channel.select { ch:case_receive(), default = true }.default)",
        expect![[r#"
            true	false
            next got	value	true
            true
            nil
            nil
            read	2	true
            went on
            true	true
            => nil
        "#]],
    );
}

#[test]
fn what_it_had_to_close_is_closed() {
    check(
        "local stop = under(function()
          local x <close> = setmetatable({}, { __close = function(_, err) print('closed', err, pcall(time.sleep, 1)) end })
          pcall(coroutine.wrap(function() time.sleep('1h') end))
        end)
        print(stop())
        local gone = under(function() end)
        print(gone(), process.limits().coroutines.used)
        time.sleep('2h')
        print(process.limits().coroutines.used)",
        expect![[r#"
            closed	nil	false	attempt to yield across a C-call boundary
            true
            went on
            nil	0
            0
            => nil
        "#]],
    );
}

#[test]
fn its_place_is_free_at_once_and_only_once() {
    check(
        "local function held() return process.limits().coroutines.used, process.limits().timers.used end
        local ch = channel.new()
        for _, waits in ipairs {
          function() fs.read('a') end,
          function() time.sleep('1h') end,
          function() ch:receive() end,
          function() channel.select { time.after('2s'):case_receive(), ch:case_receive() } end,
        } do
          local stop = under(waits)
          print(held())
          print(stop(), held())
          time.sleep('3s')
          print(held())
        end
        print(channel.select { ch:case_send('lost'), default = true }.default)",
        expect![[r#"
            -- read a 0 None (beside 0)
            1	0
            true	0	0
            0	0
            1	1
            true	0	0
            0	0
            1	0
            true	0	0
            0	0
            1	1
            true	0	1
            0	0
            true
            => nil
        "#]],
    );
}

#[test]
fn who_runs_or_is_about_to_is_not_stopped() {
    check(
        "local ch, stop = channel.new(1), nil
        stop = under(function()
          print('itself', stop and stop())
          ch:receive()
          print('itself', stop())
          table.sort({ 2, 1 }, function(a, b)
            coroutine.spawn(function() print('from above', stop()) end)
            return a < b
          end)
        end)
        ch:send(1)
        print('queued', stop())
        time.sleep(1)",
        expect![[r#"
            itself	nil
            queued	false
            itself	nil
            from above	nil
            went on
            => nil
        "#]],
    );
}

#[test]
fn its_turn_goes_to_the_next() {
    check(
        "for i = 1, 8 do coroutine.spawn(fs.read, 'a') end
        local stop = under(function() fs.read('b') end)
        coroutine.spawn(function() fs.read('c') print('c is read') end)
        print(stop())
        time.sleep(1)",
        expect![[r#"
            -- read a 0 None (beside 0)
            -- read a 0 None (beside 1)
            -- read a 0 None (beside 2)
            -- read a 0 None (beside 3)
            -- read a 0 None (beside 4)
            -- read a 0 None (beside 5)
            -- read a 0 None (beside 6)
            -- read a 0 None (beside 7)
            true
            -- read c 0 None (beside 0)
            c is read
            => nil
        "#]],
    );
}

#[test]
fn a_call_that_is_answered_is_over_and_the_next_one_is_another() {
    let case = Case::new(
        "local own = ...
        local stop
        return {
          main = function()
            print(process.call(process.pid(), 'begins'))
            print(stop())
            print(process.call(process.pid(), 'begins'))
          end,
          begins = function() stop = own.stopper() return 'answered' end,
        }",
    );
    case.with(|program| "=[lunarium]".clone_into(&mut program.chunk.name)).check(expect![[r#"
        -- call {app:processes|0x00001} begins [] None
        -- answer ["answered"]
        answered
        nil
        -- call {app:processes|0x00001} begins [] None
        -- answer ["answered"]
        answered
        => nil
    "#]]);
}

#[test]
fn no_script_is_given_the_means() {
    Case::new("print(...) return { main = function(...) print(...) end }").check(expect![[r#"


        => nil
    "#]]);
}
