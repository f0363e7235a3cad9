//! A turn: hand over events, then run until every coroutine waits or the process ends. Owns the order: events, timers,
//! ready tasks first come first served. What a task does when it is resumed is the prelude's and the script's.

pub mod channel;
pub mod outcome;
pub mod request;
pub mod slots;
pub mod trace;
pub mod upgrade;

use std::ffi::c_int;
use std::vec;

use self::channel::{Handed, hand_over, push_next, push_sender};
use self::slots::{state, task};
use crate::codec::{as_text, failure_payload};
use crate::host::{Call, Ended, Event, Message, Outcome, Parked, Reply, Status};
use crate::lua::{Broken, Kind, Lua, Progress, Reference};

/// Parts of the prelude that Rust calls.
pub struct Calls {
    pub start: Reference,
    pub state: Reference,
    pub listeners: Reference,
    pub inbox: Reference,
    pub deliver: Reference,
    pub called: Reference,
    pub ended: Reference,
    pub cancel: Reference,
    pub replied: Reference,
    pub leftovers: Reference,
    pub output_ready: Reference,
    pub release_pollers: Reference,
    pub fire_due: Reference,
    pub next_due: Reference,
}

/// How many resumes may pass before timers are looked at again: tasks that keep each other busy mustn't stop the clock.
const GLANCE: u32 = 64;

/// Delivers events and runs. Raises.
pub fn turn(mut lua: Lua, calls: &Calls, events: &mut vec::IntoIter<Event>) -> Status {
    lua.set_top(0);
    lua.push_kept(calls.state);
    lua.get_item(STATE, state::QUEUE);
    // Those of the last turn have been received.
    lua.context().handed.borrow_mut().clear();
    while let Some(event) = events.as_slice().first() {
        let mut arrived = lua.context().arrived.get();
        // The host counts what comes from the mailbox, and so does this.
        if !matches!(event, Event::Reply(_) | Event::OutputReady) {
            arrived += 1;
            lua.context().arrived.set(arrived);
        }
        let handed = deliver(lua, calls, event, arrived);
        lua.set_top(QUEUE);
        if handed != Handed::No {
            lua.context().received.borrow_mut().push(arrived as u64);
        }
        if let Some(Event::Message(message)) = events.next()
            && handed == Handed::Decoded
        {
            lua.context().handed.borrow_mut().push((arrived, message));
        }
    }
    if number(lua, state::POLLING) > 0 {
        lua.push_kept(calls.release_pollers);
        lua.call(0, 0);
    }
    fire_due(lua, calls);
    let mut resumes = 0u32;
    while push_next(lua, STATE, QUEUE) {
        if let Some(status) = run_task(lua) {
            return status;
        }
        lua.set_top(QUEUE);
        resumes = resumes.wrapping_add(1);
        if resumes.is_multiple_of(GLANCE) {
            fire_due(lua, calls);
        }
    }
    lua.push_boolean(false);
    lua.set_item(STATE, state::CURRENT);
    rest(lua, calls)
}

/// Where `turn` keeps the scheduler's state and the run queue on its stack.
const STATE: c_int = 1;
const QUEUE: c_int = 2;

fn number(mut lua: Lua, slot: i64) -> i64 {
    lua.get_item(STATE, slot);
    let number = lua.integer(-1).unwrap_or_default();
    lua.pop(1);
    number
}

fn truth(mut lua: Lua, slot: i64) -> bool {
    lua.get_item(STATE, slot);
    let truth = lua.boolean(-1);
    lua.pop(1);
    truth
}

fn fire_due(lua: Lua, calls: &Calls) {
    if number(lua, state::TIMERS) > 0 {
        lua.push_kept(calls.fire_due);
        lua.call(0, 0);
    }
}

/// Resumes the task on top of the stack; none: the turn goes on.
fn run_task(lua: Lua) -> Option<Status> {
    let index = lua.top();
    lua.push_copy(index);
    lua.set_item(STATE, state::CURRENT);
    lua.get_item(index, task::COROUTINE);
    let coroutine = lua.thread(-1)?;
    let progress = coroutine.resume(lua);
    if let Progress::Waits = progress {
        // A task that failed beneath one that couldn't be left: that one was made to fail, or to wait, as well.
        return if truth(lua, state::FAILED) { failed_beneath(lua) } else { None };
    }
    if truth(lua, state::FAILED) {
        return failed_beneath(lua);
    }
    lua.get_item(STATE, state::MAIN);
    let main = lua.address(-1) == lua.address(index);
    match progress {
        Progress::Waits => None,
        Progress::Done(results) if main => Some(Status::Exited(outcome::done(lua, coroutine, results))),
        Progress::Done(_) => {
            let spawned = number(lua, state::SPAWNED);
            lua.push_integer(spawned - 1);
            lua.set_item(STATE, state::SPAWNED);
            None
        }
        Progress::Failed(why) => {
            // Of a plain script the chunk is what runs.
            let plain = lua.context().program.get().is_some_and(|program| program.plain);
            let starting = main && !plain && truth(lua, state::STARTING);
            Some(Status::Exited(outcome::failed(lua, coroutine, why == Broken::Memory, starting)))
        }
    }
}

