//! `lunarium serve`: a host of tenants, from its file to its last line.
//!
//! Owns the life of a host as a command: everything is opened, then the wall is built, then the engine is started; signals; what the
//! service manager is told. Tenants are `lunarium-serve`'s.

mod check;
mod names;
mod notify;
mod opener;
mod reload;
mod requests;
mod served;
mod settings;
mod sockets;
mod surroundings;

use std::cell::RefCell;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use lunarium_engine::Level;
use lunarium_modules::http::Direct;
use lunarium_serve::{Host, HostConfig, ReloadRequest, Reloader, TenantState};
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

pub use check::{check, is_node};

use self::names::Names;
use self::notify::Manager;
use self::opener::Opener;
use self::reload::{Again, Reloads};
use self::served::Served;
use self::settings::Settings;
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
            let why =
                "it may write to the folder of the node's file, or of the name servers', which say which".to_owned();
            Opener::Nobody(why)
        }
        (true, true) => Opener::start(settings.default()),
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
    let makes = !settings.first().reach.is_empty() && !opener.is_process();
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
        let what = match makes {
            true => "keeps internet sockets, and can listen nowhere else while it runs",
            false => "can have no other sockets while it runs",
        };
        screen.note(Level::Warn, &format!("this host {what}: {why}"), &[]);
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
        // Its second process is there until the end: services may ask servers when they are to stop.
        let again = Arc::new(Again { settings, opener, names });
        let reloads = Reloads::new(&host, &world, &served, &again);
        let lost = select! {
            biased;
            lost = self.attend(&reloads, &mut asks) => lost,
            lost = follow => lost,
        };
        // Nobody reads it again: who asks is told so.
        drop((reloads, asks));
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
        let host = reloads.host();
        let reloads = async {
            loop {
                let asked = select! {
                    Some(()) = hangup.recv() => None,
                    Some(asked) = asks.recv() => Some(asked),
                };
                manager.reloading();
                reloads.reload(screen, asked).await;
                manager.ready(&status(host));
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
