//! What a pattern covers, and what conditions give for every operator and kind of value.

use super::{Pattern, PatternError, Policy, PolicyEffect};
use crate::{Actor, Attribute, Condition, ConditionError, EntryId, Field, HostId, Operand, Operator, Pid, Security};

fn text(text: &str) -> Attribute {
    Attribute::from(text)
}

fn list(items: &[Attribute]) -> Attribute {
    Attribute::List(items.to_vec())
}

fn map(pairs: &[(&str, Attribute)]) -> Attribute {
    Attribute::Map(pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.clone())).collect())
}

/// Whether a policy with this condition alone allows a request with these attributes.
fn holds_for(condition: Condition, actor: Option<Actor>, attributes: &Attribute) -> bool {
    let policy = Policy {
        id: EntryId::new("app:p"),
        effect: PolicyEffect::Allow,
        actions: vec![Pattern::Any],
        resources: vec![Pattern::Any],
        conditions: vec![condition],
    };
    let security = Security::none(false).with_scope([policy.into()]);
    let security = match actor {
        Some(actor) => security.with_actor(actor),
        None => security,
    };
    let pid = Pid::new(&HostId::new("h"), 1);
    security.authorize("act", "thing", &pid, Some(attributes)).is_ok()
}

/// Whether `meta.x <operator> value` holds when the attribute `x` is `field`.
fn holds(field: &Attribute, operator: &str, value: &Attribute) -> bool {
    let operand = Some(Operand::Value(value.clone()));
    let condition = Condition::new(Field::parse("meta.x").unwrap(), Operator::parse(operator).unwrap(), operand);
    holds_for(condition.unwrap(), None, &map(&[("x", field.clone())]))
}

#[test]
fn a_pattern_is_exact_or_a_beginning_or_any() {
    let covers = |pattern: &str, text: &str| Pattern::parse(pattern).unwrap().covers(text);
    assert!(covers("*", "") && covers("*", "anything"));
    assert!(covers("a.b", "a.b") && !covers("a.b", "a.bc") && !covers("a.b", "a.") && !covers("a.b", "A.B"));
    assert!(covers("a.*", "a.") && covers("a.*", "a.b.c") && !covers("a.*", "a") && !covers("a.*", "b.a."));
    assert!(covers("{app:h|*", "{app:h|0x00001}"));
    assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
    for inner in ["*a", "a*b", "**", "{h|*}"] {
        assert_eq!(Pattern::parse(inner), Err(PatternError::InnerStar(inner.to_owned())));
    }
}

