//! `lunarium top`: tenants and processes, live.
//!
//! Owns the terminal while it runs, and that keys are heard while the host is asked. What a key does is `state`'s, how it looks `draw`'s.

mod draw;
mod state;

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use lunarium_engine::visible_json;
use ratatui::crossterm::event::{self, Event};
use serde_json::{Value, json};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::Refused;
use crate::remote::arguments::Top;
use crate::remote::{Asking, Client, Refusal, process_path, processes_path};
use crate::verdict::{OUTPUT_CLOSED, SUCCESS};
use state::{Action, State, View};

/// Rows that are asked for. The number: nobody scrolls further, and the host sorts.
const ROWS: u32 = 1_000;

/// Runs until `q`.
///
/// Errors: there is no terminal, or no host.
pub fn run(options: &Top) -> Result<u8, Refused> {
    let asking = Asking::new(&options.target)?;
    let every = Duration::from_secs(options.interval.into());
    let state = State::new(options.tenant.as_deref());
    // A host that isn't there, or a tenant, is said before the screen is taken.
    let first = asking.runtime.block_on(look(asking.client.clone(), state.wish()))?;
    if options.target.json {
        return snapshots(&asking, &state, first, every);
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let help = "`lunarium ps` prints the same once, `--json` as often as asked".to_owned();
        return Err(Refused::usage("`top` needs a terminal".to_owned(), Some(help)));
    }
    let cannot = |error: io::Error| Refused::machine(format!("the terminal can't be used: {error}"));
    let mut terminal = ratatui::try_init().map_err(cannot)?;
    let ended = asking.runtime.block_on(watch(&mut terminal, &asking.client, state, first, every));
    ratatui::restore();
    ended.map_err(cannot)?;
    Ok(SUCCESS)
}

/// For programs: an object a line.
fn snapshots(asking: &Asking, state: &State, mut now: Value, every: Duration) -> Result<u8, Refused> {
    loop {
        if writeln!(io::stdout().lock(), "{}", visible_json(&now.to_string())).is_err() {
            return Ok(OUTPUT_CLOSED);
        }
        now = asking.runtime.block_on(async {
            tokio::time::sleep(every).await;
            look(asking.client.clone(), state.wish()).await
        })?;
    }
}

async fn watch(
    terminal: &mut ratatui::DefaultTerminal,
    client: &Client,
    mut state: State,
    first: Value,
    every: Duration,
) -> io::Result<()> {
    let began = Instant::now();
    let (press, mut pressed) = mpsc::unbounded_channel();
    // It ends with the program: nothing stops a read of the terminal.
    thread::Builder::new().name("keys".to_owned()).spawn(move || {
        while let Ok(event) = event::read() {
            if press.send(event).is_err() {
                break;
            }
        }
    })?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    state.take(&first, 0.0);
    let mut asked = false;
    loop {
        terminal.draw(|frame| draw::draw(frame, &mut state))?;
        let action = select! {
            event = pressed.recv() => match event {
                Some(Event::Key(key)) => state.press(key),
                Some(_) => Action::None,
                None => return Ok(()),
            },
            Some(answer) = told.recv() => {
                asked = false;
                match answer {
                    Ok(answer) => state.take(&answer, began.elapsed().as_secs_f64()),
                    Err(refusal) => state.fail(&refusal),
                }
                Action::None
            }
            _ = tick.tick() => Action::Look,
        };
        match action {
            Action::None => {}
            Action::Quit => return Ok(()),
            // One at a time: a host that is slow isn't asked more often.
            Action::Look if asked => {}
            Action::Look => {
                asked = true;
                let (client, wish, tell) = (client.clone(), state.wish(), tell.clone());
                tokio::spawn(async move { drop(tell.send(look(client, wish).await)) });
            }
            Action::Kill { tenant, pid } => {
                let (client, tell) = (client.clone(), tell.clone());
                tokio::spawn(async move {
                    let path = process_path(&tenant, &pid) + "/cancel";
                    if let Err(refusal) = client.post(&path, Some(&json!({"deadline_ms": 10_000}))).await {
                        drop(tell.send(Err(refusal)));
                    }
                });
            }
        }
    }
}

/// What a view needs, in one object.
async fn look(client: Client, view: View) -> Result<Value, Refusal> {
    let host = client.get("/v1/host").await?;
    let shown = match &view {
        View::Tenants => client.get("/v1/tenants").await?,
        View::Processes { tenant, sort, descending, search } => {
            client.get(&processes_path(tenant, sort, *descending, ROWS, search)).await?
        }
        View::Process { tenant, pid } => client.get(&process_path(tenant, pid)).await?,
    };
    Ok(json!({"host": host, "view": view.name(), "shown": shown}))
}
