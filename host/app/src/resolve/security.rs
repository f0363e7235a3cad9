//! From `security.policy` and `security:` to policies, and what processes get of them.
//!
//! Owns the check that what is named is there and not too much. Refuses to decide anything: what a policy means is the
//! kernel's.

use std::collections::BTreeSet;

use lunarium_engine::{ScopeSpec, SecurityError, SecuritySpec};
use lunarium_kernel::{EntryId, Policy};

use super::resolver::Resolver;
use crate::application::Grouped;
use crate::notation::hint;
use crate::raw::{Kind, RawSecurity};
use crate::report::Mistake;
use crate::source::At;

impl Resolver<'_> {
    /// The policies that can be used.
    pub(super) fn policies(&self) -> Vec<Grouped> {
        let written = self.entries.iter().filter_map(|entry| Some((entry, entry.policy()?)));
        let grouped = written.filter_map(|(entry, raw)| {
            let policy = Policy {
                id: EntryId::new(entry.id()),
                effect: raw.effect?,
                actions: raw.actions.clone(),
                resources: raw.resources.clone(),
                conditions: raw.conditions.clone(),
            };
            Some(Grouped { policy, groups: entry_ids(&raw.groups) })
        });
        grouped.collect()
    }

    /// What a host or a service gives its processes, once every policy and group is there.
    pub(super) fn security(&mut self, raw: Option<&RawSecurity>) -> Option<SecuritySpec> {
        let raw = raw?;
        for policy in raw.policies() {
            self.find(policy, &[Kind::Policy]);
        }
        for group in raw.groups() {
            self.check_group(group);
        }
        self.check_size(raw);
        let has_scope = raw.policies.is_some() || raw.groups.is_some();
        let mut security = SecuritySpec::new();
        security.actor = raw.actor.clone();
        security.scope = has_scope.then(|| ScopeSpec::new(entry_ids(raw.policies()), entry_ids(raw.groups())));
        Some(security)
    }

    /// A scope that is too large for every process is a mistake of who wrote it.
    fn check_size(&mut self, raw: &RawSecurity) {
        let groups: BTreeSet<&str> = raw.groups().iter().map(|group| group.value.as_str()).collect();
        let mut scope: BTreeSet<&str> = raw.policies().iter().map(|policy| policy.value.as_str()).collect();
        scope.extend(self.entries.iter().filter_map(|entry| {
            entry.policy()?.groups.iter().any(|group| groups.contains(group.value.as_str())).then_some(entry.id())
        }));
        let written = raw.groups().iter().chain(raw.policies()).next();
        if let Some(written) = written.filter(|_| scope.len() > ScopeSpec::MAX_POLICIES) {
            let message = SecurityError::Policies(scope.len()).to_string();
            self.report.push(Mistake::new(message).at(&written.place));
        }
    }

    fn check_group(&mut self, group: &At<String>) {
        let groups = self.entries.iter().filter_map(|entry| Some(&entry.policy()?.groups));
        let known: BTreeSet<&str> = groups.flatten().map(|group| group.value.as_str()).collect();
        if !known.contains(group.value.as_str()) {
            let message = format!("no `{}` is in the group `{}`", Kind::Policy, group.value);
            let hint = hint(&group.value, &known.into_iter().collect::<Vec<_>>());
            self.report.push(Mistake::new(message).at(&group.place).hint(hint));
        }
    }
}

fn entry_ids(ids: &[At<String>]) -> Vec<EntryId> {
    ids.iter().map(|id| EntryId::new(id.value.as_str())).collect()
}
