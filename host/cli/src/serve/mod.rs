//! `lunarium serve`: a host of tenants, from its file to its last line.
//!
//! Owns the life of a host as a command: everything is opened, then the wall is built, then the engine is started; signals; what the
//! service manager is told. Tenants are `lunarium-serve`'s.

mod check;
mod names;
mod notify;
mod opener;
mod requests;
mod served;
mod settings;
mod sockets;
mod surroundings;

use std::cell::RefCell;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lunarium_engine::{Level, LogField};
use lunarium_modules::http::Direct;
use lunarium_serve::{Host, HostChange, HostConfig, ReloadRequest, Reloader, TenantChange, TenantState};
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::task;
use tokio::time::sleep;

pub use check::{check, is_node};

use self::names::Names;
use self::notify::Manager;
use self::opener::{Opener, Wish};
use self::served::Served;
use self::settings::{Changing, Settings};
use self::sockets::SocketSet;
use self::surroundings::World;
use crate::Refused;
use crate::arguments::Serve;
use crate::endpoints::OpenFiles;
use crate::interrupt::{self, Interrupts};
use crate::terminal::{Screen, Terminal};
use crate::verdict::{FAILURE, SUCCESS};
use crate::wall::{Sockets, Wall};

/// How long the rest of the log may take to be written when nothing runs any more. At the limit: it is lost.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until it is told to end, and returns the exit code.
///
/// Errors: the command line or the node's file is wrong, or the machine refuses; nothing has run then.
pub fn serve(options: Serve) -> Result<u8, Refused> {
    if options.opener {
        return opener::serve_opener(&options);
    }
    // Nobody listens for signals yet, so one ends the program whatever it waits for.
    let files = OpenFiles::raise();
    let confined = !options.no_confine;
    let mut settings = Settings::read(options)?;
    // Before the wall, behind which no program can be started.
    let opener = match (confined, settings.may_change_sockets()) {
        (false, _) => Opener::Host,
        (true, false) => Opener::Nobody("nothing but the command line says which".to_owned()),
        (true, true) if settings.may_write_file() => {
            let why = "it may write to the folder of the node's file, which says which".to_owned();
            Opener::Nobody(why)
        }
        (true, true) => Opener::start(),
    };
    let manager = Manager::of_environment();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    let (tell, interrupts, hangup) = runtime
        .block_on(async {
            let (tell, interrupts) = interrupt::watch()?;
            Ok((tell, interrupts, signal(SignalKind::hangup())?))
        })
        .map_err(Refused::deaf)?;
    // Sockets that the host listens on are open, before the wall.
    let makes = settings.first().asks_servers() && !opener.is_process();
    let kept = Sockets::of(makes, settings.may_listen());
    let wall = Wall::around(confined, &settings.readable(), &settings.writable(), kept)?;
    let first = settings.first();
    let terminal = Terminal::of_logs(first.log_level, first.log_format, tell);
    let terminal = terminal.map_err(Refused::no_thread)?;
    let screen = terminal.screen();
    wall.tell(&screen);
    if let Opener::Nobody(why) = &opener
        && settings.may_change_sockets()
    {
        screen.note(Level::Warn, &format!("this host can have no other sockets while it runs: {why}"), &[]);
    }
    let code = runtime.block_on(async {
        let serving = Serving { screen: Arc::clone(&screen), manager, interrupts, hangup, files };
        let code = serving.run(settings, opener, kept).await.unwrap_or_else(|refused| {
            screen.tell_rendered(Level::Error, &refused.text);
            refused.code
        });
        select! {
            _ = terminal.finish() => {}
            () = sleep(LAST_WORDS) => {}
        }
        code
    });
    // Threads that wait for a disk aren't waited for.
    runtime.shutdown_background();
    Ok(code)
}

struct Serving {
    screen: Arc<Screen>,
    manager: Manager,
    interrupts: Interrupts,
    hangup: Signal,
    files: OpenFiles,
}

impl Serving {
    async fn run(mut self, mut settings: Settings, mut opener: Opener, kept: Sockets) -> Result<u8, Refused> {
        self.files.tell(&self.screen);
        let (data, sockets) = (settings.take_data()?, settings.take_sockets());
        let most = settings.first().data_max;
        let unreachable = match &opener {
            Opener::Nobody(why) if kept != Sockets::Made => Some(why.clone()),
            _ => None,
        };
        let connector = opener.connector(&self.screen).map_err(Refused::no_thread)?;
        let connector = connector.unwrap_or_else(|| Arc::new(Direct));
        let names = Names::new(settings.take_names(), &connector);
        let world = Arc::new(World::new(&self.screen, settings.data_path(), most, names.clone(), unreachable));
        let hosts = settings.options().admin.admin_hosts.clone();
        let first = settings.first();
        let asks_servers = first.asks_servers();
        let mut config = HostConfig::new(Arc::<World>::clone(&world));
        config.max_processes = first.processes;
        config.memory = first.memory;
        config.defaults = first.defaults;
        config.data = data;
        config.debug = self.screen.shows(Level::Debug);
        config.tenants = std::mem::take(&mut first.tenants);
        let proxies = std::mem::take(&mut first.proxies);
        let host = Host::start(config).await.map_err(|error| Refused::machine(error.to_string()))?;
        let mut changes = host.changes();
        let (reloader, mut asks) = Reloader::new();
        let log = Arc::<World>::clone(&world);
        let mut served = Served::new(&host, &self.screen, self.files, log, &hosts, reloader);
        served.serve(sockets, &proxies).whole()?;
        self.manager.beat();
        self.manager.ready(&status(&host));
        self.screen.note(Level::Info, &format!("serving: {}", status(&host)), &[]);
        let served = RefCell::new(served);
        let follow = async {
            while changes.changed().await.is_ok() {
                served.borrow().follow();
            }
            pending().await
        };
        let again = Arc::new(Again { settings, opener, names, asked_servers: AtomicBool::new(asks_servers) });
        let reloads = Reloads { host: &host, world: &world, served: &served, read: again };
        let lost = select! {
            biased;
            lost = self.attend(&reloads, &mut asks) => lost,
            lost = follow => lost,
        };
        drop(reloads);
        self.manager.stopping();
        self.screen.tell("stopping; a second interrupt stops at once");
        let mut served = served.into_inner();
        // Until the end it can be seen what doesn't.
        served.drain();
        // Requests under way may need services, which go on meanwhile.
        served.stop_requests().await;
        host.stop().await;
        served.stop().await;
        Ok(if lost { FAILURE } else { SUCCESS })
    }

