//! Where the futures of modules run: the tokio runtime that the node was started in, else one of our own.
//!
//! Owns the only threads of it, which are there from the first call that needs them to the end of the program.

use std::sync::OnceLock;

use tokio::runtime::{Builder, EnterGuard, Handle};

/// The threads of our own. The number: futures wait; what computes belongs on a thread for blocking work.
const THREADS: usize = 2;

/// A node's.
pub(crate) struct Runtime {
    /// None: the node was started outside of any.
    given: Option<Handle>,
}

impl Runtime {
    /// The one that the calling thread is in.
    pub(crate) fn current() -> Runtime {
        Runtime { given: Handle::try_current().ok() }
    }

    /// For a function that may start something; where there is no runtime, none is made for it.
    pub(crate) fn enter_given(&self) -> Option<EnterGuard<'_>> {
        self.given.as_ref().map(Handle::enter)
    }

    /// For a future. Errors: there is none, and none can be made.
    pub(crate) fn handle(&self) -> Result<&Handle, String> {
        match &self.given {
            Some(given) => Ok(given),
            None => own(),
        }
    }
}

fn own() -> Result<&'static Handle, String> {
    static OWN: OnceLock<Result<tokio::runtime::Runtime, String>> = OnceLock::new();
    let made = OWN.get_or_init(|| {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("lunarium-modules").enable_all().build();
        runtime.map_err(|error| error.to_string())
    });
    made.as_ref().map(tokio::runtime::Runtime::handle).map_err(Clone::clone)
}
