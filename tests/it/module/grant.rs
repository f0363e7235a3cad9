//! Who has a module: grants, policies, unknown names, modules that come and go.

use std::sync::Arc;

use expect_test::expect;
use lunarium_engine::{
    ActorSpec, Attribute, Condition, EntryId, Field, FunctionError, Grants, HostId, Module, Operand, Operator, Pattern,
    Policy, PolicyEffect, ScopeSpec, SecuritySpec, SpawnRequest, Value,
};
use lunarium_tests::{HOST, Lab, show_outcome};
use tokio::sync::Notify;

use super::{Given, check, lab};
use crate::check::{check_main_in, program};

fn billing() -> Module {
    Module::new("billing")
        .immediate("charge", |_, (cents,): (i64,)| -> Given<i64> { Ok(cents) })
        .immediate("refund", |_, (): ()| -> Given<()> { Ok(()) })
}

#[test]
fn without_a_grant_there_is_no_module() {
    let lab = Lab::default();
    lab.node.add_module(billing()).unwrap();
    check_main_in(
        &lab,
        r#"
        print(billing, pcall(require, "billing"))
        print(pcall(require, "unknown"))
        print(pcall(require, ("x"):rep(65)))
        print(pcall(require, "\xff"))
        "#,
        expect![[r#"
            nil	false	module 'billing' not found: it needs a grant, `modules: [billing]`
            false	module 'unknown' not found (the entry has no `imports`)
            false	module 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' not found (the entry has no `imports`)
            false	module '�' not found (the entry has no `imports`)
            => nil
        "#]],
    );
    let mut lab = lab;
    lab.grants = Arc::new(Grants::new().with_module("billing").with_module("absent"));
    check_main_in(
        &lab,
        r#"
        print(billing, type(require("billing").charge))
        print(pcall(require, "absent"))
        "#,
        expect![[r#"
            nil	function
            false	module 'absent' not found (the entry has no `imports`)
            => nil
        "#]],
    );
}

#[test]
fn an_unknown_function_is_told_with_the_nearest() {
    check(
        billing(),
        r#"
        local billing = require("billing")
        print(raised(function() return billing.chrage(5) end))
        print(raised(function() return billing.delete end))
        print(raised(function() return billing[("x"):rep(65)] end))
        print(raised(function() return billing["\xff"] end))
        print(billing[1], rawget(billing, "chrage"))
        local names = {}
        for name in pairs(billing) do names[#names + 1] = name end
        table.sort(names)
        print(table.concat(names, " "))
        "#,
        expect![[r#"
            module 'billing' has no function 'chrage'; did you mean 'charge'?
            module 'billing' has no function 'delete'
            module 'billing' has no function 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
            function '�' not found
            nil	nil
            charge refund
            => nil
        "#]],
    );
}

#[test]
fn policies_decide_call_by_call() {
    let lab = lab([billing()]);
    let policy = |id: &str, resource: &str, effect, conditions| Policy {
        id: EntryId::new(id),
        effect,
        actions: vec![Pattern::parse("module.call").unwrap()],
        resources: vec![Pattern::parse(resource).unwrap()],
        conditions,
    };
    let rich = Condition::new(
        Field::parse("actor.meta.rich").unwrap(),
        Operator::Equal,
        Some(Operand::Value(Attribute::Boolean(true))),
    );
    lab.node.define_policy(policy("app:charge", "billing.*", PolicyEffect::Allow, vec![rich.unwrap()]), &[]);
    lab.node.define_policy(policy("app:no_refund", "billing.refund", PolicyEffect::Deny, vec![]), &[]);
    lab.define(&program(
        r#"
        local billing = require("billing")
        print(billing.charge(1))
        print(billing.refund())
        print(kind(billing.refund()))
        "#,
    ));
    for rich in [true, false] {
        let meta = Value::Map(vec![("rich".into(), Value::Boolean(rich))]);
        let actor = ActorSpec::new("ada", Some(&meta)).unwrap();
        let scope = ScopeSpec::new(vec![EntryId::new("app:charge"), EntryId::new("app:no_refund")], Vec::new());
        let security = SecuritySpec::new().with_actor(actor).with_scope(scope);
        let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST)).with_security(security);
        lab.node.spawn(request).unwrap().wait_blocking();
    }
    expect![[r#"
        1
        nil	permission `module.call` on `billing.refund` is denied by policy `app:no_refund`
        nil	PermissionDenied
        nil	permission `module.call` on `billing.charge` is missing
        nil	permission `module.call` on `billing.refund` is denied by policy `app:no_refund`
        nil	PermissionDenied"#]]
    .assert_eq(&lab.printed().join("\n"));
}

#[test]
fn a_module_is_replaced_and_removed_for_everybody_at_once() {
    let entered = Arc::new(Notify::new());
    let release = Arc::new(Notify::new());
    let (inside, goes_on) = (Arc::clone(&entered), Arc::clone(&release));
    let old = Module::new("billing")
        .function("charge", move |_, (): ()| {
            let (inside, goes_on) = (Arc::clone(&inside), Arc::clone(&goes_on));
            async move {
                inside.notify_one();
                goes_on.notified().await;
                Ok::<_, FunctionError>("old")
            }
        })
        .immediate("version", |_, (): ()| -> Given<i64> { Ok(1) });
    let lab = lab([old]);
    lab.define(&program(
        r#"
        local billing = require("billing")
        local done, step = channel.new(1), process.listen("step")
        coroutine.spawn(function() done:send(billing.charge()) end)
        step:receive()
        print(billing.version(), pcall(function() return billing.charge() end))
        print(billing.added())
        step:receive()
        for _, name in ipairs { "version", "charge", "added" } do
            local value, err = billing[name]()
            print(value, err, err:kind())
        end
        print(raised(function() return billing.other() end))
        print(require("billing") == billing, done:receive())
        "#,
    ));
    let handle = lab.spawn("main", Vec::new());
    futures_lite::future::block_on(entered.notified());
    let new = Module::new("billing")
        .immediate("version", |_, (): ()| -> Given<i64> { Ok(2) })
        .immediate("added", |_, (): ()| -> Given<&str> { Ok("added") });
    lab.node.replace_module(new).unwrap();
    lab.node.send(handle.pid().as_str(), "step", &Value::Nil).unwrap();
    while lab.print_count() < 2 {
        std::thread::yield_now();
    }
    assert!(lab.node.remove_module("billing") && !lab.node.has_module("billing"));
    lab.node.send(handle.pid().as_str(), "step", &Value::Nil).unwrap();
    while lab.print_count() < 6 {
        std::thread::yield_now();
    }
    release.notify_one();
    let outcome = show_outcome(&handle.wait_blocking());
    expect![[r#"
        2	true	nil	module 'billing' has no function 'charge'
        added
        nil	module 'billing' not found	NotFound
        nil	module 'billing' not found	NotFound
        nil	module 'billing' not found	NotFound
        module 'billing' not found
        true	old	true
        => nil"#]]
    .assert_eq(&format!("{}\n{outcome}", lab.printed().join("\n")));
}
