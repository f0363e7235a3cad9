//! A turn: hand over events, then run until every coroutine waits or the process ends. Owns the order: events, timers,
//! ready tasks first come first served. What a task does when it is resumed is the prelude's and the script's.

pub mod channel;
pub mod hint;
pub mod outcome;
pub mod request;
mod room;
pub mod slots;
pub mod trace;
pub mod upgrade;

use std::ffi::c_int;
use std::vec;

use lunarium_contract::batch::{self, Entry, Kind as Short};

use self::channel::{Handed, hand_over, push_next, push_sender};
use self::request::replied_to;
use self::room::{CALL, has_room, push_payload, takes};
use self::slots::{State, state, task};
use crate::codec::{as_text, failure_payload, no_room, stand_in};
use crate::host::{Ended, Event, Failure, Message, Outcome, Parked, Status};
use crate::lua::{Broken, Kind, Lua, Progress, Reference};
use crate::state::context::Kept;

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
    pub leftovers: Reference,
    pub output_ready: Reference,
    pub release_pollers: Reference,
    pub fire_due: Reference,
    pub next_due: Reference,
}

/// How many resumes may pass before timers are looked at again: tasks that keep each other busy mustn't stop the clock.
const GLANCE: u32 = 64;

/// Delivers messages and events, and runs. Raises.
pub fn turn(mut lua: Lua, calls: &Calls, batch: &mut Vec<u8>, events: &mut vec::IntoIter<Event>) -> Status {
    lua.set_top(0);
    lua.push_kept(calls.state);
    lua.get_item(STATE, state::QUEUE);
    // Nobody but the prelude has it.
    let Some(state) = lua.items::<{ state::COUNT }>(STATE) else { lua.raise_text("bug: no state") };
    let handed = &lua.context().handed;
    // Those of the last turn have been received.
    handed.borrow_mut().clear();
    lua.context().collected.set(false);
    room::deliver(lua, || deliver(lua, calls, state, batch, events));
    if handed.borrow().is_empty() {
        *batch = Vec::new();
    }
    fire_due(lua, calls, state);
    let mut resumes = 0u32;
    while push_next(lua, state, STATE, QUEUE) {
        if let Some(status) = run_task(lua, state) {
            return status;
        }
        lua.set_top(QUEUE);
        resumes = resumes.wrapping_add(1);
        if resumes.is_multiple_of(GLANCE) {
            fire_due(lua, calls, state);
        }
    }
    state.set_boolean(state::CURRENT, false);
    rest(lua, calls, state)
}

/// Where `turn` keeps the scheduler's state and the run queue on its stack.
const STATE: c_int = 1;
const QUEUE: c_int = 2;

fn deliver(mut lua: Lua, calls: &Calls, state: State, batch: &[u8], events: &mut vec::IntoIter<Event>) {
    let handed = &lua.context().handed;
    let mut left = batch;
    while let Some((entry, after)) = batch::read(left) {
        let at = batch.len() - left.len();
        left = after;
        match entry.kind {
            Short::Message => {
                if let Some(arrived) = deliver_message(lua, calls, state, entry) {
                    handed.borrow_mut().push((arrived, Kept::Short(at)));
                }
            }
            Short::Call => deliver_call(lua, calls, entry.number, entry.name, entry.payload),
            Short::Reply => deliver_reply(lua, state, entry.number, Told::Completed(entry.payload)),
            Short::Exit => deliver_completed(lua, calls, EXIT, entry),
            Short::LinkDown => deliver_completed(lua, calls, LINK_DOWN, entry),
            Short::Listed => deliver_listed(lua, calls, state, events),
        }
        lua.set_top(QUEUE);
    }
    if state.integer(state::POLLING) > 0 {
        lua.push_kept(calls.release_pollers);
        lua.call(0, 0);
    }
}

fn fire_due(lua: Lua, calls: &Calls, state: State) {
    if state.integer(state::TIMERS) > 0 {
        room::deliver(lua, || {
            lua.push_kept(calls.fire_due);
            lua.call(0, 0);
        });
    }
}

