//! How several policies decide together, and what holds without any.

use super::{Actor, Decision, Security};
use crate::{Attribute, EntryId, ErrorKind, HostId, Pattern, Pid, Policy, PolicyEffect, Refusal};

fn pid() -> Pid {
    Pid::new(&HostId::new("h"), 1)
}

fn policy(id: &str, effect: PolicyEffect, action: &str, resource: &str) -> std::sync::Arc<Policy> {
    Policy {
        id: EntryId::new(id),
        effect,
        actions: vec![Pattern::parse(action).unwrap()],
        resources: vec![Pattern::parse(resource).unwrap()],
        conditions: Vec::new(),
    }
    .into()
}

fn actor() -> Actor {
    Actor::new("ada".to_owned(), Attribute::Nil, None).unwrap()
}

/// What is said to `process.send` on `r`.
fn said(security: &Security) -> String {
    match security.authorize("process.send", "r", &pid(), None) {
        Ok(()) => "allowed".to_owned(),
        Err(denied) => {
            assert_eq!(denied.kind(), ErrorKind::PermissionDenied);
            denied.to_string()
        }
    }
}

const MISSING: &str = "permission `process.send` on `r` is missing";
const DENIED: &str = "permission `process.send` on `r` is denied by policy `app:no`";

#[test]
fn any_deny_denies_and_otherwise_one_allow_is_needed() {
    let yes = policy("app:yes", PolicyEffect::Allow, "process.*", "*");
    let no = policy("app:no", PolicyEffect::Deny, "process.send", "r");
    let other_action = policy("app:other", PolicyEffect::Allow, "process.link", "*");
    let other_resource = policy("app:other", PolicyEffect::Deny, "*", "q");
    for (policies, expected) in [
        (vec![], MISSING),
        (vec![yes.clone()], "allowed"),
        (vec![other_action.clone()], MISSING),
        (vec![yes.clone(), other_resource], "allowed"),
        (vec![yes.clone(), no.clone()], DENIED),
        (vec![no.clone(), yes], DENIED),
        (vec![no, other_action], DENIED),
    ] {
        for strict in [false, true] {
            let security = Security::none(strict).with_scope(policies.clone());
            assert_eq!(said(&security), expected);
            assert_eq!(said(&security.with_actor(actor())), expected);
        }
    }
}

#[test]
fn without_actor_and_scope_everything_is_allowed_unless_strict() {
    assert_eq!(said(&Security::none(false)), "allowed");
    assert_eq!(said(&Security::none(true)), MISSING);
    assert_eq!(Security::none(false).decide("process.send", "r", &pid(), None), Decision::Undecided);
    // What needs an explicit word has none there.
    assert!(Security::none(false).require("process.send", "r", &pid(), None).is_err());
}

#[test]
fn an_actor_without_a_scope_may_do_nothing() {
    assert_eq!(said(&Security::none(false).with_actor(actor())), MISSING);
}

#[test]
fn a_policy_without_actions_or_resources_is_about_nothing() {
    for (actions, resources) in [(vec![], vec![Pattern::Any]), (vec![Pattern::Any], vec![])] {
        let effect = PolicyEffect::Allow;
        let policy = Policy { id: EntryId::new("app:p"), effect, actions, resources, conditions: Vec::new() };
        assert_eq!(said(&Security::none(false).with_scope([policy.into()])), MISSING);
    }
}

#[test]
fn a_denial_does_not_repeat_a_megabyte() {
    let long = "x".repeat(1 << 20);
    let denied = Security::none(true).authorize(&long, &long, &pid(), None).unwrap_err();
    assert!(denied.to_string().len() < 600);
}

#[test]
fn an_actor_has_an_id() {
    for id in ["", &"x".repeat(256)] {
        let refused = Actor::new(id.to_owned(), Attribute::Nil, None).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    assert_eq!(Actor::new("x".repeat(255), Attribute::Nil, None).unwrap().id().len(), 255);
}
