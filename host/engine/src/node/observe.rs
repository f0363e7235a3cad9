//! What can be seen of living processes: all of them, or one with its lists.
//!
//! Owns that looking holds up nobody: the kernel's lock is taken for a piece of the processes at a time, and for nothing that
//! could be read elsewhere. Asks no process and wakes none.

use std::collections::{HashMap, HashSet};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use lunarium_kernel::{EntryId, HostId, Limits, Name, Pid, Process as Known};

use super::{NodeInner, Usage};
use crate::catalogue::Definition;
use crate::process::{Process, ProcessState};

/// Processes that are looked at with one taking of the kernel's lock: a search and three lengths each.
const PIECE: usize = 64;

/// A living process, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// The process.
    pub pid: Pid,
    /// Who has started it, though that one may have ended; none: the embedding program.
    pub parent: Option<Pid>,
    /// What it runs now.
    pub entry: EntryId,
    /// The process host that it is on.
    pub host: HostId,
    /// What it is doing.
    pub state: ProcessState,
    /// Its registered names, sorted.
    pub names: Vec<String>,
    /// CPU time of its whole life, but for what runs just now.
    pub cpu: Duration,
    /// Bytes that are held for it, as its host's budget counts them.
    pub memory: u64,
    /// Messages that its script hasn't received.
    pub messages: u64,
    /// Bytes of their payloads and topics.
    pub message_bytes: u64,
    /// Calls that it hasn't answered.
    pub calls: usize,
    /// Processes that it is linked with.
    pub links: usize,
    /// Processes that it monitors.
    pub monitors: usize,
    /// Processes that monitor it.
    pub watchers: usize,
    /// Time since it was accepted.
    pub uptime: Duration,
    /// The id of the actor in whose name it acts.
    pub actor: Option<String>,
}

/// The same with its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessDetails {
    /// What there is of every process.
    pub info: ProcessInfo,
    /// How its log lines name it: `<entry id>#<chain>`.
    pub frame: Arc<str>,
    /// The definition that it runs: of a process that goes on after a change, the one it began with. None: it is a mailbox of the
    /// embedding program's.
    pub definition: Option<Definition>,
    /// Whether a process that starts now would get the same.
    pub is_current: bool,
    /// Whom it is linked with.
    pub links: Vec<Pid>,
    /// Whom it monitors.
    pub monitors: Vec<Pid>,
    /// Who monitors it.
    pub watchers: Vec<Pid>,
    /// The ids of the policies that decide for it; none: it has no scope.
    pub scope: Option<Vec<EntryId>>,
    /// Its limits.
    pub limits: Limits,
    /// What it has used, and holds of its limits.
    pub usage: Usage,
}

/// Who is linked with whom, and who monitors whom. From [`Node::relations`](crate::Node::relations).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relations {
    /// Two processes that are linked, by number, each pair once, the older one first.
    pub links: Vec<(u64, u64)>,
    /// Who monitors, and who is monitored, by number.
    pub monitors: Vec<(u64, u64)>,
    /// Nothing was left out.
    pub is_complete: bool,
}

/// What the kernel alone knows of a process, by numbers.
struct Counts {
    links: usize,
    monitors: usize,
    watchers: usize,
}

impl Counts {
    fn of(known: &Known) -> Counts {
        Counts { links: known.links().len(), monitors: known.monitors().len(), watchers: known.watchers().len() }
    }
}

impl NodeInner {
    pub(crate) fn processes(&self) -> Vec<ProcessInfo> {
        let mut all = self.control.table.all();
        all.sort_by_key(|process| process.pid.number());
        let mut names: HashMap<u64, Vec<Name>> = HashMap::new();
        for (name, number) in self.control.table.names() {
            names.entry(number).or_default().push(name);
        }
        all.chunks(PIECE).flat_map(|piece| self.look_at(piece, &mut names)).collect()
    }

