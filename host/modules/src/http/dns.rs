//! One question to one name server.
//!
//! Owns that an answer is the answer to what was asked. Its form is `simple-dns`'s to know.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rustls::crypto::ring;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connect::Connect;

/// Where name servers listen.
pub(super) const PORT: u16 = 53;

/// Bytes of an answer over UDP. The number: RFC 1035; what is larger comes over TCP.
const DATAGRAM: usize = 512;
/// Records that an answer may speak of. The number: more don't fit into what is looked at.
const MOST_RECORDS: u16 = 1_000;
/// Addresses that are looked at: who has more is reached by the first of them.
const MOST_ADDRESSES: usize = 16;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn record(self) -> TYPE {
        match self {
            Family::V4 => TYPE::A,
            Family::V6 => TYPE::AAAA,
        }
    }
}

/// What a message says.
enum Answer {
    Addresses(Vec<IpAddr>),
    /// It is too large for UDP.
    Truncated,
    /// It answers something else: whoever sent it, it isn't what is waited for.
    Foreign,
}

/// The addresses of a name; none when it has none of this family.
///
/// Errors: `NotFound` when there is no such name; the server says nothing, or something else, or that it can't.
pub(super) async fn ask(
    connector: &dyn Connect,
    server: SocketAddr,
    name: &str,
    family: Family,
    patience: Duration,
) -> io::Result<Vec<IpAddr>> {
    let answer = timeout(patience, ask_patiently(connector, server, name, family)).await;
    answer.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the name server doesn't answer")))
}

async fn ask_patiently(
    connector: &dyn Connect,
    server: SocketAddr,
    name: &str,
    family: Family,
) -> io::Result<Vec<IpAddr>> {
    let id = random()?;
    let question = question(id, name, family)?;
    let socket = connector.udp(server).await?;
    socket.send(&question).await?;
    let mut buffer = [0; DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let message = buffer.get(..length).unwrap_or_default();
        match read(message, id, name, family) {
            Ok(Answer::Addresses(addresses)) => return Ok(addresses),
            Ok(Answer::Truncated) => return ask_at_length(connector, server, &question, id, name, family).await,
            Ok(Answer::Foreign) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn ask_at_length(
    connector: &dyn Connect,
    server: SocketAddr,
    question: &[u8],
    id: u16,
    name: &str,
    family: Family,
) -> io::Result<Vec<IpAddr>> {
    let mut stream = connector.tcp(server).await?;
    let length = u16::try_from(question.len()).map_err(|_| no_name())?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut message = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut message).await?;
    match read(&message, id, name, family)? {
        Answer::Addresses(addresses) => Ok(addresses),
        Answer::Truncated | Answer::Foreign => Err(malformed()),
    }
}

fn question(id: u16, name: &str, family: Family) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(|_| no_name())?;
    packet.questions.push(Question::new(name, QTYPE::TYPE(family.record()), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(|_| no_name())
}

/// Errors: `NotFound`, or what the server says instead of an answer.
fn read(message: &[u8], id: u16, name: &str, family: Family) -> io::Result<Answer> {
    // Sections are made room for before they are read.
    let counts = message.get(4..12).unwrap_or_default().chunks_exact(2);
    let is_modest = counts
        .map(|count| count.iter().fold(0_u16, |sum, byte| sum << 8 | u16::from(*byte)))
        .all(|count| count <= MOST_RECORDS);
    let Some(packet) = is_modest.then(|| Packet::parse(message).ok()).flatten() else { return Ok(Answer::Foreign) };
    let [asked] = packet.questions.as_slice() else { return Ok(Answer::Foreign) };
    let is_answer = packet.id() == id
        && packet.has_flags(PacketFlag::RESPONSE)
        && asked.qtype == QTYPE::TYPE(family.record())
        && asked.qname.to_string().eq_ignore_ascii_case(name);
    if !is_answer {
        return Ok(Answer::Foreign);
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Ok(Answer::Truncated);
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such name")),
        code => return Err(io::Error::other(format!("the name server says {code:?}"))),
    }
    let addresses = packet.answers.iter().filter_map(|record| match (&record.rdata, family) {
        (RData::A(record), Family::V4) => Some(Ipv4Addr::from_bits(record.address).into()),
        (RData::AAAA(record), Family::V6) => Some(Ipv6Addr::from_bits(record.address).into()),
        _ => None,
    });
    Ok(Answer::Addresses(addresses.take(MOST_ADDRESSES).collect()))
}

/// An id that nobody guesses.
fn random() -> io::Result<u16> {
    let mut bytes = [0; 2];
    ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| io::Error::other("there is no chance"))?;
    Ok(u16::from_be_bytes(bytes))
}

fn no_name() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it can't be a name")
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the name server's answer can't be read")
}
