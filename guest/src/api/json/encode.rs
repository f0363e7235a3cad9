//! Lua values to JSON. Owns which value is what, and the order of keys (by their bytes, so that equal tables give equal
//! texts); refuses, saying where in the value, what has no form. Calls no metamethod and runs no script.
//!
//! Writing raises at the memory limit. Nothing here owns heap memory then: all that grows is on Lua's heap.

use std::ffi::c_int;

use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::MAX_DEPTH;
use crate::codec::step;
use crate::lua::buffer::{Buffer, push_list};
use crate::lua::{Kind, Lua};
use crate::state::context::Context;
use crate::state::object::Object;
use crate::time::date::rfc3339;
use crate::time::duration::Duration;
use crate::time::moment::Time;

/// Why a value has no JSON.
pub enum Unfit {
    /// What is the matter with the value at this path (built from the inside out, so reversed).
    Value {
        fault: String,
        path: Vec<String>,
    },
    TooDeep,
}

impl Unfit {
    /// The text for people; `root` is what the value is called.
    pub fn message(self, root: &str) -> String {
        match self {
            Self::Value { fault, path } => {
                format!("{} {fault}", path.iter().rev().fold(root.to_owned(), |text, step| text + step))
            }
            Self::TooDeep => format!("{root} is nested deeper than {MAX_DEPTH} tables"),
        }
    }

    fn under(mut self, step: impl FnOnce() -> String) -> Self {
        if let Self::Value { path, .. } = &mut self {
            path.push(step());
        }
        self
    }
}

fn unfit(fault: impl Into<String>) -> Unfit {
    Unfit::Value { fault: fault.into(), path: Vec::new() }
}

/// Appends the JSON of the value at `index`. Raises.
pub fn encode(lua: Lua, index: c_int, indent: Option<usize>, out: &mut Buffer) -> Result<(), Unfit> {
    let context = lua.context();
    match indent {
        None => Encoder { lua, context, out, form: CompactFormatter, above: [0; MAX_DEPTH] }.value(index, 0),
        Some(spaces) => {
            const SPACES: &[u8] = b"                ";
            let form = PrettyFormatter::with_indent(SPACES.get(..spaces).unwrap_or(SPACES));
            Encoder { lua, context, out, form, above: [0; MAX_DEPTH] }.value(index, 0)
        }
    }
}

struct Encoder<'l, F> {
    lua: Lua,
    context: &'static Context,
    out: &'l mut Buffer,
    form: F,
    /// Identities of the tables around the value.
    above: [usize; MAX_DEPTH],
}

/// Writing never fails, it raises.
fn infallible<T, E>(_: Result<T, E>) {}

impl<F: Formatter> Encoder<'_, F> {
    fn value(&mut self, index: c_int, depth: usize) -> Result<(), Unfit> {
        let lua = self.lua;
        match lua.kind(index) {
            Kind::Nil | Kind::None => infallible(self.form.write_null(self.out)),
            Kind::Boolean => infallible(self.form.write_bool(self.out, lua.boolean(index))),
            Kind::Number if lua.is_integer(index) => {
                infallible(self.form.write_i64(self.out, lua.integer(index).unwrap_or_default()));
            }
            Kind::Number => return self.float(lua.number(index).unwrap_or_default()),
            Kind::String => return self.string(lua.bytes(index).unwrap_or_default()),
            Kind::Table => return self.table(index, depth),
            Kind::Userdata => return self.userdata(index),
            Kind::Function => return Err(unfit("is a function")),
            Kind::Thread => return Err(unfit("is a coroutine")),
        }
        Ok(())
    }

    fn float(&mut self, number: f64) -> Result<(), Unfit> {
        if number.is_nan() {
            return Err(unfit("is not a number (NaN)"));
        }
        if number.is_infinite() {
            return Err(unfit("is infinite"));
        }
        infallible(self.form.write_f64(self.out, number));
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        let Ok(text) = std::str::from_utf8(bytes) else { return Err(unfit("is not valid UTF-8")) };
        infallible(serde_json::to_writer(&mut *self.out, text));
        Ok(())
    }

    /// `json.null`; Time and Duration as their texts.
    fn userdata(&mut self, index: c_int) -> Result<(), Unfit> {
        let metatable = self.lua.metatable(index);
        if self.context.types.null.get().is(metatable) {
            infallible(self.form.write_null(self.out));
            return Ok(());
        }
        // Room first: the texts below are on the heap.
        self.out.reserve(64);
        if let Some(time) = Time::at(self.lua, index) {
            return self.string(rfc3339(time, &self.context.zones).as_bytes());
        }
        if let Some(duration) = Duration::at(self.lua, index) {
            return self.string(duration.to_string().as_bytes());
        }
        Err(unfit("is userdata"))
    }

    fn table(&mut self, index: c_int, depth: usize) -> Result<(), Unfit> {
        let mut lua = self.lua;
        if depth >= MAX_DEPTH || !lua.reserve(8) {
            return Err(Unfit::TooDeep);
        }
        let metatable = lua.metatable(index);
        if metatable != 0 {
            let types = &self.context.types;
            if types.error.get().is(metatable) {
                return self.error(index);
            }
            if types.field.get().is(metatable) {
                lua.push_boolean(false);
                lua.get(index);
                let result = self.value(lua.top(), depth + 1);
                lua.pop(1);
                return result;
            }
            let inner = [
                (&types.channel, "is a channel"),
                (&types.case, "is a case"),
                (&types.message, "is a message"),
                (&types.timer, "is a timer"),
            ];
            if let Some((_, fault)) = inner.into_iter().find(|(kind, _)| kind.get().is(metatable)) {
                return Err(unfit(fault));
            }
        }
        let identity = lua.address(index);
        if self.above.iter().take(depth).any(|other| *other == identity) {
            return Err(unfit("contains itself"));
        }
        if let Some(place) = self.above.get_mut(depth) {
            *place = identity;
        }
        match shape(lua, index)? {
            Shape::Items(count) => self.items(index, count, depth + 1),
            Shape::Fields(count) => self.fields(index, count, depth + 1),
        }
    }

    /// An error object: its message.
    fn error(&mut self, index: c_int) -> Result<(), Unfit> {
        let (lua, mut above) = (self.lua, self.lua);
        lua.get_item(index, 2);
        let result = self.string(lua.bytes(-1).unwrap_or_default());
        above.pop(1);
        result
    }

    fn items(&mut self, index: c_int, count: usize, depth: usize) -> Result<(), Unfit> {
        let mut lua = self.lua;
        infallible(self.form.begin_array(self.out));
        for i in 1..=count {
            infallible(self.form.begin_array_value(self.out, i == 1));
            lua.get_item(index, i as i64);
            self.value(lua.top(), depth).map_err(|e| e.under(|| format!("[{i}]")))?;
            lua.pop(1);
            infallible(self.form.end_array_value(self.out));
        }
        infallible(self.form.end_array(self.out));
        Ok(())
    }

    fn fields(&mut self, index: c_int, count: usize, depth: usize) -> Result<(), Unfit> {
        let (lua, mut above) = (self.lua, self.lua);
        let (top, mut few) = (lua.top(), [&b""[..]; FEW]);
        let keys = match few.get_mut(..count) {
            Some(few) if lua.reserve(FEW as c_int + 8) => few_sorted_keys(&lua, index, few),
            _ => sorted_keys(&lua, index, count),
        };
        infallible(self.form.begin_object(self.out));
        for (i, key) in keys.iter().enumerate() {
            infallible(self.form.begin_object_key(self.out, i == 0));
            lua.push_bytes(key);
            self.string(key).map_err(|_| unfit("has a key that is not valid UTF-8"))?;
            infallible(self.form.end_object_key(self.out));
            infallible(self.form.begin_object_value(self.out));
            lua.push_copy(-1);
            lua.get(index);
            let value = lua.top();
            self.value(value, depth).map_err(|e| e.under(|| step(lua, value - 1)))?;
            above.pop(2);
            infallible(self.form.end_object_value(self.out));
        }
        above.set_top(top);
        infallible(self.form.end_object(self.out));
        Ok(())
    }
}