/// Resumes the task on top of the stack; none: the turn goes on.
fn run_task(lua: Lua, state: State) -> Option<Status> {
    let index = lua.top();
    lua.push_copy(index);
    lua.set_item(STATE, state::CURRENT);
    lua.get_item(index, task::COROUTINE);
    let coroutine = lua.thread(-1)?;
    let progress = coroutine.resume(lua);
    if let Progress::Waits = progress {
        // A task that failed beneath one that couldn't be left: that one was made to fail, or to wait, as well.
        return if state.truth(state::FAILED) { failed_beneath(lua, state) } else { None };
    }
    if state.truth(state::FAILED) {
        return failed_beneath(lua, state);
    }
    let main = state.table(state::MAIN) == lua.address(index);
    match progress {
        Progress::Waits => None,
        Progress::Done(results) if main => Some(Status::Exited(outcome::done(lua, coroutine, results))),
        Progress::Done(_) => {
            state.set_integer(state::SPAWNED, state.integer(state::SPAWNED) - 1);
            None
        }
        Progress::Failed(why) => {
            // Of a plain script the chunk is what runs.
            let plain = lua.context().program.get().is_some_and(|program| program.plain);
            let starting = main && !plain && state.truth(state::STARTING);
            Some(Status::Exited(outcome::failed(lua, coroutine, why == Broken::Memory, starting)))
        }
    }
}

/// The process has ended in a task that isn't the one that ran, or goes on elsewhere.
fn failed_beneath(lua: Lua, state: State) -> Option<Status> {
    lua.get_item(STATE, state::FAILED);
    let Some(coroutine) = lua.thread(-1) else { return Some(Status::Upgrade) };
    let memory = state.truth(state::FAILED_MEMORY);
    Some(Status::Exited(outcome::failed(lua, coroutine, memory, false)))
}

