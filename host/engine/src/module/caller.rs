//! Who calls a function: the process, as it was when it called.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};

use lunarium_kernel::{Actor, EntryId, Limits, Pid, Policy};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Module;
use crate::catalogue::Settings;
use crate::process::{Incarnation, Process};

/// The process that calls a function. Cheap to clone, also into what outlives the call; it keeps neither the process nor the
/// node.
#[derive(Clone)]
pub struct Caller {
    calling: Arc<Calling>,
    /// Whose settings it finds; none for a module without.
    settings_of: Option<Arc<str>>,
}

/// What all calls of an incarnation have in common, made at the first one: counted references of its parts for each call are more than
/// a quick function takes.
pub(crate) struct Calling {
    pub(crate) process: Arc<Process>,
    pub(crate) incarnation: Arc<Incarnation>,
    /// The embedder's handle of the node: which type that is, only `api` knows.
    pub(crate) node: Weak<dyn Any + Send + Sync>,
    /// What the node may have of the threads for blocking work.
    pub(crate) threads: Arc<Semaphore>,
}

impl Caller {
    pub(crate) fn new(calling: &Arc<Calling>, module: &Module) -> Caller {
        Caller { calling: Arc::clone(calling), settings_of: module.takes_settings().then(|| Arc::clone(&module.name)) }
    }

    /// The process.
    pub fn pid(&self) -> &Pid {
        &self.calling.process.pid
    }

    /// The entry that it runs.
    pub fn entry(&self) -> &EntryId {
        &self.calling.incarnation.label.entry
    }

    /// In whose name it acts, if in anybody's.
    pub fn actor(&self) -> Option<&Actor> {
        self.calling.process.origin.security.actor()
    }

    /// The policies that decide for it; none when it has no scope.
    pub fn scope(&self) -> Option<impl Iterator<Item = &Policy>> {
        Some(self.calling.process.origin.security.scope()?.iter().map(|policy| &**policy))
    }

    /// Whether its policies allow it to do this: the action may be the application's own.
    pub fn may(&self, action: &str, resource: &str) -> bool {
        self.calling.process.origin.security.authorize(action, resource, &self.calling.process.pid, None).is_ok()
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        self.calling.incarnation.limits()
    }

    /// What grants of the called module say, the process host's and the entry's, each as the module's
    /// [`settings`](Module::settings) have read it. Of another type, or read by another module of that name, it isn't there.
    pub fn grants<S: 'static>(&self) -> impl Iterator<Item = &S> {
        let settings = self.calling.incarnation.program.grants.settings.iter();
        settings.filter(|settings| self.settings_of.as_ref() == Some(settings.module())).filter_map(Settings::read)
    }

    /// Whether nobody waits for the call any more: the process has ended, or goes on as another program.
    pub fn is_cancelled(&self) -> bool {
        self.calling.process.life.is_over(self.calling.incarnation.number)
    }

    /// Waits until nobody waits for the call any more. The function's own future is dropped then; this is for what it
    /// has started elsewhere.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn cancelled(&self) {
        self.calling.process.life.over(self.calling.incarnation.number).await;
    }

    /// A thread's place, for as long as the work there takes. None: never, as nobody closes the semaphore.
    pub(super) async fn thread(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.calling.threads).acquire_owned().await.ok()
    }

    pub(crate) fn any_node(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.calling.node.upgrade()
    }

    pub(crate) fn calling(&self) -> &Calling {
        &self.calling
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("pid", self.pid()).field("entry", self.entry()).finish_non_exhaustive()
    }
}
