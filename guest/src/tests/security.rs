//! `security`: actors, policies and scopes as a script handles them. Who may do what is the host's tests' subject.

use expect_test::expect;

use super::{Case, check};
use crate::host::ActorResult;

#[test]
fn without_actor_and_scope_there_are_none() {
    check(
        "print(security.actor(), security.scope(), require('security') == security)",
        expect![[r#"
        nil	nil	true
        => nil
    "#]],
    );
}

#[test]
fn the_own_actor_and_scope_come_from_the_host() {
    let case = Case::body(
        "local function ids(s) local t = {} for i, p in ipairs(s:policies()) do t[i] = p:id() end return table.concat(t, ' ') end local actor, scope = security.actor(), security.scope()
        print(actor, actor:id(), actor:meta().role, actor:meta() ~= actor:meta())
        print(scope, ids(scope), scope:contains('app:a'), scope:contains('app:c'))
        actor:meta().role = 'root' scope:policies()[1] = 'app:other'
        print(actor:meta().role, security.actor():meta().role, scope:contains('app:a'))",
    );
    let actor = ActorResult { id: "ada".to_owned(), meta: Some(b"\x81\xa4role\xa5admin".to_vec()) };
    *case.host.security.borrow_mut() = Some((actor, vec!["app:a".to_owned(), "app:b".to_owned()]));
    case.check(expect![[r#"
        actor `ada`	ada	admin	true
        scope of 2 policies	app:a app:b	true	false
        admin	admin	true
        => nil
    "#]]);
}

#[test]
fn a_question_carries_action_resource_and_attributes() {
    check(
        "print(security.can('may', 'thing'))
        print(security.can('may not', 'thing', { owner = 'ada', size = 3 }))
        print(security.can()) print(security.can('may')) print(security.can('may', 'thing', { f = print }))
        print(pcall(security.can, {}, 'thing'))
        print(pcall(security.can, 'may', 'thing', 5))
        print(security.can('may', 'thing', { text = ('x'):rep(16 * 1024) }))",
        expect![[r#"
            -- can may thing 
            true
            -- can may not thing {"owner": "ada", "size": 3}
            false
            nil	action is missing
            nil	resource is missing
            nil	attributes.f is a function
            false	bad argument #1 to 'security.can' (string expected, got table)
            false	bad argument #3 to 'security.can' (table expected, got number)
            nil	more than 16384 bytes of attributes
            => nil
        "#]],
    );
}

#[test]
fn an_actor_has_an_id_and_meta() {
    check(
        "local meta = { role = 'admin', tags = { 'a', 'b' } }
        local actor = security.new_actor('ada', meta)
        meta.role = 'changed'
        print(actor, actor:id(), actor:meta().role, actor:meta().tags[2], getmetatable(actor))
        print(next(security.new_actor(5):meta()), security.new_actor(5):id())
        print(security.new_actor()) print(security.new_actor('')) print(security.new_actor(('x'):rep(256)))
        print(pcall(security.new_actor, {})) print(pcall(security.new_actor, 'x', 5))
        print(security.new_actor('x', { f = print })) print(security.new_actor('x', { 1 }))
        print(security.new_actor('x', { text = ('x'):rep(16 * 1024) }))
        print(pcall(actor.id, {})) print(actor.name)",
        expect![[r#"
            actor `ada`	ada	admin	b	false
            nil	5
            nil	actor id is missing
            nil	actor id has 0 bytes, not 1 to 255
            nil	actor id has 256 bytes, not 1 to 255
            false	bad argument #1 to 'new_actor' (string expected, got table)
            false	bad argument #2 to 'new_actor' (table expected, got number)
            nil	meta.f is a function
            nil	meta has a key that is a number, not a string
            nil	more than 16384 bytes of meta
            false	bad argument #1 to 'id' (actor expected, got table)
            nil
            => nil
        "#]],
    );
}

#[test]
fn policies_and_groups_are_found_by_id() {
    check(
        "local function ids(s) local t = {} for i, p in ipairs(s:policies()) do t[i] = p:id() end return table.concat(t, ' ') end local policy = security.policy('app:read')
        print(policy, policy:id(), security.policy('no:read')) print(security.policy())
        print(pcall(security.policy, {}))
        print(ids(security.named_scope('app:staff')))
        print(security.named_scope('nobody')) print(security.named_scope())
        print(pcall(policy.id, security.named_scope('app:staff')))",
        expect![[r#"
            policy `app:read`	app:read	nil	policy `no:read` not found
            nil	policy id is missing
            false	bad argument #1 to 'policy' (string expected, got table)
            app:staff_1 app:staff_2
            nil	policy group `nobody` not found
            nil	group is missing
            false	bad argument #1 to 'id' (policy expected, got scope)
            => nil
        "#]],
    );
}

#[test]
fn a_scope_is_never_changed() {
    check(
        "local function ids(s) local t = {} for i, p in ipairs(s:policies()) do t[i] = p:id() end return table.concat(t, ' ') end local read, write = security.policy('app:read'), security.policy('app:write')
        local function show(scope) print(#scope:policies(), ids(scope)) end
        local empty = security.new_scope({})
        local one = empty:with(read)
        local two = one:with(write):with(read)
        show(empty) show(one) show(two) show(two:without(read)) show(two:without('app:write')) show(two:without('app:x'))
        show(security.new_scope { read, write, read })
        print(two:contains(read), one:contains(write), one:contains('app:read'))
        print(#security.new_scope():policies()) print(security.new_scope { read, 'app:write' })
        print(pcall(security.new_scope, 'x')) print(pcall(one.with, one, 'app:x')) print(one:with())
        print(one:contains()) print(one:without()) print(pcall(one.contains, one, 5)) print(one)",
        expect![[r#"
            0	
            1	app:read
            2	app:write app:read
            1	app:write
            1	app:read
            2	app:write app:read
            2	app:read app:write
            true	false	true
            0
            nil	policies[2] is a string, not a policy
            false	bad argument #1 to 'new_scope' (table expected, got string)
            false	bad argument #1 to 'with' (policy expected, got string)
            nil	policy is missing
            nil	policy is missing
            nil	policy is missing
            false	bad argument #1 to 'contains' (policy expected, got number)
            scope of 1 policies
            => nil
        "#]],
    );
}

#[test]
fn the_objects_do_not_travel() {
    check(
        "local pid = process.pid()
        print(process.send(pid, 't', security.new_actor('ada')))
        print(process.send(pid, 't', { security.policy('app:read') }))
        print(process.send(pid, 't', { scope = security.new_scope({}) }))",
        expect![[r#"
            nil	payload is a security actor
            nil	payload[1] is a policy
            nil	payload.scope is a scope
            => nil
        "#]],
    );
}
