//! What was probably meant, for an error that ends a process or a call: Lua says that a global or a field is nil, and a name beside it
//! is nearly the same. Owns which names are looked at. Costs nothing before something has failed for good.

use lunarium_contract::{module, nearest};

use crate::lua::{Kind, Lua};

/// Bytes of an error's text that are looked at. Lua's own are short.
const LOOKED_AT: usize = 4_096;
/// Names that are compared of each table. The number: a script may have made more globals than anybody wants compared.
const COMPARED: usize = 1_000;

/// What Lua complains of.
enum Absent<'t> {
    Global(&'t str),
    Field(&'t str),
    Method(&'t str),
}

/// What is to be added to the error text at `index`; none: nothing is known. Raises.
pub fn hint(mut lua: Lua, index: i32) -> Option<String> {
    let above = lua;
    let text = above.bytes(index).filter(|text| text.len() <= LOOKED_AT)?;
    let absent = absent(std::str::from_utf8(text).ok()?)?;
    let top = lua.top();
    if !lua.reserve(64) {
        return None;
    }
    // All that may raise, before anything is held.
    let modules = push_tables(lua, &absent);
    let hint = match absent {
        Absent::Global(name) if module::GRANTED.contains(&name) => Some(": it needs a grant".to_owned()),
        Absent::Global(name) => not_there(name).or_else(|| near_global(lua, top + 1, name)),
        Absent::Field(name) => not_there(&format!("os.{name}")).or_else(|| near_member(lua, top + 1, modules, name)),
        Absent::Method("data") => Some(": what a message holds is the value itself, without `:data()`".to_owned()),
        Absent::Method(name) => near_method(lua, top + 1, name),
    };
    lua.set_top(top);
    hint
}

/// What the text complains of, if that is a nil where there should be something.
fn absent(text: &str) -> Option<Absent<'_>> {
    let (_, what) = text.rsplit_once("attempt to ")?;
    let (verb, what) = what.split_once(" a nil value (")?;
    let (kind, name) = what.strip_suffix("')")?.split_once(" '")?;
    match (verb, kind) {
        ("call" | "index", "global") => Some(Absent::Global(name)),
        ("call", "field") => Some(Absent::Field(name)),
        ("call", "method") => Some(Absent::Method(name)),
        _ => None,
    }
}

/// Pushes the tables that may have what was meant; how many modules. Raises.
fn push_tables(mut lua: Lua, absent: &Absent<'_>) -> usize {
    match absent {
        Absent::Global(_) => {
            lua.push_globals();
            0
        }
        Absent::Field(_) => {
            let first = lua.top() + 1;
            lua.push_loaded();
            for name in modules() {
                lua.push_bytes(name.as_bytes());
                lua.get(first);
            }
            lua.remove(first);
            modules().count()
        }
        Absent::Method(_) => {
            let types = &lua.context().types;
            for kind in [
                &types.channel,
                &types.timer,
                &types.time,
                &types.duration,
                &types.spawner,
                &types.error,
                &types.actor,
                &types.policy,
                &types.scope,
            ] {
                kind.get().push(lua);
                if lua.kind(-1) == Kind::Table {
                    lua.push_bytes(b"__index");
                    lua.get(-2);
                    lua.remove(-2);
                }
            }
            0
        }
    }
}

fn modules() -> impl Iterator<Item = &'static str> {
    module::ALWAYS.into_iter().chain(module::GRANTED)
}

/// The names of the fields of the table at `index`, as many as are compared; of what is no table there are none.
pub fn names(lua: &Lua, index: i32) -> impl Iterator<Item = &str> {
    let fields = (lua.kind(index) == Kind::Table).then(|| lua.texts(index).take(COMPARED));
    fields.into_iter().flatten().filter_map(|(name, _)| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty())
}

/// For what Lua has and a process hasn't.
fn not_there(path: &str) -> Option<String> {
    let instead = module::instead(path)?;
    Some(format!(": there is no `{path}`: {instead}"))
}

fn near_global(lua: Lua, globals: i32, name: &str) -> Option<String> {
    let found = nearest(name, names(&lua, globals), |name| name)?;
    Some(format!(": did you mean `{found}`?"))
}

fn near_member(lua: Lua, first: i32, count: usize, name: &str) -> Option<String> {
    let places = (first..).zip(modules().take(count));
    let found = nearest(
        name,
        places.flat_map(|(place, module)| names(&lua, place).map(move |name| (module, name))),
        |(_, name)| name,
    )?;
    Some(format!(": did you mean `{}.{}`?", found.0, found.1))
}

fn near_method(lua: Lua, first: i32, name: &str) -> Option<String> {
    let found = nearest(name, (first..=lua.top()).flat_map(|place| names(&lua, place)), |name| name)?;
    Some(format!(": did you mean `:{found}`?"))
}
