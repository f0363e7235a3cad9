//! What a change of security keeps, and what groups hold.

use lunarium_kernel::{EntryId, Pattern, Pid, Policy, PolicyEffect};

use super::{ActorSpec, Policies, ScopeSpec, SecurityError, SecuritySpec};

fn policy(id: &str) -> Policy {
    let any = || vec![Pattern::Any];
    let id = EntryId::new(id);
    Policy { id, effect: PolicyEffect::Allow, actions: any(), resources: any(), conditions: Vec::new() }
}

fn actor(id: &str) -> SecuritySpec {
    SecuritySpec { actor: ActorSpec::new(id, None).ok(), scope: None }
}

fn scope(policies: &[&str], groups: &[&str]) -> SecuritySpec {
    let ids = |ids: &[&str]| ids.iter().map(|id| EntryId::new(*id)).collect();
    SecuritySpec { actor: None, scope: Some(ScopeSpec { policies: ids(policies), groups: ids(groups) }) }
}

fn group(policies: &Policies, name: &str) -> Vec<String> {
    let ids = policies.group(&EntryId::new(name)).unwrap_or_default();
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn a_change_keeps_what_it_does_not_give() {
    let mut policies = Policies::default();
    policies.define(policy("app:p"), &[]);
    let both = policies.change(&policies.none(), &scope(&["app:p"], &[])).unwrap();
    let both = policies.change(&both, &actor("ada")).unwrap();
    assert!(both.authorize("act", "x", &Pid::nobody(), None).is_ok());
    let other = policies.change(&both, &actor("bob")).unwrap();
    assert_eq!((other.actor().map(|actor| actor.id()), other.scope().map(<[_]>::len)), (Some("bob"), Some(1)));
    let narrow = policies.change(&other, &scope(&[], &[])).unwrap();
    assert_eq!((narrow.actor().map(|actor| actor.id()), narrow.scope().map(<[_]>::len)), (Some("bob"), Some(0)));
    assert!(narrow.authorize("act", "x", &Pid::nobody(), None).is_err());
}

#[test]
fn a_policy_is_in_the_groups_it_was_last_defined_with() {
    let mut policies = Policies::default();
    let groups = |names: &[&str]| names.iter().map(|name| EntryId::new(*name)).collect::<Vec<_>>();
    policies.define(policy("app:a"), &groups(&["x", "y"]));
    policies.define(policy("app:b"), &groups(&["x"]));
    assert_eq!(
        (group(&policies, "x"), group(&policies, "y")),
        (vec!["app:a".into(), "app:b".into()], vec!["app:a".into()])
    );
    policies.define(policy("app:a"), &groups(&["x"]));
    let gone = policies.change(&policies.none(), &scope(&[], &["y"])).unwrap_err();
    assert_eq!(gone, SecurityError::UnknownGroup("y".to_owned()));
    // Each policy once, however often it is named.
    let all = policies.change(&policies.none(), &scope(&["app:b", "app:b"], &["x", "x"])).unwrap();
    assert_eq!(all.scope().map(<[_]>::len), Some(2));
}

#[test]
fn a_scope_has_at_most_256_policies() {
    let mut policies = Policies::default();
    let group = [EntryId::new("all")];
    (0..256).for_each(|number| policies.define(policy(&format!("app:{number}")), &group));
    assert!(policies.change(&policies.none(), &scope(&[], &["all"])).is_ok());
    policies.define(policy("app:one more"), &group);
    assert_eq!(policies.change(&policies.none(), &scope(&[], &["all"])).unwrap_err(), SecurityError::Policies(257));
}
