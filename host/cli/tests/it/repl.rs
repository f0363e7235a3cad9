//! `lunarium repl` on a pipe: what is evaluated, shown and told, and what an evaluation can't take with it.
//!
//! At a terminal: see `terminal`.

mod terminal;

use std::io::Write as _;
use std::process::Stdio;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::{Running, fed, folder, lunarium, run, transcript, without_times};

/// Types these lines, and shows what comes of them.
fn typed(folder: &TempDir, arguments: &[&str], input: &[u8]) -> String {
    let all: Vec<_> = ["repl"].iter().chain(arguments).collect();
    transcript(&without_times(fed(lunarium(folder.path(), &all), input)))
}

fn check(input: &str, expect: Expect) {
    expect.assert_eq(&typed(&folder(&[]), &[], input.as_bytes()));
}

#[test]
fn values_are_shown_and_statements_are_silent() {
    check(
        "1 + 1, 'text', true, 1.5\n=1 +\n2\nx = 5\nx\nlocal y = 3\ny\nnil\nreturn 1, nil\n-- a remark\n\n_ + 1\nexit\nprint('never')\n",
        expect![[r#"
            exit code: 0
            --- stdout
            2	"text"	true	1.5
            3
            5
            1	nil
            2
        "#]],
    );
}

#[test]
fn what_is_not_complete_goes_on() {
    check(
        "for i = 1, 2 do\n  print(i)\nend\n1 +\n2\n--[[ a\nremark ]] 7\nfunction f(a,\nb) return a + b end f(3, 4)\nf(3,\n 4)",
        expect![[r#"
            exit code: 0
            --- stdout
            1
            2
            3
            7
            7
        "#]],
    );
    check(
        "1\nif x then\n  print(x)\n",
        expect![[r#"
            exit code: 1
            --- stdout
            1
            --- stderr
            error: input:2: 'end' expected (to close 'if' at line 1) near <eof>
        "#]],
    );
}

#[test]
fn tables_are_shown_as_far_as_they_are_of_use() {
    check(
        "{}, { 1, 2, { 'x' }, n = 3, ['end'] = 4, ['a b'] = 5, [2.5] = 6, [true] = 7 }
t = { list = {} } t.t = t t.list[1] = t
t
deep = {} for i = 1, 20 do deep = { deep } end
deep
{ list = { 'a long text, of which there', 'are several, so that all of it', 'is more than a line has' }, [('k'):rep(200)] = 1 }
table.unpack({}, 1, 30)\n",
        expect![[r#"
            exit code: 0
            --- stdout
            {}	{ 1, 2, { "x" }, [true] = 7, [2.5] = 6, ["a b"] = 5, ["end"] = 4, n = 3 }
            { list = { <itself> }, t = <itself> }
            { { { { { { {…} } } } } } }
            {
              ["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"… (200 bytes)] = 1,
              list = {
                "a long text, of which there",
                "are several, so that all of it",
                "is more than a line has"
              }
            }
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            nil
            … 10 more
        "#]],
    );
}

#[test]
fn however_much_there_is_little_is_shown() {
    let input = "wide = {} for i = 1, 60 do wide[i] = i wide['k' .. i] = i end
wide
huge = {} for i = 1, 2e4 do huge[i] = 'item ' .. i huge['key ' .. i] = i end
huge
all = {} for i = 1, 50 do all[i] = ('x'):rep(999) end
all
('y'):rep(3000)\n";
    let told = typed(&folder(&[]), &[], input.as_bytes());
    assert!(told.starts_with("exit code: 0\n") && told.len() < 24_000, "{} bytes: {told}", told.len());
    for part in [
        "  50,\n  k1 = 1,",
        "  k54 = 54,\n  … 20 more\n}",
        "\"item 50\",\n  … more\n}",
        "  … 33 more\n}",
        "… (3000 bytes)\n",
    ] {
        assert!(told.contains(part), "{part:?}: {told}");
    }
}

#[test]
fn texts_cannot_drive_the_terminal() {
    check(
        "\"\\27[31m\\0\\7\\t\\\\\\\" \\u{202e} \\u{9b} \\xff\\xc3é é\"
{ ['\\27'] = '\\r\\n' }
setmetatable({}, { __tostring = function() return '\\27[2J' end })
('é'):rep(600)\n",
        expect![[r#"
            exit code: 0
            --- stdout
            "\x1b[31m\x00\x07\t\\\" \u{202e} \u{9b} \xff\xc3\xc3\xa9 é"
            { ["\x1b"] = "\r\n" }
            \x1b[2J
            "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"… (1200 bytes)
        "#]],
    );
}

#[test]
fn objects_say_what_they_are() {
    check(
        "tostring(channel.new()):match('%a+')\ntime.parse_duration('1500ms')\nerrors.new('why')\nnil, errors.new { message = 'late', kind = errors.TIMEOUT }
setmetatable({ x = 1 }, { __index = { y = 2 } })
setmetatable({}, { __tostring = function() error('no') end })
setmetatable({}, { __name = 'thing' }) ~= nil, type(coroutine.create(print))\n",
        expect![[r#"
            exit code: 0
            --- stdout
            "channel"
            1.5s	nil
            why
            nil	late
            { x = 1 }
            <table whose __tostring fails>
            true	"thread"
        "#]],
    );
}

#[test]
fn an_error_leaves_everything_as_it_is() {
    check(
        "x = 1\npirnt(x)\nfunction f() error('why') end\nf()\nerror(setmetatable({ code = 5 }, { __tostring = function() return 'five' end }))\nerror(errors.new { kind = errors.TIMEOUT, message = 'late' })\nfoo bar\n\u{202e}\nx\n",
        expect![[r#"
            exit code: 1
            --- stdout
            1
            --- stderr
            error: input:1: attempt to call a nil value (global 'pirnt'): did you mean `print`? (Internal)
            stack traceback:
                input:1: in main chunk
            error: input:1: why (Internal)
            stack traceback:
                input:1: in function 'f'
                input:1: in main chunk
            error: five (Internal)
             |
             = note: details: {code = 5}
            stack traceback:
                input:1: in main chunk
            error: late (Timeout)
            stack traceback:
                input:1: in main chunk
            error: input:1: syntax error near 'bar'
            error: input:1: unexpected symbol near '<\226>'
        "#]],
    );
}

#[test]
fn the_process_is_a_real_one() {
    check(
        "process.pid()
ch = process.listen('topic')
coroutine.spawn(function() for i = 1, 3 do time.sleep('1ms') process.send(process.pid(), 'topic', i) end end)
ch:receive()
ch:receive(), ch:receive()
timer = time.after('1ms') time.sleep('5ms')
channel.select { timer:case_receive(), ch:case_receive() }.channel == timer
logger:info('logged', { n = 1 })
coroutine.yield(1)\n",
        expect![[r#"
            exit code: 1
            --- stdout
            "{lunarium:prompt|0x00001}"
            1	true
            2	3	true
            true
            --- stderr
            <time> INFO  lunarium:prompt#00001 {lunarium:prompt|0x00001} logged n=1
            error: attempt to yield from outside a coroutine (Internal)
            stack traceback:
                input:1: in main chunk
        "#]],
    );
}

#[test]
fn an_application_can_be_required_and_started() {
    let index = "version: \"1.0\"\nnamespace: shop\nsecurity: {strict: true}\nentries:
  - {name: prices, kind: library.lua, source: 'return { of = function(n) return 2 * n end }'}
  - {name: doubler, kind: process.lua, source: 'return function(n) process.send(\"asker\", \"told\", require(\"prices\").of(n)) end', imports: {prices: prices}}
  - {name: served, kind: process.service, process: doubler, host: 'app:processes'}\n";
    let folder = folder(&[("shop/_index.yaml", index)]);
    let input = "require('prices').of(4), require('shop:prices') == require('prices')
process.registry.register('asker') told = process.listen('told')
type(process.spawn('shop:doubler', 'app:processes', 21))
told:receive()
require('nothing')
process.send({}, 1)
return process.send({}, 1)
fs, env, pcall(require, 'http')\n";
    expect![[r#"
        exit code: 1
        --- stdout
        8	true
        "string"
        42	true
        nil	nil	false	"module 'http' not found: it needs a grant with settings, `http: …`"
        --- stderr
        error: input:1: module 'nothing' not found (its `imports` are `prices`, `shop:prices`) (Internal)
        stack traceback:
            input:1: in main chunk
        error: input:1: bad argument #1 to 'send' (string expected, got table) (Internal)
        stack traceback:
            input:1: in main chunk
        error: input:1: bad argument #1 to 'send' (string expected, got table) (Internal)
        stack traceback:
            input:1: in main chunk
    "#]]
    .assert_eq(&typed(&folder, &["shop"], input.as_bytes()));
}

#[test]
fn files_without_an_index_find_each_other() {
    let folder = folder(&[
        ("app/prices.lua", "return { of = function(n) return 2 * n end }"),
        ("app/main.lua", "local prices = require('prices') return function(n) print('price', prices.of(n)) end"),
    ]);
    let input = "require('prices').of(4)\npid = process.spawn_monitored('app:main', 'app:processes', 5)\nprocess.events():receive().kind\n";
    expect![[r#"
        exit code: 0
        --- stdout
        8
        price	10
        "pid.exit"
    "#]]
    .assert_eq(&typed(&folder, &["app"], input.as_bytes()));
    expect![[r#"
        exit code: 0
        --- stdout
        true
    "#]]
    .assert_eq(&typed(&folder, &["app/prices.lua"], b"process.spawn('app:main', 'app:processes') ~= nil\n"));
}

#[test]
fn what_is_granted_is_there() {
    let folder = folder(&[("data/file", "text")]);
    let mut command =
        lunarium(folder.path(), &["repl", "--grant-fs", "data", "--grant-env", "SHOWN", "--limit", "memory=3MiB"]);
    command.env("SHOWN", "value");
    let input = "fs.read('data/file'), env.get('SHOWN'), env.get('HOME')\nprocess.limits().memory.limit\nfs.write('data/file', '')\n";
    expect![[r#"
        exit code: 0
        --- stdout
        "text"	"value"	nil	variable `HOME` not found
        3145728
        nil	fs.write on `data/file` is not granted: `data` is granted for reading only
    "#]]
    .assert_eq(&transcript(&fed(command, input.as_bytes())));
}

#[test]
fn what_ends_the_process_loses_its_globals_and_not_the_prompt() {
    let folder = folder(&[]);
    let input = "x = 1\nwhile true do end\nx\nx = 2\ncoroutine.spawn(function() error('in the back') end)\nx\nprocess.terminate(process.pid())\n'here'\ns = 'x' while true do s = s .. s end\ns == nil\n";
    expect![[r#"
        exit code: 1
        --- stdout
        "here"
        false
        --- stderr
        error: {lunarium:prompt|0x00001} has ended: cpu limit of 100ms reached without waiting (ResourceExhausted)
         |
         = help: limit `cpu` is 100ms, which `--limit cpu` gives: a larger value raises it
        its globals are lost: what comes next runs in a new process
        error: {lunarium:prompt|0x00002} has ended: input:1: in the back (Internal)
        stack traceback:
            input:1: in function <input:1>
        its globals are lost: what comes next runs in a new process
        error: {lunarium:prompt|0x00003} has ended: process terminated (Canceled)
        its globals are lost: what comes next runs in a new process
        error: not enough memory (ResourceExhausted)
    "#]]
    .assert_eq(&typed(&folder, &["--limit", "cpu=100ms", "--limit", "memory=2MiB"], input.as_bytes()));
}

#[test]
fn a_process_that_goes_on_as_another_program_leaves_the_prompt() {
    let folder = folder(&[("other.lua", "return { main = function() time.sleep('1h') end }")]);
    expect![[r#"
        exit code: 1
        --- stdout
        "{lunarium:prompt|0x00002}"
        --- stderr
        error: {lunarium:prompt|0x00001} goes on as another program; its globals are lost: what comes next runs in a new process
    "#]]
    .assert_eq(&typed(&folder, &["other.lua"], b"x = 1\nprocess.upgrade('app:main')\nx\nprocess.pid()\n"));
}

#[test]
fn a_process_that_takes_nothing_more_is_ended() {
    let folder = folder(&[(
        "flood.lua",
        "return { main = function(to)
        while process.send(to, 'topic', 1) do end print('full') time.sleep('1h') end }",
    )]);
    let input = "x = 1 process.spawn('app:main', 'app:processes', process.pid()) coroutine.spawn(function() while process.send(process.pid(), 't', 1) do end end)\ntime.sleep('50ms')\nx\n1\n";
    let told = typed(&folder, &["--limit", "mailbox_messages=20", "flood.lua"], input.as_bytes());
    assert!(told.contains("full\n") && told.contains("\n1\n"), "{told}");
    let lost = "the process was ended; its globals are lost: what comes next runs in a new process\n";
    assert!(told.contains(lost), "{told}");
}

#[test]
fn nobody_else_evaluates_in_the_prompts_process() {
    let thief = "return { main = function(pid)
        print(process.call(pid, 'evaluate', '', 'x = 666'))
        print(process.call(pid, 'names', nil, {}, ''))
        local other = process.spawn('lunarium:prompt', 'app:processes')
        print(process.call(other, 'evaluate', nil, 'print(env.get(\"SECRET\"))'))
        print(pcall(require, 'prompt'))
    end }";
    let folder = folder(&[("thief.lua", thief)]);
    let input = "x = 1\npid = process.spawn_monitored('app:main', 'app:processes', process.pid())\nprocess.events():receive().kind\nx\n";
    expect![[r#"
        exit code: 0
        --- stdout
        nil	only the prompt may ask for this
        nil	only the prompt may ask for this
        nil	process `{app:processes|0x00003}` has ended: only the prompt's own process has the key
        false	module 'prompt' not found: it needs a grant, `modules: [prompt]`
        "pid.exit"
        1
        --- stderr
        <time> WARN  lunarium:prompt#00001 {app:processes|0x00003} failed, and nobody watches: only the prompt's own process has the key (PermissionDenied) stack="stack traceback:"
    "#]]
    .assert_eq(&typed(&folder, &["--grant-env", "SECRET", "thief.lua"], input.as_bytes()));
}

#[test]
fn bad_input_is_told() {
    let folder = folder(&[("bad/_index.yaml", "version: \"1.0\"\nnamespace: app\nentries: [{}]\n")]);
    let deep = format!("{}\n1\n", "(".repeat(1000));
    let cases: [(&[&str], Vec<u8>); 8] = [
        (&["nothing"], Vec::new()),
        (&["bad"], Vec::new()),
        (&["--limit", "memory=1"], b"1\n".to_vec()),
        (&["--node-processes", "0"], Vec::new()),
        (&[], b"\xff\n1\n".to_vec()),
        (&[], deep.into_bytes()),
        (&[], vec![b'x'; 300_000]),
        (&["--limit", "message=1KiB"], vec![b'1'; 5000]),
    ];
    let mut all = String::new();
    for (arguments, input) in cases {
        all += &typed(&folder, arguments, &input);
    }
    expect![[r#"
        exit code: 2
        --- stderr
        error: there is no file or folder `nothing`
        exit code: 2
        --- stderr
        error: an entry lacks `name`
         --> bad/_index.yaml:3:11
          |
        3 | entries: [{}]
          |           ^

        error: the entry lacks `kind`
         --> bad/_index.yaml:3:11
          |
        3 | entries: [{}]
          |           ^

        error: 2 mistakes
        exit code: 1
        --- stderr
        error: {lunarium:prompt|0x00001} has ended: not enough memory (ResourceExhausted)
         |
         = help: limit `memory` is 1 bytes, which `--limit memory` gives: a larger value raises it
        exit code: 2
        --- stderr
        error: invalid value '0' for '--node-processes <N>': 0 is not in 1..=4294967295

        For more information, try '--help'.
        exit code: 1
        --- stdout
        1
        --- stderr
        error: line 1 of the input is not UTF-8
        exit code: 1
        --- stdout
        1
        --- stderr
        error: C stack overflow
        exit code: 1
        --- stderr
        error: the input up to line 1 has more than 262144 bytes, the limit
        exit code: 1
        --- stderr
        error: message of 5038 bytes is above the limit of 1024
    "#]]
    .assert_eq(&all);
}

#[test]
fn who_reads_no_more_ends_it() {
    let folder = folder(&[]);
    let mut child = lunarium(folder.path(), &["repl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // The end of the reader may be noticed at any of them.
    while stdin.write_all(b"1\n").is_ok() {}
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

/// A prompt that is typed at while it runs.
struct Typing {
    running: Running,
    stdin: std::process::ChildStdin,
    _folder: TempDir,
}

impl Typing {
    fn start(arguments: &[&str]) -> Self {
        let folder = folder(&[]);
        let all: Vec<_> = ["repl"].iter().chain(arguments).collect();
        let mut command = lunarium(folder.path(), &all);
        command.stdin(Stdio::piped());
        let mut running = Running::of(command);
        let stdin = running.child.stdin.take().unwrap();
        Self { running, stdin, _folder: folder }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// Types something that prints a line, and waits for it.
    fn sees(&mut self, typed: &str, line: &str) {
        self.types(typed);
        assert_eq!(self.running.line(), line);
    }

    fn finish(self) -> String {
        drop(self.stdin);
        self.running.finish()
    }
}

#[test]
fn an_interrupt_stops_an_evaluation_where_it_waits() {
    let mut typing = Typing::start(&[]);
    for waits in [
        "ch = process.listen('topic') print('up') ch:receive()",
        "print('up') time.sleep('1h')",
        "print('up') local c <close> = setmetatable({}, { __close = function() x = 'closed' end }) pcall(ch.receive, ch)",
        "print('up') while true do for i = 1, 1000 do end time.sleep('1ms') end",
    ] {
        typing.sees(waits, "up");
        typing.running.signal("INT");
        typing.running.wait_for_error("interrupted");
    }
    typing.sees("process.send(process.pid(), 'topic', 7) print((ch:receive()), x)", "7\tclosed");
    // Nothing of them is left but who asks.
    let held = "held = process.limits() print(held.coroutines.used, held.timers.used)";
    typing.sees(held, "1\t0");
    expect![[r#"
        exit code: 1
    "#]]
    .assert_eq(&typing.finish());
}

#[test]
fn who_does_not_give_way_is_ended() {
    let mut typing = Typing::start(&["--limit", "cpu=1000h"]);
    typing.sees("x = 1 print('up') while true do end", "up");
    typing.running.signal("INT");
    typing.running.wait_for_error("interrupted: the process did not give way and was ended; its globals are lost: what comes next runs in a new process");
    typing.sees("print(x)", "nil");
    expect![[r#"
        exit code: 1
    "#]]
    .assert_eq(&typing.finish());
}

#[test]
fn a_signal_while_nothing_is_evaluated_ends_it() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut typing = Typing::start(&[]);
        typing.sees("print('up')", "up");
        typing.sees("coroutine.spawn(function() time.sleep('1h') end) print('up')", "up");
        typing.running.signal(signal);
        assert_eq!(typing.running.child.wait().unwrap().code(), Some(code), "{signal}");
    }
    let mut typing = Typing::start(&[]);
    typing.sees("print('up') time.sleep('1h')", "up");
    typing.running.signal("TERM");
    assert_eq!(typing.running.child.wait().unwrap().code(), Some(143));
}

#[test]
fn what_the_readme_types_is_shown() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (input, rest) = readme.split_once("$ echo '").unwrap().1.split_once("' | lunarium repl\n").unwrap();
    let shown = rest.split_once("```").unwrap().0;
    let told = typed(&folder(&[]), &[], format!("{input}\n").as_bytes());
    assert_eq!(told, format!("exit code: 0\n--- stdout\n{shown}"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md")).unwrap();
    let session = page.split_once("$ lunarium repl examples/echo\n").unwrap().1.split_once("```").unwrap().0;
    let (inputs, shown): (Vec<_>, Vec<_>) = session.lines().skip(1).partition(|line| line.starts_with("> "));
    let input: String = inputs.iter().map(|line| format!("{}\n", &line[2..])).collect();
    let command = lunarium(concat!(env!("CARGO_MANIFEST_DIR"), "/../..").as_ref(), &["repl", "examples/echo"]);
    let output = fed(command, input.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), shown);
    assert!(run(&folder(&[]), &["repl", "--help"]).contains("Evaluate what is typed"), "no help");
}
