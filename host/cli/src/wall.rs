//! The wall around the command itself: what it gives up once everything is open.
//!
//! Owns what is kept, and how it is told which parts of the wall hold. The rules are `lunarium-confine`'s.

use cap_std::fs::Dir;
use lunarium_confine::{Confined, Confinement};
use lunarium_engine::{Directory, Engine, Level, LogField};

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

impl Sockets {
    /// As the log has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Accepted => "accepted",
            Self::Made => "made",
        }
    }

    /// Which a run needs that opens some to others, or to which others open some.
    pub fn of(makes: bool, accepts: bool) -> Self {
        match (makes, accepts) {
            (true, _) => Self::Made,
            (false, true) => Self::Accepted,
            (false, false) => Self::None,
        }
    }
}

/// What holds, or nothing where it was switched off.
pub struct Wall {
    confined: Option<(Confined, Sockets)>,
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
        Self::apply(wanted, over(Confinement::new(), directories), sockets)
    }

    /// The same for who edits lines at a terminal.
    pub fn at_terminal<'a>(
        wanted: bool,
        directories: impl IntoIterator<Item = &'a Directory>,
        sockets: Sockets,
    ) -> Result<Self, Refused> {
        Self::apply(wanted, over(Confinement::new().with_terminal(), directories), sockets)
    }

    /// The same for directories that are read and such that are written to.
    pub fn around(wanted: bool, read: &[&Dir], written: &[&Dir], sockets: Sockets) -> Result<Self, Refused> {
        let read = read.iter().fold(Confinement::new(), |confinement, dir| confinement.read(*dir));
        let all = written.iter().fold(read, |confinement, dir| confinement.write(*dir));
        Self::apply(wanted, all, sockets)
    }

    fn apply(wanted: bool, confinement: Confinement<'_>, sockets: Sockets) -> Result<Self, Refused> {
        // Before the first thread, whatever is wanted: an engine starts quicker then.
        Engine::prepare();
        if !wanted {
            return Ok(Self { confined: None });
        }
        let confinement = match sockets {
            Sockets::None => confinement,
            Sockets::Accepted => confinement.with_connections(),
            Sockets::Made => confinement.with_sockets(),
        };
        let confined = confinement.apply().map_err(|error| {
            Refused::machine(format!("can't be confined: {error}")).with_hint("`--no-confine` runs without this wall")
        })?;
        Ok(Self { confined: Some((confined, sockets)) })
    }

    /// Logs one line: which parts hold, and why the others don't.
    pub fn tell(&self, screen: &Screen) {
        let Some((Confined { no_new_privs, landlock, seccomp, limits, .. }, sockets)) = &self.confined else {
            return screen.note(Level::Debug, "not confined: `--no-confine`", &[]);
        };
        let parts = [("no_new_privs", no_new_privs), ("landlock", landlock), ("seccomp", seccomp), ("limits", limits)];
        let fields = parts.map(|(part, hold)| LogField::text(part, hold.to_string()));
        let fields = fields.into_iter().chain([LogField::text("sockets", sockets.as_str())]);
        screen.note(Level::Debug, "confined", &fields.collect::<Vec<_>>());
    }
}

fn over<'a>(all: Confinement<'a>, directories: impl IntoIterator<Item = &'a Directory>) -> Confinement<'a> {
    directories.into_iter().fold(all, |confinement, directory| {
        if directory.is_writable() { confinement.write(directory) } else { confinement.read(directory) }
    })
}
