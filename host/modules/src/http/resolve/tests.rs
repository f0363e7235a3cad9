//! Names, by a name server of the test's own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

use super::{NameServers, Resolve};

/// What the server says to a question: the replies in the order in which they are sent.
type Say = fn(&Packet<'_>) -> Vec<Vec<u8>>;

/// A name server over UDP, and over TCP at the same port where it says so; and how often it was asked.
fn server(say: Say, at_length: Option<Say>) -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, socket) = loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // The port may be somebody's over UDP.
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
            break (listener, socket);
        }
    };
    let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            count.fetch_add(1, Ordering::Relaxed);
            for reply in say(&Packet::parse(&buffer[..length]).unwrap()) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    if let Some(say) = at_length {
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut question = vec![0; u16::from_be_bytes(length).into()];
                stream.read_exact(&mut question).unwrap();
                for reply in say(&Packet::parse(&question).unwrap()) {
                    stream.write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes()).unwrap();
                    stream.write_all(&reply).unwrap();
                }
            }
        });
    }
    (address, asked)
}

/// A reply to a question, changed by `change`.
fn reply(question: &Packet<'_>, change: impl FnOnce(&mut Packet<'_>)) -> Vec<u8> {
    let mut reply = Packet::new_reply(question.id());
    reply.questions = question.questions.clone();
    change(&mut reply);
    reply.build_bytes_vec().unwrap()
}

/// The addresses 192.0.2.1 and 2001:db8::1, for whom is asked about.
fn addresses(reply: &mut Packet<'_>) {
    let data = match reply.questions[0].qtype {
        QTYPE::TYPE(TYPE::A) => RData::A(A { address: 0xc000_0201 }),
        _ => RData::AAAA(AAAA { address: 0x2001_0db8_0000_0000_0000_0000_0000_0001 }),
    };
    let name = reply.questions[0].qname.clone().into_owned();
    reply.answers.push(ResourceRecord::new(name, CLASS::IN, 60, data));
}

fn resolve(servers: &[SocketAddr], name: &str) -> Result<Vec<String>, (ErrorKind, String)> {
    resolve_by(&NameServers::new(servers.iter().copied()), name)
}

fn resolve_by(resolver: &NameServers, name: &str) -> Result<Vec<String>, (ErrorKind, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(resolver.resolve(name)).map_err(|error| (error.kind(), error.to_string()))?;
    Ok(found.iter().map(IpAddr::to_string).collect())
}

#[test]
fn a_name_has_addresses_of_both_families() {
    let (server, _) = server(|question| vec![reply(question, addresses)], None);
    assert_eq!(resolve(&[server], "api.example").unwrap(), ["192.0.2.1", "2001:db8::1"]);
}

#[test]
fn what_is_no_answer_to_the_question_is_overheard() {
    let say: Say = |question| {
        let other_id = |reply: &mut Packet<'_>| {
            addresses(reply);
            reply.set_id(reply.id().wrapping_add(1));
        };
        let other_name = |reply: &mut Packet<'_>| {
            reply.questions[0].qname = Name::new_unchecked("evil.example");
            addresses(reply);
        };
        let a_question = |reply: &mut Packet<'_>| {
            addresses(reply);
            reply.remove_flags(PacketFlag::RESPONSE);
        };
        // Counts of records that nobody has sent.
        let mut lying = reply(question, |_| {});
        lying[6..12].fill(0xff);
        vec![
            vec![],
            b"nonsense".to_vec(),
            lying,
            reply(question, other_id),
            reply(question, other_name),
            reply(question, a_question),
            reply(question, |reply| reply.questions.clear()),
            reply(question, |_| {}),
        ]
    };
    let (server, asked) = server(say, None);
    // The last one is the answer: there are no addresses.
    assert_eq!(resolve(&[server], "api.example"), Ok(vec![]));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_large_answer_comes_over_tcp() {
    let truncated: Say = |question| vec![reply(question, |reply| reply.set_flags(PacketFlag::TRUNCATION))];
    let (full, _) =
        server(truncated, Some(|question| vec![reply(question, |reply| (0..40).for_each(|_| addresses(reply)))]));
    let found = resolve(&[full], "api.example").unwrap();
    assert_eq!((found.len(), found[0].as_str(), found[31].as_str()), (32, "192.0.2.1", "2001:db8::1"));
    let (nonsense, _) = server(truncated, Some(|_| vec![b"nonsense".to_vec()]));
    assert_eq!(resolve(&[nonsense], "api.example").unwrap_err().0, ErrorKind::InvalidData);
}

#[test]
fn a_name_that_is_not_there_is_an_answer_and_a_failure_is_none() {
    let (nobody, asked) = server(|question| vec![reply(question, |reply| *reply.rcode_mut() = RCODE::NameError)], None);
    assert_eq!(resolve(&[nobody], "api.example").unwrap_err().0, ErrorKind::NotFound);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let (failing, asked) =
        server(|question| vec![reply(question, |reply| *reply.rcode_mut() = RCODE::ServerFailure)], None);
    assert_eq!(resolve(&[failing], "api.example").unwrap_err().1, "the name server says ServerFailure");
    // Both questions twice.
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    let (well, _) = server(|question| vec![reply(question, addresses)], None);
    assert_eq!(resolve(&[failing, well], "api.example").unwrap().len(), 2);
}

#[test]
fn a_silent_server_is_followed_by_the_next() {
    let (silent, _) = server(|_| vec![], None);
    let (well, _) = server(|question| vec![reply(question, addresses)], None);
    let impatient = |servers: &[SocketAddr]| {
        let resolver = NameServers { patience: Duration::from_secs(1), ..NameServers::new(servers.iter().copied()) };
        resolve_by(&resolver, "api.example")
    };
    assert_eq!(impatient(&[silent, well]).unwrap().len(), 2);
    assert_eq!(impatient(&[silent]).unwrap_err().0, ErrorKind::TimedOut);
    assert_eq!(resolve(&[], "api.example").unwrap_err().1, "no name server is known");
}

#[test]
fn one_family_is_enough() {
    let say: Say = |question| {
        vec![reply(question, |reply| match question.questions[0].qtype {
            QTYPE::TYPE(TYPE::A) => addresses(reply),
            _ => *reply.rcode_mut() = RCODE::NotImplemented,
        })]
    };
    let (server, _) = server(say, None);
    assert_eq!(resolve(&[server], "api.example").unwrap(), ["192.0.2.1"]);
}

#[test]
fn the_machines_files_are_read_once() {
    let configuration = "# first\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example\nnameserver 2001:db8::53 ; second\n\
                         nameserver 192.0.2.54\nnameserver 192.0.2.55\noptions ndots:5 timeout:99 attempts:0 rotate\n";
    let hosts = "127.0.0.1 localhost\n10.0.0.5 DB.internal db # the store\n::1 db\nnonsense db\n";
    let resolver = NameServers::of_texts(configuration, hosts);
    let servers: Vec<String> = resolver.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"]);
    assert_eq!((resolver.patience, resolver.attempts), (Duration::from_secs(30), 1));
    assert_eq!(resolve_by(&resolver, "db.internal").unwrap(), ["10.0.0.5"]);
    assert_eq!(resolve_by(&resolver, "db").unwrap(), ["10.0.0.5", "::1"]);
    assert_eq!(NameServers::of_texts("", "").servers, ["127.0.0.1:53".parse().unwrap()]);
}
