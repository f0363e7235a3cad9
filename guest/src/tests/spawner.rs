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
            !! ErrorKind::PermissionDenied: permission `process.context` on `context` is missing
               main.lua:2: in function <main.lua:1>
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
            !! ErrorKind::PermissionDenied: permission `process.context` on `context` is missing
               main.lua:2: in function <main.lua:1>
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
        !! ErrorKind::PermissionDenied: permission `process.context` on `context` is missing
           main.lua:9: in function <main.lua:1>
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
