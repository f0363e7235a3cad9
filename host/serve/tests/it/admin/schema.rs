//! The OpenAPI document as a judge: as much of JSON Schema as it uses. Refuses keywords that it doesn't know, so that none goes unlooked at.

use lunarium_serve::OPENAPI;
use serde_json::Value;

pub struct Document(Value);

impl Document {
    pub fn new() -> Document {
        Document(serde_json::from_str(OPENAPI).unwrap())
    }

    /// Whether an answer is what the document says of it.
    pub fn check(&self, method: &str, route: &str, status: u16, value: &Value) -> Result<(), String> {
        let operation = &self.0["paths"][route][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        let content = response["content"].as_object().ok_or_else(|| format!("{route} has no answer {status}"))?;
        let schema = content.values().next().and_then(|content| content.get("schema")).ok_or("no schema")?;
        self.valid(schema, value, "")
    }

    pub fn valid(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let fields = schema.as_object().ok_or_else(|| format!("{at}: no schema"))?;
        for (keyword, wanted) in fields {
            let fault = match keyword.as_str() {
                "$ref" => {
                    let place =
                        wanted.as_str().and_then(|place| place.strip_prefix('#')).ok_or("a foreign reference")?;
                    return self.valid(self.0.pointer(place).ok_or("a dead reference")?, value, at);
                }
                "description" | "format" | "items" | "required" | "additionalProperties" => None,
                "type" => (!has_type(wanted, value)).then(|| format!("is no {wanted}")),
                "enum" => {
                    (!wanted.as_array().is_some_and(|all| all.contains(value))).then(|| format!("isn't of {wanted}"))
                }
                "const" => (wanted != value).then(|| format!("isn't {wanted}")),
                "minimum" => (value.as_f64() < wanted.as_f64())
                    .then(|| format!("is less than {wanted}"))
                    .filter(|_| value.is_number()),
                "minItems" => {
                    value.as_array().filter(|all| all.len() < size(wanted)).map(|_| "is too short".to_owned())
                }
                "properties" => self.properties(fields, value, at)?,
                "prefixItems" => self.places(wanted, value, at)?,
                "oneOf" => {
                    let all = wanted.as_array().ok_or("no list")?;
                    let fit = all.iter().filter(|schema| self.valid(schema, value, at).is_ok()).count();
                    (fit != 1).then(|| format!("fits {fit} of {wanted}"))
                }
                other => return Err(format!("the test doesn't know the keyword `{other}`")),
            };
            if let Some(fault) = fault {
                return Err(format!("{at}: {value} {fault}"));
            }
        }
        if let (Some(items), Some(values)) = (fields.get("items").filter(|items| items.is_object()), value.as_array()) {
            values
                .iter()
                .enumerate()
                .try_for_each(|(place, value)| self.valid(items, value, &format!("{at}/{place}")))?;
        }
        let others = fields.get("additionalProperties").filter(|others| others.is_object());
        if let (Some(others), Some(values), None) = (others, value.as_object(), fields.get("properties")) {
            values.iter().try_for_each(|(name, value)| self.valid(others, value, &format!("{at}/{name}")))?;
        }
        Ok(())
    }

    fn properties(
        &self,
        schema: &serde_json::Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<Option<String>, String> {
        let (Some(known), Some(has)) = (schema["properties"].as_object(), value.as_object()) else { return Ok(None) };
        for (name, value) in has {
            let Some(schema) = known.get(name) else { return Ok(Some(format!("has the unknown field {name}"))) };
            self.valid(schema, value, &format!("{at}/{name}"))?;
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let lacks = required.filter_map(Value::as_str).find(|name| !has.contains_key(*name));
        Ok(lacks.map(|name| format!("lacks the field {name}")))
    }

    fn places(&self, schemas: &Value, value: &Value, at: &str) -> Result<Option<String>, String> {
        let (Some(schemas), Some(values)) = (schemas.as_array(), value.as_array()) else { return Ok(None) };
        for (place, value) in values.iter().enumerate() {
            let Some(schema) = schemas.get(place) else { return Ok(Some("is too long".to_owned())) };
            self.valid(schema, value, &format!("{at}/{place}"))?;
        }
        Ok(None)
    }

    /// What a server-sent event carries.
    pub fn check_named(&self, name: &str, value: &Value) -> Result<(), String> {
        self.valid(&self.0["components"]["schemas"][name], value, name)
    }
}

fn size(value: &Value) -> usize {
    value.as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |wanted: &Value| match wanted.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    wanted.as_array().map_or_else(|| is(wanted), |any| any.iter().any(is))
}

#[test]
fn the_judge_judges() {
    let document = Document::new();
    let ready = serde_json::json!({"ready": true, "starting": 0, "failed": 0, "stopping": false});
    assert_eq!(document.check("GET", "/readyz", 200, &ready), Ok(()));
    for (field, wrong) in
        [("starting", Value::Null), ("starting", (-1).into()), ("ready", "yes".into()), ("more", 1.into())]
    {
        let mut other = ready.clone();
        other[field] = wrong;
        assert!(document.check("GET", "/readyz", 200, &other).is_err(), "{other}");
    }
    assert!(document.check("GET", "/readyz", 200, &serde_json::json!({"ready": true})).is_err());
    assert!(document.check("GET", "/readyz", 404, &ready).is_err());
}
