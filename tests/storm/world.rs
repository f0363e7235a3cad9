//! The nodes of a storm: what they are made of follows from the dice. Owns limits and budgets that are small enough to be
//! reached all the time, policies, grants; and the quiet neighbour, which must never notice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::{
    ActorSpec, Chunk, Definition, Directory, Engine, EngineConfig, EntryId, Grants, HostDefinition, HostId, Import,
    Library, Limits, LimitsOverride, Node, NodeConfig, Pattern, Policy, PolicyEffect, ScopeSpec, SecuritySpec,
    SpawnRequest, Value,
};
use lunarium_tests::Dice;

use crate::program::{HOSTS, LIBRARY, Moves, PROGRAMS};
use crate::watch::Watch;

const MIB: u64 = 1 << 20;

/// Processes of the engine: fewer than the nodes may have together, so that starts wait.
const ENGINE_PROCESSES: u32 = 400;
/// Less than the nodes may have together.
const ENGINE_MEMORY: u64 = 192 * MIB;

pub fn engine() -> Engine {
    Engine::new(EngineConfig::new(ENGINE_PROCESSES).with_memory(ENGINE_MEMORY)).unwrap()
}

/// A node in a storm.
pub struct Tenant {
    pub node: Node,
    pub watch: Arc<Watch>,
    /// What its hosts keep free.
    pub reserve: u64,
    /// The number of its last process that was started from outside: of all that it had, but for a few.
    pub started: u64,
}

impl Tenant {
    /// A node with all hosts and programs. What it may write lies in `folder`.
    pub fn new(engine: &Engine, dice: &mut Dice, moves: &Moves, folder: &Path) -> Tenant {
        let watch = Arc::new(Watch::default());
        let config = NodeConfig::new(Arc::<Watch>::clone(&watch))
            .with_max_processes(number(dice.between(40, 250)))
            .with_memory(dice.between(24, 96) * MIB, 8 * MIB)
            .with_log_bytes(dice.between(1_000, 100_000))
            .with_cpu_weight(number(dice.between(50, 200)))
            .with_max_relations(number(dice.between(50, 2_000)));
        let node = Node::start_on(engine, config).unwrap();
        for (number, effect) in [(1, PolicyEffect::Allow), (2, PolicyEffect::Allow), (3, PolicyEffect::Deny)] {
            node.define_policy(policy(number, effect, dice), &[EntryId::new(format!("app:group{number}"))]);
        }
        let mut tenant = Tenant { node, watch, reserve: 0, started: 0 };
        let grants = Arc::new(grants(folder));
        for host in 0..HOSTS {
            tenant.add_host(host, dice, &grants);
        }
        for program in 1..=PROGRAMS {
            tenant.define(program, dice, moves);
        }
        tenant
    }

    fn add_host(&mut self, number_of: u64, dice: &mut Dice, grants: &Arc<Grants>) {
        let reserve = if dice.once_in(3) { MIB } else { 0 };
        self.reserve += reserve;
        let mut host = HostDefinition::new(HostId::new(format!("app:h{number_of}")))
            .with_max_processes(number(dice.between(5, 120)))
            .with_memory(dice.between(6, 48) * MIB, reserve)
            .with_log_bytes(dice.between(500, 50_000))
            .with_limits(limits(dice));
        if number_of != 0 {
            host = host.with_grants(Arc::clone(grants));
        }
        if number_of == 3 {
            let actor = ActorSpec::new("host", None).unwrap();
            let scope = ScopeSpec::new(Vec::new(), vec![EntryId::new("app:group1"), EntryId::new("app:group3")]);
            host = host.with_security(SecuritySpec::new().with_actor(actor).with_scope(scope));
        }
        self.node.add_host(host).unwrap();
    }

    /// Writes a program anew: who upgrades becomes it.
    pub fn define(&self, number_of: u64, dice: &mut Dice, moves: &Moves) {
        let library = EntryId::new("app:library");
        let chunk = Chunk::new(format!("@p{number_of}.lua"), moves.program(dice));
        let definition = Definition::new(EntryId::new(format!("app:p{number_of}")), chunk)
            .with_imports(
                vec![Import::new("storm", library.clone())],
                vec![Library::new(library, Chunk::new("@library.lua", LIBRARY), Vec::new())],
            )
            .with_limits(if dice.once_in(4) { narrow(dice) } else { LimitsOverride::default() });
        self.node.define(definition);
    }

