//! A call that raises, or is refused, leaves nothing on Rust's heap. Every case of these tests shows that of its script
//! (`Case::run`); here are those in which every function that a script finds is called with every kind of wrong argument, and
//! in which Lua's memory comes to its end at each of its allocations.

use super::*;
use crate::host::ActorResult;

/// What all scripts begin with. `found` lists what there is to call by a name that `reach` makes the function of.
const TOOLS: &str = r#"
    local objects = {
        time = time.now(), duration = time.parse_duration("1s"), error = errors.new("e"), channel = channel.new(0),
        timer = time.timer("1h"), ticker = time.ticker("1h"), actor = security.new_actor("ada"),
        policy = security.policy("app:a"), scope = security.new_scope({}), spawner = process.with_context({}),
        logger = logger, inbox = process.inbox(),
    }
    objects.timer:stop() objects.ticker:stop()
    local METHODS = {
        time = "add sub after before equal unix unix_nano format utc in_location round truncate year month day hour minute "
            .. "second nanosecond weekday year_day __add __sub __eq __lt __le __concat __tostring",
        duration = "nanoseconds microseconds milliseconds seconds minutes hours __add __sub __mul __div __unm __concat __lt",
        error = "kind message retryable details stack __concat",
        channel = "send receive case_send case_receive close",
        timer = "stop reset channel response", ticker = "stop reset channel response", actor = "id meta", policy = "id",
        scope = "policies contains evaluate with without",
        spawner = "spawn spawn_monitored spawn_linked spawn_linked_monitored with_context with_actor with_scope with_name "
            .. "with_message",
        logger = "debug info warn error with named", inbox = "receive case_receive",
    }
    local OPERATORS = {
        __add = function(a, b) return a + b end, __sub = function(a, b) return a - b end,
        __mul = function(a, b) return a * b end, __div = function(a, b) return a / b end,
        __eq = function(a, b) return a == b end, __lt = function(a, b) return a < b end,
        __le = function(a, b) return a <= b end, __concat = function(a, b) return a .. b end,
        __unm = function(a) return -a end, __tostring = function(a) return tostring(a) end,
    }
    local function found()
        local names, seen = {}, { [_G] = true }
        local function walk(at, path)
            for name, value in next, at do
                if type(value) == "function" then names[#names + 1] = path .. name
                elseif type(value) == "table" and type(name) == "string" and not seen[value] then
                    seen[value] = true
                    walk(value, path .. name .. ".")
                end
            end
        end
        walk(_G, "")
        for object, methods in next, METHODS do
            for method in methods:gmatch("%S+") do
                if OPERATORS[method] or objects[object][method] then names[#names + 1] = object .. ":" .. method end
            end
        end
        table.sort(names)
        return names
    end
    local function reach(name)
        local object, method = name:match("^(.-):(.*)$")
        if object then return OPERATORS[method] or objects[object][method], objects[object] end
        local at = _G
        for part in name:gmatch("[^.]+") do at = at[part] end
        return at
    end
    -- Calls once for each point where memory can run out, and once with enough of it.
    local function drill(f, ...)
        for blocks = 0, 1000 do
            local name = "memory:" .. blocks
            process.monitor(name)
            pcall(f, ...)
            if not process.unmonitor("memory:") then return end
        end
    end
"#;

/// Arguments that suit few functions; those that make one of them wait or end come last.
const ARGUMENTS: &str = r#"
    local deep = {} for i = 1, 200 do deep = { deep } end
    local long, itself = ("x"):rep(5000), {}
    itself.itself = itself
    local ARGUMENTS = {
        {}, { nil, nil, n = 2 }, { true }, { -1 }, { 1.5 }, { 0/0 }, { "\xff" }, { long }, { "" }, { {} }, { { print } },
        { { [{}] = 1 } }, { { [true] = 1 } }, { { "\xff" } }, { { ["\xff"] = 1 } }, { { x = { y = { print } } } }, { deep },
        { itself }, { print }, { coroutine.create(print) }, { { trap_links = 1 } }, { { x = long, unknown = 1 } },
        { "@t", "@t", print }, { "x", long }, { "x", "\xff" }, { "x", {} }, { "x", print }, { long, "x", "x" },
        { "x", "x", print }, { "x", "x", { [print] = 1 } }, { "app:nobody", "app:processes", { a = 1 } },
        { "app:nobody", "app:processes", print }, { long, long, long }, { {}, {} }, { {}, { indent = 99 } },
        { {}, { indent = "x" } }, { { a = print }, { indent = true } }, { "nobody", "t", 1, 2, 3 }, { "nobody", print },
        { "nobody", "x" }, { "-1s" }, { "x", "-1s" }, { "{app:processes|0x00009}", "1s" }, { 2026, 13, 1 },
        { 2026, 2, 30 }, { 2026, 1, 1, 1, 1, 1, 1, "Mars/Base" }, { 2026, 1, 1, 1, 1, 1, 1, "Europe/Berlin" },
        { "2026-13-01" }, { "2026-01-01", "%Y-%Q" }, { "%Q" }, { "%A %B %Y" }, { "[1, 2" }, { "{\"a\": [1, {}, null]}" },
        { ("["):rep(500) }, { "1h30m" }, { "1ms" }, { { message = 1, kind = 2 } }, { { message = "m", kind = "x" } },
        { errors.new("e"), "w" }, { { 1, 2, a = 3 } }, { { 1, nil, 3 } }, { { a = { 1, "\xff" } } },
        { "app:x", "app:y" }, { "group" }, { "app:group" }, { "may", "x", { a = 1 } }, { "x", "x", { a = print } },
        { "mayn't", "x" }, { "policy" }, { "NOBODY" }, { "HOME" }, { "missing" }, { "missing", "contents" },
        { "missing", { length = -1 } }, { "missing", { offset = 1.5 } }, { "missing", { x = 1 } },
        { "message", { a = "b", c = 1, d = {} } }, { "x = ", "name", "b" }, { "return 1", ("n"):rep(200), long },
        { "return", "=x", "t", {} }, { objects.time }, { objects.duration }, { objects.error }, { objects.channel },
        { objects.policy }, { objects.actor, objects.scope }, { { objects.policy, 1 } }, { PEER, "topic", { 1 } },
        { PEER, "topic", 1, 2 }, { PEER, 100 }, { PEER },
    }
"#;

/// A process that is granted everything, and acts for somebody.
fn case(body: &str) -> Case {
    let case = Case::body(&format!("{TOOLS}{body}"))
        .with(|program| program.modules = Modules { env: true, fs: true })
        .with(|program| program.limits.memory = 64 << 20);
    let actor = ActorResult { id: "ada".to_owned(), meta: Some(b"\x80".to_vec()) };
    *case.host.security.borrow_mut() = Some((actor, vec!["app:a".to_owned(), "app:b".to_owned()]));
    case.host.log_sends.set(true);
    case
}

#[test]
fn no_function_leaves_anything_whatever_it_is_given() {
    let names = case("print(table.concat(found(), ' '))").run();
    let Some(names) = names.lines().find(|line| line.contains("json.encode")) else { panic!("{names}") };
    let names: Vec<&str> = names.split(' ').collect();
    assert!(names.len() > 150, "{names:?}");
    // Lua's own, which can take as long as they are asked to; nothing of them is Rust's.
    const LUAS: [&str; 6] = ["string.", "table.", "math.", "utf8.", "coroutine.", "os."];
    let (mut calls, mut leaks) = (0, Vec::new());
    for name in names.into_iter().filter(|name| !LUAS.iter().any(|lua| name.starts_with(lua))) {
        // A call may wait for ever, or end the process: another one goes on behind it.
        let (mut next, mut all) = (1, 0);
        while next > 0 {
            heap::let_lua_allocate(None);
            let (printed, left) = case(&format!(
                "local PEER = '{PEER}' {ARGUMENTS}
                local f, object = reach('{name}')
                for i = {next}, #ARGUMENTS do
                    print('-- at', i)
                    local arguments = ARGUMENTS[i]
                    if object then drill(f, object, table.unpack(arguments, 1, arguments.n)) end
                    if not object or i % 8 == 1 then drill(f, table.unpack(arguments, 1, arguments.n)) end
                end
                print('-- done')"
            ))
            .run_counting();
            calls += heap::lua_limits();
            all += left;
            let at = printed.lines().rev().find_map(|line| line.strip_prefix("-- at\t"));
            let done = printed.lines().any(|line| line == "-- done");
            next = if done { 0 } else { at.unwrap().parse::<u32>().unwrap() + 1 };
        }
        if all > 0 {
            leaks.push(format!("{name}: {all}"));
        }
    }
    assert!(leaks.is_empty(), "bytes left on Rust's heap by {leaks:#?}");
    assert!(calls > 10_000, "{calls} calls");
}
