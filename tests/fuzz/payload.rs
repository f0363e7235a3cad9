//! Payloads: bytes that a guest may have made up, read by the host; and values that go through the real guest and back.

use lunarium_engine::{
    ActorSpec, EntryId, HostId, Limits, Outcome, Raw, ScopeSpec, SecuritySpec, SpawnError, SpawnRequest, Value,
    from_payload, to_payload,
};
use lunarium_tests::inputs::numbers;
use lunarium_tests::{Dice, HOST, Lab};

use crate::fuzz;

/// One of each kind of value.
fn samples() -> Vec<Vec<u8>> {
    let map = Value::Map(vec![
        (Value::from("role"), Value::from("clerk")),
        (Value::from("teams"), Value::Array(vec![Value::Integer(-70_000), Value::Float(0.5), Value::Boolean(true)])),
        (Value::from("long"), Value::String(vec![b'x'; 300])),
        (Value::from("inner"), Value::Map(vec![(Value::from("a"), Value::Nil)])),
    ]);
    let error = Value::Extension(2, vec![0x95, 0xa1, b'k', 0xa1, b'm', 0xc2, 0xc0, 0xc0]);
    let many = Value::Array(vec![Value::Array(Vec::new()); 40]);
    let deep = (0..100).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
    [map, error, many, deep, Value::Extension(4, vec![0; 8])].iter().map(Value::encode).collect()
}

#[test]
fn decoding() {
    let samples = samples();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    fuzz(40_000, &samples, |bytes| {
        let Ok(value) = Value::decode(bytes) else { return };
        let again = value.encode();
        // By their bytes: a NaN isn't equal to itself.
        assert_eq!(Value::decode(&again).unwrap().encode(), again);
    });
}

/// Values that are kept as payloads: what is taken apart and put together again is what it was.
#[test]
fn parts() {
    let mut samples = samples();
    // Tables that appear twice: a list's first item, then one in a list of its own.
    samples.push(vec![0x93, 0x91, 1, 0xd6, 1, 0, 0, 0, 1, 0x92, 0x90, 0xd6, 1, 0, 0, 0, 3]);
    samples.push(vec![0x92, 0xa1, b'k', 0x92, 0x91, 1, 0xd6, 1, 0, 0, 0, 2]);
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    fuzz(40_000, &samples, |bytes| {
        let Ok(parts) = from_payload::<Vec<Raw>>(bytes) else { return };
        let again = from_payload::<Vec<Raw>>(&to_payload(&parts).unwrap());
        assert_eq!(again.as_ref(), Ok(&parts));
        // Behind others, too.
        let moved = [&[Raw(vec![0x92, 0x90, 0x90].into())][..], &parts].concat();
        let again = from_payload::<Vec<Raw>>(&to_payload(&moved).unwrap());
        assert_eq!(again.as_ref(), Ok(&moved));
    });
}

/// What the host looks into: an actor's meta. The host is full, so nothing starts.
#[test]
fn actors() {
    let lab = Lab::sized(Limits::default(), 1);
    lab.define("return { main = function() process.inbox():receive() end }");
    lab.spawn("main", Vec::new());
    let samples = samples();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    fuzz(30_000, &samples, |bytes| {
        let actor = ActorSpec::from_payload(String::from_utf8_lossy(bytes), Some(bytes.to_vec()));
        let named = ActorSpec::from_payload("user:ada", Some(bytes.to_vec()));
        for actor in [actor, named] {
            let security = SecuritySpec::new().with_actor(actor).with_scope(ScopeSpec::default());
            let request = SpawnRequest::new(EntryId::new("app:main"), HostId::new(HOST)).with_security(security);
            let refused = lab.node.spawn(request).err().unwrap();
            assert!(matches!(refused, SpawnError::Security(_) | SpawnError::Kernel(_)), "{refused}");
        }
    });
}

/// What comes back from a guest is what went in.
#[test]
fn round_trips() {
    let lab = Lab::default();
    lab.define("return { main = function(...) return { ... } end }");
    // A process takes many values at once.
    for number in numbers(40) {
        let mut dice = Dice::new(number);
        let values: Vec<Value> = (0..100).map(|_| value(&mut dice, 0)).collect();
        let Outcome::Completed(result) = lab.spawn("main", values.clone()).wait_blocking() else {
            panic!("FUZZ_SEED={number} ends a process")
        };
        let got = sorted(Value::decode(&result).unwrap());
        assert_eq!(got, sorted(Value::Array(values)), "FUZZ_SEED={number}");
    }
    lab.settle();
}

/// One that Lua has in one form only: no nil, no NaN, no map that would be a list.
fn value(dice: &mut Dice, depth: u32) -> Value {
    match dice.below(if depth > 3 { 5 } else { 7 }) {
        0 => Value::Boolean(dice.once_in(2)),
        1 => Value::Integer(dice.throw().cast_signed() >> dice.below(64)),
        2 => Value::Float((dice.throw() >> 11) as f64 / 1e3),
        3 => Value::String((0..dice.below(50)).map(|_| dice.byte()).collect()),
        4 => Value::String(vec![b'x'; dice.index(400)]),
        5 => Value::Array((0..dice.below(8)).map(|_| value(dice, depth + 1)).collect()),
        _ => {
            let pair = |number, dice: &mut Dice| (Value::from(format!("k{number}").as_str()), value(dice, depth + 1));
            Value::Map((0..dice.between(1, 8)).map(|number| pair(number, dice)).collect())
        }
    }
}

/// A table has no order of its own.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Map(pairs) => {
            let mut pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by_key(|(key, _)| key.encode());
            Value::Map(pairs)
        }
        other => other,
    }
}