/// The process has ended in a task that isn't the one that ran, or goes on elsewhere.
fn failed_beneath(lua: Lua) -> Option<Status> {
    lua.get_item(STATE, state::FAILED);
    let Some(coroutine) = lua.thread(-1) else { return Some(Status::Upgrade) };
    let memory = truth(lua, state::FAILED_MEMORY);
    Some(Status::Exited(outcome::failed(lua, coroutine, memory, false)))
}

/// Nothing is ready: the process waits, unless nothing can ever wake it.
fn rest(lua: Lua, calls: &Calls) -> Status {
    let unread = lua.context().unread(lua);
    let park = |wake_at| {
        let received = lua.context().take_received(lua, unread);
        Status::Parked(Parked { wake_at, unread, received })
    };
    if number(lua, state::POLLING) > 0 {
        return park(Some(0));
    }
    if number(lua, state::LIVE) > 0 {
        let mut wake_at = None;
        if number(lua, state::TIMERS) > 0 {
            lua.push_kept(calls.next_due);
            lua.call(0, 1);
            wake_at = lua.integer(-1).map(|due| due as u64);
        }
        return park(wake_at);
    }
    lua.get_item(STATE, state::MAIN);
    lua.get_item(-1, task::COROUTINE);
    match lua.thread(-1) {
        Some(main) => Status::Exited(outcome::deadlock(lua, main)),
        None => lua.raise_text("bug: no main coroutine"),
    }
}

// ---- Events

/// What has become of it, if it is a message. Raises.
fn deliver(lua: Lua, calls: &Calls, event: &Event, arrived: i64) -> Handed {
    match event {
        Event::Message(message) => return deliver_message(lua, calls, message, arrived),
        Event::Call(call) => return deliver_call(lua, calls, call, arrived),
        Event::Exit(ended) => deliver_end(lua, calls, b"pid.exit", ended, arrived),
        Event::LinkDown(ended) => deliver_end(lua, calls, b"pid.link.down", ended, arrived),
        Event::Cancel(cancel) => {
            lua.push_kept(calls.cancel);
            push_sender(lua, cancel.sender.as_deref());
            lua.push_number(cancel.at);
            match cancel.deadline {
                Some(deadline) => lua.push_integer(deadline),
                None => lua.push_boolean(false),
            }
            lua.push_integer(arrived);
            lua.call(4, 0);
        }
        Event::Reply(reply) => deliver_reply(lua, calls, reply),
        Event::OutputReady => {
            lua.push_kept(calls.output_ready);
            lua.call(0, 0);
        }
    }
    Handed::No
}

fn deliver_message(lua: Lua, calls: &Calls, message: &Message, arrived: i64) -> Handed {
    lua.push_kept(calls.listeners);
    lua.push_bytes(message.topic.as_bytes());
    lua.get(-2);
    if lua.kind(-1) == Kind::Nil {
        lua.push_kept(calls.inbox);
    }
    let handed = hand_over(lua, STATE, message, arrived);
    if handed != Handed::No {
        return handed;
    }
    lua.push_kept(calls.deliver);
    push_sender(lua, message.sender.as_deref());
    lua.push_bytes(message.topic.as_bytes());
    lua.push_bytes(&message.payload);
    lua.push_integer(arrived);
    lua.call(4, 0);
    handed
}

fn deliver_call(mut lua: Lua, calls: &Calls, call: &Call, arrived: i64) -> Handed {
    lua.push_kept(calls.called);
    lua.push_integer(call.id as i64);
    lua.push_bytes(call.method.as_bytes());
    lua.push_bytes(&call.arguments);
    lua.push_integer(arrived);
    lua.call(4, 1);
    let begun = lua.boolean(-1);
    lua.pop(1);
    if begun { Handed::Encoded } else { Handed::No }
}

fn deliver_end(lua: Lua, calls: &Calls, kind: &[u8], ended: &Ended, arrived: i64) {
    lua.push_kept(calls.ended);
    lua.push_bytes(kind);
    lua.push_bytes(ended.sender.as_bytes());
    lua.push_number(ended.at);
    push_outcome(lua, &ended.outcome);
    lua.push_integer(arrived);
    lua.call(6, 0);
}

fn deliver_reply(lua: Lua, calls: &Calls, reply: &Reply) {
    lua.push_kept(calls.replied);
    lua.push_integer(reply.request as i64);
    // Most are a file's bytes, of which there need not be two copies in Lua.
    let text = match &reply.outcome {
        Outcome::Completed(result) => as_text(result),
        Outcome::Failed(_) => None,
    };
    if let Some(text) = text {
        lua.push_boolean(false);
        lua.push_bytes(text);
    } else {
        push_outcome(lua, &reply.outcome);
    }
    lua.push_boolean(text.is_some());
    lua.call(4, 0);
}

/// Whether it failed, and its payload: the result, or the error object.
fn push_outcome(lua: Lua, outcome: &Outcome) {
    match outcome {
        Outcome::Completed(result) => {
            lua.push_boolean(false);
            lua.push_bytes(result);
        }
        Outcome::Failed(failure) => {
            lua.push_boolean(true);
            lua.push_owned(failure_payload(failure));
        }
    }
}
