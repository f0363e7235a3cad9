//! `lunarium serve`: a host of tenants, from its file to its last line.
//!
//! Owns the life of a host as a command: everything is opened, then the wall is built, then the engine is started; signals; what the
//! service manager is told. Tenants are `lunarium-serve`'s.

mod check;
mod notify;
mod requests;
mod settings;
mod surroundings;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::{Level, LogField};
use lunarium_serve::endpoint::TenantSites;
use lunarium_serve::{Admin, Host, HostConfig, TenantState};
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task;
use tokio::time::sleep;

pub use check::{check, is_node};

use self::notify::Manager;
use self::requests::Requests;
use self::settings::Settings;
use self::surroundings::World;
use crate::Refused;
use crate::arguments::Serve;
use crate::endpoints::OpenFiles;
use crate::interrupt::{self, Interrupts};
use crate::terminal::{Screen, Terminal};
use crate::verdict::{FAILURE, SUCCESS};
use crate::wall::Wall;

/// How long the rest of the log may take to be written when nothing runs any more. At the limit: it is lost.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until it is told to end, and returns the exit code.
///
/// Errors: the command line or the node's file is wrong, or the machine refuses; nothing has run then.
pub fn serve(options: Serve) -> Result<u8, Refused> {
    // Nobody listens for signals yet, so one ends the program whatever it waits for.
    let files = OpenFiles::raise();
    let settings = Settings::read(&options, files)?;
    let manager = Manager::of_environment();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Refused::deaf)?;
    let (tell, interrupts, hangup) = runtime
        .block_on(async {
            let (tell, interrupts) = interrupt::watch()?;
            Ok((tell, interrupts, signal(SignalKind::hangup())?))
        })
        .map_err(Refused::deaf)?;
    // Sockets that the host listens on are opened here, before the wall.
    let wall = Wall::around(!options.no_confine, &settings.readable(), &settings.writable(), settings.sockets())?;
    let terminal = Terminal::of_logs(settings.log_level, settings.log_format, tell);
    let terminal = terminal.map_err(Refused::no_thread)?;
    let screen = terminal.screen();
    wall.tell(&screen);
    let code = runtime.block_on(async {
        let served = Serving { screen: Arc::clone(&screen), manager, interrupts, hangup, files };
        let code = served.run(settings).await.unwrap_or_else(|refused| {
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
    async fn run(mut self, mut settings: Settings) -> Result<u8, Refused> {
        self.files.tell(&self.screen);
        let world = Arc::new(World::new(&self.screen, settings.data_path(), settings.data_max));
        let opened = settings.take_admin();
        let log: Arc<World> = Arc::clone(&world);
        let mut config = HostConfig::new(world);
        config.max_processes = settings.processes.unwrap_or(config.max_processes);
        config.memory = settings.memory;
        config.defaults = settings.defaults;
        config.data = settings.take_data()?;
        config.debug = self.screen.shows(Level::Debug);
        config.tenants = settings.take_tenants();
        let host = Host::start(config).await.map_err(|error| Refused::machine(error.to_string()))?;
        let fields: Vec<_> = opened.places().into_iter().map(|place| LogField::text("at", place)).collect();
        // Both the server of requests and the metrics know it.
        let sites = TenantSites::default();
        let admin = if opened.is_any() {
            let mut config = opened.config(log);
            config.max_connections = config.max_connections.min(self.files.admin());
            config.requests = Box::new(sites.clone());
            let admin = Admin::start(host.clone(), config);
            self.screen.note(Level::Info, "admin interface", &fields);
            Some(admin.map_err(|error| Refused::machine(format!("the admin interface can't be served: {error}")))?)
        } else {
            None
        };
        let mut changes = host.changes();
        let listening = settings.take_listening();
        let mut requests =
            listening.map(|listening| Requests::start(listening, sites, &host, &self.screen)).transpose()?;
        self.manager.beat();
        self.manager.ready(&status(&host));
        self.screen.note(Level::Info, &format!("serving: {}", status(&host)), &[]);
        let screen = Arc::clone(&self.screen);
        let follow = async {
            while changes.changed().await.is_ok() {
                if let Some(requests) = &mut requests {
                    requests.follow(&host, &screen);
                }
            }
            pending().await
        };
        let settings = Arc::new(settings);
        let lost = select! {
            biased;
            lost = self.attend(&host, &settings) => lost,
            lost = follow => lost,
        };
        self.manager.stopping();
        self.screen.tell("stopping; a second interrupt stops at once");
        // Until the end it can be seen what doesn't.
        admin.iter().for_each(Admin::drain);
        // Requests under way may need services, which go on meanwhile.
        if let Some(requests) = requests {
            requests.stop(&self.screen).await;
        }
        host.stop().await;
        if let Some(admin) = admin {
            admin.stop().await;
        }
        Ok(if lost { FAILURE } else { SUCCESS })
    }

    /// Until the host is to end. True: because its output is lost.
    async fn attend(&mut self, host: &Host, settings: &Arc<Settings>) -> bool {
        let Self { screen, manager, interrupts, hangup, .. } = self;
        let reloads = async {
            while hangup.recv().await.is_some() {
                reload(screen, manager, host, settings).await;
            }
            pending().await
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

/// Reads the node's file and every application again.
async fn reload(screen: &Screen, manager: &mut Manager, host: &Host, settings: &Arc<Settings>) {
    manager.reloading();
    let (settings, styled) = (Arc::clone(settings), screen.has_colours());
    // A disk that doesn't answer holds up neither the tenants' services nor a signal.
    let read = task::spawn_blocking(move || settings.read_again(styled)).await;
    let read = read.unwrap_or_else(|error| Err(Refused::machine(format!("it has broken off: {error}"))));
    match read {
        Ok((defaults, tenants)) => {
            for (name, result) in host.configure(defaults, tenants).await {
                match result {
                    Ok(Some(change)) => {
                        let touched = change.services.iter().map(|(id, action)| format!("{id} {}", action.as_str()));
                        let touched = touched.collect::<Vec<_>>().join(", ");
                        let fields = [LogField::number("deployment", change.deployment.number)];
                        let what = if touched.is_empty() { "no service has changed" } else { &touched };
                        screen.note(Level::Info, &format!("tenant {name} reloaded: {what}"), &fields);
                    }
                    Ok(None) => screen.note(Level::Info, &format!("tenant {name} came or went"), &[]),
                    Err(error) => {
                        let text = format!("tenant {name} keeps what it runs: {error}");
                        screen.note(Level::Error, &text, &[]);
                    }
                }
            }
        }
        Err(refused) => {
            screen.note(Level::Error, "nothing is reloaded: the node's file is wrong", &[]);
            screen.tell_rendered(Level::Error, &refused.text);
        }
    }
    manager.ready(&status(host));
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
