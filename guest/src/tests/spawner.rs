//! `process.with_context` and `ctx`, as far as the guest decides.

use expect_test::expect;

use super::*;

#[test]
fn a_spawner_is_immutable_and_merges() {
    check(
        r#"
        local a = process.with_context { x = 1, y = "why" }
        local b = a:with_context { x = 2 }:with_name("n"):with_message("t"):with_message("u", 1, nil)
        print(a:spawn("app:child", "app:processes", 7))
        print(b:spawn_linked_monitored("app:child", "app:processes"))
        print(a:spawn_monitored("app:child", "app:processes"))
        print(a:spawn(), a:spawn("app:x"))
        print(pcall(a.spawn, "app:x", "h"))
        print(pcall(a.spawn, a, {}, "h"))
        "#,
        expect![[r#"
            -- spawn app:child app:processes [7] false false
            -- named None with {"x": "\u{1}", "y": bin"�why"}
            {app:processes|0x00002}	nil
            -- spawn app:child app:processes [] true true
            -- named Some("n") with {"x": "\u{2}", "y": bin"�why"}
            -- first t nil
            -- first u {"n": 2, 1: 1}
            {app:processes|0x00002}	nil
            -- spawn app:child app:processes [] true false
            -- named None with {"x": "\u{1}", "y": bin"�why"}
            {app:processes|0x00002}	nil
            nil	nil	host is missing
            false	bad argument #1 to '?' (spawner expected, got string)
            false	bad argument #2 to '?' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn a_bad_argument_of_a_spawner_raises_an_error_object() {
    check(
        r#"
        local s = process.with_context {}
        local function try(f, ...)
            local ok, err = pcall(f, ...)
            print(ok, err, not ok and err:kind())
        end
        try(process.with_context)
        try(process.with_context, 5)
        try(process.with_context, { 1 })
        try(process.with_context, { f = { print } })
        try(s.with_context, {}, {})
        try(s.with_name, s)
        try(s.with_name, s, {})
        try(s.with_name, s, "")
        try(s.with_name, s, ("n"):rep(256))
        try(s.with_name, s, "{a|b}")
        try(s.with_message, s)
        try(s.with_message, s, "@t")
        try(s.with_message, s, "t", 1, { g = print })
        "#,
        expect![[r#"
            false	values are missing	Invalid
            false	values are a number, not a table	Invalid
            false	values have a key that is a number, not a string	Invalid
            false	values.f[1] is a function	Invalid
            false	bad argument #1 to 'with_context' (spawner expected, got table)	Invalid
            false	name is missing	Invalid
            false	name is a table, not a string	Invalid
            false	name has 0 bytes, not 1 to 255	Invalid
            false	name has 256 bytes, not 1 to 255	Invalid
            false	name `{a|b}` has the form of a pid	Invalid
            false	topic is missing	Invalid
            false	topic `@t` is reserved: it begins with @	Invalid
            false	payload[2].g is a function	Invalid
            => nil
        "#]],
    );
}

#[test]
fn context_values_are_copies() {
    let context = b"\x82\xa4list\xc4\x03\x92\x01\x02\xa2no\xc4\x01\xc2";
    Case::body(
        r#"
        local list = ctx.get("list")
        list[1] = 100
        print(ctx.get("list")[1], ctx.get("no"), ctx.get("absent"))
        print(select(2, ctx.get("absent")):kind(), ctx.get(), pcall(ctx.get, {}))
        local all = ctx.all()
        all.more = true
        print(#all.list, all.no, ctx.all().more, require("ctx") == ctx)
        process.with_context { no = "yes" }:spawn("app:x", "h")
        "#,
    )
    .with(|program| program.context = Some(context.to_vec()))
    .check(expect![[r#"
        1	false	nil	context has no value `absent`
        NotFound	nil	false	bad argument #1 to 'get' (string expected, got table)
        2	false	nil	true
        -- spawn app:x h [] false false
        -- named None with {"list": bin"�\u{1}\u{2}", "no": bin"�yes"}
        => nil
    "#]]);
}

#[test]
fn without_a_context_there_are_no_values() {
    check(
        "print(next(ctx.all()), ctx.get('x'))",
        expect![[r#"
        nil	nil	context has no value `x`
        => nil
    "#]],
    );
}
