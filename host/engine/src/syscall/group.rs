//! `group.…`: joining and leaving, who is in one, sending to all of them, and waiting for a change.
//!
//! A call lists or sends to so many members at most, and the guest asks for the next: the kernel's lock is held for as long as that takes,
//! and between two calls another process may have its turn.

use lunarium_contract::length;
use lunarium_kernel::{ErrorKind, GroupName, Message, Pid, Refusal, SHOWN, SendError, Topic, action, cut};

use crate::catalogue::GROUP_BYTES;
use crate::node::{Caller, Who};
use crate::wasm::imports::group::{Host, Listing, Sent};
use crate::wasm::imports::types;
use crate::wasm::{CallError, Stopped};

/// A message that is too large for so many.
#[derive(Debug, thiserror::Error)]
#[error(
    "payload of {size} bytes to {members} members of group `{group}` exceeds the limit of {} bytes",
    length::FAN_OUT
)]
struct TooMuch {
    size: usize,
    members: usize,
    group: GroupName,
}

impl Refusal for TooMuch {
    fn kind(&self) -> ErrorKind {
        ErrorKind::ResourceExhausted
    }

    fn limit(&self) -> Option<&'static str> {
        Some(GROUP_BYTES)
    }
}

/// A pid that can't be where a listing goes on.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a pid")]
struct NotAPid(String);

impl Refusal for NotAPid {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// The number behind which to go on.
fn number(after: Option<&str>) -> Result<Option<u64>, NotAPid> {
    let read = |text: &str| Pid::parse(text).map(|pid| pid.number()).ok_or_else(|| NotAPid(cut(text, SHOWN)));
    after.map(read).transpose()
}

impl Caller {
    fn enter_group(&self, name: &str) -> Result<(), CallError> {
        let who = self.living()?;
        let name = GroupName::new(name)?;
        who.authorize(action::JOIN_GROUP, name.as_str())?;
        who.process.afford(name.bytes())?;
        let joined = self.node.kernel(|kernel| kernel.join_group(&who.process.pid, &name));
        match joined {
            Ok(true) => who.process.hold(name.bytes()),
            Ok(false) | Err(_) => who.process.settle(),
        }
        joined?;
        Ok(())
    }

    fn send_to(
        &self,
        who: &Who,
        name: &GroupName,
        topic: &Topic,
        payload: Vec<u8>,
        after: Option<u64>,
    ) -> Result<Sent, CallError> {
        let (members, all) = self.node.kernel(|kernel| {
            let (members, _) = kernel.members(name.as_str(), after, length::GROUP_SLICE);
            (members, kernel.member_count(name.as_str()))
        });
        // Once for each: what comes later belongs to what was allowed then.
        if after.is_none() && payload.len().saturating_mul(all) > length::FAN_OUT {
            return Err(TooMuch { size: payload.len(), members: all, group: name.clone() }.into());
        }
        let limit = who.limits().message;
        if u32::try_from(payload.len()).map_or(true, |size| size > limit) {
            return Err(SendError::TooLarge { bytes: payload.len() as u64, limit: limit.into() }.into());
        }
        let message = Message::new(Some(who.process.pid.clone()), topic.clone(), payload.into());
        let mut accepted = 0_u32;
        for pid in &members {
            if who.is_restricted() && who.authorize(action::SEND, pid.as_str()).is_err() {
                continue;
            }
            let Some(target) = self.node.control.table.get(pid) else { continue };
            // The dead are silent: nobody gets a message of who has ended.
            let sent = who.process.life.speak(|| target.send(message.clone()));
            accepted = accepted.saturating_add(u32::from(sent.ok_or(Stopped::Killed)?.is_ok()));
        }
        let more = members.len() >= length::GROUP_SLICE;
        Ok(Sent { accepted, last: members.last().filter(|_| more).map(ToString::to_string) })
    }
}

impl Host for Caller {
    fn join(&mut self, name: String) -> Result<(), CallError> {
        self.noting(action::JOIN_GROUP, &name, self.enter_group(&name))
    }

    fn leave(&mut self, name: String) -> Result<bool, CallError> {
        let process = &self.living()?.process;
        let name = GroupName::new(&name)?;
        let was_in_it = self.node.kernel(|kernel| kernel.leave_group(&process.pid, &name))?;
        if was_in_it {
            process.free(name.bytes());
        }
        Ok(was_in_it)
    }

    fn members(&mut self, name: String, after: Option<String>) -> Result<Listing, CallError> {
        self.living()?;
        let (name, after) = (GroupName::new(&name)?, number(after.as_deref())?);
        let listed = self.node.kernel(|kernel| kernel.members(name.as_str(), after, length::GROUP_SLICE));
        let (pids, version) = listed;
        Ok(Listing { pids: pids.iter().map(ToString::to_string).collect(), version })
    }

    fn send(
        &mut self,
        name: String,
        topic: String,
        payload: Vec<u8>,
        unread: types::Unread,
        after: Option<String>,
    ) -> Result<Sent, CallError> {
        self.tell_unread(unread)?;
        let who = self.living()?;
        let act = || {
            let (name, topic) = (GroupName::new(&name)?, Topic::new(&topic)?);
            self.send_to(who, &name, &topic, payload, number(after.as_deref())?)
        };
        self.noting(action::SEND, &name, act())
    }

    fn watch(&mut self, name: String, version: u64) -> Result<u64, CallError> {
        let process = &self.living()?.process;
        let name = GroupName::new(&name)?;
        let request = process.begin_request()?;
        let watched = self.node.kernel(|kernel| kernel.watch_group(&process.pid, &name, version, request));
        if watched.is_err() {
            process.cancel_request();
        }
        watched?;
        Ok(request)
    }

    fn unwatch(&mut self, name: String) -> Result<(), CallError> {
        let process = &self.living()?.process;
        let name = GroupName::new(&name)?;
        Ok(self.node.kernel(|kernel| kernel.unwatch_group(&process.pid, &name))?)
    }
}
