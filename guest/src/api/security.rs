//! `security`: arguments and results only. The host knows the caller's actor and scope, and decides.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::{bounded_argument, invalid, text};
use crate::codec::{Shape, Unfit, encode};
use crate::error::{done, refuse};
use crate::lua::{Function, Kind, Lua};

/// The table at this index as a payload. None: it isn't there, or `nil, err` is pushed, and `Err` says so. Raises for
/// another type.
fn table_argument(lua: Lua, argument: c_int, what: &str) -> Result<Option<Vec<u8>>, ()> {
    if lua.is_absent(argument) {
        return Ok(None);
    }
    if lua.kind(argument) != Kind::Table {
        lua.type_error(argument, c"table");
    }
    let mut payload = Vec::new();
    match encode(lua, Shape::One(argument), length::META, &mut payload) {
        Ok(()) => Ok(Some(payload)),
        Err(unfit) => {
            let message = match unfit {
                Unfit::TooLarge(limit) => format!("more than {limit} bytes of {what}"),
                unfit => unfit.message(what),
            };
            refuse(lua, &invalid(message));
            Err(())
        }
    }
}

fn push_texts(lua: Lua, texts: &[String]) {
    lua.new_table(texts.len(), 0);
    for (place, text) in (1..).zip(texts) {
        lua.push_bytes(text.as_bytes());
        lua.set_item(-2, place);
    }
}

/// `own_actor()` → id and its meta's payload (or nil), or nil
extern "C-unwind" fn own_actor(lua: Lua) -> c_int {
    let Some(actor) = lua.context().host.own_actor() else {
        lua.push_nil();
        return 1;
    };
    lua.push_bytes(actor.id.as_bytes());
    match &actor.meta {
        Some(meta) => lua.push_bytes(meta),
        None => lua.push_nil(),
    }
    2
}

/// `own_scope()` → a table of policy ids, or nil
extern "C-unwind" fn own_scope(lua: Lua) -> c_int {
    match lua.context().host.own_scope() {
        Some(policies) => push_texts(lua, &policies),
        None => lua.push_nil(),
    }
    1
}

/// `can(action, resource [, attributes])` → boolean
extern "C-unwind" fn can(lua: Lua) -> c_int {
    let Some(action) = bounded_argument(&lua, 1, "action", length::QUESTION) else { return 2 };
    let Some(resource) = bounded_argument(&lua, 2, "resource", length::QUESTION) else { return 2 };
    let Ok(attributes) = table_argument(lua, 3, "attributes") else { return 2 };
    match lua.context().host.can(action, resource, attributes.as_deref()) {
        Ok(allowed) => {
            lua.push_boolean(allowed);
            1
        }
        Err(refusal) => refuse(lua, &refusal),
    }
}

/// `authorize(action, resource)` → true, or nil and why not
extern "C-unwind" fn authorize(lua: Lua) -> c_int {
    let Some(action) = bounded_argument(&lua, 1, "action", length::QUESTION) else { return 2 };
    let Some(resource) = bounded_argument(&lua, 2, "resource", length::QUESTION) else { return 2 };
    done(lua, lua.context().host.authorize(action, resource))
}

/// `check_policy(id)` → true, or nil and why not
extern "C-unwind" fn check_policy(lua: Lua) -> c_int {
    let Some(id) = bounded_argument(&lua, 1, "policy id", length::ID) else { return 2 };
    done(lua, lua.context().host.policy(id))
}

/// `group_policies(name)` → a table of policy ids
extern "C-unwind" fn group_policies(lua: Lua) -> c_int {
    let Some(name) = bounded_argument(&lua, 1, "group", length::ID) else { return 2 };
    match lua.context().host.group(name) {
        Ok(policies) => {
            push_texts(lua, &policies);
            1
        }
        Err(refusal) => refuse(lua, &refusal),
    }
}

/// `encode_meta(id, meta)` → a payload or false; or nil and what is wrong with either. The id is a string.
extern "C-unwind" fn encode_meta(lua: Lua) -> c_int {
    if let Err(fault) = text(lua.check_bytes(1), "actor id", length::ACTOR) {
        return refuse(lua, &fault);
    }
    match table_argument(lua, 2, "meta") {
        Ok(Some(payload)) => lua.push_bytes(&payload),
        Ok(None) => lua.push_boolean(false),
        Err(()) => return 2,
    }
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 7] = [
    (c"own_actor", own_actor),
    (c"own_scope", own_scope),
    (c"can", can),
    (c"authorize", authorize),
    (c"check_policy", check_policy),
    (c"group_policies", group_policies),
    (c"encode_meta", encode_meta),
];
