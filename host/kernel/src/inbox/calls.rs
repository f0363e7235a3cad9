//! Calls of the embedder's functions that are under way for one process, and the bytes that they hold.
//!
//! Owns both limits. Refuses to know what is called. A call is under way until its reply is *handed over*, and holds its
//! arguments until it is answered and its result from then on: a guest that calls on and never waits can't pile up either.

use crate::{Reply, RequestError};

/// The limits of one process's calls. Made by [`Limits::calls`](crate::Limits::calls).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls under way.
    pub calls: u32,
    /// Bytes of their arguments and of the results that aren't handed over yet.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    under_way: Vec<Call>,
    bytes: u64,
}

#[derive(Debug)]
struct Call {
    request: u64,
    /// Of its arguments, or its result.
    bytes: u64,
    /// What all may hold, as it was when this one began.
    limit: u64,
}

impl Calls {
    /// Errors: a limit is reached.
    pub(crate) fn check(&self, limits: CallLimits, bytes: u64) -> Result<(), RequestError> {
        let CallLimits { calls: limit, bytes: most } = limits;
        if self.under_way.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(RequestError::Calls { limit });
        }
        self.check_bytes(bytes, most)
    }

    /// What all hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn check_bytes(&self, bytes: u64, limit: u64) -> Result<(), RequestError> {
        if self.bytes.saturating_add(bytes) > limit {
            return Err(RequestError::CallBytes { held: self.bytes, bytes, limit });
        }
        Ok(())
    }

    /// A call that [`Calls::check`] has let through.
    pub(crate) fn push(&mut self, request: u64, bytes: u64, limits: CallLimits) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.under_way.push(Call { request, bytes, limit: limits.bytes });
    }

    /// A call has been answered with so many bytes, which count instead of its arguments.
    ///
    /// Errors: they don't fit; the call holds nothing more then, and is still under way.
    pub(crate) fn answer(&mut self, request: u64, bytes: u64) -> Result<(), RequestError> {
        let Some(place) = self.under_way.iter().position(|call| call.request == request) else { return Ok(()) };
        let Some(call) = self.under_way.get_mut(place) else { return Ok(()) };
        self.bytes = self.bytes.saturating_sub(std::mem::take(&mut call.bytes));
        let limit = call.limit;
        self.check_bytes(bytes, limit)?;
        if let Some(call) = self.under_way.get_mut(place) {
            call.bytes = bytes;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// The replies have been handed over, or nobody waits for them.
    pub(crate) fn done(&mut self, replies: &[Reply]) {
        if self.under_way.is_empty() {
            return;
        }
        for reply in replies {
            self.forget(reply.request);
        }
    }

    /// A call isn't under way any more.
    pub(crate) fn forget(&mut self, request: u64) {
        if let Some(place) = self.under_way.iter().position(|call| call.request == request) {
            let call = self.under_way.swap_remove(place);
            self.bytes = self.bytes.saturating_sub(call.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