    /// What to start next.
    pub fn request(&self, dice: &mut Dice) -> SpawnRequest {
        let entry = EntryId::new(format!("app:p{}", dice.between(1, PROGRAMS)));
        let request = SpawnRequest::new(entry, HostId::new(format!("app:h{}", dice.below(HOSTS))));
        let request = request.with_arguments(vec![Value::Integer(0), Value::Integer(0)]);
        match dice.below(6) {
            0 => request.with_limits(narrow(dice)),
            1 => request.with_security(
                SecuritySpec::new().with_scope(ScopeSpec::new(vec![EntryId::new("app:policy1")], Vec::new())),
            ),
            _ => request,
        }
    }
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap()
}

fn limits(dice: &mut Dice) -> Limits {
    let message = dice.between(1, 64) << 10;
    Limits {
        memory: dice.between(1, 6) * MIB,
        cpu: Duration::from_millis(dice.between(2, 40)),
        mailbox_messages: number(dice.between(8, 500)),
        mailbox_bytes: message * dice.between(2, 20),
        message: number(message),
        links: number(dice.between(2, 100)),
        monitors: number(dice.between(2, 100)),
        timers: number(dice.between(5, 500)),
        coroutines: number(dice.between(5, 500)),
        names: number(dice.between(1, 30)),
        listeners: number(dice.between(2, 30)),
        log_lines: number(dice.between(1, 200)),
        ..Limits::default()
    }
}

fn narrow(dice: &mut Dice) -> LimitsOverride {
    LimitsOverride {
        memory: Some(dice.between(1, 3) * MIB),
        cpu: Some(Duration::from_millis(dice.between(1, 10))),
        mailbox_messages: Some(number(dice.between(2, 20))),
        ..LimitsOverride::default()
    }
}

/// What processes may do with some of the others.
fn policy(number: u64, effect: PolicyEffect, dice: &mut Dice) -> Policy {
    let actions = ["*", "process.*", "process.spawn*", "process.send", "fs.*"];
    let actions = (0..2).map(|_| Pattern::parse(dice.pick::<&str>(&actions)).unwrap()).collect();
    let resources = ["*", "{app:h1|*", "app:*", "n*"].map(|text| Pattern::parse(text).unwrap());
    let resources = if effect == PolicyEffect::Allow { resources.to_vec() } else { resources[1..2].to_vec() };
    Policy { id: EntryId::new(format!("app:policy{number}")), effect, actions, resources, conditions: Vec::new() }
}

fn grants(folder: &Path) -> Grants {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    Grants::new()
        .with_variable("STORM", Some("value".to_owned()))
        .with_directory(Directory::new("data", dir, true).unwrap())
}

/// A neighbour that asks another process every 5 ms and prints when it was answered rightly.
pub fn quiet(engine: &Engine) -> Tenant {
    let watch = Arc::new(Watch::default());
    let config = NodeConfig::new(Arc::<Watch>::clone(&watch)).with_memory(64 * MIB, 32 * MIB);
    let node = Node::start_on(engine, config).unwrap();
    let host = HostId::new("app:quiet");
    node.add_host(HostDefinition::new(host.clone())).unwrap();
    for (name, source) in [("echo", ECHO), ("asks", ASKS)] {
        let entry = EntryId::new(format!("app:{name}"));
        node.define(Definition::new(entry.clone(), Chunk::new(format!("@{name}.lua"), source)));
        node.spawn(SpawnRequest::new(entry, host.clone())).unwrap();
    }
    Tenant { node, watch, reserve: 0, started: 0 }
}

const ECHO: &str = r#"return { main = function()
    process.registry.register("echo")
    local inbox = process.inbox()
    while true do
        local message = inbox:receive()
        process.send(message:from(), "answer", message:payload())
    end
end }"#;

const ASKS: &str = r#"return { main = function()
    local answers, n = process.listen("answer"), 0
    while true do
        time.sleep("5ms")
        n = n + 1
        local sent = process.send("echo", "question", n)
        if sent then
            local got = answers:receive()
            if got ~= n then print("VIOLATION asked " .. n .. ", got " .. tostring(got)) end
            print("answered")
        elseif n > 1000 then
            print("VIOLATION echo is gone")
        end
    end
end }"#;
