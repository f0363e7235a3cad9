//! `lunarium observe`: an address of this machine that leads a browser to a host.
//!
//! Owns the key in that address, which counts once, and the session it is exchanged for. Who is let through is the proxy's matter
//! (`lunarium_serve::observe`).

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};

use lunarium_serve::Token;
use serde_json::json;
use tokio::runtime::Builder;

use super::Failed;
use super::arguments::Observe;
use super::place;
use crate::Refused;

/// Bytes of a key, and of a session.
const SECRET: usize = 32;

/// Prints the address, and leads whoever opens it to the host until the command is ended.
///
/// Errors: no host is found, its port is taken, or the machine has no random bytes.
pub fn observe(options: &Observe) -> Result<(), Failed> {
    let way = place::find(&options.target)?;
    let port = options.port;
    let cannot = |error: io::Error| Refused::machine(format!("cannot listen on 127.0.0.1:{port}: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let (key, session) = (secret()?, secret()?);
    let url = format!("http://{address}/#key={}", key.as_str());
    let mut out = io::stdout().lock();
    if options.target.json {
        writeln!(out, "{}", json!({ "url": url }))?;
    } else {
        writeln!(out, "{url}\nOpen it in a browser of this machine: it counts once. Ctrl-C ends it.")?;
    }
    out.flush()?;
    drop(out);
    let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(cannot)?;
    let Err(error) = runtime.block_on(lunarium_serve::observe(listener, way, key, session));
    Err(cannot(error).into())
}

/// A text that nobody guesses.
fn secret() -> Result<Token, Refused> {
    let mut bytes = [0; SECRET];
    let drawn = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    drawn.map_err(|error| Refused::machine(format!("no random bytes from `/dev/urandom`: {error}")))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Token::new(&text).map_err(|error| Refused::machine(error.to_string()))
}
