//! A line between a host and the process that opens sockets for it: a question, and its answer with descriptors.
//!
//! Owns that an answer is the one to the question: one that nobody waits for any more isn't answered, and an answer that comes too late is
//! thrown away with what it brings.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::admin;

/// Bytes of a message. The number: 65 places, each twice with a path of 107 bytes, have a quarter of it.
pub const MESSAGE: usize = 64 << 10;

/// Descriptors that a message may hand over: the sockets of the admin interface, that of requests, and two files. Linux allows 253.
const MOST: usize = admin::MOST + 3;

/// How long an answer may take. At the limit: the question is given up. The number: more than a disk that is busy needs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A question and its place among all of its line.
#[derive(Serialize, Deserialize)]
pub struct Question<M> {
    number: u64,
    /// When nobody waits for the answer any more: milliseconds of the machine's monotonic clock, which both ends have.
    until: u64,
    pub message: M,
}

/// What is said to it.
#[derive(Serialize, Deserialize)]
pub struct Numbered<A> {
    number: u64,
    message: A,
}

impl<M> Question<M> {
    pub fn answer<A>(&self, message: A) -> Numbered<A> {
        Numbered { number: self.number, message }
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_late(&self) -> bool {
        now() >= self.until
    }
}

/// Milliseconds of a clock that all processes have.
fn now() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    let millis = tv_sec.saturating_mul(1_000).saturating_add(tv_nsec / 1_000_000);
    u64::try_from(millis).unwrap_or_default()
}

/// The end of the line at which questions are asked.
pub struct Link {
    /// None: nobody is there any more.
    other: Option<OwnedFd>,
    asked: u64,
}

/// An answer.
pub struct Answered<A> {
    pub message: A,
    pub descriptors: Vec<OwnedFd>,
}

impl Link {
    /// A line, and its other end.
    pub fn new() -> io::Result<(Self, OwnedFd)> {
        let (own, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        set_socket_timeout(&own, Timeout::Recv, Some(PATIENCE))?;
        set_socket_timeout(&own, Timeout::Send, Some(PATIENCE))?;
        Ok((Self { other: Some(own), asked: 0 }, other))
    }

    /// Asks, and waits for the answer. Blocks, for [`PATIENCE`] at most.
    ///
    /// Errors: `NotConnected` when nobody is there any more; `TimedOut`; there is no room for the descriptors.
    pub fn ask<A: for<'m> Deserialize<'m>>(&mut self, ask: impl Serialize) -> io::Result<Answered<A>> {
        let other = self.other.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        // What has come too late, and is closed with that.
        while let Ok(Some(_)) = receive_by::<IgnoredAny>(other.as_fd(), RecvFlags::DONTWAIT) {}
        self.asked = self.asked.wrapping_add(1);
        let until = now().saturating_add(u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX));
        let answer = send(other.as_fd(), &Question { number: self.asked, until, message: ask }, &[])
            .and_then(|()| answer_to(self.asked, other.as_fd()));
        if let Err(error) = &answer
            && error.kind() == io::ErrorKind::NotConnected
        {
            self.other = None;
        }
        answer
    }
}

fn answer_to<A: for<'m> Deserialize<'m>>(number: u64, other: BorrowedFd<'_>) -> io::Result<Answered<A>> {
    loop {
        let Some(Received { message, descriptors, is_whole }) = receive::<Numbered<A>>(other)? else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        match message.number == number {
            false => {}
            true if !is_whole => return Err(Errno::MFILE.into()),
            true => return Ok(Answered { message: message.message, descriptors }),
        }
    }
}

/// What has come.
pub struct Received<M> {
    pub message: M,
    descriptors: Vec<OwnedFd>,
    /// There was room for all descriptors that came with it.
    is_whole: bool,
}

