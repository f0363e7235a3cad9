//! A socket whose other end has to read what is written to it.
//!
//! Owns the bound that hyper has none for: how long a client may take to read. Knows nothing of what is written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes that a reader has to take in each patience: what a phone takes in a bad place.
const LEAST_READ: usize = 64 << 10;

/// Who learns that the other end has to read before more can be written.
pub(crate) trait Reader {
    /// It has to. False: it may not, and the connection is closed.
    fn stalls(&self) -> bool;
    /// It has read all of it.
    fn reads(&self);
}

/// The socket. Who doesn't read all that is written, or 64 KiB of it, in each patience, is closed.
pub(crate) struct Watched<S, R> {
    socket: S,
    reader: R,
    patience: Duration,
    /// Since the other end took nothing for a moment: until when it has to have taken enough.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes since then.
    taken: usize,
}

impl<S: Unpin, R: Reader + Unpin> Watched<S, R> {
    pub(crate) fn new(socket: S, reader: R, patience: Duration) -> Self {
        Self { socket, reader, patience, stalled: None, taken: 0 }
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
                    if !self.reader.stalls() {
                        return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                    }
                }
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(stalled.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + Unpin, R: Unpin> AsyncRead for Watched<S, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin, R: Reader + Unpin> AsyncWrite for Watched<S, R> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.note(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, buffers);
        self.note(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// Who writes flushes when all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stalled.take().is_some() {
            self.reader.reads();
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::cell::Cell;
    use std::io::{self, ErrorKind};
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::sleep;

    use super::{Reader, Watched};

    /// How often it was told each, and whether it may.
    #[derive(Clone, Default)]
    struct Told(Rc<(Cell<u32>, Cell<u32>, Cell<bool>)>);

    impl Reader for Told {
        fn stalls(&self) -> bool {
            self.0.0.set(self.0.0.get() + 1);
            !self.0.2.get()
        }

        fn reads(&self) {
            self.0.1.set(self.0.1.get() + 1);
        }
    }

    #[tokio::test]
    async fn who_takes_a_byte_at_a_time_is_closed_and_who_takes_enough_is_not() {
        // By the byte, 64 KiB would take a minute.
        let (short, hour) = (Duration::from_millis(10), Duration::from_secs(3_600));
        for (step, patience, expected) in [(1, short, Err(ErrorKind::TimedOut)), (4 << 10, hour, Ok(()))] {
            let told = Told::default();
            let (mut client, server) = duplex(4 << 10);
            let mut server = Watched::new(server, told.clone(), patience);
            let write = async {
                server.write_all(&[7; 1 << 20]).await?;
                server.flush().await
            };
            let read = async {
                let mut piece = vec![0; step];
                while client.read(&mut piece).await.is_ok() {
                    sleep(Duration::from_millis(1)).await;
                }
            };
            let written: io::Result<()> = tokio::select! { written = write => written, () = read => Ok(()) };
            assert_eq!(written.map_err(|error| error.kind()), expected);
            assert_eq!((told.0.0.get(), told.0.1.get()), (1, u32::from(expected.is_ok())));
        }
    }

    #[tokio::test]
    async fn who_may_not_stall_is_closed_at_once() {
        let told = Told::default();
        told.0.2.set(true);
        let (_client, server) = duplex(16);
        let error = Watched::new(server, told, Duration::from_secs(3_600)).write_all(&[7; 17]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    }
}
