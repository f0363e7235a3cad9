//! What people read about a failure: message, place, source line and traceback, in terms of their own files.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::{Running, folder, run, run_file};

/// Runs each body as a `main` and shows what is said about its end.
fn check(bodies: &[&str], expected: Expect) {
    let mut all = String::new();
    for body in bodies {
        let told = run_file(&format!("return {{ main = function()\n{body}\nend }}\n"), &[]);
        assert!(!told.contains("[lunarium]") && !told.contains("[C]"), "{body}\n{told}");
        let told = told.strip_prefix("exit code: 1\n--- stderr\nerror: app:main {app:processes|0x00001} failed: ");
        let told = told.unwrap_or_else(|| panic!("no failure: {body}"));
        // Only what differs: message, place and traceback.
        let shown = told.lines().filter(|line| !line.trim_start().starts_with('|') && !line.starts_with("2 |"));
        shown.for_each(|line| writeln!(all, "{line}").unwrap());
        all.push('\n');
    }
    expected.assert_eq(&all);
}

#[test]
fn misuse_of_the_runtime_points_at_the_script() {
    check(
        &[
            "process.send({}, 't')",
            "process.spawn(print, 'x')",
            "process.listen(true)",
            "process.registry.register({})",
            "time.sleep({})",
            "time.after(print)",
            "errors.new(print)",
            "errors.new('x').kind(5)",
            "require('nothing')",
            "channel.select { 5 }",
            "channel.new({})",
            "coroutine.spawn(5)",
            "coroutine.yield()",
            "process.listen('t').receive(5)",
            "return 'a' .. errors.new('x') .. nil",
            "print(setmetatable({}, { __tostring = function() error('in tostring') end }))",
        ],
        expect![[r#"
            bad argument #1 to 'send' (string expected, got table) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'spawn' (string expected, got function) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'listen' (string expected, got boolean) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'register' (string expected, got table) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'sleep' (duration expected, got table) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'after' (duration expected, got function) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'new' (string or table expected, got function) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'kind' (error expected, got number) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            module 'nothing' not found (its `imports` are `stdin`) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'select' (case expected at index 1, got number) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'new' (integer expected, got table) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'spawn' (function expected, got number) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            attempt to yield from outside a coroutine (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'receive' (channel expected, got number) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            attempt to concatenate a nil value (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            in tostring (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:2>
                file.lua:2: in function <file.lua:1>

        "#]],
    );
}

#[test]
fn channels_that_are_closed_point_at_who_used_them() {
    check(
        &[
            "local ch = channel.new() ch:close() ch:send(1)",
            "local ch = channel.new() ch:close() channel.select { ch:case_send(1) }",
            "local ch = channel.new() coroutine.spawn(function() time.sleep(1) ch:close() end)\n\nch:send(1)",
            "local ch = channel.new() coroutine.spawn(function() time.sleep(1) ch:close() end)\n\nchannel.select { ch:case_send(1) }",
        ],
        expect![[r#"
            send on closed channel (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            send on closed channel (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            send on closed channel (Internal)
             --> file.lua:4:1
            4 | ch:send(1)
            stack traceback:
                file.lua:4: in function <file.lua:1>

            send on closed channel (Internal)
             --> file.lua:4:1
            4 | channel.select { ch:case_send(1) }
            stack traceback:
                file.lua:4: in function <file.lua:1>

        "#]],
    );
}

#[test]
fn errors_in_callbacks_point_into_them() {
    check(
        &[
            "return setmetatable({}, { __index = function() error('in index') end }).x",
            "return setmetatable({}, { __add = function(a)\nreturn a.b.c end }) + 1",
            "local c <close> = setmetatable({}, { __close = function() error('in close') end })",
            "table.sort({ 3, 2, 1 }, function(a, b)\n  return a.x < b end)",
            "table.sort({ 3, 2, 1 }, function(a, b)\n  time.sleep(1) end)",
            "string.gsub('abc', '.', function()\n  error('in gsub') end)",
            "for k in setmetatable({}, { __call = function() error('in iterator') end }) do end",
            "error(setmetatable({}, { __tostring = function() error('hidden') end }))",
            "string.rep()",
            "('x'):bad()",
        ],
        expect![[r#"
            in index (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in metamethod 'index'
                file.lua:2: in function <file.lua:1>

            attempt to index a nil value (field 'b') (Internal)
             --> file.lua:3:1
            3 | return a.b.c end }) + 1
            stack traceback:
                file.lua:3: in metamethod 'add'
                file.lua:3: in function <file.lua:1>

            in close (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in metamethod 'close'
                file.lua:3: in function <file.lua:1>

            attempt to index a number value (local 'a') (Internal)
             --> file.lua:3:3
            3 |   return a.x < b end)
            stack traceback:
                file.lua:3: in function <file.lua:2>
                file.lua:2: in function <file.lua:1>

            attempt to yield across a C-call boundary (Internal)
             --> file.lua:3:3
            3 |   time.sleep(1) end)
            stack traceback:
                file.lua:3: in function <file.lua:2>
                file.lua:2: in function <file.lua:1>

            in gsub (Internal)
             --> file.lua:3:3
            3 |   error('in gsub') end)
            stack traceback:
                file.lua:3: in function <file.lua:2>
                file.lua:2: in function <file.lua:1>

            in iterator (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in for iterator 'for iterator'
                file.lua:2: in function <file.lua:1>

            error value is a table (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            bad argument #1 to 'rep' (string expected, got no value) (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            attempt to call a nil value (method 'bad') (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

        "#]],
    );
}

#[test]
fn errors_in_coroutines_point_into_them() {
    check(
        &[
            "coroutine.spawn(function()\n  time.sleep('1ms')\n  error('late')\nend)\ntime.sleep('1h')",
            "coroutine.spawn(function() coroutine.spawn(function()\n  error('deep') end) end)",
            "local next = coroutine.wrap(function()\n  error('inside') end)\nnext()",
            "local ok, why = coroutine.resume(coroutine.create(function()\n  error('told') end))\nerror(why, 0)",
            "local timer = time.timer('1ms')\ntimer:channel():receive()\nlocal function f() return g.h end\nf()",
            "local ticker = time.ticker('1ms') coroutine.spawn(function()\n  ticker:channel():receive() nothing() end)\nchannel.new():receive()",
        ],
        expect![[r#"
            late (Internal)
             --> file.lua:4:3
            4 |   error('late')
            stack traceback:
                file.lua:4: in function <file.lua:2>

            deep (Internal)
             --> file.lua:3:3
            3 |   error('deep') end) end)
            stack traceback:
                file.lua:3: in function <file.lua:2>

            inside (Internal)
             --> file.lua:3:3
            3 |   error('inside') end)
            stack traceback:
                file.lua:4: in function <file.lua:1>

            told (Internal)
             --> file.lua:3:3
            3 |   error('told') end))
            stack traceback:
                file.lua:4: in function <file.lua:1>

            attempt to index a nil value (global 'g'): did you mean `_G`? (Internal)
             --> file.lua:4:1
            4 | local function f() return g.h end
            stack traceback:
                file.lua:4: in local 'f'
                file.lua:5: in function <file.lua:1>

            attempt to call a nil value (global 'nothing') (Internal)
             --> file.lua:3:3
            3 |   ticker:channel():receive() nothing() end)
            stack traceback:
                file.lua:3: in function <file.lua:2>

        "#]],
    );
}

#[test]
fn error_objects_point_where_they_were_made() {
    check(
        &[
            "local function f() return errors.new('made') end\n\nerror(f())",
            "assert(process.send('nobody', 't', 1))",
            "local _, err = process.send('nobody', 't')\nreturn false, errors.wrap(err, 'outer')",
            "error(errors.new { message = 'm', kind = errors.CONFLICT, details = { id = 7, [true] = { 1, 'x' } } })",
            "local ok, err = pcall(error, errors.new('again'))\nerror(err)",
            "local ok, err = pcall(function() error('text') end)\n\nerror(err, 0)",
            "return nil, 'a reason'",
            "return print",
            "error(setmetatable({ code = 5 }, { __tostring = function() return 'five' end }))",
            "error()",
        ],
        expect![[r#"
            made
             --> file.lua:4:1
            4 | error(f())
            stack traceback:
                file.lua:4: in function <file.lua:1>

            name `nobody` not found (NotFound)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            outer: name `nobody` not found (NotFound)
             --> file.lua:3:1
            3 | return false, errors.wrap(err, 'outer')
            stack traceback:
                file.lua:3: in function <file.lua:1>

            m (Conflict)
             --> file.lua:2:1
              = note: details: {[true] = {1, "x"}, id = 7}
            stack traceback:
                file.lua:2: in function <file.lua:1>

            again
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            text (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:4: in function <file.lua:1>

            a reason (Internal)

            result is a function (Invalid)

            five (Internal)
             --> file.lua:2:1
              = note: details: {code = 5}
            stack traceback:
                file.lua:2: in function <file.lua:1>

            nil (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

        "#]],
    );
}

#[test]
fn strange_code_is_told_too() {
    check(
        &[
            "local function f(n)\n  if n > 0 then f(n - 1) end\n  return n.x\nend\nf(30)",
            "local function f() return error('tail') end\nreturn f()",
            "load('error(\"loaded\")', '=rule')()",
            "load('local x = nil\\nx.y = 1')()",
            "load('x = = 1')()",
            "channel.new():receive()",
            "channel.select { channel.new():case_receive() }",
        ],
        expect![[r#"
            attempt to index a number value (local 'n') (Internal)
             --> file.lua:4:3
            4 |   return n.x
            stack traceback:
                file.lua:4: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                ...    (skipping 10 levels)
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in upvalue 'f'
                file.lua:3: in local 'f'
                file.lua:6: in function <file.lua:1>

            tail (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:2>

            rule:1: loaded (Internal)
             --> file.lua:2:1
            stack traceback:
                rule:1: in main chunk
                file.lua:2: in function <file.lua:1>

            [string "local x = nil..."]:2: attempt to index a nil value (local 'x') (Internal)
             --> file.lua:2:1
            stack traceback:
                [string "local x = nil..."]:2: in main chunk
                file.lua:2: in function <file.lua:1>

            attempt to call a nil value (Internal)
             --> file.lua:2:1
            stack traceback:
                file.lua:2: in function <file.lua:1>

            all coroutines blocked (Internal)
             --> file.lua:2:1
              = help: each waits for something that only another coroutine of this process could do
            stack traceback:
                file.lua:2: in function <file.lua:1>

            all coroutines blocked (Internal)
             --> file.lua:2:1
              = help: each waits for something that only another coroutine of this process could do
            stack traceback:
                file.lua:2: in function <file.lua:1>

        "#]],
    );
}

#[test]
fn a_limit_is_named_with_what_raises_it() {
    let index = "version: \"1.0\"\nnamespace: app\nentries:
  - {name: tight, kind: process.lua, source: 'file://hog.lua', limits: {memory: 2MiB}}
  - {name: hog, kind: process.lua, source: 'file://hog.lua', limits: {memory: 1GiB}}
  - {name: busy, kind: process.lua, source: 'return function() while true do end end', limits: {cpu: 30ms}}
  - {name: processes, kind: process.host, limits: {memory: 3MiB}}\n";
    let hog = "return function()\n  local t = {}\n  while true do t[#t + 1] = ('x'):rep(1000) .. #t end\nend\n";
    let folder = folder(&[("app/_index.yaml", index), ("app/hog.lua", hog)]);
    let mut all = String::new();
    for arguments in [["app:tight", ""], ["app:hog", ""], ["app:hog", "memory=1MiB"], ["app:busy", ""]] {
        let [entry, limit] = arguments;
        let mut command = vec!["run", "app", "-x", entry];
        command.extend(["--limit", limit].into_iter().filter(|_| !limit.is_empty()));
        let told = run(&folder, &command);
        let help = told.lines().find(|line| line.contains("= help")).unwrap_or("no help").trim();
        writeln!(all, "{entry} {limit}: {help}").unwrap();
    }
    expect![[r#"
        app:tight : = help: limit `memory` is 2MiB, which entry `app:tight` has: to raise it, set `limits: {memory: …}` there
        app:hog : = help: limit `memory` is 3MiB, which process host `app:processes` has: to raise it, set `limits: {memory: …}` there
        app:hog memory=1MiB: = help: limit `memory` is 1MiB, which `--limit memory` gives: a larger value raises it
        app:busy : = help: limit `cpu` is 30ms, which entry `app:busy` has: to raise it, set `limits: {cpu: …}` there
    "#]].assert_eq(&all);
}

#[test]
fn a_service_that_fails_is_explained_below_its_log_line() {
    let index = "version: \"1.0\"\nnamespace: app\nentries:
  - {name: web, kind: process.lua, source: 'file://web.lua'}
  - {name: up, kind: process.service, process: web, host: 'app:processes',
     lifecycle: {restart: {max_attempts: 1, initial_delay: 0s, jitter: 0}}}\n";
    let web = "local function serve()\n  error('no port')\nend\nreturn function()\n  print('up')\n  serve()\nend\n";
    let folder = folder(&[("app/_index.yaml", index), ("app/web.lua", web)]);
    let mut all = String::new();
    for format in ["text", "json"] {
        let told = Running::start(&folder, &["run", "--log-format", format, "app"]).finish();
        // The time in JSON isn't the tests' business.
        let shown = told.lines().map(|line| line.split_once("\"time\"").map_or(line, |(before, _)| before));
        shown.for_each(|line| writeln!(all, "{line}").unwrap());
    }
    expect![[r#"
        exit code: 1
        --- stdout
        up
        up
        --- stderr
        <time> WARN  service app:up has failed and restarts in 0s, attempt 1 of 1 pid={app:processes|0x00001} error="web.lua:2: no port" kind=Internal
          error: no port (Internal)
           --> app/web.lua:2:3
            |
          2 |   error('no port')
            |   ^^^^^^^^^^^^^^^^
          stack traceback:
              app/web.lua:2: in upvalue 'serve'
              app/web.lua:6: in function <app/web.lua:4>
        <time> ERROR service app:up has failed and is given up after 1 restart, delayed by 0s pid={app:processes|0x00002} error="web.lua:2: no port" kind=Internal
          error: no port (Internal)
           --> app/web.lua:2:3
            |
          2 |   error('no port')
            |   ^^^^^^^^^^^^^^^^
          stack traceback:
              app/web.lua:2: in upvalue 'serve'
              app/web.lua:6: in function <app/web.lua:4>
        error: service app:up was given up after 1 restart: web.lua:2: no port (Internal)
        exit code: 1
        --- stdout
        up
        up
        --- stderr
        {"fields":{"error":"web.lua:2: no port","kind":"Internal","pid":"{app:processes|0x00001}","stack":"stack traceback:\n\t[C]: in function 'error'\n\tweb.lua:2: in upvalue 'serve'\n\tweb.lua:6: in function <web.lua:4>"},"level":"warn","message":"service app:up has failed and restarts in 0s, attempt 1 of 1",
        {"fields":{"error":"web.lua:2: no port","kind":"Internal","pid":"{app:processes|0x00002}","stack":"stack traceback:\n\t[C]: in function 'error'\n\tweb.lua:2: in upvalue 'serve'\n\tweb.lua:6: in function <web.lua:4>"},"level":"error","message":"service app:up has failed and is given up after 1 restart, delayed by 0s",
        {"level":"error","message":"error: service app:up was given up after 1 restart: web.lua:2: no port (Internal)",
    "#]].assert_eq(&all);
}