    pub(crate) fn process(&self, pid: &Pid) -> Option<ProcessDetails> {
        let process = self.control.table.get(pid).filter(|process| process.pid == *pid)?;
        let number = pid.number();
        let mut names = HashMap::from([(number, self.control.table.names_of(number))]);
        let info = self.look_at(slice::from_ref(&process), &mut names).pop()?;
        // Numbers alone: whose they are is read without the lock.
        let numbers = |known: &Known| [known.links().collect(), known.monitors().collect(), known.watchers().collect()];
        let numbers: [Vec<u64>; 3] = self.kernel(|kernel| kernel.process(pid).map(numbers))?;
        let [links, monitors, watchers] = numbers.map(|numbers| self.control.table.pids(&numbers));
        let scope = process.origin.security.scope();
        let code = (!process.is_mailbox).then(|| process.look().code);
        let current = code.as_ref().and_then(|code| self.catalogue.code(&code.definition.entry));
        Some(ProcessDetails {
            info,
            frame: process.label().frame,
            is_current: match (&code, current) {
                (Some(code), Some(current)) => Arc::ptr_eq(code, &current),
                (code, _) => code.is_none(),
            },
            definition: code.map(|code| code.definition.clone()),
            links,
            monitors,
            watchers,
            scope: scope.map(|policies| policies.iter().map(|policy| policy.id.clone()).collect()),
            limits: process.limits(),
            usage: self.used_by(&process),
        })
    }

    /// What is between these processes, at most so many pairs.
    pub(crate) fn relations(&self, among: &[Pid], most: usize) -> Relations {
        let among: HashSet<u64> = among.iter().map(Pid::number).collect();
        let mut sorted: Vec<u64> = among.iter().copied().collect();
        sorted.sort_unstable();
        let mut found = Relations { links: Vec::new(), monitors: Vec::new(), is_complete: true };
        // Of one process at a time: it may have thousands.
        for process in sorted.iter().filter_map(|number| self.control.table.by_number(*number)) {
            let (from, pid) = (process.pid.number(), &process.pid);
            let most_of_one = |numbers: &mut dyn ExactSizeIterator<Item = u64>| {
                let is_whole = numbers.len() <= most;
                (numbers.take(most).collect::<Vec<u64>>(), is_whole)
            };
            let both = |known: &Known| (most_of_one(&mut known.links()), most_of_one(&mut known.monitors()));
            let Some(((links, has_links), (monitors, has_monitors))) =
                self.kernel(|kernel| kernel.process(pid).map(both))
            else {
                continue;
            };
            found.is_complete &= has_links && has_monitors;
            let links = links.into_iter().filter(|to| from < *to && among.contains(to)).map(|to| (true, to));
            let monitors = monitors.into_iter().filter(|to| among.contains(to)).map(|to| (false, to));
            for (is_link, to) in links.chain(monitors) {
                if found.links.len().saturating_add(found.monitors.len()) >= most {
                    found.is_complete = false;
                    return found;
                }
                if is_link { found.links.push((from, to)) } else { found.monitors.push((from, to)) }
            }
        }
        found
    }

    /// Who lives of these.
    fn look_at(&self, piece: &[Arc<Process>], names: &mut HashMap<u64, Vec<Name>>) -> Vec<ProcessInfo> {
        let mut known = Vec::with_capacity(piece.len());
        self.kernel(|kernel| {
            known.extend(piece.iter().map(|process| kernel.process(&process.pid).map(Counts::of)));
        });
        let now = self.time.clock.now();
        let known = piece.iter().zip(known).filter_map(|(process, counts)| Some((process, counts?)));
        let seen = known.map(|(process, Counts { links, monitors, watchers })| {
            let look = process.look();
            ProcessInfo {
                pid: process.pid.clone(),
                parent: process.parent.clone(),
                entry: look.code.definition.entry.clone(),
                host: process.origin.host.id().clone(),
                state: look.state,
                names: texts(names.remove(&process.pid.number()).unwrap_or_default()),
                cpu: process.cpu.total(),
                memory: process.memory.used(),
                messages: look.messages,
                message_bytes: look.message_bytes,
                calls: look.calls,
                links,
                monitors,
                watchers,
                uptime: Duration::from_nanos(now.saturating_sub(process.began)),
                actor: process.origin.security.actor().map(|actor| actor.id().to_owned()),
            }
        });
        seen.collect()
    }
}

fn texts(names: Vec<Name>) -> Vec<String> {
    let mut texts: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    texts.sort();
    texts
}
