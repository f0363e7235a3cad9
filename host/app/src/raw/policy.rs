//! `security.policy` as written.
//!
//! Owns its keys, and the check that it names permissions there are. Refuses to decide anything: what a policy means is the
//! kernel's.

use lunarium_kernel::{Condition, ConditionError, Field as Subject, Operand, Operator, Pattern, PolicyEffect, action};

use super::field::{Field, Name};
use super::fields::Fields;
use super::value::attribute;
use crate::notation::hint;
use crate::source::{At, Shape};

const EFFECTS: [&str; 2] = ["allow", "deny"];

/// A policy as written. What couldn't be used was reported, and is left out.
#[derive(Debug, Default)]
pub(crate) struct RawPolicy {
    pub(crate) effect: Option<PolicyEffect>,
    pub(crate) actions: Vec<Pattern>,
    pub(crate) resources: Vec<Pattern>,
    pub(crate) conditions: Vec<Condition>,
    /// A scope may take it from there.
    pub(crate) groups: Vec<At<String>>,
}

pub(super) fn read(fields: &mut Fields<'_>) -> RawPolicy {
    let policy = fields.required("policy");
    let groups = fields.optional("groups").map(|field| field.ids(Name::Noun("a group")));
    let mut raw = RawPolicy { groups: groups.unwrap_or_default(), ..RawPolicy::default() };
    let Some(mut own) = policy.and_then(Fields::open) else { return raw };
    if let Some(field) = own.required("actions") {
        let written = texts(field, "actions");
        written.iter().for_each(|(field, text)| check_permission(*field, &text.value));
        raw.actions = patterns(&written);
    }
    if let Some(field) = own.required("resources") {
        raw.resources = patterns(&texts(field, "resources"));
    }
    raw.effect = own.required("effect").and_then(effect);
    if let Some(field) = own.optional("conditions") {
        raw.conditions = field.items(Name::Noun("a condition")).filter_map(condition).collect();
    }
    own.finish();
    raw
}

/// A text or a list of texts, at least one.
fn texts<'n>(field: Field<'n>, key: &'static str) -> Vec<(Field<'n>, At<String>)> {
    let items = match &field.node.shape {
        Shape::List(items) => items.as_slice(),
        _ => std::slice::from_ref(field.node),
    };
    if items.is_empty() {
        field.mistake(format!("`{key}` is empty: the policy would be about nothing"));
    }
    let items = items.iter().map(|node| Field { node, name: Name::ItemOf(key), ..field });
    items.filter_map(|item| Some((item, item.text()?))).collect()
}

fn patterns(written: &[(Field<'_>, At<String>)]) -> Vec<Pattern> {
    let pattern = |(field, text): &(Field<'_>, At<String>)| {
        let hint = || "write `*` for any, `text*` for any with this beginning, or the whole text".to_owned();
        Pattern::parse(&text.value).map_err(|error| field.hinted(error.to_string(), Some(hint()))).ok()
    };
    written.iter().filter_map(pattern).collect()
}

/// A name of the runtime's families that is none of its actions is misspelt. Other names are the application's own.
fn check_permission(field: Field<'_>, text: &str) {
    if !action::FAMILIES.iter().any(|family| text.starts_with(family)) {
        return;
    }
    let known = match text.strip_suffix('*') {
        Some(head) => action::ALL.iter().any(|action| action.starts_with(head)),
        None => action::ALL.contains(&text),
    };
    if !known {
        field.hinted(format!("unknown permission `{text}`"), hint(text, &action::ALL));
    }
}

fn effect(field: Field<'_>) -> Option<PolicyEffect> {
    match field.text()?.value.as_str() {
        "allow" => Some(PolicyEffect::Allow),
        "deny" => Some(PolicyEffect::Deny),
        other => {
            field.hinted(format!("unknown effect `{other}`"), hint(other, &EFFECTS));
            None
        }
    }
}

fn condition(field: Field<'_>) -> Option<Condition> {
    let mut own = Fields::open(field)?;
    let about = own.required("field").and_then(subject);
    let operator_field = own.required("operator");
    let operator = operator_field.and_then(operator);
    let (literal, from) = (own.optional("value"), own.optional("value_from"));
    own.finish();
    let operand = match (literal, from) {
        (Some(_), Some(from)) => {
            from.text()?;
            from.mistake("a condition has `value` or `value_from`, not both");
            return None;
        }
        (Some(literal), None) => Some(Operand::Value(attribute(literal.node))),
        (None, Some(from)) => Some(Operand::From(subject(from)?)),
        (None, None) => None,
    };
    let made = Condition::new(about?, operator?, operand);
    made.map_err(|error| {
        let hint = match &error {
            ConditionError::NoOperand(_) => Some("give it a `value`, or a `value_from` another field".to_owned()),
            ConditionError::NoList(_) => Some("write the value like `[a, b]`".to_owned()),
            _ => None,
        };
        literal.or(from).or(operator_field).unwrap_or(field).hinted(error.to_string(), hint);
    })
    .ok()
}

fn subject(field: Field<'_>) -> Option<Subject> {
    let text = field.text()?;
    let parsed = Subject::parse(&text.value);
    parsed.map_err(|error| field.hinted(error.to_string(), Some(Subject::FORMS.to_owned()))).ok()
}

fn operator(field: Field<'_>) -> Option<Operator> {
    let text = field.text()?.value;
    let parsed = Operator::parse(&text);
    if parsed.is_none() {
        let hint = hint(&text, &Operator::ALL.map(Operator::as_str));
        field.hinted(format!("unknown operator `{text}`"), hint);
    }
    parsed
}
