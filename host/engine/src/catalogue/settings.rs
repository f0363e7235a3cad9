//! Settings of a grant: what a grant of a module says beyond its name.
//!
//! Owns that a module has read them before anybody holds them. What they mean is the module's.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::value::{ReadError, Value};

/// What a grant of a module says beyond the module's name, as that module has read it. Made by
/// [`Module::grant`](crate::Module::grant).
#[derive(Clone)]
pub struct Settings {
    module: Arc<str>,
    /// As a payload: two settings are equal when they were written so, and one reader has read them.
    written: Arc<[u8]>,
    reader: SettingsReader,
    read: Arc<dyn Any + Send + Sync>,
}

impl Settings {
    /// The name of the module.
    pub fn module(&self) -> &Arc<str> {
        &self.module
    }

    /// Whether these ask for no more than others of the same module allow, together: whoever gives a part of what he has asks.
    ///
    /// Errors: what is beyond, and where in these; settings of a module that can't compare must be written as one of the others.
    pub fn within(&self, allowed: &[Settings]) -> Result<(), SettingsError> {
        let same: Vec<&Settings> = allowed.iter().filter(|other| other.module == self.module).collect();
        let Some(within) = &self.reader.within else {
            let is_there = same.iter().any(|other| other.written == self.written);
            let beyond = || SettingsError::new(format!("`{}` asks for something else than is allowed", self.module));
            return if is_there { Ok(()) } else { Err(beyond()) };
        };
        within(&same.iter().map(|other| &*other.read).collect::<Vec<_>>(), &*self.read)
    }

    /// As they were read; none when that gave another type.
    pub(crate) fn read<S: Any>(&self) -> Option<&S> {
        self.read.downcast_ref()
    }
}

impl PartialEq for Settings {
    fn eq(&self, other: &Settings) -> bool {
        self.module == other.module
            && self.written == other.written
            && Arc::ptr_eq(&self.reader.read, &other.reader.read)
    }
}

impl Eq for Settings {}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = Value::decode(&self.written).unwrap_or_default();
        f.debug_struct("Settings").field("module", &self.module).field("written", &written).finish_non_exhaustive()
    }
}

/// How a module reads settings.
#[derive(Clone)]
pub(crate) struct SettingsReader {
    read: Arc<Read>,
    /// Whether settings ask for no more than others allow.
    within: Option<Arc<Within>>,
}

type Anything = dyn Any + Send + Sync;
type Read = dyn Fn(&Value) -> Result<Arc<Anything>, SettingsError> + Send + Sync;
type Within = dyn Fn(&[&Anything], &Anything) -> Result<(), SettingsError> + Send + Sync;

impl SettingsReader {
    pub(crate) fn new<S, E>(read: impl Fn(&Value) -> Result<S, E> + Send + Sync + 'static) -> SettingsReader
    where
        S: Any + Send + Sync,
        E: Into<SettingsError>,
    {
        let read: Arc<Read> = Arc::new(move |written| match read(written) {
            Ok(settings) => Ok(Arc::new(settings)),
            Err(error) => Err(error.into()),
        });
        SettingsReader { read, within: None }
    }

    /// The same with a comparison. What is read as another type is beyond.
    pub(crate) fn with_bound<S: Any + Send + Sync>(
        self,
        within: impl Fn(&[&S], &S) -> Result<(), SettingsError> + Send + Sync + 'static,
    ) -> SettingsReader {
        let within: Arc<Within> = Arc::new(move |allowed, asked| {
            let allowed: Vec<&S> = allowed.iter().filter_map(|settings| settings.downcast_ref()).collect();
            let asked = asked.downcast_ref().ok_or_else(|| SettingsError::new("settings can't be compared"))?;
            within(&allowed, asked)
        });
        SettingsReader { within: Some(within), ..self }
    }

    pub(crate) fn read(&self, module: &Arc<str>, written: &Value) -> Result<Settings, SettingsError> {
        let read = (self.read)(written)?;
        Ok(Settings { module: Arc::clone(module), written: written.encode().into(), reader: self.clone(), read })
    }
}

/// What is wrong with settings, and where in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// Innermost step first.
    path: Vec<SettingsStep>,
    message: String,
    hint: Option<String>,
    /// What else is wrong.
    others: Vec<SettingsError>,
}

/// A step into settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsStep {
    /// An item of a list, the first is 0.
    Item(usize),
    /// The value of a key.
    Value(String),
    /// A key itself, where that is what is wrong.
    Key(String),
}

impl SettingsError {
    /// What is wrong: a fragment that names it.
    pub fn new(message: impl Into<String>) -> SettingsError {
        SettingsError { path: Vec::new(), message: message.into(), hint: None, others: Vec::new() }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> SettingsError {
        SettingsError { hint: Some(hint.into()), ..self }
    }

    /// The same, found by this step: the innermost is named first.
    #[must_use]
    pub fn under(mut self, step: SettingsStep) -> SettingsError {
        self.others = self.others.into_iter().map(|other| other.under(step.clone())).collect();
        self.path.push(step);
        self
    }

    /// The same and another one: all that is wrong can be told at once.
    #[must_use]
    pub fn and(mut self, mut other: SettingsError) -> SettingsError {
        let others = std::mem::take(&mut other.others);
        self.others.push(other);
        self.others.extend(others);
        self
    }

    /// Each thing that is wrong, at least one.
    pub fn all(&self) -> impl Iterator<Item = &SettingsError> {
        std::iter::once(self).chain(&self.others)
    }

    /// What is wrong, of several the first.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Where, outermost step first.
    pub fn path(&self) -> impl Iterator<Item = &SettingsStep> {
        self.path.iter().rev()
    }
}

impl From<String> for SettingsError {
    fn from(message: String) -> SettingsError {
        SettingsError::new(message)
    }
}

impl From<&str> for SettingsError {
    fn from(message: &str) -> SettingsError {
        SettingsError::new(message)
    }
}

impl From<ReadError> for SettingsError {
    fn from(error: ReadError) -> SettingsError {
        SettingsError::new(error.to_string())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        for step in self.path() {
            match step {
                SettingsStep::Item(index) => path.push_str(&format!("[{}]", index.saturating_add(1))),
                SettingsStep::Value(key) => path.push_str(&format!(".{key}")),
                SettingsStep::Key(_) => {}
            }
        }
        match path.strip_prefix('.').unwrap_or(&path) {
            "" => f.write_str(&self.message)?,
            path => write!(f, "{path}: {}", self.message)?,
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for SettingsError {}
