//! One connection: how long its client may take to read, and how many come from one address.
//!
//! Owns the bounds that hyper has none for. Reads no HTTP.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::config::LEAST_READ;

/// A socket whose other end has to read what is written to it.
pub(super) struct Watched {
    stream: TcpStream,
    patience: Duration,
    /// Since the other end took nothing for a moment: until when it has to have taken enough.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes since then.
    taken: usize,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, stalled: None, taken: 0 }
    }

    fn note(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                self.taken = self.taken.saturating_add(count);
                if let Some(stalled) = self.stalled.as_mut().filter(|_| self.taken >= LEAST_READ) {
                    self.taken = 0;
                    stalled.as_mut().reset(Instant::now() + self.patience);
                }
                Poll::Ready(Ok(count))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => {
                let patience = self.patience;
                if self.stalled.is_none() {
                    self.taken = 0;
                }
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(stalled.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.note(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Who writes flushes when all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stalled = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Connections by the address they come from.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    counts: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// One of an address's connections, until this is dropped.
pub(super) struct Place {
    counts: Arc<Mutex<HashMap<IpAddr, u32>>>,
    key: IpAddr,
}

impl Addresses {
    /// A place for one more. None: the address has as many as it may.
    pub(super) fn enter(&self, address: IpAddr, most: u32) -> Option<Place> {
        let key = key(address);
        let mut counts = self.counts.lock();
        let count = counts.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { counts: Arc::clone(&self.counts), key })
    }

    /// Those of all.
    pub(super) fn connections(&self) -> u64 {
        self.counts.lock().values().map(|count| u64::from(*count)).sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// Whoever has one address of IPv6 has a network of them.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn an_address_has_so_many_connections_and_a_network_counts_as_one() {
        let addresses = Addresses::default();
        let enter = |text: &str| text.parse().ok().and_then(|address| addresses.enter(address, 2));
        let (one, two) = (enter("2001:db8::1"), enter("2001:db8::2"));
        assert!(one.is_some() && two.is_some() && enter("2001:db8::3").is_none());
        assert!(enter("2001:db8:0:1::1").is_some() && enter("10.0.0.1").is_some());
        drop(one);
        assert!(enter("2001:db8::3").is_some());
        drop(two);
        assert!(addresses.counts.lock().is_empty());
    }
}
