//! A thousand tenants on one machine, a node each: what they may use together with all their processes, and who uses what.
//!
//! Most are quiet. One hoards memory, one never stops computing, one starts as many processes as it can.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use lunarium::output;
use lunarium::{Error, Events, Held, Node, NodeEvent, Plugin, Usage};

const TENANTS: usize = 1000;
const HOARDER: usize = 250;
const LOOPER: usize = 500;
const FORKER: usize = 750;

/// What one tenant may have.
const MEMORY: u64 = 8 << 20;
const PROCESSES: u32 = 4;

fn script(tenant: usize) -> &'static str {
    match tenant {
        HOARDER => include_str!("hoarder.lua"),
        LOOPER => "return function() while true do end end",
        FORKER => include_str!("forker.lua"),
        _ => include_str!("quiet.lua"),
    }
}

struct Tenant {
    name: String,
    node: Node,
    events: Events,
    plugin: Plugin,
    tally: Tally,
}

impl Tenant {
    fn start(number: usize) -> Result<Tenant, Error> {
        let name = format!("tenant-{number:03}");
        // With the standard streams, each node would have a thread that writes to them.
        let printer = name.clone();
        let output = output::to(move |line| println!("{printer}: {line}"));
        // Processors are shared by weight: 100 for everybody is the default.
        let node = Node::builder().memory(MEMORY).max_processes(PROCESSES).cpu_weight(100).output(output).start()?;
        let events = node.events();
        // The same names everywhere: tenants don't see each other.
        let plugin = node.plugin("app.lua", script(number)).name("app").cpu(Duration::from_secs(1));
        Ok(Tenant { name, events, plugin: plugin.spawn()?, node, tally: Tally::default() })
    }

    /// Reads what has happened, up to where it is so.
    fn read_until(&mut self, is_so: impl Fn(&Tally) -> bool) {
        while !is_so(&self.tally)
            && let Some(event) = self.events.next_blocking()
        {
            self.tally.add(&event);
        }
    }

    fn show(&self) {
        let usage = self.node.usage();
        let (memory, processes) = (held(&usage, "node.memory"), held(&usage, "node.processes"));
        println!(
            "{}: {} ms CPU, {} KiB of {} KiB, {} of {} processes; {}",
            self.name,
            usage.cpu.as_millis(),
            memory.used >> 10,
            memory.limit >> 10,
            processes.used,
            processes.limit,
            self.tally
        );
    }
}

fn held(usage: &Usage, name: &str) -> Held {
    usage.of(name).expect("a budget of this level")
}

/// What has happened to a tenant's processes.
#[derive(Default)]
struct Tally {
    started: u32,
    ended: u32,
    refused: u32,
    limits: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, event: &NodeEvent) {
        match event {
            NodeEvent::Spawned { .. } => self.started += 1,
            NodeEvent::Ended { .. } => self.ended += 1,
            NodeEvent::Refused { .. } => self.refused += 1,
            _ => {}
        }
        self.limits.extend(event.limit().map(str::to_owned));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { started, ended, refused, limits } = self;
        write!(f, "{started} started, {ended} ended, {refused} refused, limits {limits:?}")
    }
}

fn main() -> Result<(), Error> {
    let mut tenants = (0..TENANTS).map(Tenant::start).collect::<Result<Vec<_>, _>>()?;

    // Meanwhile three of them do their worst. `spawn` has waited for nobody, and a call waits for its start.
    let mut sum = 0;
    let is_quiet = |(number, _): &(usize, &Tenant)| ![HOARDER, LOOPER, FORKER].contains(number);
    for (_, tenant) in tenants.iter().enumerate().filter(is_quiet) {
        sum += tenant.plugin.call_blocking::<i64>("add", (1,))?;
    }
    println!("{sum} quiet tenants have answered");

    tenants[HOARDER].read_until(|seen| !seen.limits.is_empty());
    tenants[LOOPER].read_until(|seen| seen.ended == 1);
    tenants[FORKER].read_until(|seen| seen.refused == PROCESSES);
    tenants[0].read_until(|seen| seen.started == 1);
    for number in [0, HOARDER, LOOPER, FORKER] {
        tenants[number].show();
    }
    for process in tenants[FORKER].node.processes() {
        println!(
            "  {} runs {}, holds {} KiB, names {:?}",
            process.pid,
            process.entry,
            process.memory >> 10,
            process.names
        );
    }

    let by_cpu = tenants.iter().max_by_key(|tenant| tenant.node.usage().cpu);
    let by_memory = tenants.iter().max_by_key(|tenant| held(&tenant.node.usage(), "node.memory").used);
    for (what, most) in [("CPU time", by_cpu), ("memory", by_memory)] {
        println!("most {what}: {}", most.map_or("nobody", |tenant| &tenant.name));
    }

    // What all of them share.
    let all = tenants[0].node.engine().usage();
    let memory = held(&all, "engine.memory");
    println!("all: {} ms CPU, {} KiB, {} processes started", all.cpu.as_millis(), memory.used >> 10, all.spawns);
    for tenant in tenants {
        tenant.node.shutdown_blocking(Duration::ZERO);
    }
    println!("all have ended");
    Ok(())
}
