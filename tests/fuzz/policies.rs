//! Policies and their conditions: names, patterns, regular expressions, and what they say of whatever is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunarium_kernel::{
    Actor, Attribute, Condition, EntryId, Field, Operand, Operator, Pattern, Pid, Policy, PolicyEffect, Security,
};

use crate::fuzz;

const SAMPLES: [&[u8]; 10] = [
    b"process.send*\n{app:workers|*\nactor.meta.role\nin\nclerk",
    b"*\n*\nmeta.size\ngt\n5",
    b"fs.read\ndata/*\nresource\nmatches\n^a+$",
    b"a\nb\nmeta.pid\neq\n{h|0x00001}",
    b"a\nb\nactor.id\nmatches\n(a|b)*[^c]{2,5}\\w\\p{L}",
    b"a\nb\naction\nnmatches\n(?i:x)+",
    b"a\nb\nmeta.x.y\ncontains\n1",
    b"a\nb\nmeta.x\nexists\n",
    b"a\nb\nactor.meta.a\nlt\n0.5",
    b"x*y\n\nmeta.pid.x\nne\n-1",
];

/// Texts, numbers or a list of texts, as a file may have them.
fn attribute(text: &str) -> Attribute {
    match (text.parse(), text.parse()) {
        (Ok(number), _) => Attribute::Integer(number),
        (_, Ok(number)) => Attribute::Float(number),
        _ if text.contains(',') => Attribute::List(text.split(',').map(Attribute::from).collect()),
        _ => Attribute::from(text),
    }
}

#[test]
fn conditions() {
    let pid = Pid::parse("{app:workers|0x00007}").unwrap();
    fuzz(10_000, &SAMPLES, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n');
        let mut line = || lines.next().unwrap_or_default();
        let (action, resource, field, operator, operand) = (line(), line(), line(), line(), line());
        let (Ok(actions), Ok(resources)) = (Pattern::parse(action), Pattern::parse(resource)) else { return };
        let (Ok(field), Some(operator)) = (Field::parse(field), Operator::parse(operator)) else { return };
        let other = Field::parse(operand).ok();
        let operands = [None, Some(Operand::Value(attribute(operand))), other.map(Operand::From)];
        let attributes = Attribute::Map(BTreeMap::from([
            (b"x".to_vec(), attribute(operand)),
            (b"size".to_vec(), Attribute::Integer(6)),
        ]));
        for operand in operands {
            let Ok(condition) = Condition::new(field.clone(), operator, operand) else { continue };
            let policy = |effect| Policy {
                id: EntryId::new("app:policy"),
                effect,
                actions: vec![actions.clone()],
                resources: vec![resources.clone()],
                conditions: vec![condition.clone()],
            };
            let actor = Actor::new("user:ada".to_owned(), attributes.clone(), None).unwrap();
            let says = |effect| {
                let security = Security::none(true).with_actor(actor.clone()).with_scope([Arc::new(policy(effect))]);
                security.authorize("process.send", &text, &pid, Some(&attributes)).is_ok()
            };
            // Nothing is allowed by what denies; and two looks say the same.
            assert!(!says(PolicyEffect::Deny));
            assert_eq!(says(PolicyEffect::Allow), says(PolicyEffect::Allow));
        }
    });
}