enum Shape {
    /// The keys are exactly 1 to this, of which there is one at least.
    Items(usize),
    /// All keys, so many, are strings.
    Fields(usize),
}

fn shape(mut lua: Lua, index: c_int) -> Result<Shape, Unfit> {
    let border = lua.length(index);
    let (mut texts, mut items) = (0usize, 0usize);
    let mut other = None;
    lua.push_nil();
    while lua.next(index) {
        lua.pop(1);
        let place = lua.is_integer(-1).then(|| lua.integer(-1)).flatten();
        if lua.kind(-1) == Kind::String {
            texts += 1;
        } else if place.and_then(|key| usize::try_from(key).ok()).is_some_and(|key| (1..=border).contains(&key)) {
            items += 1;
        } else {
            other = Some(bad_key(lua));
            lua.pop(1);
            break;
        }
    }
    match other {
        Some(unfit) => Err(unfit),
        None if items == 0 => Ok(Shape::Fields(texts)),
        None if texts == 0 && items == border => Ok(Shape::Items(items)),
        None if texts == 0 => Err(unfit("is an array with holes")),
        None => Err(unfit("has both numbers and strings as keys")),
    }
}

/// What to say of the key on top.
fn bad_key(lua: Lua) -> Unfit {
    match lua.kind(-1) {
        Kind::Number | Kind::Boolean => {
            let shown = step(lua, lua.top());
            unfit(format!("has the key {shown}, which is neither a string nor a place in an array"))
        }
        _ => unfit(format!("has a key that is a {}", lua.type_name(-1))),
    }
}

/// Most objects have no more fields: their keys need no list.
const FEW: usize = 16;

/// Pushes as many keys of the table as there is room for, strings all of them, and gives them in order.
fn few_sorted_keys<'k>(lua: &'k Lua, index: c_int, keys: &'k mut [&'k [u8]]) -> &'k [&'k [u8]] {
    for (key, (text, _)) in keys.iter_mut().zip(lua.texts(index)) {
        *key = text;
        // Below the one that leads to the next.
        lua.push_copy(-1);
    }
    keys.sort_unstable();
    keys
}

/// Pushes two values that hold the table's keys, strings all of them, and gives these in order. Raises.
fn sorted_keys(lua: &Lua, index: c_int, count: usize) -> &[&[u8]] {
    // While text is written a finalizer may run, which can empty the table.
    lua.new_table(count, 0);
    let held = lua.top();
    for (place, _) in (1..).zip(lua.texts(index).take(count)) {
        lua.push_copy(-1);
        lua.set_item(held, place);
    }
    let keys = push_list::<&[u8]>(lua, lua.length(held), b"");
    for (key, place) in keys.iter_mut().zip(1..) {
        *key = lua.held_bytes(held, place).unwrap_or_default();
    }
    keys.sort_unstable();
    keys
}
