//! A line between a host and the process that opens sockets for it: a question, and its answer with descriptors.
//!
//! Owns that an answer is the one to the question: one that comes too late is thrown away with what it brings.

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
use serde::{Deserialize, Serialize};

use crate::admin;

/// Bytes of a message. The number: 65 places, each twice with a path of 107 bytes, have a quarter of it.
pub const MESSAGE: usize = 64 << 10;

/// Descriptors that a message may hand over: the sockets of the admin interface, that of requests, and two files. Linux allows 253.
const MOST: usize = admin::MOST + 3;

/// How long an answer may take. At the limit: the question is given up. The number: more than a disk that is busy needs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A message and its place among all of its line.
#[derive(Serialize, Deserialize)]
pub struct Numbered<M> {
    number: u64,
    pub message: M,
}

impl<M> Numbered<M> {
    /// What is said to this.
    pub fn answer<A>(&self, message: A) -> Numbered<A> {
        Numbered { number: self.number, message }
    }
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
        self.asked = self.asked.wrapping_add(1);
        let answer = send(other.as_fd(), &Numbered { number: self.asked, message: ask }, &[])
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
    let mut message = vec![0; MESSAGE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut message)], &mut beside, RecvFlags::CMSG_CLOEXEC) {
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
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;
    use std::thread;

    use super::{Link, Numbered, receive, send};

    #[test]
    fn an_answer_that_comes_too_late_is_not_taken_for_the_next() {
        let (mut link, other) = Link::new().unwrap();
        let answers = thread::spawn(move || {
            let first: Numbered<u8> = receive(other.as_fd()).unwrap().unwrap().message;
            let late = TcpListener::bind("127.0.0.1:0").unwrap();
            let second: Numbered<u8> = receive(other.as_fd()).unwrap().unwrap().message;
            send(other.as_fd(), &first.answer("first"), &[late.as_fd()]).unwrap();
            send(other.as_fd(), &second.answer("second"), &[]).unwrap();
        });
        // As who has given up.
        send(link.other.as_ref().unwrap().as_fd(), &Numbered { number: 1, message: 1_u8 }, &[]).unwrap();
        link.asked = 1;
        let answered = link.ask::<String>(2_u8).unwrap();
        assert_eq!((answered.message.as_str(), answered.descriptors.len()), ("second", 0));
        answers.join().unwrap();
        for _ in 0..2 {
            assert_eq!(link.ask::<String>(3_u8).err().unwrap().kind(), ErrorKind::NotConnected);
        }
    }
}
