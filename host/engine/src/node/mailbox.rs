//! Mailboxes of the embedder's own: processes for everybody else, without an instance.
//!
//! Owns what one begins as, and that its reader is woken. What may be done to it is decided as for any process.

use std::future::poll_fn;
use std::sync::Arc;

use lunarium_kernel::{Account, EntryId, Holding, Limits, LimitsOverride, Mailbox, Name, Rank, SpawnSpec};

use super::{NodeEvent, NodeInner, SpawnError};
use crate::catalogue::{Chunk, Code, Definition};
use crate::process::{Beginning, Origin, Process, Reader};
use lunarium_schedule::Urgency;

/// What a mailbox counts as by itself: what it may hold before that is counted, 16 KiB, and the host's records of it.
const MAILBOX_BYTES: u64 = 20 << 10;

/// What the embedder holds of a mailbox.
pub(crate) struct Opened {
    pub(crate) process: Arc<Process>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) limits: Limits,
    /// What it counts as.
    pub(crate) memory: Holding,
}

impl NodeInner {
    /// Opens a mailbox with a name, and limits instead of the default ones.
    ///
    /// Errors: no name, or one that is taken; a full node; a budget.
    pub(crate) fn open_mailbox(self: &Arc<NodeInner>, name: &str, wish: &LimitsOverride) -> Result<Opened, SpawnError> {
        let name = Name::new(name)?;
        let host = self.catalogue.mailboxes(&self.budgets.memory, &self.budgets.cpu)?;
        let limits = Limits::resolve(host.limits(), &LimitsOverride::default(), Some(wish));
        let mut memory = Holding::new(Account::of_process(&host.memory), Rank::Service);
        memory.grow(MAILBOX_BYTES)?;
        let began = self.uptime();
        let beginning = Beginning {
            code: Arc::new(Code::new(Definition::new(EntryId::new("node:mailbox"), Chunk::new("=mailbox", "")))),
            limits: limits.clone(),
            began: began.as_nanos(),
            parent: None,
            is_mailbox: true,
            hurries: true,
        };
        let spec = SpawnSpec {
            entry: beginning.code.definition.entry.clone(),
            monitored: false,
            linked: false,
            exec: None,
            name: Some(name),
            limits: limits.counts(),
            lifetime: super::ending::lifetime(&limits, began),
            ordinary: false,
        };
        let security = self.catalogue.known().policies.none().into();
        let origin = Origin { host, wish: None, context: None, security };
        let (mailbox, holding) = (Mailbox::new(limits.mailbox()), memory.another());
        let process = self.kernel(|kernel| {
            let spawned = kernel.spawn(None, origin.host.kernel(), spec)?;
            // Or any script that may link with it could end it.
            kernel.set_trap_links(&spawned.pid, true);
            let process = Arc::new(Process::new(spawned, origin, mailbox, holding, beginning));
            process.listen_to_all();
            self.control.table.insert(Arc::clone(&process));
            self.journal.note(|| NodeEvent::Spawned { pid: process.pid.clone(), entry: process.entry(), parent: None });
            Ok::<_, SpawnError>(process)
        })?;
        process.life.set_running(true);
        process.life.start();
        let reader = Arc::<Reader>::default();
        let (forwarded, wakes) = (Arc::clone(&process), Arc::clone(&reader));
        let forward = poll_fn(move |context| wakes.poll_forward(&forwarded, context));
        self.machine.scheduler.spawn(&process.member, forward, || Urgency::Woken);
        Ok(Opened { process, reader, limits, memory })
    }
}