/// Sends a message with descriptors.
///
/// Errors: `NotConnected` when nobody is there any more.
pub fn send(to: BorrowedFd<'_>, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let message = serde_json::to_vec(message)?;
    let sent = if descriptors.is_empty() {
        // Behind the wall nobody is allowed more.
        rustix::net::send(to, &message, SendFlags::NOSIGNAL)
    } else {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other(format!("there are more than {MOST} descriptors")));
        }
        sendmsg(to, &[IoSlice::new(&message)], &mut beside, SendFlags::NOSIGNAL)
    };
    sent.map(drop).map_err(of_line)
}

/// Receives a message with its descriptors. None: the other end is gone.
pub fn receive<M: for<'m> Deserialize<'m>>(from: BorrowedFd<'_>) -> io::Result<Option<Received<M>>> {
    receive_by(from, RecvFlags::empty())
}

fn receive_by<M: for<'m> Deserialize<'m>>(from: BorrowedFd<'_>, flags: RecvFlags) -> io::Result<Option<Received<M>>> {
    let mut message = vec![0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut message)], &mut beside, RecvFlags::CMSG_CLOEXEC | flags) {
            Err(Errno::INTR) => {}
            result => break result.map_err(of_line)?,
        }
    };
    let descriptors = beside.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
        _ => Vec::new(),
    });
    let descriptors = descriptors.collect();
    let is_whole = !received.flags.contains(ReturnFlags::CTRUNC);
    match message.get(..received.bytes) {
        Some([]) | None => Ok(None),
        Some(message) => Ok(Some(Received { message: serde_json::from_slice(message)?, descriptors, is_whole })),
    }
}

fn of_line(error: Errno) -> io::Error {
    match error {
        Errno::AGAIN => io::Error::new(io::ErrorKind::TimedOut, format!("nothing has come for {PATIENCE:?}")),
        Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => io::ErrorKind::NotConnected.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::thread;

    use super::{Link, PATIENCE, Question, now, receive, send};

    fn question(other: &OwnedFd) -> Question<u8> {
        receive(other.as_fd()).unwrap().unwrap().message
    }

    #[test]
    fn an_answer_that_comes_too_late_is_not_taken_for_the_next() {
        let (mut link, other) = Link::new().unwrap();
        // As who has given up.
        let early = Question { number: 1, until: now(), message: 1_u8 };
        send(link.other.as_ref().unwrap().as_fd(), &early, &[]).unwrap();
        link.asked = 1;
        let first = question(&other);
        assert!(first.is_late());
        let answers = thread::spawn(move || {
            let second = question(&other);
            assert!(!second.is_late() && second.until <= now() + u64::try_from(PATIENCE.as_millis()).unwrap());
            let late = TcpListener::bind("127.0.0.1:0").unwrap();
            send(other.as_fd(), &first.answer("first"), &[late.as_fd()]).unwrap();
            send(other.as_fd(), &second.answer("second"), &[]).unwrap();
        });
        let answered = link.ask::<String>(2_u8).unwrap();
        assert_eq!((answered.message.as_str(), answered.descriptors.len()), ("second", 0));
        answers.join().unwrap();
        for _ in 0..2 {
            assert_eq!(link.ask::<String>(3_u8).err().unwrap().kind(), ErrorKind::NotConnected);
        }
    }

    #[test]
    fn what_has_come_meanwhile_is_closed_before_the_next_question() {
        let (mut link, other) = Link::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let late = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let old = Question { number: 7, until: 0, message: () };
        send(other.as_fd(), &old.answer(()), &[late.as_fd()]).unwrap();
        drop(late);
        let answers = thread::spawn(move || {
            let asked = question(&other);
            // Its other end hears that it is closed, before anything is answered.
            assert_eq!(listener.accept().unwrap().0.read(&mut [0]).unwrap(), 0);
            send(other.as_fd(), &asked.answer(()), &[]).unwrap();
        });
        link.ask::<()>(1_u8).unwrap();
        answers.join().unwrap();
    }
}
