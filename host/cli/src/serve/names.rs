//! What names mean to the requests of all tenants: one list of name servers and known names.
//!
//! Owns that it is read again when the node's file is, by who can.

use std::sync::{Arc, PoisonError, RwLock};

use lunarium_modules::http::{Connect, NameFiles, NameServers, Resolve, Resolving};

/// Finds addresses for the requests of all tenants.
#[derive(Debug, Clone)]
pub struct Names {
    now: Arc<RwLock<Arc<NameServers>>>,
    connector: Arc<dyn Connect>,
}

impl Names {
    /// Name servers are asked by sockets of this connector. Blocks.
    pub fn new(files: NameFiles, connector: &Arc<dyn Connect>) -> Self {
        let connector = Arc::clone(connector);
        Self { now: Arc::new(RwLock::new(read(files, &connector))), connector }
    }

    /// What these say counts from now on, if there are any; requests under way go on with what they have. Blocks.
    pub fn read_again(&self, files: Option<NameFiles>) {
        let Some(files) = files else { return };
        let read = read(files, &self.connector);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = read;
    }

    /// Who opens the sockets.
    pub fn connector(&self) -> &Arc<dyn Connect> {
        &self.connector
    }
}

fn read(files: NameFiles, connector: &Arc<dyn Connect>) -> Arc<NameServers> {
    Arc::new(NameServers::of_files(files).connector(Arc::clone(connector)))
}

impl Resolve for Names {
    fn resolve<'r>(&'r self, name: &'r str) -> Resolving<'r> {
        let now = Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move { now.resolve(name).await })
    }
}
