//! Policies, and who gets them: `security.policy` entries, `security:` of hosts, services and the application.
//!
//! Owns their keys, and the check that a policy names permissions there are. Refuses to decide anything: what a policy
//! means is the kernel's.

use std::collections::BTreeSet;

use lunarium_engine::{ActorSpec, ScopeSpec, SecurityError, SecuritySpec};
use lunarium_kernel::{
    Attribute, Condition, ConditionError, EntryId, Field, Operand, Operator, Pattern, Policy, PolicyEffect, action,
};

use crate::fields::{self, Fields};
use crate::identifier::full_id_at;
use crate::raw::{RawBody, RawEntry};
use crate::report::Findings;
use crate::resolve::{Resolver, value};
use crate::suggest;
use crate::yaml::{At, Node, Shape};

const POLICY: &str = "security.policy";
const EFFECTS: [&str; 2] = ["allow", "deny"];

/// A policy as written. What couldn't be used was reported, and is left out.
#[derive(Debug)]
pub(crate) struct RawPolicy {
    effect: Option<PolicyEffect>,
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
    conditions: Vec<Condition>,
    groups: Vec<At<String>>,
}

/// `security:` of a host or a service.
#[derive(Debug)]
pub(crate) struct RawSecurity {
    actor: Option<ActorSpec>,
    policies: Option<Vec<At<String>>>,
    groups: Option<Vec<At<String>>>,
}

impl RawPolicy {
    /// Whether it is in any group: a scope may take it from there.
    pub(crate) fn is_grouped(&self) -> bool {
        !self.groups.is_empty()
    }
}

impl RawSecurity {
    /// The policies it names.
    pub(crate) fn policies(&self) -> &[At<String>] {
        self.policies.as_deref().unwrap_or_default()
    }
}

/// A policy with the groups it is in.
#[derive(Debug)]
pub(crate) struct Grouped {
    pub(crate) policy: Policy,
    pub(crate) groups: Vec<EntryId>,
}

// ---- Reading

pub(crate) fn read_policy(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> RawPolicy {
    let policy = fields.required("policy", findings);
    let groups = fields.optional("groups").map(|node| ids(node, "`groups`", "a group", space, findings));
    let mut raw = RawPolicy {
        effect: None,
        actions: Vec::new(),
        resources: Vec::new(),
        conditions: Vec::new(),
        groups: groups.unwrap_or_default(),
    };
    let Some(mut own) = policy.and_then(|node| Fields::open(node, "`policy`", findings)) else { return raw };
    if let Some(node) = own.required("actions", findings) {
        let written = texts(node, "actions", findings);
        written.iter().for_each(|text| check_permission(text, findings));
        raw.actions = patterns(&written, findings);
    }
    if let Some(node) = own.required("resources", findings) {
        let written = texts(node, "resources", findings);
        raw.resources = patterns(&written, findings);
    }
    raw.effect = own.required_text("effect", findings).and_then(|text| effect(&text, findings));
    if let Some(node) = own.optional("conditions") {
        let items = fields::list(node, "`conditions`", findings);
        raw.conditions = items.iter().filter_map(|item| condition(item, findings)).collect();
    }
    own.finish(findings);
    raw
}

/// A text or a list of texts, at least one.
fn texts(node: &Node, key: &str, findings: &mut Findings<'_>) -> Vec<At<String>> {
    let items = match &node.shape {
        Shape::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        findings.mistake(&node.span, format!("`{key}` is empty: the policy would be about nothing"));
    }
    items.iter().filter_map(|item| fields::text(item, &format!("an item of `{key}`"), findings)).collect()
}

fn patterns(written: &[At<String>], findings: &mut Findings<'_>) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for text in written {
        match Pattern::parse(&text.value) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let hint = "write `*` for any, `text*` for any with this beginning, or the whole text".to_owned();
                findings.hinted(&text.span, error.to_string(), Some(hint));
            }
        }
    }
    patterns
}

/// A name of the runtime's families that is none of its actions is misspelt. Other names are the application's own.
fn check_permission(written: &At<String>, findings: &mut Findings<'_>) {
    let text = written.value.as_str();
    if !action::FAMILIES.iter().any(|family| text.starts_with(family)) {
        return;
    }
    let known = match text.strip_suffix('*') {
        Some(head) => action::ALL.iter().any(|action| action.starts_with(head)),
        None => action::ALL.contains(&text),
    };
    if !known {
        findings.hinted(&written.span, format!("unknown permission `{text}`"), suggest::hint(text, &action::ALL));
    }
}

