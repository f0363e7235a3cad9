//! The descriptions of the modules, in the format of the Lua language server: what `lunarium new` writes out for an editor, and the
//! parameters that the prompt shows.
//!
//! Owns the files and how functions are found in them. `docs/library` is the one place where they are written, and a test holds it against
//! what a script sees.

use std::collections::{BTreeMap, BTreeSet};

/// Names of files and what is in them.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Names of parameters; of one that may be left out with a `?` behind it.
type Parameters = Vec<String>;

/// Which functions there are.
pub struct Signatures {
    /// By their whole names: `process.spawn`.
    functions: BTreeMap<String, Parameters>,
    /// Methods by the names of their types, as error messages have them (`channel`), and then by their own.
    methods: BTreeMap<String, BTreeMap<String, Parameters>>,
}

impl Signatures {
    /// Of the modules that there are.
    pub fn of_library() -> Self {
        let mut signatures = Self { functions: BTreeMap::new(), methods: BTreeMap::new() };
        for (_, text) in FILES {
            signatures.read(text);
        }
        signatures
    }

    /// The parameters of a function: `process.spawn`.
    pub fn function(&self, name: &str) -> Option<&[String]> {
        self.functions.get(name).map(Vec::as_slice)
    }

    /// The parameters of a method of a type.
    pub fn method(&self, kind: &str, name: &str) -> Option<&[String]> {
        self.methods.get(kind)?.get(name).map(Vec::as_slice)
    }

    /// The methods of a type that begin so.
    pub fn methods<'s>(&'s self, kind: &str, prefix: &'s str) -> impl Iterator<Item = &'s str> {
        let methods = self.methods.get(kind).into_iter().flat_map(BTreeMap::keys);
        methods.map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    fn read(&mut self, text: &str) {
        // The types that variables stand for; what stands before the next function.
        let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
        let (mut class, mut optional) = (None, BTreeSet::new());
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("---@class ") {
                class = Some(kind_of(name));
            } else if let Some(parameter) = line.strip_prefix("---@param ") {
                let name = parameter.split(' ').next().unwrap_or_default();
                optional.extend(name.strip_suffix('?'));
            } else if !line.starts_with("---") {
                if let Some((name, parameters)) = function(line) {
                    let mark = |name: &str| format!("{name}{}", if optional.contains(name) { "?" } else { "" });
                    let parameters = parameters.map(mark).collect();
                    match name.split_once(':').map(|(variable, method)| (kinds.get(variable), method)) {
                        Some((Some(kind), method)) => {
                            self.methods.entry(kind.clone()).or_default().insert(method.to_owned(), parameters);
                        }
                        // Of a module that has methods.
                        _ => drop(self.functions.insert(name.replace(':', "."), parameters)),
                    }
                } else if let Some((variable, kind)) = line.strip_prefix("local ").zip(class.take()) {
                    kinds.insert(variable.split(' ').next().unwrap_or_default(), kind);
                }
                (class, optional) = (None, BTreeSet::new());
            }
        }
    }
}

/// The name of a type, of the name of its class: `process.Message`, `channel<T>`.
fn kind_of(class: &str) -> String {
    let class = class.split(['<', ':']).next().unwrap_or_default().trim();
    class.rsplit('.').next().unwrap_or_default().to_lowercase()
}

/// Name and parameters of `function name(a, b) end`.
fn function(line: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let (name, rest) = line.strip_prefix("function ")?.split_once('(')?;
    let (parameters, _) = rest.split_once(')')?;
    Some((name, parameters.split(", ").filter(|name| !name.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::Signatures;

    #[test]
    fn functions_and_methods_are_found() {
        let signatures = Signatures::of_library();
        let shown = |parameters: Option<&[String]>| parameters.map(|names| names.join(", "));
        let function = |name| shown(signatures.function(name));
        assert_eq!(function("process.spawn").as_deref(), Some("id, host, ..."));
        assert_eq!(function("process.listen").as_deref(), Some("topic, options?"));
        assert_eq!(function("process.registry.lookup").as_deref(), Some("name"));
        assert_eq!(function("process.pid").as_deref(), Some(""));
        assert_eq!(function("http.get").as_deref(), Some("url, options?"));
        assert_eq!(function("logger.info").as_deref(), Some("message, fields?"));
        assert_eq!(function("print").as_deref(), Some("..."));
        assert_eq!(function("process.spwan"), None);
        assert_eq!(shown(signatures.method("channel", "send")).as_deref(), Some("value"));
        assert_eq!(shown(signatures.method("time", "in_location")).as_deref(), Some("zone"));
        assert_eq!(signatures.method("message", "send"), None);
        assert_eq!(signatures.methods("message", "").collect::<Vec<_>>(), ["from", "payload", "topic"]);
        assert_eq!(signatures.methods("channel", "case_r").collect::<Vec<_>>(), ["case_receive"]);
        assert_eq!(signatures.methods("table", "").count(), 0);
    }
}
