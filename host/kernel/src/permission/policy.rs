//! Policies: who may do what to what. Owns one policy's verdict on a request. How several together decide is
//! `security.rs`.

use super::condition::Condition;
use super::security::Request;
use crate::EntryId;
use crate::text::{SHOWN, cut};

/// What a policy does with a request it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyEffect {
    /// `allow`: the request may pass, when no other policy denies it.
    Allow,
    /// `deny`: the request doesn't pass, whatever others say.
    Deny,
}

/// Which actions or resources a policy is about: `*` is any, a trailing `*` any with this beginning, else exactly this
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`
    Any,
    /// `text*`
    Prefix(String),
    /// `text`
    Exact(String),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It would never match.
    #[error("a pattern is empty")]
    Empty,
    /// A star that isn't the last character.
    #[error("`{0}` has a `*` that is not at its end")]
    InnerStar(String),
}

impl Pattern {
    /// The pattern with this text. Errors: it is empty, or a `*` stands before its end.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (head, is_prefix) = text.strip_suffix('*').map_or((text, false), |head| (head, true));
        match (head, is_prefix) {
            (head, _) if head.contains('*') => Err(PatternError::InnerStar(cut(text, SHOWN))),
            ("", false) => Err(PatternError::Empty),
            ("", true) => Ok(Self::Any),
            (head, true) => Ok(Self::Prefix(head.to_owned())),
            (head, false) => Ok(Self::Exact(head.to_owned())),
        }
    }

    /// Whether it is about this text.
    pub fn covers(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(head) => text.starts_with(head),
            Self::Exact(exact) => text == exact,
        }
    }
}

/// A checked policy. It is about a request when one of its actions, one of its resources and all of its conditions are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its id.
    pub id: EntryId,
    /// What it does.
    pub effect: PolicyEffect,
    /// With none it is about nothing.
    pub actions: Vec<Pattern>,
    /// With none it is about nothing.
    pub resources: Vec<Pattern>,
    /// With none only actions and resources count.
    pub conditions: Vec<Condition>,
}

impl Policy {
    /// What it says about a request, or none when it isn't about it.
    pub(crate) fn verdict(&self, request: &Request<'_>) -> Option<PolicyEffect> {
        let covers = |patterns: &[Pattern], text| patterns.iter().any(|pattern| pattern.covers(text));
        let about = covers(&self.actions, request.action)
            && covers(&self.resources, request.resource)
            && self.conditions.iter().all(|condition| condition.holds(request));
        about.then_some(self.effect)
    }
}

#[cfg(test)]
mod tests;
