//! What a host is made of, read again while it runs: by a SIGHUP, or because somebody asks for it.
//!
//! Owns the order: everything is read and opened first, and a file with a mistake changes nothing; then what is the host's own changes, each
//! part alone, and then the tenants. Each change is told.

use std::cell::RefCell;
use std::sync::Arc;

use lunarium_engine::{Level, LogField};
use lunarium_serve::{Host, HostChange, HostError, ReloadRequest, TenantChange, TenantConfig};
use tokio::task;

use super::names::Names;
use super::opener::{Opener, Wish};
use super::served::Served;
use super::settings::{Changing, Settings};
use super::sockets::{Key, SocketSet};
use super::surroundings::World;
use crate::Refused;
use crate::terminal::Screen;

/// What is read anew, and by whom.
pub struct Again {
    pub settings: Settings,
    pub opener: Opener,
    pub names: Names,
}

impl Again {
    /// Errors: the file is wrong.
    fn read(&self, held: &[String], styled: bool) -> Result<(Changing, SocketSet), Refused> {
        let changing = self.settings.read_again(styled)?;
        let wish = Wish { places: &changing.places, held, reach: &changing.reach, styled };
        let (sockets, names) = self.opener.open(self.settings.source(), wish);
        self.names.read_again(names);
        Ok((changing, sockets))
    }

    /// For one tenant: its entry, if there is one; and why its requests go nowhere new, if it is so.
    ///
    /// Errors: the file is wrong.
    fn read_tenant(&self, name: &str) -> Result<(Option<TenantConfig>, Option<Refused>), Refused> {
        let (config, reach) = self.settings.source().read_tenant(name)?;
        let allowed = self.opener.allow(self.settings.source(), &reach);
        Ok((config, allowed.map(|names| self.names.read_again(names)).err()))
    }
}

/// What changes when the node's file is read again.
pub struct Reloads<'r> {
    host: &'r Host,
    world: &'r World,
    served: &'r RefCell<Served>,
    read: Arc<Again>,
}

impl<'r> Reloads<'r> {
    pub fn new(host: &'r Host, world: &'r World, served: &'r RefCell<Served>, again: &Arc<Again>) -> Self {
        Self { host, world, served, read: Arc::clone(again) }
    }

    /// Whose they are.
    pub fn host(&self) -> &Host {
        self.host
    }

    /// Reads the node's file and every application again, and answers who has asked for it. A file that is wrong changes nothing; what the machine
    /// refuses stays as it is, and all else changes.
    pub async fn reload(&self, screen: &Screen, asked: Option<ReloadRequest>) {
        match asked {
            Some(asked) => {
                let done = match asked.tenant() {
                    Some(tenant) => self.read_tenant(screen, tenant).await,
                    // Who has asked may be shown no colours.
                    None => self.read(screen, false).await,
                };
                asked.answer(done);
            }
            None => drop(self.read(screen, screen.has_colours()).await),
        }
        // Now that whoever has asked is answered.
        self.served.borrow_mut().close();
    }

    /// Reads a tenant's entry and its application again, and changes nothing else.
    ///
    /// Errors: the file is wrong.
    async fn read_tenant(&self, screen: &Screen, name: &str) -> Result<HostChange, String> {
        let mut kept = Vec::new();
        let (again, asked) = (Arc::clone(&self.read), name.to_owned());
        let read = task::spawn_blocking(move || again.read_tenant(&asked)).await;
        let (config, refused) = read.unwrap_or_else(|error| Err(broken_off(&error))).map_err(|refused| refused.text)?;
        kept.extend(refused.map(|refused| keeps(screen, Key::Grants, &refused)));
        let is_named = self.host.tenant(name).is_some_and(|tenant| tenant.config().named);
        let result = match config {
            Some(config) => self.host.configure_tenant(config).await,
            None if is_named => {
                Err(HostError::Refused("the node's file doesn't name it any more: a reload of all ends it".to_owned()))
            }
            // Its entry is no file's.
            None => self.host.reload(name).await.map(TenantChange::Changed),
        };
        tell(screen, name, &result);
        Ok(HostChange { kept, tenants: vec![(name.to_owned(), result)] })
    }

