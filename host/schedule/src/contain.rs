//! Calls what is foreign, so that its panic stays there.
//!
//! Refuses to tell of the panic: the panic hook has, and a task's own guards report its end while the stack unwinds.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `act`; a panic ends that and nothing else.
pub fn contain(act: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(act)) else { return };
    // What a panic carries is foreign too, and may panic when it is dropped: the second one is left alone.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
}
