//! `security`: arguments and results only. The host knows the caller's actor and scope, and decides.

use std::ffi::{CStr, c_int};
use std::mem;

use lunarium_contract::length;

use super::argument::{bounded_argument, invalid, push_texts, text, with_payload};
use super::process::actor_of;
use crate::codec::{Shape, Unfit};
use crate::host::{Decision, Refusal};
use crate::lua::{Function, Kind, Lua};
use crate::state::error::{done, refuse};

/// Calls `act` with the payload of the table at this index, or with none where nothing is. Raises for another type.
fn with_table<T>(
    lua: Lua,
    argument: c_int,
    what: &str,
    act: impl FnOnce(Option<&mut Vec<u8>>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if lua.is_absent(argument) {
        return act(None);
    }
    if lua.kind(argument) != Kind::Table {
        lua.type_error(argument, c"table");
    }
    let told = |unfit: Unfit| match unfit {
        Unfit::TooLarge(limit) => format!("more than {limit} bytes of {what}"),
        unfit => unfit.message(what),
    };
    with_payload(lua, Shape::One(argument), length::META, told, |payload| act(Some(payload)))
}

/// `own_actor()` → id and its meta's payload (or nil), or nil
extern "C-unwind" fn own_actor(lua: Lua) -> c_int {
    let host = &lua.context().host;
    let Some(id) = host.own_actor().map(|actor| actor.id) else {
        lua.push_nil();
        return 1;
    };
    lua.push_owned(id);
    // Asked again: two texts at once can't be given away.
    match host.own_actor().and_then(|actor| actor.meta) {
        Some(meta) => lua.push_owned(meta),
        None => lua.push_nil(),
    }
    2
}

/// `own_scope()` → a table of policy ids, or nil
extern "C-unwind" fn own_scope(lua: Lua) -> c_int {
    match lua.context().host.own_scope() {
        Some(ids) => push_texts(lua, ids),
        None => lua.push_nil(),
    }
    1
}

/// `can(action, resource [, attributes])` → boolean
extern "C-unwind" fn can(lua: Lua) -> c_int {
    let Some(action) = bounded_argument(&lua, 1, "action", length::QUESTION) else { return 2 };
    let Some(resource) = bounded_argument(&lua, 2, "resource", length::QUESTION) else { return 2 };
    let allowed = with_table(lua, 3, "attributes", |attributes| {
        lua.context().host.can(action, resource, attributes.map(|payload| &payload[..]))
    });
    match allowed {
        Ok(allowed) => {
            lua.push_boolean(allowed);
            1
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `evaluate(ids, actor id, meta, action, resource [, attributes])` → "allow", "deny" or "undefined". The ids are a table's of
/// strings, the actor is strings or nil.
extern "C-unwind" fn evaluate(lua: Lua) -> c_int {
    let Some(action) = bounded_argument(&lua, 4, "action", length::QUESTION) else { return 2 };
    let Some(resource) = bounded_argument(&lua, 5, "resource", length::QUESTION) else { return 2 };
    let decided = with_table(lua, 6, "attributes", |attributes| {
        let count = lua.length(1);
        if count > length::POLICIES {
            return Err(invalid(format!("scope of {count} policies exceeds the limit of {}", length::POLICIES)));
        }
        let id = |place| text(lua.held_bytes(1, place as i64).unwrap_or_default(), "policy id", length::ID);
        let ids = (1..=count).map(id).collect::<Result<Vec<_>, _>>()?;
        let actor = lua.bytes(2).map(|id| actor_of(id, lua.bytes(3))).transpose()?;
        let attributes = attributes.map(|payload| &payload[..]);
        lua.context().host.evaluate(&ids, actor, action, resource, attributes)
    });
    match decided {
        Ok(decision) => {
            lua.push_bytes(match decision {
                Decision::Allow => b"allow",
                Decision::Deny => b"deny",
                Decision::Undefined => b"undefined",
            });
            1
        }
        Err(refusal) => refuse(lua, refusal),
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
        Ok(ids) => {
            push_texts(lua, ids);
            1
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `encode_meta(id, meta)` → a payload or false; or nil and what is wrong with either. The id is a string.
extern "C-unwind" fn encode_meta(lua: Lua) -> c_int {
    if let Err(fault) = text(lua.check_bytes(1), "actor id", length::ACTOR) {
        return refuse(lua, fault);
    }
    match with_table(lua, 2, "meta", |payload| Ok(payload.map(mem::take))) {
        Ok(Some(payload)) => lua.push_owned(payload),
        Ok(None) => lua.push_boolean(false),
        Err(refusal) => return refuse(lua, refusal),
    }
    1
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 8] = [
    (c"own_actor", own_actor),
    (c"own_scope", own_scope),
    (c"can", can),
    (c"evaluate", evaluate),
    (c"authorize", authorize),
    (c"check_policy", check_policy),
    (c"group_policies", group_policies),
    (c"encode_meta", encode_meta),
];
