//! A server on loopback that says whatever a test wants, a thread for each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads one; none when the client has gone.
    pub fn read(stream: &mut impl Read) -> Option<Got> {
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            let read = reader.read_line(&mut line).ok()?;
            (read > 0).then(|| line.trim_end().to_owned())
        };
        let mut got = Got { line: line()?, ..Got::default() };
        loop {
            let line = line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            got.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = got.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        got.body = String::from_utf8(body).unwrap();
        Some(got)
    }
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Server {
    /// On 127.0.0.1, at a port of its own.
    pub fn start(answer: impl Fn(&Got, &mut TcpStream) + Send + Sync + 'static) -> Server {
        Server::at("127.0.0.1:0", answer)
    }

    pub fn at(address: &str, answer: impl Fn(&Got, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(address).unwrap();
        let server = Server { address: listener.local_addr().unwrap(), got: Arc::default() };
        let (got, answer) = (Arc::clone(&server.got), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (all, answer) = (Arc::clone(&got), Arc::clone(&answer));
                thread::spawn(move || {
                    if let Some(got) = Got::read(&mut stream) {
                        all.lock().unwrap().push(got.clone());
                        answer(&got, &mut stream);
                    }
                });
            }
        });
        server
    }

    /// One that answers everything with this.
    pub fn saying(text: &'static str) -> Server {
        Server::start(move |_, stream| say(stream, text))
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A URL on it: `/path` by its address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

/// Writes, to whoever still reads.
pub fn say(stream: &mut impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}

/// The text of an answer with this body.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
