//! Groups of the world's processes: who is in which, and who waits for a change of which. Owns these steps, and the order of the answers to
//! requests that the kernel gives.

use lunarium_kernel::{GroupName, Outcome, Pid};

use super::{Checked, World, kind, same, shown};
use crate::simulation::model::{Expect, Ordinal};
use crate::simulation::model_requests::Kind;
use crate::simulation::script::{GROUPS, Step};

fn name(group: u8) -> GroupName {
    GroupName::new(&format!("group-{group}")).unwrap_or_else(|refusal| unreachable!("{refusal}"))
}

impl World {
    pub(super) fn group(&mut self, who: Ordinal, step: &Step) -> Checked {
        let pid = self.pids[who].clone();
        let (kernel, model) = match step {
            Step::JoinGroup(_, group) => {
                let kernel = kind(self.kernel.join_group(&pid, &name(*group)))?;
                (kernel, shown(self.model.join_group(who, *group)))
            }
            Step::LeaveGroup(_, group) => {
                let kernel = kind(self.kernel.leave_group(&pid, &name(*group)))?;
                (kernel, shown(self.model.leave_group(who, *group)))
            }
            Step::UnwatchGroup(_, group) => {
                let kernel = kind(self.kernel.unwatch_group(&pid, &name(*group)))?;
                (kernel, shown(self.model.unwatch_group(who, *group)))
            }
            Step::WatchGroup(_, group, is_now) => return self.watch_group(who, step, *group, *is_now),
            _ => return Ok(()),
        };
        self.compare(step, kernel, model)
    }

    /// As the engine does it: the request is begun first, and canceled when the group isn't watched.
    fn watch_group(&mut self, who: Ordinal, step: &Step, group: u8, is_now: bool) -> Checked {
        let Some(request) = self.begin(who, Kind::Watch)? else { return Ok(()) };
        let now = self.kernel.members(name(group).as_str(), None, 0).1;
        // No version is this high.
        let version = if is_now { now } else { u64::MAX };
        let kernel = kind(self.kernel.watch_group(&self.pids[who], &name(group), version, request))?;
        let model = shown(self.model.watch_group(who, group, request, !is_now));
        if kernel.is_err() {
            let (inbox, _, requests) = &mut self.inboxes[who];
            inbox.cancel_request();
            requests.cancel(request);
        }
        self.compare(step, kernel, model)
    }

    pub(super) fn tell_change(&mut self, to: Ordinal, request: u64, outcome: Outcome) -> Checked {
        let (inbox, _, requests) = &mut self.inboxes[to];
        same("a change told to the dead", &inbox.is_closed(), &false)?;
        let bytes = outcome.size();
        same("flooded", &inbox.reply(request, outcome), &false)?;
        requests.reply(request, bytes);
        Ok(())
    }

    /// The members are those of the model, in the order of their numbers, however many are asked for at once.
    pub(super) fn check_groups(&self) -> Checked {
        for group in 0..GROUPS {
            let of_model = self.model.members.iter().filter(|(other, _)| *other == group);
            let expected: Vec<&Pid> = of_model.map(|(_, member)| &self.pids[*member]).collect();
            let (all, _) = self.kernel.members(name(group).as_str(), None, usize::MAX);
            same("members", &all.iter().collect::<Vec<_>>(), &expected)?;
            same("count of members", &self.kernel.member_count(name(group).as_str()), &expected.len())?;
            let (first, _) = self.kernel.members(name(group).as_str(), None, 1);
            let after = first.last().map(Pid::number);
            let (rest, _) = self.kernel.members(name(group).as_str(), after, usize::MAX);
            same("members in pieces", &first.into_iter().chain(rest).collect::<Vec<_>>(), &all)?;
        }
        Ok(())
    }

    /// The answer comes after everything else that others are told of the end.
    pub(super) fn check_reply(&self, of: Ordinal) -> Checked {
        same("answered before the end", &self.ended.contains_key(&of), &true)?;
        let owed = self.model.owed();
        let earlier = owed.iter().any(|(_, _, expect)| match expect {
            Expect::Exit { from, .. } | Expect::LinkDown { from, .. } => *from == of,
            _ => false,
        });
        same("an event is owed first", &earlier, &false)
    }
}