    /// Until the host is to end. True: because its output is lost.
    async fn attend(&mut self, reloads: &Reloads<'_>, asks: &mut Receiver<ReloadRequest>) -> bool {
        let Self { screen, manager, interrupts, hangup, .. } = self;
        let reloads = async {
            loop {
                let asked = select! {
                    Some(()) = hangup.recv() => None,
                    Some(asked) = asks.recv() => Some(asked),
                };
                manager.reloading();
                // Who has asked may be shown no colours.
                let done = reloads.reload(screen, asked.is_none() && screen.has_colours()).await;
                manager.ready(&status(reloads.host));
                if let Some(asked) = asked {
                    asked.answer(done);
                }
            }
        };
        // Whoever wants the end waits for no reload: what it has begun goes on until the tenants are stopped.
        // Lines go to standard error, so nobody misses that standard output is lost.
        select! {
            biased;
            _ = interrupts.signal() => false,
            lost = reloads => lost,
        }
    }
}

/// What is read anew.
struct Again {
    settings: Settings,
    opener: Opener,
    names: Names,
    /// Whether a tenant was allowed to ask servers when the file was read last.
    asked_servers: AtomicBool,
}

impl Again {
    /// Errors: the file is wrong.
    fn read(&self, held: &[String], styled: bool) -> Result<(Changing, SocketSet), Refused> {
        let changing = self.settings.read_again(styled)?;
        let asks_servers = changing.asks_servers();
        let wish = Wish {
            places: &changing.places,
            held,
            default: self.settings.default().cloned(),
            asks_servers: self.asked_servers.swap(asks_servers, Ordering::Relaxed) || asks_servers,
            styled,
        };
        let (sockets, names) = self.opener.open(self.settings.source(), wish);
        if let Some(names) = names {
            self.names.read_again(names);
        }
        Ok((changing, sockets))
    }
}

/// What changes when the node's file is read again.
struct Reloads<'r> {
    host: &'r Host,
    world: &'r World,
    served: &'r RefCell<Served>,
    read: Arc<Again>,
}

impl Reloads<'_> {
    /// Reads the node's file and every application again. A file that is wrong changes nothing; what the machine refuses stays as it is, and all
    /// else changes.
    ///
    /// Errors: the file is wrong, told already.
    async fn reload(&self, screen: &Screen, styled: bool) -> Result<HostChange, String> {
        let (again, held) = (Arc::clone(&self.read), self.served.borrow().held());
        // A disk that doesn't answer holds up neither the tenants' services nor a signal.
        let read = task::spawn_blocking(move || again.read(&held, styled));
        match read.await.unwrap_or_else(|error| Err(Refused::machine(format!("it has broken off: {error}")))) {
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
        let Changing { memory, processes, data_max, log_level, log_format, defaults, tenants, places: _, proxies } =
            changing;
        screen.set_form(log_level, log_format);
        self.host.set_debug(screen.shows(Level::Debug));
        self.world.set_most(data_max);
        if let Err(error) = self.host.set_limits(processes, memory) {
            screen.note(Level::Error, &format!("`memory` and `processes` stay as they are: {error}"), &[]);
            kept.extend(["memory", "processes"].map(|key| (key.to_owned(), error.to_string())));
        }
        let unserved = self.served.borrow_mut().serve(sockets, &proxies);
        for (key, refused) in unserved.0 {
            screen.note(Level::Error, &format!("`{}` stays as it is", key.as_str()), &[]);
            screen.tell_rendered(Level::Error, &refused.text);
            kept.push((key.as_str().to_owned(), refused.message().to_owned()));
        }
        let tenants = self.host.configure(defaults, tenants).await;
        for (name, result) in &tenants {
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
        HostChange { kept, tenants }
    }
}

/// How many tenants there are and how they are, in words.
fn status(host: &Host) -> String {
    let tenants = host.tenants();
    let failed: Vec<&str> = tenants
        .iter()
        .filter(|tenant| matches!(tenant.state(), TenantState::Failed { .. }))
        .map(lunarium_serve::Tenant::name)
        .collect();
    let count = format!("{} tenant{}", tenants.len(), if tenants.len() == 1 { "" } else { "s" });
    if failed.is_empty() { count } else { format!("{count}, failed: {}", failed.join(", ")) }
}
