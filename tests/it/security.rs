//! What a process may do: every permission with every way to have it or not, inheritance, and the module `security`.

use expect_test::expect;
use lunarium_engine::{
    ActorSpec, Attribute, Condition, EntryId, Field, Handle, HostDefinition, HostId, Operand, Operator, Pattern,
    Policy, PolicyEffect, ScopeSpec, SecuritySpec, SpawnRequest, Value,
};
use lunarium_tests::{HOST, Lab, show_outcome};

mod spawner;

/// A process that waits, and holds the name `peer`.
pub const PEER: &str = "{app:processes|0x00001}";
/// One that is dead.
const DEAD: &str = "{app:processes|0x00002}";
/// The one that is looked at.
pub const MAIN: &str = "{app:processes|0x00003}";

fn policy(id: &str, effect: PolicyEffect, action: &str, resource: &str) -> Policy {
    Policy {
        id: EntryId::new(id),
        effect,
        actions: vec![Pattern::parse(action).unwrap()],
        resources: vec![Pattern::parse(resource).unwrap()],
        conditions: Vec::new(),
    }
}

pub fn allow(id: &str, action: &str, resource: &str) -> Policy {
    policy(id, PolicyEffect::Allow, action, resource)
}

pub fn deny(id: &str, action: &str, resource: &str) -> Policy {
    policy(id, PolicyEffect::Deny, action, resource)
}

/// A lab with `PEER` and `DEAD` in it.
pub fn lab() -> Lab {
    let lab = Lab::default();
    lab.define(&format!(
        r#"
-- entry: waits
return function() return (process.inbox():receive():payload()) end
-- entry: gives
return function(...) return ... end
-- entry: setup
return function() assert(process.registry.register("peer", "{PEER}")) end
"#
    ));
    lab.spawn("waits", Vec::new());
    assert_eq!(show_outcome(&lab.spawn("setup", Vec::new()).wait_blocking()), "=> nil");
    lab
}

pub fn scope(policies: &[Policy]) -> ScopeSpec {
    ScopeSpec::new(policies.iter().map(|policy| policy.id.clone()).collect(), Vec::new())
}

pub fn start(lab: &Lab, host: &str, security: Option<SecuritySpec>) -> Handle {
    let mut request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(host));
    request.security = security;
    lab.node.spawn(request).unwrap()
}

/// Runs the body of a `main` with these policies, or with neither actor nor scope. What it printed, then its end.
fn transcript(lab: &Lab, body: &str, policies: Option<&[Policy]>) -> String {
    lab.define(&format!("return function() {body}\nend"));
    for policy in policies.unwrap_or_default() {
        lab.node.define_policy(policy.clone(), &[]);
    }
    let security = policies.map(|policies| SecuritySpec::new().with_scope(scope(policies)));
    let outcome = start(lab, HOST, security).wait_blocking();
    let mut lines = lab.printed();
    lines.push(show_outcome(&outcome));
    lines.join("\n") + "\n"
}

/// What one call gives: `ok`, or the error.
pub fn answer(call: &str, policies: Option<&[Policy]>, strict: bool) -> String {
    let lab = lab();
    lab.node.set_strict(strict);
    // A spawner's methods raise what the others return.
    let body = format!(
        "local done, ok, err = pcall(function() return {call} end)
        if not done then err = ok end
        return err and err:kind() .. ': ' .. err or 'ok'"
    );
    let answer = transcript(&lab, &body, policies);
    answer.trim_start_matches("=> \"").trim_end().trim_end_matches('"').to_owned()
}