fn effect(text: &At<String>, findings: &mut Findings<'_>) -> Option<PolicyEffect> {
    match text.value.as_str() {
        "allow" => Some(PolicyEffect::Allow),
        "deny" => Some(PolicyEffect::Deny),
        other => {
            findings.hinted(&text.span, format!("unknown effect `{other}`"), suggest::hint(other, &EFFECTS));
            None
        }
    }
}

fn condition(node: &Node, findings: &mut Findings<'_>) -> Option<Condition> {
    let mut own = Fields::open(node, "a condition", findings)?;
    let field = own.required_text("field", findings).and_then(|text| field(&text, findings));
    let operator_text = own.required_text("operator", findings);
    let operator = operator_text.as_ref().and_then(|text| operator(text, findings));
    let literal = own.optional("value");
    let from_node = own.optional("value_from");
    let from = own.text("value_from", findings);
    own.finish(findings);
    if let (Some(_), Some(from)) = (literal, from_node) {
        findings.mistake(&from.span, "a condition has `value` or `value_from`, not both");
        return None;
    }
    let operand = match (literal, from) {
        (Some(literal), _) => Some(Operand::Value(attribute(literal))),
        (None, Some(from)) => Some(Operand::From(self::field(&from, findings)?)),
        (None, None) if from_node.is_some() => return None,
        (None, None) => None,
    };
    let made = Condition::new(field?, operator?, operand);
    made.map_err(|error| {
        let operand = literal.or(from_node).map(|node| &node.span);
        let operator = operator_text.as_ref().map(|text| &text.span);
        let hint = match &error {
            ConditionError::NoOperand(_) => Some("give it a `value`, or a `value_from` another field".to_owned()),
            ConditionError::NoList(_) => Some("write the value like `[a, b]`".to_owned()),
            _ => None,
        };
        findings.hinted(operand.or(operator).unwrap_or(&node.span), error.to_string(), hint);
    })
    .ok()
}

fn field(text: &At<String>, findings: &mut Findings<'_>) -> Option<Field> {
    let parsed = Field::parse(&text.value);
    parsed.map_err(|error| findings.hinted(&text.span, error.to_string(), Some(Field::FORMS.to_owned()))).ok()
}

fn operator(text: &At<String>, findings: &mut Findings<'_>) -> Option<Operator> {
    let parsed = Operator::parse(&text.value);
    if parsed.is_none() {
        let hint = suggest::hint(&text.value, &Operator::ALL.map(Operator::as_str));
        findings.hinted(&text.span, format!("unknown operator `{}`", text.value), hint);
    }
    parsed
}

fn attribute(node: &Node) -> Attribute {
    match &node.shape {
        Shape::Null => Attribute::Nil,
        Shape::Boolean(value) => Attribute::Boolean(*value),
        Shape::Integer(value) => Attribute::Integer(*value),
        Shape::Float(value) => Attribute::Float(*value),
        Shape::Text(text) => Attribute::from(text.as_str()),
        Shape::List(items) => Attribute::List(items.iter().map(attribute).collect()),
        Shape::Table(pairs) => {
            Attribute::Map(pairs.iter().map(|(key, item)| (key.value.clone().into_bytes(), attribute(item))).collect())
        }
    }
}

/// `security:` of a host or a service.
pub(crate) fn read_security(fields: &mut Fields<'_>, space: &str, findings: &mut Findings<'_>) -> Option<RawSecurity> {
    let node = fields.optional("security")?;
    let mut own = Fields::open(node, "`security`", findings)?;
    let has_actor = own.optional("actor");
    let actor = has_actor.and_then(|node| actor(node, findings));
    let policies = own.optional("policies").map(|node| ids(node, "`policies`", "a policy", space, findings));
    let groups = own.optional("groups").map(|node| ids(node, "`groups`", "a group", space, findings));
    own.finish(findings);
    if has_actor.is_none() && policies.is_none() && groups.is_none() {
        let hint = "give it an `actor`, `policies` or `groups`, or leave it out".to_owned();
        findings.hinted(&node.span, "`security` says nothing", Some(hint));
    }
    Some(RawSecurity { actor, policies, groups })
}

fn actor(node: &Node, findings: &mut Findings<'_>) -> Option<ActorSpec> {
    let mut own = Fields::open(node, "`actor`", findings)?;
    let id = own.required_text("id", findings);
    let meta = own.optional("meta");
    own.finish(findings);
    if let Some(meta) = meta {
        fields::table(meta, "`meta`", findings);
    }
    let meta = meta.filter(|meta| matches!(meta.shape, Shape::Table(_)));
    let id = id?;
    let made = ActorSpec::new(&id.value, meta.map(value).as_ref());
    made.map_err(|error| findings.mistake(&id.span, error.to_string())).ok()
}

