//! The wall around the command itself: what it gives up once everything is open.
//!
//! Owns what is kept, and how it is told which parts of the wall hold. The rules are `lunarium-confine`'s.

use lunarium_confine::{Confined, Confinement};
use lunarium_engine::{Directory, Engine, Level};

use crate::Refused;
use crate::terminal::Screen;

/// Which sockets a run needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// None.
    None,
    /// Those that others open to one that listens.
    Accepted,
    /// Those that it opens to others.
    Made,
}

/// What holds, or nothing where it was switched off.
pub struct Wall {
    confined: Option<Confined>,
}

impl Wall {
    /// Confines the command to these directories, and to the sockets that it needs: everything else that a run reads, it has
    /// read. No thread may have been started.
    ///
    /// Errors: the command's threads can't be counted.
    pub fn build<'a>(
        wanted: bool,
        directories: impl IntoIterator<Item = &'a Directory>,
        sockets: Sockets,
    ) -> Result<Self, Refused> {
        if !wanted {
            return Ok(Self { confined: None });
        }
        Engine::prepare();
        let none = Confinement::new();
        let start = match sockets {
            Sockets::None => none,
            Sockets::Accepted => none.with_connections(),
            Sockets::Made => none.with_sockets(),
        };
        let confinement = directories.into_iter().fold(start, |confinement, directory| {
            if directory.is_writable() { confinement.write(directory) } else { confinement.read(directory) }
        });
        let confined = confinement.apply().map_err(|error| {
            Refused::machine(format!("can't be confined: {error}\nhelp: `--no-confine` runs without this wall"))
        })?;
        Ok(Self { confined: Some(confined) })
    }

    /// Logs one line: which parts hold, and why the others don't.
    pub fn tell(&self, screen: &Screen) {
        let Some(Confined { no_new_privs, landlock, seccomp, limits, .. }) = &self.confined else {
            return screen.note(Level::Debug, "not confined: `--no-confine`", &[]);
        };
        let parts = [("no_new_privs", no_new_privs), ("landlock", landlock), ("seccomp", seccomp), ("limits", limits)];
        let fields = parts.map(|(part, hold)| (part.to_owned(), hold.to_string()));
        screen.note(Level::Debug, "confined", &fields);
    }
}