/// Each call with the permissions it needs, in the order in which they are checked.
fn table() -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let spawn = |name: &str, more: &[(&'static str, &'static str)]| {
        let mut needs = vec![("process.spawn", "app:waits")];
        needs.extend(more);
        needs.push(("process.host", HOST));
        (format!("process.{name}('app:waits', '{HOST}')"), needs)
    };
    let (monitored, linked) = (("process.spawn.monitored", "app:waits"), ("process.spawn.linked", "app:waits"));
    let mut table = vec![
        spawn("spawn", &[]),
        spawn("spawn_monitored", &[monitored]),
        spawn("spawn_linked", &[linked]),
        spawn("spawn_linked_monitored", &[monitored, linked]),
        (
            format!("process.exec('app:gives', '{HOST}', true)"),
            vec![("process.exec", "app:gives"), ("process.host", HOST)],
        ),
        ("process.send('peer', 't')".to_owned(), vec![("process.send", PEER)]),
        (format!("process.send('{PEER}', 't')"), vec![("process.send", PEER)]),
        ("process.send(process.pid(), 't')".to_owned(), vec![("process.send", MAIN)]),
        (format!("process.unmonitor('{DEAD}')"), vec![("process.unmonitor", DEAD)]),
        (format!("process.unlink('{DEAD}')"), vec![("process.unlink", DEAD)]),
        ("process.registry.register('mine')".to_owned(), vec![("process.registry.register", "mine")]),
        (
            format!("process.registry.register('its', '{PEER}')"),
            vec![("process.registry.register", "its"), ("process.registry.foreign", PEER)],
        ),
        ("process.registry.register('mine', process.pid())".to_owned(), vec![("process.registry.register", "mine")]),
    ];
    let each = [
        ("terminate", "process.terminate"),
        ("cancel", "process.cancel"),
        ("monitor", "process.monitor"),
        ("unmonitor", "process.unmonitor"),
        ("link", "process.link"),
        ("unlink", "process.unlink"),
    ];
    for (name, action) in each {
        for destination in ["peer", PEER] {
            table.push((format!("process.{name}('{destination}')"), vec![(action, PEER)]));
        }
    }
    table.extend(spawner::table());
    table
}

pub fn grants(needs: &[(&str, &str)]) -> Vec<Policy> {
    let grant =
        |(number, (action, resource)): (usize, &(&str, &str))| allow(&format!("app:yes{number}"), action, resource);
    needs.iter().enumerate().map(grant).collect()
}

#[test]
fn a_call_needs_exactly_its_permissions() {
    for (call, needs) in table() {
        assert_eq!(answer(&call, None, false), "ok", "{call}, with neither actor nor scope");
        assert_eq!(answer(&call, Some(&grants(&needs)), false), "ok", "{call}, granted");
        assert_eq!(answer(&call, Some(&grants(&needs)), true), "ok", "{call}, granted in a strict node");
        let (action, resource) = needs[0];
        let missing = format!("PermissionDenied: permission `{action}` on `{resource}` is missing");
        assert_eq!(answer(&call, None, true), missing, "{call}, strict");
        assert_eq!(answer(&call, Some(&[]), false), missing, "{call}, with an empty scope");
    }
}

#[test]
fn a_call_needs_each_of_its_permissions() {
    for (call, needs) in table() {
        for (number, (action, resource)) in needs.iter().enumerate() {
            let mut fewer = needs.clone();
            fewer.remove(number);
            let missing = format!("PermissionDenied: permission `{action}` on `{resource}` is missing");
            assert_eq!(answer(&call, Some(&grants(&fewer)), false), missing, "{call}, undecided");
            let both = [allow("app:yes", "*", "*"), deny("app:no", action, resource)];
            let denied =
                format!("PermissionDenied: permission `{action}` on `{resource}` is denied by policy `app:no`");
            assert_eq!(answer(&call, Some(&both), false), denied, "{call}, denied by one of two");
            let other = [allow("app:yes", "*", "*"), deny("app:no", action, "something else")];
            assert_eq!(answer(&call, Some(&other), false), "ok", "{call}, another resource denied");
        }
    }
}

