//! The process that each service has at the time.
//!
//! Owns that who looks finds the one that was started last, and none that has ended as far as its supervisor knows. Refuses to wait.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use lunarium_engine::Handle;
use lunarium_kernel::EntryId;

/// The processes of services, by the services' ids. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub struct Running {
    handles: Arc<RwLock<HashMap<EntryId, Handle>>>,
}

impl Running {
    /// The process of a service. None: it hasn't started, has ended, or waits to be started again.
    pub fn of(&self, service: &EntryId) -> Option<Handle> {
        self.handles.read().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }

    pub(super) fn set(&self, service: &EntryId, handle: Option<&Handle>) {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        match handle {
            Some(handle) => handles.insert(service.clone(), handle.clone()),
            None => handles.remove(service),
        };
    }
}