    /// Errors: the file is wrong, told already.
    async fn read(&self, screen: &Screen, styled: bool) -> Result<HostChange, String> {
        let (again, held) = (Arc::clone(&self.read), self.served.borrow().held());
        // A disk that doesn't answer holds up neither the tenants' services nor a signal.
        let read = task::spawn_blocking(move || again.read(&held, styled));
        match read.await.unwrap_or_else(|error| Err(broken_off(&error))) {
            Ok((changing, sockets)) => Ok(self.change(screen, changing, sockets).await),
            Err(refused) => {
                screen.note(Level::Error, "nothing is reloaded: the node's file is wrong", &[]);
                screen.tell_rendered(Level::Error, &refused.text);
                Err(refused.text)
            }
        }
    }

    async fn change(&self, screen: &Screen, changing: Changing, sockets: SocketSet) -> HostChange {
        let mut kept = Vec::new();
        let Changing {
            memory,
            processes,
            data_max,
            log_level,
            log_format,
            defaults,
            tenants,
            places: _,
            proxies,
            reach: _,
        } = changing;
        screen.set_form(log_level, log_format);
        self.host.set_debug(screen.shows(Level::Debug));
        self.world.set_most(data_max);
        if let Err(error) = self.host.set_limits(processes, memory) {
            screen.note(Level::Error, &format!("`memory` and `processes` stay as they are: {error}"), &[]);
            // What is wrong is the number of processes.
            kept.push(("processes".to_owned(), format!("{error}; so does `memory`")));
        }
        let unserved = self.served.borrow_mut().serve(sockets, &proxies);
        for (key, refused) in unserved.0 {
            kept.push(keeps(screen, key, &refused));
        }
        let tenants = self.host.configure(defaults, tenants).await;
        tenants.iter().for_each(|(name, result)| tell(screen, name, result));
        HostChange { kept, tenants }
    }
}

fn broken_off(error: &task::JoinError) -> Refused {
    Refused::machine(format!("it has broken off: {error}"))
}

/// Tells that something of the host's own stays as it is.
fn keeps(screen: &Screen, key: Key, refused: &Refused) -> (String, String) {
    let why = refused.message();
    let (what, why) = match key {
        Key::Grants => {
            let what = "requests of tenants go nowhere new";
            (what.to_owned(), format!("{what}: {why}"))
        }
        key => (format!("`{}` stays as it is", key.as_str()), why.to_owned()),
    };
    screen.note(Level::Error, &what, &[]);
    screen.tell_rendered(Level::Error, &refused.text);
    (key.as_str().to_owned(), why)
}

/// Tells what became of a tenant.
fn tell(screen: &Screen, name: &str, result: &Result<TenantChange, HostError>) {
    match result {
        Ok(TenantChange::Changed(change)) => {
            let touched = change.services.iter().map(|(id, action)| format!("{id} {}", action.as_str()));
            let touched = touched.collect::<Vec<_>>().join(", ");
            let fields = [LogField::number("deployment", change.deployment.number)];
            let what = if touched.is_empty() { "no service has changed" } else { &touched };
            screen.note(Level::Info, &format!("tenant {name} reloaded: {what}"), &fields);
        }
        Ok(TenantChange::Added(state)) => {
            let fields = [LogField::text("state", state.as_str())];
            screen.note(Level::Info, &format!("tenant {name} is added"), &fields);
        }
        Ok(TenantChange::Waits) => screen.note(Level::Info, &format!("tenant {name} waits for a deployment"), &[]),
        Ok(TenantChange::Removed) => screen.note(Level::Info, &format!("tenant {name} is removed"), &[]),
        Err(error) => {
            let error = error.to_string();
            // A report has many lines, which stand below.
            let (first, rest) = error.split_once('\n').unwrap_or((&error, ""));
            screen.note(Level::Error, &format!("tenant {name} keeps what it runs: {first}"), &[]);
            if !rest.is_empty() {
                screen.tell(rest.trim_end());
            }
        }
    }
}
