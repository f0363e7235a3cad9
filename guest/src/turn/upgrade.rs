//! Upgrades: the process goes on in another instance. Owns stopping this one, and giving back what the script hasn't
//! received; where that is, `prelude/mailbox.lua` knows. No Lua of the script runs after `stop`: no coroutine, no `__close`,
//! no finalizer.

use std::ffi::c_int;

use lunarium_contract::batch;

use super::outcome::{describe, failure};
use super::slots::state;
use crate::codec::{Shape, encode, try_decode};
use crate::host::{Cancel, Ended, Event, Message, Outcome};
use crate::lua::wait;
use crate::lua::{Kind, Lua, Reference};
use crate::state::context::Kept;

/// Bytes that Lua may take beyond its limit to put what is left in order. The number: a hundred for each of 40,000.
const ROOM: u64 = 4 << 20;

/// What is given back at once: little beside the memory of the instance.
const BATCH_ITEMS: usize = 64;
const BATCH_BYTES: usize = 256 << 10;

/// What a C function returns when the process goes on elsewhere. Where it can't wait it must have raised before.
pub fn stop(lua: Lua) -> c_int {
    lua.stop_collecting();
    if let Some((_, scheduler)) = lua.context().requests.get() {
        lua.push_kept(scheduler);
        lua.push_boolean(true);
        lua.set_item(-2, state::FAILED);
    }
    wait::wait_then(lua, 0, never)
}

extern "C-unwind" fn never(lua: Lua, _status: c_int, _context: isize) -> c_int {
    lua.raise_text("process ended")
}

/// What is left, in order, and how much of it was given back.
pub struct Leftovers {
    /// Numbers of arrival; by these, records, topics and senders.
    order: Reference,
    records: Reference,
    topics: Reference,
    senders: Reference,
    next: i64,
}

impl Leftovers {
    /// Raises.
    pub fn find(lua: Lua, leftovers: Reference) -> Self {
        let context = lua.context();
        context.memory.spare(ROOM);
        // Details were let in once.
        context.message_limit.set(usize::MAX);
        lua.push_kept(leftovers);
        lua.call(0, 4);
        let (senders, topics) = (lua.keep(), lua.keep());
        let (records, order) = (lua.keep(), lua.keep());
        Self { order, records, topics, senders, next: 1 }
    }

    /// The next few; none: that was all. Raises.
    pub fn take(&mut self, mut lua: Lua, batch: &[u8]) -> Vec<Event> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < BATCH_ITEMS && bytes < BATCH_BYTES {
            lua.set_top(0);
            lua.push_kept(self.order);
            lua.get_item(1, self.next);
            let Some(arrived) = lua.integer(2) else { break };
            for table in [self.records, self.topics, self.senders] {
                lua.push_kept(table);
                lua.get_item(-1, arrived);
                lua.remove(-2);
            }
            self.next += 1;
            let (event, size) = event(lua, batch, arrived);
            bytes += size;
            events.extend(event);
        }
        events
    }
}

/// What lies at 3 (record), 4 (topic) and 5 (sender), with its payload's bytes. Raises.
fn event(lua: Lua, batch: &[u8], arrived: i64) -> (Option<Event>, usize) {
    match lua.kind(3) {
        Kind::Table => event_of(lua),
        Kind::String if lua.kind(4) == Kind::String => {
            let payload = lua.bytes(3).unwrap_or_default().to_vec();
            let size = payload.len();
            let topic = text(lua, 4).unwrap_or_default();
            (Some(Event::Message(Message { sender: text(lua, 5), topic, payload })), size)
        }
        // It was decoded when it was handed over.
        _ => {
            let mut handed = lua.context().handed.borrow_mut();
            let place = handed.iter().position(|(number, _)| *number == arrived);
            let message = place.and_then(|place| match handed.swap_remove(place).1 {
                Kept::Short(at) => batch.get(at..).and_then(batch::read).map(|(message, _)| owned(message)),
                Kept::Long(message) => encoded(lua).map(|payload| Message { payload, ..message }),
            });
            let size = message.as_ref().map_or(0, |message| message.payload.len());
            (message.map(Event::Message), size)
        }
    }
}

fn owned(message: batch::Entry<'_>) -> Message {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let sender = Some(message.sender).filter(|sender| !sender.is_empty()).map(text);
    Message { sender, topic: text(message.name), payload: message.payload.to_vec() }
}

/// The value at 3 as a payload.
fn encoded(lua: Lua) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    encode(lua, Shape::One(3), usize::MAX, &mut payload).ok().map(|()| payload)
}

fn text(lua: Lua, index: c_int) -> Option<String> {
    lua.bytes(index).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// The record of an event: {kind, sender, at, failed, payload}, or {kind, sender, at, deadline}.
fn event_of(lua: Lua) -> (Option<Event>, usize) {
    for slot in 1..=5 {
        lua.get_item(3, slot);
    }
    let (kind, sender, at) = (6, 7, lua.number(8).unwrap_or_default());
    match lua.bytes(kind) {
        Some(b"pid.cancel") => {
            let deadline = lua.integer(9);
            (Some(Event::Cancel(Cancel { sender: text(lua, sender), at, deadline })), 0)
        }
        Some(kind) => {
            let links = kind == b"pid.link.down";
            let size = lua.bytes(10).map_or(0, <[u8]>::len);
            let outcome = outcome_of(lua);
            let ended = Ended { sender: text(lua, sender).unwrap_or_default(), at, outcome };
            (Some(if links { Event::LinkDown(ended) } else { Event::Exit(ended) }), size)
        }
        None => (None, 0),
    }
}

/// What `failed` at 9 and the payload at 10 say.
fn outcome_of(lua: Lua) -> Outcome {
    if !lua.boolean(9) {
        return Outcome::Completed(lua.bytes(10).unwrap_or_default().to_vec());
    }
    let Some(payload) = lua.bytes(10) else { return failure(crate::host::ErrorKind::Unknown, String::new()) };
    // Where it can't be had, that is an error, too.
    try_decode(lua, payload);
    Outcome::Failed(describe(lua, None))
}
