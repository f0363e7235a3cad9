//! What comes to the world's processes, and what they have asked for: sends, requests, tasks, and what an upgrade keeps.
#![allow(clippy::indexing_slicing, reason = "ordinals are the model's own: a wrong one is a bug of the simulation")]

use lunarium_kernel::{
    BatchLimits, CountLimits, Destination, EntryId, ErrorKind, Failure, Item, Lifetime, Message, Outcome, Refusal,
    ResolveError, SendError, Topic, Unread, Uptime,
};

use super::{Checked, World, kind, same, shown};
use crate::simulation::model::{Ordinal, TOO_OLD, Target};
use crate::simulation::model_mailbox::LIMITS;
use crate::simulation::model_requests::Kind;
use crate::simulation::script::{Dest, Step, Who};

impl World {
    /// Begins a request; none: it is refused, as it should be.
    pub(super) fn begin(&mut self, who: Ordinal, ask: Kind) -> Checked<Option<u64>> {
        let (inbox, _, requests) = &mut self.inboxes[who];
        let begun = if ask == Kind::Task { inbox.begin_task(()) } else { inbox.begin_request() };
        let expected = requests.may_begin(ask);
        let word = begun.as_ref().map_or_else(|refusal| refusal.kind().as_str(), |_| "ok");
        *self.stats.entry(format!("{ask:?} {word}")).or_default() += 1;
        same("begun", &begun.as_ref().map(drop).map_err(Refusal::kind), &expected)?;
        let Ok(request) = begun else { return Ok(None) };
        same("a new request", &requests.begin(request, ask), &true)?;
        Ok(Some(request))
    }

    pub(super) fn next_task(&mut self, who: Ordinal) -> Checked {
        let (inbox, _, requests) = &mut self.inboxes[who];
        let (task, expected) = (inbox.next_task().map(|(request, ())| request), requests.next_task());
        *self.stats.entry(if task.is_some() { "NextTask" } else { "NextTask none" }.to_owned()).or_default() += 1;
        same("next task", &task, &expected)
    }

    /// Somebody outside answers; who asked may have upgraded or ended since.
    pub(super) fn answer(&mut self, who: Ordinal, which: usize, bytes: usize) -> Checked {
        let (inbox, _, requests) = &mut self.inboxes[who];
        let owed = requests.owed();
        let Some(request) = which.checked_rem(owed.len()).map(|at| owed[at]) else { return Ok(()) };
        let flooded = inbox.reply(request, Outcome::Completed(vec![0; bytes].into()));
        requests.reply(request, bytes as u64);
        *self.stats.entry(format!("Answer {}", if inbox.is_closed() { "to the dead" } else { "ok" })).or_default() += 1;
        same("flooded", &flooded, &false)
    }

    /// As the engine finds a destination: by its tables. Errors: as the kernel has them.
    pub(super) fn find_to_send(&self, sender: Option<Ordinal>, text: &str) -> Result<Ordinal, ResolveError> {
        let destination = Destination::parse(text)?;
        if let Some(sender) = sender
            && self.inboxes[sender].0.is_closed()
        {
            return Err(ResolveError::CallerEnded { caller: self.pids[sender].clone() });
        }
        match destination {
            Destination::Pid { number, text } => {
                let found = self.table.get(&number).filter(|who| self.pids[**who].as_str() == text);
                found.copied().ok_or_else(|| ResolveError::unknown_pid(text))
            }
            Destination::Name(name) => {
                let found = self.names.get(name).and_then(|pid| self.table.get(&pid.number()));
                found.copied().ok_or_else(|| ResolveError::UnknownName { name: name.to_owned() })
            }
        }
    }

    /// Whom a message must reach, as far as the effects have been performed.
    pub(super) fn model_find_to_send(&self, sender: Option<Ordinal>, target: &Target) -> Result<Ordinal, ErrorKind> {
        let found = match target {
            Target::Unusable => return Err(ErrorKind::Invalid),
            _ if sender.is_some_and(|sender| self.ended.contains_key(&sender)) => return Err(ErrorKind::Canceled),
            Target::Nobody => None,
            Target::Process(who) => Some(*who),
            Target::Name(name) => self.model_names.get(name).copied(),
        };
        found.filter(|who| !self.ended.contains_key(who)).ok_or(ErrorKind::NotFound)
    }

    pub(super) fn send(&mut self, from: Option<Who>, to: &Dest, topic: u8, size: u8) -> Checked {
        let (from, (text, target)) = (from.and_then(|who| self.who(who)), self.dest(to));
        let sender = from.map(|who| self.pids[who].clone());
        let (found, expected) = (self.find_to_send(from, &text), self.model_find_to_send(from, &target));
        let step = Step::Send(None, Dest::Never, 0, 0);
        let (Ok(found), Ok(to)) = (&found, &expected) else {
            return self.compare(&step, kind(found.map(drop))?, shown(expected.map(drop)));
        };
        same("receiver", found, to)?;
        let number = self.sent.get(&(from, *to, topic)).copied().unwrap_or(0);
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(4 + usize::from(size), 0);
        let message = Message::new(sender, topic_of(topic)?, payload.into());
        let (inbox, mailbox, _) = &mut self.inboxes[*to];
        let (pushed, expected) = (inbox.push(message.clone()), mailbox.push(&message));
        same("reason", &pushed.as_ref().err().map(reason), &expected.as_ref().err().map(|(_, reason)| *reason))?;
        if let Err((_, reason)) = &expected {
            *self.stats.entry(format!("full: {reason}")).or_default() += 1;
        }
        let (kernel, model) = (kind(pushed)?, shown(expected.map_err(|(kind, _)| kind)));
        if kernel.is_ok() {
            self.sent.insert((from, *to, topic), number + 1);
        }
        self.compare(&step, kernel, model)
    }