/// Kinds of value with one of each, for the tables below.
fn kinds() -> [(&'static str, Attribute); 7] {
    [
        ("nothing", Attribute::Nil),
        ("boolean", Attribute::Boolean(true)),
        ("integer", Attribute::Integer(2)),
        ("float", Attribute::Float(2.5)),
        ("text", text("b")),
        ("list", list(&[text("b"), Attribute::Integer(2)])),
        ("map", map(&[("k", text("b"))])),
    ]
}

/// The kinds of field for which an operator holds with this value.
fn holding(operator: &str, value: &Attribute) -> String {
    let kinds = kinds();
    let held = kinds.iter().filter(|(_, field)| holds(field, operator, value)).map(|(name, _)| *name);
    held.collect::<Vec<_>>().join(" ")
}

#[test]
fn positive_operators_hold_for_like_types_only() {
    let table: &[(&str, Attribute, &str)] = &[
        ("eq", Attribute::Boolean(true), "boolean"),
        ("eq", Attribute::Boolean(false), ""),
        ("eq", Attribute::Integer(2), "integer"),
        ("eq", Attribute::Float(2.0), "integer"),
        ("eq", Attribute::Float(2.5), "float"),
        ("eq", text("b"), "text"),
        ("eq", text("2"), ""),
        ("eq", list(&[text("b"), Attribute::Float(2.0)]), "list"),
        ("eq", list(&[text("b")]), ""),
        ("eq", map(&[("k", text("b")), ("gone", Attribute::Nil)]), "map"),
        ("eq", map(&[("k", text("b")), ("more", text("b"))]), ""),
        ("lt", Attribute::Integer(3), "integer float"),
        ("lt", Attribute::Float(2.1), "integer"),
        ("lt", text("c"), "text"),
        ("lt", text("b"), ""),
        ("gt", Attribute::Integer(2), "float"),
        ("gt", text("a"), "text"),
        ("lte", Attribute::Integer(2), "integer"),
        ("lte", text("b"), "text"),
        ("gte", Attribute::Float(2.5), "float"),
        ("gte", text("b"), "text"),
        ("in", list(&[text("b"), Attribute::Float(2.0)]), "integer text"),
        ("in", list(&[map(&[("k", text("b"))])]), "map"),
        ("in", list(&[]), ""),
        ("contains", text("b"), "text list"),
        ("contains", text(""), "text"),
        ("contains", Attribute::Integer(2), "list"),
        ("contains", text("bb"), ""),
        ("matches", text("^b$"), "text"),
        ("matches", text("^a"), ""),
    ];
    for (operator, value, expected) in table {
        assert_eq!(holding(operator, value), *expected, "{operator} {value:?}");
    }
}

#[test]
fn a_negative_operator_holds_exactly_where_its_positive_does_not() {
    let pairs = [
        ("eq", "ne", text("b")),
        ("in", "nin", list(&[text("b")])),
        ("contains", "ncontains", text("b")),
        ("matches", "nmatches", text("b")),
    ];
    for (positive, negative, value) in pairs {
        for (name, field) in kinds() {
            assert_ne!(holds(&field, positive, &value), holds(&field, negative, &value), "{negative} {name}");
        }
        assert!(holds(&Attribute::Nil, negative, &value), "{negative} holds for what is missing");
    }
}

#[test]
fn a_field_exists_when_it_is_not_nil() {
    let exists = |operator: &str, attributes: &Attribute| {
        let condition = Condition::new(Field::parse("meta.x.y").unwrap(), Operator::parse(operator).unwrap(), None);
        holds_for(condition.unwrap(), None, attributes)
    };
    let there = map(&[("x", map(&[("y", Attribute::Boolean(false))]))]);
    for attributes in [map(&[]), text("x"), map(&[("x", text("y"))]), map(&[("x", map(&[("y", Attribute::Nil)]))])] {
        assert!(!exists("exists", &attributes) && exists("nexists", &attributes), "{attributes:?}");
    }
    assert!(exists("exists", &there) && !exists("nexists", &there));
}

#[test]
fn whole_numbers_and_others_are_compared_without_rounding() {
    let big = 9_007_199_254_740_993;
    assert!(holds(&Attribute::Integer(big), "gt", &Attribute::Float(9_007_199_254_740_992.0)));
    assert!(!holds(&Attribute::Integer(big), "eq", &Attribute::Float(9_007_199_254_740_992.0)));
    assert!(holds(&Attribute::Integer(i64::MAX), "lt", &Attribute::Float(9.3e18)));
    assert!(holds(&Attribute::Integer(i64::MIN), "gt", &Attribute::Float(f64::NEG_INFINITY)));
    assert!(holds(&Attribute::Integer(-1), "gt", &Attribute::Float(-1.5)));
    assert!(holds(&Attribute::Float(-1.5), "lt", &Attribute::Integer(-1)));
    for operator in ["eq", "lt", "gt", "lte", "gte"] {
        assert!(!holds(&Attribute::Float(f64::NAN), operator, &Attribute::Integer(1)), "{operator}");
        assert!(!holds(&Attribute::Float(f64::NAN), operator, &Attribute::Float(f64::NAN)), "{operator}");
    }
}

#[test]
fn every_field_is_read_from_its_place() {
    let meta = map(&[("role", text("admin")), ("team", map(&[("name", text("blue"))]))]);
    let actor = || Actor::new("ada".to_owned(), meta.clone(), None).unwrap();
    let attributes = map(&[("owner", text("ada")), ("pid", text("forged"))]);
    let holds = |field: &str, value: &str, actor: Option<Actor>| {
        let operand = Some(Operand::Value(text(value)));
        holds_for(Condition::new(Field::parse(field).unwrap(), Operator::Equal, operand).unwrap(), actor, &attributes)
    };
    for (field, value) in [
        ("actor.id", "ada"),
        ("actor.meta.role", "admin"),
        ("actor.meta.team.name", "blue"),
        ("action", "act"),
        ("resource", "thing"),
        ("meta.owner", "ada"),
        // Always the caller's own, whatever the attributes say.
        ("meta.pid", "{h|0x00001}"),
    ] {
        assert!(holds(field, value, Some(actor())), "{field}");
        assert!(!holds(field, "else", Some(actor())), "{field}");
        assert_eq!(holds(field, value, None), !field.starts_with("actor."), "{field} without an actor");
    }
    for unknown in
        ["", "actor", "actor.", "actor.meta", "actor.meta.", "actor.meta.a..b", "meta", "meta.", "meta.pid.x"]
    {
        assert_eq!(Field::parse(unknown).unwrap_err().to_string(), format!("unknown field `{unknown}`"));
    }
}

#[test]
fn an_operand_may_come_from_another_field() {
    let condition = |operator| {
        let from = Operand::From(Field::parse("meta.owner").unwrap());
        Condition::new(Field::ActorId, operator, Some(from)).unwrap()
    };
    let ada = || Actor::new("ada".to_owned(), Attribute::Nil, None).ok();
    assert!(holds_for(condition(Operator::Equal), ada(), &map(&[("owner", text("ada"))])));
    assert!(!holds_for(condition(Operator::Equal), ada(), &map(&[("owner", text("bob"))])));
    assert!(!holds_for(condition(Operator::Equal), ada(), &map(&[])));
    // Two that are missing aren't the same.
    assert!(!holds_for(condition(Operator::Equal), None, &map(&[])));
    assert!(holds_for(condition(Operator::NotEqual), None, &map(&[])));
    assert!(holds_for(condition(Operator::In), ada(), &map(&[("owner", list(&[text("ada")]))])));
    assert!(!holds_for(condition(Operator::In), ada(), &map(&[("owner", text("ada"))])));
}

#[test]
fn text_that_is_not_utf8_is_compared_as_bytes() {
    let bytes = |bytes: &[u8]| Attribute::Text(bytes.to_vec());
    assert!(!holds(&bytes(b"\xff"), "eq", &bytes(b"\xfe")));
    assert!(holds(&bytes(b"a\xffb"), "contains", &bytes(b"\xff")));
    assert!(holds(&bytes(b"\xffabc"), "matches", &text("abc$")));
}

#[test]
fn an_operand_that_can_not_be_used_is_refused() {
    let new = |operator, operand| Condition::new(Field::Action, operator, operand).map(drop);
    let value = |value| Some(Operand::Value(value));
    for operator in Operator::ALL {
        assert_eq!(Operator::parse(operator.as_str()), Some(operator));
        let refused = new(operator, None);
        match operator.takes_operand() {
            true => assert_eq!(refused, Err(ConditionError::NoOperand(operator))),
            false => assert_eq!(refused, Ok(())),
        }
    }
    assert_eq!(new(Operator::Exists, value(text("x"))), Err(ConditionError::Operand(Operator::Exists)));
    assert_eq!(new(Operator::Equal, value(Attribute::Nil)), Err(ConditionError::NoOperand(Operator::Equal)));
    assert_eq!(new(Operator::NotIn, value(text("x"))), Err(ConditionError::NoList(Operator::NotIn)));
    assert_eq!(new(Operator::Less, value(Attribute::Boolean(true))), Err(ConditionError::NoOrder(Operator::Less)));
    assert_eq!(new(Operator::Matches, value(list(&[]))), Err(ConditionError::NoPattern(Operator::Matches)));
    let from = Some(Operand::From(Field::ActorId));
    assert_eq!(new(Operator::NotMatches, from), Err(ConditionError::NoPattern(Operator::NotMatches)));
    let bad = new(Operator::Matches, value(text("a("))).unwrap_err().to_string();
    assert_eq!(bad, "`a(` is not a usable regular expression: unclosed group");
    let huge = new(Operator::Matches, value(text("(?:\\w{100}){100}"))).unwrap_err().to_string();
    assert_eq!(huge, "`(?:\\w{100}){100}` is not a usable regular expression: it takes more than 1048576 bytes");
}