/// Ids of a list, bare ones in this namespace.
fn ids(node: &Node, key: &str, item: &str, space: &str, findings: &mut Findings<'_>) -> Vec<At<String>> {
    let mut ids = Vec::new();
    for node in fields::list(node, key, findings) {
        ids.extend(fields::text(node, item, findings).map(|id| full_id_at(space, id)));
    }
    ids
}

/// `security:` of an index file: whether the application is strict. Only that of the application's own folder counts.
pub(crate) fn read_strict(top: &mut Fields<'_>, is_root: bool, findings: &mut Findings<'_>) -> bool {
    let Some(node) = top.optional("security") else { return false };
    if !is_root {
        let hint = "move it to the `_index.yaml` of the application's own folder: it counts for all of it".to_owned();
        findings.hinted(&node.span, "`security` of the application stands in a folder of it", Some(hint));
        return false;
    }
    let Some(mut own) = Fields::open(node, "`security`", findings) else { return false };
    own.required("strict", findings);
    let strict = own.boolean("strict", findings).unwrap_or_default();
    own.finish(findings);
    strict
}

// ---- Resolving

impl<'a> Resolver<'a> {
    pub(crate) fn policies(&mut self) -> Vec<Grouped> {
        let mut policies = Vec::new();
        for entry in self.entries {
            let RawBody::Policy(raw) = &entry.body else { continue };
            let Some(effect) = raw.effect else { continue };
            let policy = Policy {
                id: EntryId::new(entry.id.value.as_str()),
                effect,
                actions: raw.actions.clone(),
                resources: raw.resources.clone(),
                conditions: raw.conditions.clone(),
            };
            policies.push(Grouped { policy, groups: entry_ids(&raw.groups) });
        }
        policies
    }

    /// What a host or a service gives its processes, once every policy and group is there.
    pub(crate) fn security(&mut self, entry: &'a RawEntry, raw: Option<&'a RawSecurity>) -> Option<SecuritySpec> {
        let raw = raw?;
        for policy in raw.policies.iter().flatten() {
            self.find(entry, policy, &[POLICY]);
        }
        for group in raw.groups.iter().flatten() {
            self.check_group(entry, group);
        }
        self.check_size(entry, raw);
        let has_scope = raw.policies.is_some() || raw.groups.is_some();
        let scope = has_scope.then(|| ScopeSpec {
            policies: entry_ids(raw.policies.as_deref().unwrap_or_default()),
            groups: entry_ids(raw.groups.as_deref().unwrap_or_default()),
        });
        Some(SecuritySpec { actor: raw.actor.clone(), scope })
    }

    /// A scope that is too large for every process is a mistake of who wrote it.
    fn check_size(&mut self, entry: &'a RawEntry, raw: &RawSecurity) {
        let groups: BTreeSet<&str> = raw.groups.iter().flatten().map(|group| group.value.as_str()).collect();
        let mut scope: BTreeSet<&str> = raw.policies.iter().flatten().map(|policy| policy.value.as_str()).collect();
        scope.extend(self.entries.iter().filter_map(|entry| {
            let RawBody::Policy(policy) = &entry.body else { return None };
            policy.groups.iter().any(|group| groups.contains(group.value.as_str())).then_some(entry.id.value.as_str())
        }));
        let written = raw.groups.iter().chain(&raw.policies).flatten().next();
        if let Some(written) = written.filter(|_| scope.len() > ScopeSpec::MAX_POLICIES) {
            let message = SecurityError::Policies(scope.len()).to_string();
            self.findings(entry).mistake(&written.span, message);
        }
    }

    fn check_group(&mut self, entry: &'a RawEntry, group: &At<String>) {
        let bodies = self.entries.iter().map(|entry| &entry.body);
        let groups = bodies.filter_map(|body| match body {
            RawBody::Policy(policy) => Some(policy.groups.iter().map(|group| group.value.as_str())),
            _ => None,
        });
        let known: BTreeSet<&str> = groups.flatten().collect();
        if !known.contains(group.value.as_str()) {
            let hint = suggest::hint(&group.value, &known.into_iter().collect::<Vec<_>>());
            let message = format!("no `{POLICY}` is in the group `{}`", group.value);
            self.findings(entry).hinted(&group.span, message, hint);
        }
    }
}

fn entry_ids(ids: &[At<String>]) -> Vec<EntryId> {
    ids.iter().map(|id| EntryId::new(id.value.as_str())).collect()
}
