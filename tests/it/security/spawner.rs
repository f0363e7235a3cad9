//! What a spawner needs permissions for, and whose security its children have.

use expect_test::expect;
use lunarium_engine::{ActorSpec, EntryId, SecuritySpec};
use lunarium_tests::{HOST, show_outcome};

use super::{PEER, allow, answer, deny, lab, scope, start};

/// The same for a spawner: what its methods need, and then what the spawn does.
pub fn table() -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let start = |methods: &str, variant: &str| {
        format!("process.with_context({{ k = 1 }}){methods}:{variant}('app:waits', '{HOST}')")
    };
    let (context, security) = (("process.context", "context"), ("process.security", "security"));
    let (spawn, host) = (("process.spawn", "app:waits"), ("process.host", HOST));
    let (monitored, linked) = (("process.spawn.monitored", "app:waits"), ("process.spawn.linked", "app:waits"));
    let (send, monitor, link) = (("process.send", PEER), ("process.monitor", PEER), ("process.link", PEER));
    let register = ("process.registry.register", "mine");
    let (actor, scope) = (":with_actor(security.new_actor('ada'))", ":with_scope(security.new_scope({}))");
    vec![
        ("process.with_context({})".to_owned(), vec![context]),
        (start("", "spawn"), vec![context, spawn, host]),
        (start(":with_context({ k = 2 })", "spawn_monitored"), vec![context, spawn, monitored, host]),
        (start(":with_message('t')", "spawn_linked"), vec![context, spawn, linked, host]),
        (start("", "spawn_linked_monitored"), vec![context, spawn, monitored, linked, host]),
        (format!("process.with_context({{}}){actor}"), vec![context, security]),
        (format!("process.with_context({{}}){scope}"), vec![context, security]),
        (start(actor, "spawn"), vec![context, security, spawn, host]),
        (start(scope, "spawn_monitored"), vec![context, security, spawn, monitored, host]),
        (start(":with_name('mine')", "spawn"), vec![context, spawn, host, register]),
        // A taken name: what is done to its holder.
        (start(":with_name('peer')", "spawn"), vec![context, spawn, host]),
        (start(":with_name('peer'):with_message('t')", "spawn"), vec![context, spawn, host, send]),
        (start(":with_name('peer')", "spawn_monitored"), vec![context, spawn, monitored, host, monitor]),
        (start(":with_name('peer')", "spawn_linked"), vec![context, spawn, linked, host, link]),
        (
            start(":with_name('peer'):with_message('t')", "spawn_linked_monitored"),
            vec![context, spawn, monitored, linked, host, send, monitor, link],
        ),
    ]
}

/// Runs `app:main` in the name of ada, with a policy for everything.
fn as_ada(main: &str) -> String {
    let lab = lab();
    lab.define(main);
    lab.node.define_policy(allow("app:all", "*", "*"), &[]);
    lab.node.define_policy(allow("app:look", "look", "*"), &[EntryId::new("app:lookers")]);
    let actor = ActorSpec::new("ada", None).unwrap();
    let security = SecuritySpec::new().with_actor(actor).with_scope(scope(&[allow("app:all", "*", "*")]));
    let outcome = start(&lab, HOST, Some(security)).wait_blocking();
    lab.printed().join("\n") + "\n" + &show_outcome(&outcome) + "\n"
}

/// An entry that tells in whose name it acts, and what it may.
const TELLS: &str = r#"
-- entry: tells
return function(who)
    local actor, scope = security.actor(), security.scope()
    return ("%s: %s %s, %s, look %s, act %s"):format(who, actor and actor:id(), actor and actor:meta().role,
        scope and (function() local t = {} for i, p in ipairs(scope:policies()) do t[i] = p:id() end return table.concat(t, " ") end)(), security.can("look", "x"), security.can("act", "x"))
end
-- entry: relays
return function(...) return (process.exec("app:tells", "app:processes", ...)) end
-- entry: becomes
return function(...) process.upgrade("app:tells", ...) end
"#;

