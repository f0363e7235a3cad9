//! Values of scripts as JSON, and times.
//!
//! Owns what becomes of what JSON has no form for. Both ways end: JSON is read 128 levels deep at most, a value has 100.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lunarium_engine::Value;
use serde_json::{Map, Number, Value as Json, json};

/// A time as people and programs read it: RFC 3339, UTC, milliseconds.
pub(crate) fn time(time: SystemTime) -> String {
    // Outside of the years that it has, there is no clock.
    Timestamp::try_from(time).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// Seconds, with microseconds.
pub(crate) fn seconds(duration: Duration) -> f64 {
    let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    // Exact for 285 years.
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let microseconds = microseconds as f64;
    microseconds / 1e6
}

/// A value of Lua: null is nil, a list a table with the keys 1..n.
pub(crate) fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(values) => Value::Array(values.into_iter().map(from_json).collect()),
        Json::Object(fields) => {
            let pairs = fields.into_iter().map(|(key, value)| (Value::from(key.as_str()), from_json(value)));
            Value::Map(pairs.filter(|(_, value)| !matches!(value, Value::Nil)).collect())
        }
    }
}

/// A value as JSON. Keys are texts; a string that isn't UTF-8 is `{"hex": …}`; a time is RFC 3339, a duration seconds as a text (`1.5s`); an
/// error `{"error": …}`; what has no form else is null.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(value) => json!(value),
        // NaN and infinities have no form.
        Value::Float(value) => Number::from_f64(*value).map_or_else(|| json!(value.to_string()), Json::Number),
        Value::String(bytes) => string(bytes),
        Value::Array(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| (key(name), to_json(value)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Extension(..) => extension(value),
    }
}

fn string(bytes: &[u8]) -> Json {
    match str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

fn key(key: &Value) -> String {
    match key {
        Value::String(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => match to_json(other) {
            Json::String(text) => text,
            other => other.to_string(),
        },
    }
}

fn extension(value: &Value) -> Json {
    if let Some(at) = value.as_time() {
        return json!(time(at));
    }
    if let Some(duration) = value.as_duration() {
        return json!(format!("{}s", seconds(duration)));
    }
    match value.failure() {
        Some(failure) => json!({ "error": { "kind": failure.kind.as_str(), "message": failure.message } }),
        None => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use lunarium_engine::Value;
    use serde_json::{Value as Json, json};

    use super::{from_json, seconds, time, to_json};

    #[test]
    fn json_is_the_same_after_it_was_a_value() {
        let both = json!({"a": [1, -2.5, "é", true, null, {"b": {}}], "big": i64::MAX, "small": i64::MIN});
        assert_eq!(to_json(&from_json(both.clone())), both);
        assert_eq!(
            from_json(json!({"gone": null, "there": 1})),
            Value::Map(vec![(Value::from("there"), Value::Integer(1))])
        );
        assert_eq!(from_json(json!(u64::MAX)), Value::Float(u64::MAX as f64));
    }

    #[test]
    fn what_json_has_no_form_for_has_one_all_the_same() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        let bytes = Value::String(vec![0xff, 0]);
        assert_eq!(to_json(&bytes), json!({"hex": "ff00"}));
        assert_eq!(to_json(&Value::try_from(moment).unwrap()), json!("1970-01-01T00:00:01.500Z"));
        assert_eq!(to_json(&Value::try_from(Duration::from_millis(1500)).unwrap()), json!("1.5s"));
        assert_eq!(to_json(&Value::Float(f64::INFINITY)), json!("inf"));
        assert_eq!(to_json(&Value::Extension(99, vec![1])), Json::Null);
        let keys = [Value::Integer(7), Value::Boolean(true), bytes, Value::Float(0.5)];
        let map = Value::Map(keys.map(|key| (key, Value::Nil)).to_vec());
        assert_eq!(to_json(&map), json!({"7": null, "true": null, "\u{fffd}\u{0}": null, "0.5": null}));
        assert_eq!(
            (time(moment), seconds(Duration::from_micros(1_500_001))),
            ("1970-01-01T00:00:01.500Z".to_owned(), 1.500_001)
        );
    }
}
