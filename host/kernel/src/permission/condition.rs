//! Conditions of a policy: a field, an operator, and what the field is compared with. Owns the operators and what they
//! give for values of unlike types and for what is missing.
//!
//! A positive operator (`eq lt gt lte gte in exists contains matches`) gives false for values of unlike types and for a
//! field, or an operand, that isn't there. Each negative one (`ne nin nexists ncontains nmatches`) is exactly the
//! negation of its positive, so it holds for a missing field: write a condition of a *deny* with a negative operator
//! (who isn't known to be an admin is denied), and one of an *allow* with a positive one.

use std::cmp::Ordering;
use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

use super::attribute::{Attribute, View};
use super::security::Request;
use crate::text::{SHOWN, cut};

/// Bytes of a compiled pattern, and of what its matching may hold. There may be many, and the crate's default of 10 MiB
/// is for programs that have one.
const PATTERN_BYTES: usize = 1 << 20;

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `actor.id`
    ActorId,
    /// `actor.meta.x.y`: a value of the actor's meta.
    ActorMeta(Vec<String>),
    /// `action`
    Action,
    /// `resource`
    Resource,
    /// `meta.pid`: the caller's pid.
    Pid,
    /// `meta.x.y`: an attribute of the request.
    Meta(Vec<String>),
}

/// No field has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown field `{name}`")]
pub struct FieldError {
    /// The beginning of the name.
    pub name: String,
}

impl Field {
    /// The forms of a field's name, for hints.
    pub const FORMS: &'static str =
        "a field is `actor.id`, `actor.meta.x`, `action`, `resource`, `meta.pid` or `meta.x`";

    /// The field of this name. Errors: none has it.
    pub fn parse(name: &str) -> Result<Self, FieldError> {
        let path = |rest: &str| -> Option<Vec<String>> {
            let keys: Vec<String> = rest.split('.').map(str::to_owned).collect();
            (!keys.iter().any(String::is_empty)).then_some(keys)
        };
        let field = match name {
            "actor.id" => Some(Self::ActorId),
            "action" => Some(Self::Action),
            "resource" => Some(Self::Resource),
            "meta.pid" => Some(Self::Pid),
            _ => match (name.strip_prefix("actor.meta."), name.strip_prefix("meta.")) {
                (Some(rest), _) => path(rest).map(Self::ActorMeta),
                // Nothing is inside of the pid.
                (None, Some(rest)) => {
                    path(rest).filter(|keys| keys.first().is_none_or(|key| key != "pid")).map(Self::Meta)
                }
                (None, None) => None,
            },
        };
        field.ok_or_else(|| FieldError { name: cut(name, SHOWN) })
    }