#[test]
fn a_spawner_gives_another_actor_another_scope_or_both() {
    let main = r#"return function()
        local base = process.with_context {}
        local bob = security.new_actor("bob", { role = "guest" })
        local function ask(who, spawner, entry)
            assert(spawner:spawn_monitored(entry or "app:tells", "app:processes", who))
            print(process.events():receive().result)
        end
        ask("inherited", base)
        ask("actor", base:with_actor(bob))
        ask("scope", base:with_scope(security.named_scope("app:lookers")))
        ask("both", base:with_actor(bob):with_scope(security.new_scope { security.policy("app:look") }))
        ask("last wins", base:with_actor(bob):with_actor(security.new_actor("eve")))
        local look = security.new_scope { security.policy("app:look") }
        ask("kept", base:with_scope(look):with_actor(bob):with_context({ k = 1 }):with_name("kept"):with_message("t"))
        ask("none", base:with_scope(security.new_scope {}))
        ask("unchanged", base)
        -- What the child was given is its own: so its children's, its callees' and its next incarnation's.
        local more = security.new_scope { security.policy("app:all"), security.policy("app:look") }
        ask("exec", base:with_actor(bob):with_scope(more), "app:relays")
        ask("upgrade", base:with_actor(bob):with_scope(more), "app:becomes")
        print((process.exec("app:tells", "app:processes", "executed")))
        process.upgrade("app:tells", "upgraded")
    end"#;
    expect![[r#"
        inherited: ada nil, app:all, look true, act true
        actor: bob guest, app:all, look true, act true
        scope: ada nil, app:look, look true, act false
        both: bob guest, app:look, look true, act false
        last wins: eve nil, app:all, look true, act true
        kept: bob guest, app:look, look true, act false
        none: ada nil, , look false, act false
        unchanged: ada nil, app:all, look true, act true
        exec: bob guest, app:all app:look, look true, act true
        upgrade: bob guest, app:all app:look, look true, act true
        executed: ada nil, app:all, look true, act true
        => "upgraded: ada nil, app:all, look true, act true"
    "#]]
    .assert_eq(&as_ada(&format!("{main}{TELLS}")));
}

#[test]
fn a_spawner_takes_only_what_is_an_actor_or_a_scope() {
    let main = r#"return function()
        local base = process.with_context {}
        local forged = setmetatable({ "root" }, { __name = "actor" })
        for _, call in ipairs {
            { base.with_actor, base }, { base.with_actor, base, "root" }, { base.with_actor, base, forged },
            { base.with_actor, base, security.new_scope {} }, { base.with_actor, {}, security.actor() },
            { base.with_scope, base }, { base.with_scope, base, {} }, { base.with_scope, base, security.actor() },
            { base.with_scope, base, "app:all" }, { base.with_scope, {}, security.scope() },
        } do
            local ok, err = pcall(table.unpack(call))
            print(ok, err:kind(), err)
        end
    end"#;
    expect![[r#"
        false	Invalid	actor is missing
        false	Invalid	actor is a string, not an actor
        false	Invalid	actor is a actor, not an actor
        false	Invalid	actor is a scope, not an actor
        false	Invalid	bad argument #1 to 'with_actor' (spawner expected, got table)
        false	Invalid	scope is missing
        false	Invalid	scope is a table, not a scope
        false	Invalid	scope is a actor, not a scope
        false	Invalid	scope is a string, not a scope
        false	Invalid	bad argument #1 to 'with_scope' (spawner expected, got table)
        => nil
    "#]]
    .assert_eq(&as_ada(main));
}

#[test]
fn a_spawners_powers_are_looked_at_again_when_it_spawns() {
    // A scope names policies; one that is gone, or was never there, is no way to be freer.
    let main = r#"return function()
        local scope = security.new_scope { security.policy("app:look") }
        rawset(scope, 1, "app:nobody")
        local pid, err = process.with_context {}:with_scope(scope):spawn("app:tells", "app:processes", "x")
        print(pid, err, err:kind())
    end"#;
    expect![[r#"
        nil	policy `app:nobody` not found	NotFound
        => nil
    "#]]
    .assert_eq(&as_ada(&format!("{main}{TELLS}")));
}

#[test]
fn what_a_script_forges_in_a_spawner_gives_it_no_power() {
    let forge = |slot: &str, value: &str| {
        let call = "(function() local s = process.with_context {} rawset(s, SLOT, VALUE)
            return s:spawn('app:waits', 'app:processes') end)()";
        call.replace("SLOT", slot).replace("VALUE", value)
    };
    let policies = [allow("app:yes", "*", "*"), deny("app:no", "process.security", "*")];
    let denied = "PermissionDenied: permission `process.security` on `security` is denied by policy `app:no`";
    assert_eq!(answer(&forge("5", "'root'"), Some(&policies), false), denied);
    assert_eq!(answer(&forge("7", "{ 'app:yes' }"), Some(&policies), false), denied);
    let policies = [allow("app:yes", "*", "*"), deny("app:no", "process.registry.register", "mine")];
    let denied = "PermissionDenied: permission `process.registry.register` on `mine` is denied by policy `app:no`";
    assert_eq!(answer(&forge("2", "'mine'"), Some(&policies), false), denied);
}