    pub(super) fn take(&mut self, who: Ordinal, batch: BatchLimits, credit: u64) -> Checked {
        if self.gone.contains(&who) {
            return Ok(());
        }
        let (inbox, mailbox, requests) = &mut self.inboxes[who];
        let deliverable = inbox.has_deliverable(credit);
        let taken = inbox.take(batch, credit);
        let (replies, bytes) = requests.take(batch.bytes);
        let room = batch.bytes.saturating_sub(bytes);
        let full = bytes > 0 && room == 0;
        let items = if full { Vec::new() } else { mailbox.take(BatchLimits { bytes: room, ..batch }, credit) };
        *self.stats.entry(format!("take of {}", items.len().min(3))).or_default() += 1;
        *self.stats.entry(format!("replies {}", replies.len().min(2))).or_default() += 1;
        self.trace.push(format!("take {taken:?}"));
        same("taken", &taken.items, &items)?;
        same("replies", &taken.replies.iter().map(|reply| reply.request).collect::<Vec<_>>(), &replies)?;
        if batch.items > 0 {
            same("deliverable", &deliverable, &!taken.is_empty())?;
        }
        same("empty", &inbox.mailbox().is_empty(), &mailbox.is_empty())
    }

    /// The script reads; what it reads from each sender is what that one sent, in order and without a gap.
    pub(super) fn read(&mut self, who: Ordinal, topic: u8, count: usize, waits: bool) -> Checked {
        if self.gone.contains(&who) {
            return Ok(());
        }
        let (inbox, mailbox, _) = &mut self.inboxes[who];
        let (messages, (left, bytes)) = mailbox.read(topic_of(topic)?.as_str(), count);
        let unread = Unread { messages: left, bytes };
        if waits {
            inbox.park(unread, &mailbox.park());
        } else {
            inbox.report_unread(unread);
        }
        for message in messages {
            let from = message.sender.map(|sender| sender.number() as usize - 1);
            let number = self.read.entry((from, who, topic)).or_default();
            same("order of messages", &message.payload[..4], &number.to_be_bytes()[..])?;
            *number += 1;
            *self.stats.entry("read".to_owned()).or_default() += 1;
        }
        Ok(())
    }

    pub(super) fn listen(&mut self, who: Ordinal, step: &Step) -> Checked {
        let (inbox, mailbox, _) = &mut self.inboxes[who];
        if inbox.is_closed() || self.gone.contains(&who) {
            return Ok(());
        }
        match step {
            Step::Listen(_, topic) => {
                let topic = topic_of(*topic)?;
                mailbox.listen(topic.as_str());
                inbox.listen(topic);
            }
            Step::Unlisten(_, topic) => {
                let topic = topic_of(*topic)?;
                mailbox.unlisten(topic.as_str());
                inbox.unlisten(&topic);
            }
            _ => {
                mailbox.listen_to_all();
                inbox.listen_to_all();
            }
        }
        Ok(())
    }

    /// As the engine does it: the guest gives back, then the kernel lets it start over, then the inbox does.
    pub(super) fn upgrade(&mut self, who: Ordinal, limit: usize) -> Checked {
        let (inbox, mailbox, requests) = &mut self.inboxes[who];
        if inbox.is_closed() || self.gone.contains(&who) {
            return Ok(());
        }
        for message in mailbox.restart() {
            inbox.take_back(Item::Message(message)).map_err(|refusal| refusal.to_string())?;
        }
        let most = limit as u32;
        let limits = CountLimits { links: most, monitors: most, names: most, groups: most };
        let goes_on = self.kernel.upgrade(&self.pids[who], EntryId::new("app:next"), limits, None);
        if goes_on {
            drop(inbox.restart(LIMITS));
            requests.restart();
        } else {
            self.gone.insert(who);
        }
        let word = if goes_on { "Upgrade ok" } else { "Upgrade dead" };
        *self.stats.entry(word.to_owned()).or_default() += 1;
        same("upgrade", &goes_on, &self.model.upgrade(who, limit))
    }
}

/// Until when a process may live.
pub(super) fn lasting(until: u64) -> Lifetime {
    let outcome = Outcome::failed(Failure::new(ErrorKind::ResourceExhausted, TOO_OLD));
    Lifetime { until: Uptime::from_nanos(until), outcome }
}

fn topic_of(topic: u8) -> Checked<Topic> {
    Topic::new(&format!("topic-{topic}")).map_err(|refusal| refusal.to_string())
}

/// Why a message is refused, in the model's words.
fn reason(refusal: &SendError) -> &'static str {
    match refusal {
        SendError::Closed => "closed",
        SendError::TooLarge { .. } => "too large",
        SendError::MessagesFull { .. } | SendError::BytesFull { .. } => "whole",
        SendError::SenderFull { .. } => "sender",
        SendError::UnlistenedFull { .. } => "unlistened",
        // The engine's: the simulation has no budgets.
        SendError::Budget(_) => "budget",
        SendError::Calls(_) => "calls",
    }
}