    fn read<'r>(&self, request: &Request<'r>) -> Option<View<'r>> {
        let text = |text: &'r str| Some(View::Text(text.as_bytes()));
        match self {
            Self::ActorId => text(request.actor?.id()),
            Self::ActorMeta(path) => request.actor?.meta().at(path.iter().map(String::as_str)),
            Self::Action => text(request.action),
            Self::Resource => text(request.resource),
            Self::Pid => text(request.pid.as_str()),
            Self::Meta(path) => request.attributes?.at(path.iter().map(String::as_str)),
        }
    }
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `eq`: the same.
    Equal,
    /// `ne`: not `eq`.
    NotEqual,
    /// `lt`: two numbers, or two texts byte by byte.
    Less,
    /// `gt`
    Greater,
    /// `lte`
    LessOrEqual,
    /// `gte`
    GreaterOrEqual,
    /// `in`: is an item of the list.
    In,
    /// `nin`: not `in`.
    NotIn,
    /// `exists`: is there. Takes no value.
    Exists,
    /// `nexists`: not `exists`.
    NotExists,
    /// `contains`: a list that has the value as an item, or a text that has it as a part.
    Contains,
    /// `ncontains`: not `contains`.
    NotContains,
    /// `matches`: a text in which the regular expression finds something; `^` and `$` tie it to the ends.
    Matches,
    /// `nmatches`: not `matches`.
    NotMatches,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::Greater,
        Self::LessOrEqual,
        Self::GreaterOrEqual,
        Self::In,
        Self::NotIn,
        Self::Exists,
        Self::NotExists,
        Self::Contains,
        Self::NotContains,
        Self::Matches,
        Self::NotMatches,
    ];

    /// The name in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Less => "lt",
            Self::Greater => "gt",
            Self::LessOrEqual => "lte",
            Self::GreaterOrEqual => "gte",
            Self::In => "in",
            Self::NotIn => "nin",
            Self::Exists => "exists",
            Self::NotExists => "nexists",
            Self::Contains => "contains",
            Self::NotContains => "ncontains",
            Self::Matches => "matches",
            Self::NotMatches => "nmatches",
        }
    }

    /// The operator of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str() == name)
    }

    /// Whether it is compared with something.
    pub const fn takes_operand(self) -> bool {
        !matches!(self, Self::Exists | Self::NotExists)
    }

    /// The operator whose negation it is, and whether it is one.
    const fn positive(self) -> (Self, bool) {
        match self {
            Self::NotEqual => (Self::Equal, true),
            Self::NotIn => (Self::In, true),
            Self::NotExists => (Self::Exists, true),
            Self::NotContains => (Self::Contains, true),
            Self::NotMatches => (Self::Matches, true),
            positive => (positive, false),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// `value`
    Value(Attribute),
    /// `value_from`: another field.
    From(Field),
}

/// Why a condition can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nothing to compare with.
    #[error("operator `{0}` needs a value")]
    NoOperand(Operator),
    /// Something to compare with.
    #[error("operator `{0}` takes no value")]
    Operand(Operator),
    /// `in` and `nin` with something else.
    #[error("operator `{0}` needs a list")]
    NoList(Operator),
    /// An order of things that have none: the condition would never hold.
    #[error("operator `{0}` needs a number or a text")]
    NoOrder(Operator),
    /// `matches` and `nmatches` with something else, or with a field: patterns are compiled once.
    #[error("operator `{0}` needs a regular expression as its value")]
    NoPattern(Operator),
    /// Not a regular expression, or one that takes too much room.
    #[error("`{pattern}` is not a usable regular expression: {why}")]
    Pattern {
        /// The beginning of the pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
}

/// One condition of a policy.
#[derive(Clone, Debug)]
pub struct Condition {
    field: Field,
    /// Never a negative one.
    operator: Operator,
    negated: bool,
    operand: Compared,
}

#[derive(Clone, Debug)]
enum Compared {
    Nothing,
    Value(Attribute),
    Field(Field),
    Pattern(Regex),
}

impl Condition {
    /// Checks and compiles a condition. Errors: an operand that the operator can't use, a bad regular expression.
    pub fn new(field: Field, operator: Operator, operand: Option<Operand>) -> Result<Self, ConditionError> {
        let (positive, negated) = operator.positive();
        let operand = match (positive, operand) {
            (Operator::Exists, None) => Compared::Nothing,
            (Operator::Exists, Some(_)) => return Err(ConditionError::Operand(operator)),
            (_, None | Some(Operand::Value(Attribute::Nil))) => return Err(ConditionError::NoOperand(operator)),
            (Operator::Matches, Some(Operand::Value(Attribute::Text(pattern)))) => {
                Compared::Pattern(compile(&pattern)?)
            }
            (Operator::Matches, Some(_)) => return Err(ConditionError::NoPattern(operator)),
            (_, Some(Operand::From(field))) => Compared::Field(field),
            (Operator::In, Some(Operand::Value(list @ Attribute::List(_)))) => Compared::Value(list),
            (Operator::In, Some(_)) => return Err(ConditionError::NoList(operator)),
            (Operator::Equal | Operator::Contains, Some(Operand::Value(value))) => Compared::Value(value),
            (_, Some(Operand::Value(value @ (Attribute::Integer(_) | Attribute::Float(_) | Attribute::Text(_))))) => {
                Compared::Value(value)
            }
            (_, Some(Operand::Value(_))) => return Err(ConditionError::NoOrder(operator)),
        };
        Ok(Self { field, operator: positive, negated, operand })
    }

    /// Whether it holds for a request.
    pub(crate) fn holds(&self, request: &Request<'_>) -> bool {
        self.positive(request) != self.negated
    }

    fn positive(&self, request: &Request<'_>) -> bool {
        let Some(field) = self.field.read(request) else { return false };
        let operand = match &self.operand {
            Compared::Nothing => return true,
            Compared::Pattern(pattern) => return matches!(field, View::Text(text) if pattern.is_match(text)),
            Compared::Value(value) => value.view(),
            Compared::Field(other) => other.read(request),
        };
        let Some(operand) = operand else { return false };
        let order = || field.order(operand);
        match self.operator {
            Operator::Less => order() == Some(Ordering::Less),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
            Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Operator::In => has_item(operand, field),
            Operator::Contains => has_item(field, operand) || has_part(field, operand),
            _ => field.equals(operand),
        }
    }
}

fn has_item(list: View<'_>, item: View<'_>) -> bool {
    let View::List(items) = list else { return false };
    items.iter().filter_map(Attribute::view).any(|candidate| candidate.equals(item))
}

fn has_part(text: View<'_>, part: View<'_>) -> bool {
    let (View::Text(text), View::Text(part)) = (text, part) else { return false };
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

fn compile(pattern: &[u8]) -> Result<Regex, ConditionError> {
    let text = String::from_utf8_lossy(pattern);
    let built = RegexBuilder::new(&text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    built.map_err(|error| ConditionError::Pattern { pattern: cut(&text, SHOWN), why: reason(&error) })
}

/// The last line of a syntax error says what is wrong; those before show the pattern.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("it takes more than {limit} bytes"),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}
