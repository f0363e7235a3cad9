//! What the service manager is told: ready, reloading, stopping, alive. systemd's protocol of `$NOTIFY_SOCKET`.
//!
//! Owns the socket, which is opened before the wall: behind it no other could be. The texts are `sd-notify`'s. Nobody is waited for, and
//! without a service manager nothing happens.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

/// The service manager, if there is one.
pub struct Manager {
    socket: Option<File>,
    /// How often it wants to hear that the host is alive.
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that the environment names.
    pub fn of_environment() -> Self {
        let mut micros = 0;
        let watched = sd_notify::watchdog_enabled(false, &mut micros);
        Self { socket: socket(), watchdog: watched.then(|| Duration::from_micros(micros)) }
    }

    /// The host serves.
    pub fn ready(&mut self, status: &str) {
        self.send(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The host reloads, until it is ready again.
    pub fn reloading(&mut self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now]),
            Err(_) => self.send(&[NotifyState::Reloading]),
        }
    }

    /// The host ends.
    pub fn stopping(&mut self) {
        self.send(&[NotifyState::Stopping]);
    }

    /// Says from now on that the host is alive, twice as often as the service manager wants to hear: as long as the thread goes round, whatever
    /// it waits for. A tenant that is slow to stop is no reason to end all.
    pub fn beat(&self) {
        let (Some(watchdog), Some(socket)) = (self.watchdog, &self.socket) else { return };
        let Ok(mut socket) = socket.try_clone() else { return };
        let mut interval = interval((watchdog / 2).max(Duration::from_millis(1)));
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        tokio::spawn(async move {
            loop {
                interval.tick().await;
                // A manager that doesn't listen misses it.
                let _ = socket.write(format!("{}\n", NotifyState::Watchdog).as_bytes());
            }
        });
    }

    fn send(&mut self, states: &[NotifyState<'_>]) {
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        if let Some(socket) = &mut self.socket {
            // A manager that doesn't listen misses it.
            let _ = socket.write(text.as_bytes());
        }
    }
}

/// A connected socket to write to. None: nobody is to be told, or the manager isn't there.
fn socket() -> Option<File> {
    let name = std::env::var_os("NOTIFY_SOCKET")?;
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(&name).ok()?,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect_addr(&address).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(File::from(OwnedFd::from(socket)))
}
