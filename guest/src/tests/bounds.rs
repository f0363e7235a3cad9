//! What is too long for the host never gets there: it is refused here, whatever a script does.

use expect_test::expect;

use super::*;

/// The beginning of each script: `try(f, …)` shows what comes of a call, shortly.
const TRY: &str = r#"
    local function try(f, ...)
        local value, err = f(...)
        if err == nil then print(value) return end
        print(value, err:kind(), #err:message() < 600 and err or "long")
    end
    local function x(n) return ("x"):rep(n) end
    local function pid(n) return "{" .. x(n - 10) .. "|0x00007}" end
"#;

fn check(body: &str, expect: Expect) {
    Case::body(&format!("{TRY}{body}")).check(expect);
}

#[test]
fn a_destination_longer_than_any_is_refused() {
    check(
        r#"
        for _, n in ipairs { 276, 277, 3000000 } do
            for _, name in ipairs { "terminate", "cancel", "link", "unlink", "monitor", "unmonitor" } do
                local f = process[name]
                local _, named = f(x(n))
                local _, like_a_pid = f(pid(n))
                print(n, name, named:kind(), like_a_pid:kind(), #named:message() < 600 and #like_a_pid:message() < 600)
            end
        end
        try(process.send, x(3000000), "t", 1)
        try(process.send, pid(3000000), "t", 1)
        try(process.registry.register, "n", pid(3000000))
        "#,
        expect![[r#"
            276	terminate	NotFound	NotFound	true
            276	cancel	NotFound	NotFound	true
            276	link	NotFound	NotFound	true
            276	unlink	NotFound	NotFound	true
            276	monitor	NotFound	NotFound	true
            276	unmonitor	NotFound	NotFound	true
            277	terminate	Invalid	NotFound	true
            277	cancel	Invalid	NotFound	true
            277	link	Invalid	NotFound	true
            277	unlink	Invalid	NotFound	true
            277	monitor	Invalid	NotFound	true
            277	unmonitor	Invalid	NotFound	true
            3000000	terminate	Invalid	NotFound	true
            3000000	cancel	Invalid	NotFound	true
            3000000	link	Invalid	NotFound	true
            3000000	unlink	Invalid	NotFound	true
            3000000	monitor	Invalid	NotFound	true
            3000000	unmonitor	Invalid	NotFound	true
            nil	Invalid	destination has 3000000 bytes, not 1 to 255
            nil	NotFound	destination of 3000000 bytes not found: a pid has at most 276
            nil	NotFound	pid of 3000000 bytes not found: a pid has at most 276
            => nil
        "#]],
    );
}

#[test]
fn ids_questions_and_actors_have_their_lengths() {
    check(
        r#"
        for _, n in ipairs { 256, 3000000 } do
            try(process.spawn, x(n), "app:processes")
            try(process.spawn, "app:x", x(n))
            try(process.exec, x(n), "app:processes")
            try(process.upgrade, x(n))
            try(security.policy, x(n))
            try(security.named_scope, x(n))
            try(security.new_actor, x(n))
        end
        try(security.new_actor, "\xff")
        try(security.can, x(4097), "r")
        try(security.can, "a", x(4097))
        try(security.can, "a", "r", { x = x(16384) })
        "#,
        expect![[r#"
            nil	Invalid	process id of 256 bytes exceeds the limit of 255
            nil	Invalid	host of 256 bytes exceeds the limit of 255
            nil	Invalid	process id of 256 bytes exceeds the limit of 255
            nil	Invalid	process id of 256 bytes exceeds the limit of 255
            nil	Invalid	policy id of 256 bytes exceeds the limit of 255
            nil	Invalid	group of 256 bytes exceeds the limit of 255
            nil	Invalid	actor id has 256 bytes, not 1 to 255
            nil	Invalid	process id of 3000000 bytes exceeds the limit of 255
            nil	Invalid	host of 3000000 bytes exceeds the limit of 255
            nil	Invalid	process id of 3000000 bytes exceeds the limit of 255
            nil	Invalid	process id of 3000000 bytes exceeds the limit of 255
            nil	Invalid	policy id of 3000000 bytes exceeds the limit of 255
            nil	Invalid	group of 3000000 bytes exceeds the limit of 255
            nil	Invalid	actor id has 3000000 bytes, not 1 to 255
            nil	Invalid	actor id is not valid UTF-8
            nil	Invalid	action of 4097 bytes exceeds the limit of 4096
            nil	Invalid	resource of 4097 bytes exceeds the limit of 4096
            nil	Invalid	more than 16384 bytes of attributes
            => nil
        "#]],
    );
}

#[test]
fn an_error_that_ends_the_process_is_cut_before_it_leaves() {
    let end = |body: &str| Case::body(body).run();
    for body in [
        "error(('x'):rep(3000000))",
        "error(errors.new(('x'):rep(3000000)))",
        "return nil, ('x'):rep(3000000)",
        "error(setmetatable({}, { __tostring = function() return ('x'):rep(3000000) end }))",
        "local e = errors.new('e') rawset(e, 5, ('x'):rep(3000000)) rawset(e, 1, ('x'):rep(3000000)) error(e)",
        "_G[('f'):rep(3000000)] = function() error('in a long name') end _G[('f'):rep(3000000)]()",
    ] {
        let end = end(body);
        assert!((8..40_000).contains(&end.len()), "{body}: {}", end.len());
        assert!(!end.contains("error value is a"), "what `tostring` makes of it is lost: {end}");
    }
}

#[test]
fn infinite_recursion_is_a_stack_overflow() {
    for (memory, most) in [(64 << 10, 2_000), (1 << 20, 20_000), (16 << 20, 200_000), (256 << 20, 200_000)] {
        let text = Case::body(
            "local n = 0 local function f() n = n + 1 return 1 + f() end
            local ok, err = pcall(f) local first = n n = 0 pcall(f) print(ok, err, n) f()",
        )
        .with(|program| program.limits.memory = memory)
        .run();
        let lines: Vec<&str> = text.lines().collect();
        let (shown, calls) = lines[0].rsplit_once('\t').unwrap();
        assert_eq!(shown, "false\tmain.lua:1: stack overflow", "{memory}: {text}");
        let calls: u64 = calls.parse().unwrap();
        assert!((most / 40..=most).contains(&calls), "{memory}: {calls}");
        assert_eq!(lines[1], "!! ErrorKind::Internal: main.lua:1: stack overflow", "{memory}");
    }
}