#[test]
fn what_was_denied_has_not_happened() {
    let lab = lab();
    let policies =
        [allow("app:yes", "*", "*"), deny("app:no", "process.*", PEER), deny("app:never", "process.spawn*", "*")];
    let body = format!(
        "for _, act in ipairs {{ 'terminate', 'cancel', 'link', 'monitor' }} do assert(not process[act]('peer')) end
        assert(not process.send('peer', 't', 'denied'))
        assert(not process.registry.register('its', '{PEER}')) assert(not process.registry.unregister('peer'))
        assert(not process.spawn('app:gives', '{HOST}'))
        return process.registry.lookup('its') == nil and process.registry.lookup('peer')"
    );
    assert_eq!(transcript(&lab, &body, Some(&policies)), format!("=> {PEER:?}\n"));
    assert_eq!(lab.node.process_count(), 1);
    lab.define("return function() return process.send('peer', 't', 'well') end");
    let peer = lab.node.pids().remove(0);
    assert_eq!(show_outcome(&start(&lab, HOST, None).wait_blocking()), "=> true");
    assert_eq!(peer.as_str(), PEER);
}

#[test]
fn another_holders_name_needs_an_explicit_word() {
    let call = "process.registry.unregister('peer')";
    let unregister = ("process.registry.unregister", "peer");
    let foreign = ("process.registry.foreign", PEER);
    let missing = |(action, resource)| format!("PermissionDenied: permission `{action}` on `{resource}` is missing");
    // Also where everything else is allowed.
    assert_eq!(answer(call, None, false), missing(foreign));
    assert_eq!(answer(call, None, true), missing(unregister));
    assert_eq!(answer(call, Some(&[]), false), missing(unregister));
    assert_eq!(answer(call, Some(&grants(&[unregister])), false), missing(foreign));
    assert_eq!(answer(call, Some(&grants(&[foreign])), false), missing(unregister));
    assert_eq!(answer(call, Some(&grants(&[unregister, foreign])), false), "ok");
    let unheld = "process.registry.unregister('nobody')";
    assert_eq!(answer(unheld, Some(&grants(&[("process.registry.unregister", "nobody")])), false), "ok");
    assert_eq!(answer(unheld, Some(&[]), false), missing(("process.registry.unregister", "nobody")));
}

#[test]
fn arguments_then_the_destination_then_the_permission() {
    let lab = lab();
    expect![[r#"
        nil	Invalid
        nil	Invalid
        nil	Invalid
        nil	Invalid
        nil	Invalid
        nil	Invalid
        nil	Invalid
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	NotFound
        nil	PermissionDenied
        nil	PermissionDenied
        nil	PermissionDenied
        nil	PermissionDenied
        nil	PermissionDenied
        {app:processes|0x00001}	nil
        true	nil
        true	nil
        => nil
    "#]].assert_eq(&transcript(
        &lab,
        r#"
        local function show(ok, err) print(ok, err and err:kind()) end
        -- Arguments.
        show(process.send()) show(process.send("peer")) show(process.send("peer", "@inbox")) show(process.spawn("app:waits"))
        show(process.cancel("peer", "soon")) show(process.registry.register("")) show(process.monitor())
        -- The destination.
        show(process.send("nobody", "t")) show(process.terminate("nobody")) show(process.cancel("{app:processes|0x00002}"))
        show(process.monitor("nobody")) show(process.unlink("nobody")) show(process.registry.register("x", "{app:processes|0x00002}"))
        show(process.spawn("app:nobody", "app:processes")) show(process.spawn("app:waits", "app:nowhere"))
        show(process.registry.lookup("nobody"))
        -- The permission.
        show(process.send("peer", "t")) show(process.spawn("app:waits", "app:processes")) show(process.link(process.pid()))
        show(process.registry.register("peer")) show(process.registry.unregister("peer"))
        -- What needs none.
        show(process.registry.lookup("peer")) show(process.set_options { trap_links = true }) show(process.listen("t") ~= nil)
        "#,
        Some(&[]),
    ));
    // And the act is last.
    let all = [allow("app:yes", "*", "*")];
    assert_eq!(
        answer("process.registry.register('peer')", Some(&all), false),
        format!("AlreadyExists: name `peer` is already held by {PEER}")
    );
    assert_eq!(
        answer("process.link(process.pid())", Some(&all), false),
        format!("Invalid: {MAIN} can't be linked with itself")
    );
}

