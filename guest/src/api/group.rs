//! `process.group`: arguments and results only. A list of members is had in pieces (`prelude/group.lua`), and a message goes out in
//! pieces: between two of them the host may let others run.

use std::ffi::{CStr, c_int};

use lunarium_contract::length;

use super::argument::{argument, not_within, push_texts, text, topic, utf8, with_payload};
use crate::codec::{Shape, Unfit};
use crate::host::{Listing, Refusal};
use crate::lua::wait;
use crate::lua::{Function, Lua};
use crate::state::error::{decided, done, refuse};
use crate::turn::request::reply_to;

fn name(bytes: &[u8]) -> Result<&str, Refusal> {
    match bytes.len() {
        1..=length::GROUP => utf8(bytes, "group"),
        size => Err(not_within("group", size, length::GROUP)),
    }
}

fn group_argument(lua: &Lua) -> Option<&str> {
    argument(lua, 1, "group", name)
}

extern "C-unwind" fn join(lua: Lua) -> c_int {
    let Some(group) = group_argument(&lua) else { return 2 };
    done(lua, lua.context().host.join_group(group))
}

extern "C-unwind" fn leave(lua: Lua) -> c_int {
    let Some(group) = group_argument(&lua) else { return 2 };
    decided(lua, lua.context().host.leave_group(group))
}

/// `group_members(name [, after])` → a table of pids, and the version
extern "C-unwind" fn members(lua: Lua) -> c_int {
    let Some(group) = group_argument(&lua) else { return 2 };
    let after = match lua.bytes(2).map(|pid| text(pid, "pid", length::PID)).transpose() {
        Ok(after) => after,
        Err(refusal) => return refuse(lua, refusal),
    };
    match lua.context().host.members(group, after) {
        Ok(listing) => {
            let Listing { pids, version } = listing;
            push_texts(lua, pids);
            lua.push_integer(version.cast_signed());
            2
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `group_send(name, topic, ...)` → how many have it in their mailboxes
extern "C-unwind" fn send(lua: Lua) -> c_int {
    let Some(group) = group_argument(&lua) else { return 2 };
    let Some(topic) = argument(&lua, 2, "topic", topic) else { return 2 };
    let shape = match lua.top() {
        // Index 3 is beyond the arguments: encodes as nil.
        2 | 3 => Shape::One(3),
        last => Shape::Packed(3, last),
    };
    let context = lua.context();
    let (unread, limit) = (context.unread(), context.message_limit.get());
    let told = |unfit: Unfit| unfit.message("payload");
    let sent = with_payload(lua, shape, limit, told, |payload| {
        let (mut accepted, mut last) = (0, None::<String>);
        loop {
            let sent = context.host.send_to_group(group, topic, payload, unread, last.as_deref())?;
            accepted += i64::from(sent.accepted);
            last = sent.last;
            if last.is_none() {
                return Ok(accepted);
            }
        }
    });
    match sent {
        Ok(accepted) => {
            lua.push_integer(accepted);
            lua.push_nil();
            2
        }
        Err(refusal) => refuse(lua, refusal),
    }
}

/// `group_watch(name, version)`: waits until the group is at another one; true then.
extern "C-unwind" fn watch(lua: Lua) -> c_int {
    wait::check(lua);
    let Some(group) = group_argument(&lua) else { return 2 };
    let version = lua.integer(2).unwrap_or_default().cast_unsigned();
    reply_to(lua, lua.context().host.watch_group(group, version))
}

/// `group_unwatch(name)`
extern "C-unwind" fn unwatch(lua: Lua) -> c_int {
    let Some(group) = group_argument(&lua) else { return 2 };
    done(lua, lua.context().host.unwatch_group(group))
}

/// For the prelude.
pub const FUNCTIONS: [(&CStr, Function); 6] = [
    (c"group_join", join),
    (c"group_leave", leave),
    (c"group_members", members),
    (c"group_send", send),
    (c"group_watch", watch),
    (c"group_unwatch", unwatch),
];
