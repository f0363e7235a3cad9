//! From a host's name to addresses.
//!
//! Owns what is asked of a resolver, and the one that asks the machine's name servers. Which of the addresses may be used isn't its
//! business.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::zip;

use super::connect::{Connect, Direct};
use super::dns::{self, Family};

/// What a resolver will have found.
pub type Resolving<'r> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'r>>;

/// Finds the addresses of a name.
pub trait Resolve: Send + Sync {
    /// The addresses of a name in lower case, without a dot at its end, in the order in which they are to be tried. None, or an
    /// error of kind `NotFound`: there is no such name. Any other error: it isn't known.
    ///
    /// It is dropped when the request's time is over.
    fn resolve<'r>(&'r self, name: &'r str) -> Resolving<'r>;
}

/// Where a machine says which name servers it has.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where a machine says what names mean without asking anybody.
pub const HOSTS: &str = "/etc/hosts";

/// How many name servers are asked: as many as the C library does.
const SERVERS: usize = 3;
/// Bytes of a file that is read. The number: block lists of a hundred thousand names are smaller.
const LARGEST: u64 = 4 << 20;

/// The files that say which name servers there are, and what names mean without one, open: for a program that can open none when it
/// reads them.
#[derive(Debug, Default)]
pub struct NameFiles {
    /// A `resolv.conf`.
    pub configuration: Option<File>,
    /// A `hosts`.
    pub hosts: Option<File>,
}

impl NameFiles {
    /// The machine's.
    pub fn of_machine() -> NameFiles {
        NameFiles { configuration: File::open(RESOLV_CONF).ok(), hosts: File::open(HOSTS).ok() }
    }
}

/// Asks name servers, over UDP and, where an answer is large, over TCP; names of a hosts file it knows. It reads no file after it was
/// made, calls no C library, remembers no answer, and asks for the name as it is: no domain is appended.
#[derive(Debug, Clone)]
pub struct NameServers {
    servers: Vec<SocketAddr>,
    hosts: HashMap<String, Vec<IpAddr>>,
    /// For one answer of one server.
    patience: Duration,
    /// How often each is asked.
    attempts: usize,
    connector: Arc<dyn Connect>,
}

impl NameServers {
    /// These servers and no hosts file.
    pub fn new(servers: impl IntoIterator<Item = SocketAddr>) -> NameServers {
        NameServers {
            servers: servers.into_iter().take(SERVERS).collect(),
            hosts: HashMap::new(),
            patience: Duration::from_secs(5),
            attempts: 2,
            connector: Arc::new(Direct),
        }
    }

    /// The same, with sockets of this connector.
    #[must_use]
    pub fn connector(self, connector: Arc<dyn Connect>) -> NameServers {
        NameServers { connector, ..self }
    }

    /// The servers that are asked, in order.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Those of the machine: `/etc/resolv.conf` and `/etc/hosts` as they are now. A file that isn't there, or can't be read, says
    /// nothing.
    pub fn of_machine() -> NameServers {
        NameServers::of_files(NameFiles::of_machine())
    }

    /// Those of files that are open. One that isn't there, or can't be read, says nothing.
    pub fn of_files(files: NameFiles) -> NameServers {
        NameServers::of_texts(&text(files.configuration), &text(files.hosts))
    }

    /// Those of the texts of a `resolv.conf` and a `hosts`.
    pub fn of_texts(configuration: &str, hosts: &str) -> NameServers {
        let mut resolver = NameServers::new([]);
        for line in configuration.lines() {
            let mut words = line.split(['#', ';']).next().unwrap_or_default().split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if resolver.servers.len() < SERVERS => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    resolver.servers.extend(address.map(|address| SocketAddr::new(address, dns::PORT)));
                }
                Some("options") => words.for_each(|word| resolver.set(word)),
                _ => {}
            }
        }
        if resolver.servers.is_empty() {
            // What the C library takes then.
            resolver.servers.push((Ipv4Addr::LOCALHOST, dns::PORT).into());
        }
        for line in hosts.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
            for name in words {
                resolver.hosts.entry(name.to_ascii_lowercase()).or_default().push(address);
            }
        }
        resolver
    }

    /// An option of `resolv.conf`: others than these change nothing here.
    fn set(&mut self, option: &str) {
        let Some((name, number)) = option.split_once(':') else { return };
        let Ok(number) = number.parse::<u32>() else { return };
        match name {
            "timeout" => self.patience = Duration::from_secs(number.clamp(1, 30).into()),
            "attempts" => self.attempts = usize::try_from(number.clamp(1, 5)).unwrap_or(1),
            _ => {}
        }
    }

    async fn ask(&self, name: &str, family: Family) -> io::Result<Vec<IpAddr>> {
        let mut error = io::Error::new(io::ErrorKind::NotConnected, "no name server is known");
        for _ in 0..self.attempts {
            for server in &self.servers {
                match dns::ask(&*self.connector, *server, name, family, self.patience).await {
                    // That there is no such name is an answer.
                    Err(other) if other.kind() != io::ErrorKind::NotFound => error = other,
                    answer => return answer,
                }
            }
        }
        Err(error)
    }
}

impl Resolve for NameServers {
    fn resolve<'r>(&'r self, name: &'r str) -> Resolving<'r> {
        Box::pin(async move {
            if let Some(addresses) = self.hosts.get(name) {
                return Ok(addresses.clone());
            }
            match zip(self.ask(name, Family::V4), self.ask(name, Family::V6)).await {
                (Ok(mut addresses), Ok(more)) => {
                    addresses.extend(more);
                    Ok(addresses)
                }
                // One of the two is enough.
                (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
                (Err(error), _) | (_, Err(error)) => Err(error),
            }
        })
    }
}

/// What isn't UTF-8 spoils its own word alone.
fn text(file: Option<File>) -> String {
    use io::Read;
    let mut text = Vec::new();
    let read = file.map(|file| file.take(LARGEST).read_to_end(&mut text));
    if read.is_some_and(|read| read.is_ok()) { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
}

#[cfg(test)]
mod tests;