/// Nothing is ready: the process waits, unless nothing can ever wake it.
fn rest(lua: Lua, calls: &Calls, state: State) -> Status {
    let unread = lua.context().unread();
    let park = |wake_at| {
        let received = lua.context().take_received(lua, unread);
        Status::Parked(Parked { wake_at, unread, received })
    };
    if state.integer(state::POLLING) > 0 {
        return park(Some(0));
    }
    if state.integer(state::LIVE) > 0 {
        let mut wake_at = None;
        if state.integer(state::TIMERS) > 0 {
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

/// The number of what comes from the mailbox: the host counts it, and so does this.
fn arrive(lua: Lua) -> i64 {
    let arrived = lua.context().arrived.get() + 1;
    lua.context().arrived.set(arrived);
    arrived
}

/// The script has received it, or will in this turn.
fn note_received(lua: Lua, arrived: i64) {
    lua.context().received.borrow_mut().push(arrived as u64);
}

/// The next of the list. Raises.
fn deliver_listed(lua: Lua, calls: &Calls, state: State, events: &mut vec::IntoIter<Event>) {
    match events.as_slice().first() {
        Some(Event::Message(message)) => {
            let sender = message.sender.as_deref().unwrap_or_default();
            let entry = Entry::new(Short::Message, 0, sender, &message.topic, &message.payload);
            let decoded = deliver_message(lua, calls, state, entry);
            if let (Some(arrived), Some(Event::Message(message))) = (decoded, events.next()) {
                // What it says is in Lua.
                let message = Message { payload: Vec::new(), ..message };
                lua.context().handed.borrow_mut().push((arrived, Kept::Long(message)));
            }
            return;
        }
        Some(Event::Call(call)) => deliver_call(lua, calls, call.id, call.method.as_bytes(), &call.arguments),
        Some(Event::Exit(ended)) => deliver_ended(lua, calls, EXIT, ended),
        Some(Event::LinkDown(ended)) => deliver_ended(lua, calls, LINK_DOWN, ended),
        Some(Event::Cancel(cancel)) => {
            let arrived = arrive(lua);
            lua.push_kept(calls.cancel);
            push_sender(lua, cancel.sender.as_deref().unwrap_or_default().as_bytes());
            lua.push_number(cancel.at);
            match cancel.deadline {
                Some(deadline) => lua.push_integer(deadline),
                None => lua.push_boolean(false),
            }
            lua.push_integer(arrived);
            lua.call(4, 0);
        }
        Some(Event::Reply(reply)) => deliver_reply(lua, state, reply.request, told(&reply.outcome)),
        Some(Event::OutputReady) => {
            lua.push_kept(calls.output_ready);
            lua.call(0, 0);
        }
        None => {}
    }
    events.next();
}

/// Its number, if it was handed over decoded. Raises.
fn deliver_message(lua: Lua, calls: &Calls, state: State, message: Entry<'_>) -> Option<i64> {
    let arrived = arrive(lua);
    lua.push_kept(calls.listeners);
    lua.push_bytes(message.name);
    lua.get(-2);
    if lua.kind(-1) == Kind::Nil {
        lua.push_kept(calls.inbox);
    }
    let handed = hand_over(lua, state, QUEUE, message, arrived);
    if handed != Handed::No {
        note_received(lua, arrived);
        return (handed == Handed::Decoded).then_some(arrived);
    }
    lua.push_kept(calls.deliver);
    push_sender(lua, message.sender);
    lua.push_bytes(message.name);
    push_payload(lua, message.payload);
    lua.push_integer(arrived);
    lua.call(4, 0);
    None
}

fn deliver_call(mut lua: Lua, calls: &Calls, id: u64, method: &[u8], arguments: &[u8]) {
    let arrived = arrive(lua);
    if !has_room(lua, arguments.len() + CALL) {
        lua.context().host.answer(id, &failure_payload(&no_room(lua, arguments, CALL)));
        note_received(lua, arrived);
        return;
    }
    lua.push_kept(calls.called);
    lua.push_integer(id as i64);
    lua.push_bytes(method);
    lua.push_bytes(arguments);
    lua.push_integer(arrived);
    lua.call(4, 1);
    let begun = lua.boolean(-1);
    lua.pop(1);
    if begun {
        note_received(lua, arrived);
    }
}

/// Kinds of events, as scripts see them.
const EXIT: &[u8] = b"pid.exit";
const LINK_DOWN: &[u8] = b"pid.link.down";

/// What has come of a request or a process.
#[derive(Clone, Copy)]
enum Told<'o> {
    Completed(&'o [u8]),
    Failed(&'o Failure),
}

fn told(outcome: &Outcome) -> Told<'_> {
    match outcome {
        Outcome::Completed(result) => Told::Completed(result),
        Outcome::Failed(failure) => Told::Failed(failure),
    }
}

fn deliver_completed(lua: Lua, calls: &Calls, kind: &[u8], entry: Entry<'_>) {
    let at = f64::from_bits(entry.number);
    deliver_end(lua, calls, kind, entry.sender, at, Told::Completed(entry.payload));
}

fn deliver_ended(lua: Lua, calls: &Calls, kind: &[u8], ended: &Ended) {
    deliver_end(lua, calls, kind, ended.sender.as_bytes(), ended.at, told(&ended.outcome));
}

fn deliver_end(lua: Lua, calls: &Calls, kind: &[u8], sender: &[u8], at: f64, told: Told<'_>) {
    let arrived = arrive(lua);
    lua.push_kept(calls.ended);
    lua.push_bytes(kind);
    lua.push_bytes(sender);
    lua.push_number(at);
    lua.push_boolean(matches!(told, Told::Failed(_)));
    push_told(lua, told);
    lua.push_integer(arrived);
    lua.call(6, 0);
}

fn deliver_reply(lua: Lua, state: State, request: u64, told: Told<'_>) {
    // Most are a file's bytes, of which there need not be two copies in Lua.
    let text = match told {
        Told::Completed(result) => as_text(result),
        Told::Failed(_) => None,
    };
    let text = text.filter(|text| has_room(lua, text.len()));
    match text {
        Some(text) => lua.push_bytes(text),
        None => push_told(lua, told),
    }
    let completed = matches!(told, Told::Completed(_));
    replied_to(lua, state, QUEUE, request, completed, text.is_some());
}

/// Its payload: the result, or the error object.
fn push_told(lua: Lua, told: Told<'_>) {
    match told {
        Told::Completed(result) => push_payload(lua, result),
        Told::Failed(failure) => {
            let payload = failure_payload(failure);
            if takes(lua, &payload) {
                lua.push_owned(payload);
            } else {
                let stand_in = stand_in(&payload);
                drop(payload);
                lua.push_bytes(&stand_in);
            }
        }
    }
}