#[test]
fn a_child_has_its_parents_actor_and_scope() {
    let lab = lab();
    let policies = [allow("app:yes", "process.*", "*"), deny("app:no", "process.send", PEER)];
    for policy in &policies {
        lab.node.define_policy(policy.clone(), &[]);
    }
    lab.define(
        r#"
        return function()
            print(security.actor():id(), security.actor():meta().role, (function() local t = {} for i, p in ipairs(security.scope():policies()) do t[i] = p:id() end return table.concat(t, " ") end)())
            process.spawn_monitored("app:child", "app:processes", 2)
            return (process.events():receive().result)
        end
-- entry: child
        return function(deep)
            print(security.actor():id(), security.actor():meta().role, (function() local t = {} for i, p in ipairs(security.scope():policies()) do t[i] = p:id() end return table.concat(t, " ") end)())
            print(process.send("peer", "t"))
            if deep == 0 then return "deep" end
            process.spawn_monitored("app:child", "app:processes", deep - 1)
            return process.events():receive().result.value
        end
        "#,
    );
    let meta = Value::Map(vec![("role".into(), "clerk".into())]);
    let actor = ActorSpec::new("ada", Some(&meta)).unwrap();
    let security = SecuritySpec::new().with_actor(actor).with_scope(scope(&policies));
    let outcome = start(&lab, HOST, Some(security)).wait_blocking();
    expect![[r#"
        ada	clerk	app:yes app:no
        ada	clerk	app:yes app:no
        nil	permission `process.send` on `{app:processes|0x00001}` is denied by policy `app:no`
        ada	clerk	app:yes app:no
        nil	permission `process.send` on `{app:processes|0x00001}` is denied by policy `app:no`
        ada	clerk	app:yes app:no
        nil	permission `process.send` on `{app:processes|0x00001}` is denied by policy `app:no`
        => {"value" = "deep"}
    "#]]
    .assert_eq(&(lab.printed().join("\n") + "\n" + &show_outcome(&outcome) + "\n"));
}

#[test]
fn a_host_gives_its_security_to_who_has_none() {
    let lab = lab();
    lab.node.define_policy(allow("app:spawn", "process.*", "*"), &[]);
    lab.node.define_policy(allow("app:look", "look", "*"), &[EntryId::new("app:lookers")]);
    let guarded = |id: &str, group: &str| {
        let scope = ScopeSpec::new(vec![EntryId::new("app:spawn")], vec![EntryId::new(group)]);
        let security = SecuritySpec::new().with_actor(ActorSpec::new(id, None).unwrap()).with_scope(scope);
        let host = HostDefinition::new(HostId::new(id)).with_max_processes(10).with_security(security);
        lab.node.add_host(host).unwrap();
    };
    guarded("app:guarded", "app:lookers");
    guarded("app:other", "app:lookers");
    guarded("app:broken", "app:nobody");
    lab.define(
        r#"
        return function()
            local actor = security.actor()
            print(process.pid(), actor and actor:id(), security.can("look", "x"), security.can("act", "x"))
            for _, host in ipairs { "app:guarded", "app:other", "app:processes" } do
                assert(process.spawn_monitored("app:child", host))
                print(process.events():receive().result)
            end
        end
-- entry: child
        return function() return security.actor() and security.actor():id() or "nobody" end
        "#,
    );
    for host in [HOST, "app:guarded", "app:other"] {
        assert_eq!(show_outcome(&start(&lab, host, None).wait_blocking()), "=> nil");
    }
    expect![[r#"
        {app:processes|0x00003}	nil	true	true
        app:guarded
        app:other
        nobody
        {app:guarded|0x00007}	app:guarded	true	false
        app:guarded
        app:guarded
        app:guarded
        {app:other|0x0000b}	app:other	true	false
        app:other
        app:other
        app:other
    "#]]
    .assert_eq(&(lab.printed().join("\n") + "\n"));
    // Nothing starts where a group is missing: it would be freer than was meant.
    let (entry, host) = (EntryId::new("app:main"), HostId::new("app:broken"));
    let refused = lab.node.spawn(SpawnRequest::new(entry, host));
    assert_eq!(refused.err().map(|error| error.to_string()), Some("policy group `app:nobody` not found".to_owned()));
}

#[test]
fn policies_look_at_the_actor_the_caller_and_the_attributes() {
    let lab = lab();
    let condition = |field: &str, operator: &str, operand: Operand| {
        Condition::new(Field::parse(field).unwrap(), Operator::parse(operator).unwrap(), Some(operand)).unwrap()
    };
    let value = |text: &str| Operand::Value(Attribute::from(text));
    let with = |policy: Policy, conditions: Vec<Condition>| Policy { conditions, ..policy };
    let policies = [
        with(
            allow("app:own", "doc.write", "*"),
            vec![condition("actor.id", "eq", Operand::From(Field::parse("meta.owner").unwrap()))],
        ),
        with(
            allow("app:role", "doc.read", "*"),
            vec![condition("actor.meta.role", "matches", value("^(clerk|chief)$"))],
        ),
        with(allow("app:pid", "doc.see", "*"), vec![condition("meta.pid", "eq", value(MAIN))]),
        with(
            deny("app:size", "doc.*", "*"),
            vec![condition("meta.size", "gt", Operand::Value(Attribute::Integer(10)))],
        ),
    ];
    for policy in &policies {
        lab.node.define_policy(policy.clone(), &[]);
    }
    lab.define(
        r#"return function()
            local can = security.can
            print(can("doc.write", "d", { owner = "ada" }), can("doc.write", "d", { owner = "bob" }), can("doc.write", "d"))
            print(can("doc.read", "d"), can("doc.read", "d", { size = 10 }), can("doc.read", "d", { size = 10.5 }))
            print(can("doc.see", "d"), can("doc.see", "d", { pid = "forged" }), can("other", "d"))
            print(can("doc.read", "d", { t = time.now() })) print(can("doc.read", "d", { 1 })) print(can(("x"):rep(5000), "d"))
            local twice = {} print(can("doc.read", "d", { a = twice, b = twice }))
            print(security.policy("app:own"), select(2, security.policy("app:nope")), select(2, security.named_scope("app:nope")))
        end"#,
    );
    let meta = Value::Map(vec![("role".into(), "clerk".into())]);
    let actor = ActorSpec::new("ada", Some(&meta)).unwrap();
    let security = SecuritySpec::new().with_actor(actor).with_scope(scope(&policies));
    let outcome = start(&lab, HOST, Some(security)).wait_blocking();
    expect![[r#"
        true	false	false
        true	true	false
        true	true	false
        nil	attributes may hold booleans, numbers, strings and tables of these, each table once
        nil	attributes must be a table with names as keys
        nil	action of 5000 bytes exceeds the limit of 4096
        nil	attributes may hold booleans, numbers, strings and tables of these, each table once
        policy `app:own`	policy `app:nope` not found	policy group `app:nope` not found
        => nil
    "#]]
    .assert_eq(&(lab.printed().join("\n") + "\n" + &show_outcome(&outcome) + "\n"));
}

#[test]
fn without_actor_and_scope_one_can_do_everything_unless_strict() {
    let body =
        "print(security.actor(), security.scope(), security.can('anything', 'x'), security.can('process.send', 'x'))";
    let lab = lab();
    assert_eq!(transcript(&lab, body, None), "nil\tnil\ttrue\ttrue\n=> nil\n");
    lab.node.set_strict(true);
    assert_eq!(transcript(&lab, body, None), "nil\tnil\tfalse\tfalse\n=> nil\n");
}

#[test]
fn an_actor_without_a_scope_may_do_nothing() {
    let lab = lab();
    lab.define("return function() return security.actor():id(), select(2, process.send('peer', 't')):kind() end");
    let actor = ActorSpec::new("ada", None).unwrap();
    let outcome = start(&lab, HOST, Some(SecuritySpec::new().with_actor(actor))).wait_blocking();
    // Its second value says why, so the end is abnormal.
    assert_eq!(show_outcome(&outcome), "failed Internal: PermissionDenied");
}

#[test]
fn a_policy_that_is_replaced_counts_for_who_starts_then() {
    let lab = lab();
    let spec = SecuritySpec::new().with_scope(scope(&[allow("app:p", "*", "*")]));
    lab.define("return function() return security.can('act', 'x') end");
    for (policy, expected) in [(allow("app:p", "act", "*"), "=> true"), (deny("app:p", "act", "*"), "=> false")] {
        lab.node.define_policy(policy, &[]);
        assert_eq!(show_outcome(&start(&lab, HOST, Some(spec.clone())).wait_blocking()), expected);
    }
}

#[test]
fn what_can_not_be_an_actor_or_a_scope_is_refused() {
    let lab = lab();
    lab.define("return print");
    lab.node.define_policy(allow("app:p", "*", "*"), &[]);
    let refused = |security: SecuritySpec| {
        let (entry, host) = (EntryId::new("app:main"), HostId::new(HOST));
        let spawned = lab.node.spawn(SpawnRequest::new(entry, host).with_security(security));
        spawned.err().unwrap().to_string()
    };
    let actor = |id: &str, meta: Option<Vec<u8>>| SecuritySpec::new().with_actor(ActorSpec::from_payload(id, meta));
    let large = Value::Map(vec![("k".into(), Value::String(vec![b'x'; 16 << 10]))]);
    let answers = [
        refused(actor("", None)),
        refused(actor("a", Some(large.encode()))),
        refused(actor("a", Some(vec![0x91; 200]))),
        refused(actor("a", Some(vec![0x01]))),
        refused(actor("a", Some(vec![0x91, 0x01]))),
        refused(actor("a", Some(vec![0x81, 0xa1, b'k', 0xd4, 0x09, 0x00]))),
        refused(SecuritySpec::new().with_scope(scope(&[allow("app:nope", "*", "*")]))),
    ];
    expect![[r#"
        actor id of 0 bytes is not 1 to 255 bytes long
        meta of 16390 bytes exceeds the limit of 16384
        meta can't be read
        meta must be a table with names as keys
        meta must be a table with names as keys
        meta may hold booleans, numbers, strings and tables of these, each table once
        policy `app:nope` not found
    "#]]
    .assert_eq(&(answers.join("\n") + "\n"));
}

#[test]
fn an_upgrade_to_another_entry_needs_the_permission_to_spawn_it() {
    let missing = "PermissionDenied: permission `process.spawn` on `app:gives` is missing";
    assert_eq!(answer("process.upgrade('app:gives')", Some(&[]), false), missing);
    assert_eq!(answer("process.upgrade('app:gives')", None, true), missing);
    let granted = [allow("app:yes", "process.spawn", "app:gives")];
    assert_eq!(answer("process.upgrade('app:gives', 'upgraded')", Some(&granted), false), "upgraded");
    let unknown = answer("process.upgrade('app:nobody')", Some(&[]), false);
    assert_eq!(unknown, "NotFound: entry `app:nobody` not found");
    let itself = "(function()
        if process.registry.lookup('again') then return end
        process.registry.register('again')
        local _, err = process.upgrade()
        return nil, err
    end)()";
    assert_eq!(answer(itself, Some(&[allow("app:yes", "process.registry.register", "again")]), false), "ok");
}
