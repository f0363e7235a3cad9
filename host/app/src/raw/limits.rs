//! A `limits:` table as written.
//!
//! Owns where the complaints about it stand; what a limit may be is said elsewhere.

use lunarium_kernel::LimitsOverride;

use super::field::Name;
use super::fields::Fields;
use crate::limits::{self, LimitError};
use crate::report::Mistake;
use crate::source::Shape;

/// Reads the `limits` of an entry.
pub(super) fn read(fields: &mut Fields<'_>) -> LimitsOverride {
    let mut limits = LimitsOverride::default();
    let Some(table) = fields.optional("limits") else { return limits };
    for (name, field) in table.pairs(Name::Noun("a limit")) {
        let text = match &field.node.shape {
            Shape::Text(text) => text.clone(),
            Shape::Integer(number) => number.to_string(),
            Shape::Float(number) => number.to_string(),
            shape => {
                let (name, noun) = (name.value, shape.noun());
                field.mistake(format!("limit `{name}` must be a size, a duration or a count, not {noun}"));
                continue;
            }
        };
        if let Err(error) = limits::set(&name.value, &text, &mut limits) {
            let place = if matches!(error, LimitError::Unknown(_)) { name.place } else { field.place() };
            field.page.push(Mistake::new(error.to_string()).at(&place).hint(error.hint()));
        }
    }
    limits
}
