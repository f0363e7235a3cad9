//! The guest's own tests: scripts run natively, with a fake host whose clock moves only when everything waits.
//! `check(script, expect![[…]])` compares what the script printed and how it ended.

mod fake;
pub mod heap;
mod show;

mod bounds;
mod calls;
mod channels;
mod coroutines;
mod date;
mod elsewhere;
mod ends;
mod errors;
mod exec;
mod files;
mod fuzz;
mod globals;
mod groups;
mod guides;
mod json;
mod limits;
mod logger;
mod mailbox;
mod modules;
mod payloads;
mod process;
mod program;
mod pure;
mod raises;
mod sandbox;
mod security;
mod spawner;
mod stops;
mod times;
mod typed;
mod upgrade;
mod uses;

use expect_test::Expect;
use lunarium_contract::batch::{self, Entry, Kind};

use crate::host::{Call, Chunk, Code, Ended, Event, Limits, Message, Modules, Outcome, Program, Reply, Status};
use crate::tests::fake::{Fake, State};
use crate::vm::Vm;
use std::rc::Rc;

/// The pid of the process under test.
pub const PID: &str = "{app:processes|0x00001}";
/// A process the fake host knows; what is sent to it is recorded.
pub const PEER: &str = "{app:processes|0x00002}";

/// One script with its surroundings.
pub struct Case {
    program: Program,
    arguments: Vec<u8>,
    pub host: Rc<State>,
}

impl Case {
    pub fn new(script: &str) -> Self {
        let program = Program {
            entry: "app:main".to_owned(),
            method: None,
            plain: false,
            chunk: Chunk { name: "@main.lua".to_owned(), code: Code::Source(script.to_owned()) },
            imports: Vec::new(),
            libraries: Vec::new(),
            pid: PID.to_owned(),
            frame: "app:main#1".to_owned(),
            context: None,
            limits: Limits { memory: 16 << 20, message: 1 << 20, timers: 10_000, coroutines: 10_000, listeners: 1024 },
            modules: Modules { env: false, fs: false },
            seed: (7, 7, 7, 7),
        };
        Self { program, arguments: vec![0x90], host: Rc::new(State::default()) }
    }

    /// The body of a `main`.
    pub fn body(body: &str) -> Self {
        Self::new(&format!("return function(...) {body}\nend"))
    }

    pub fn with(mut self, change: impl FnOnce(&mut Program)) -> Self {
        change(&mut self.program);
        self
    }

    pub fn arguments(mut self, arguments: &[u8]) -> Self {
        self.arguments = arguments.to_vec();
        self
    }

    /// Events that wait when the process starts.
    pub fn event(self, event: Event) -> Self {
        self.host.events.borrow_mut().push_back(event);
        self
    }

    pub fn message(self, sender: Option<&str>, topic: &str, payload: &[u8]) -> Self {
        self.event(Event::Message(Message {
            sender: sender.map(str::to_owned),
            topic: topic.to_owned(),
            payload: payload.to_vec(),
        }))
    }

    /// Runs to the end, or to where only the outside could go on. What was printed, line by line, then how it ended.
    ///
    /// Panics: when something was left on Rust's heap, as by a raise from a frame that owns some of it.
    pub fn run(self) -> String {
        let (printed, left) = self.run_counting();
        assert_eq!(left, 0, "bytes left on Rust's heap: {printed}");
        printed
    }

    /// The same, and how many bytes were left on Rust's heap.
    pub fn run_counting(self) -> (String, isize) {
        let before = heap::live();
        let mut case = Self {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            host: Rc::new(State::clone(&self.host)),
        };
        let printed = case.run_here();
        drop(case);
        let left = heap::live() - before - printed.capacity().cast_signed();
        (printed, left)
    }

    fn run_here(&mut self) -> String {
        let mut vm = Vm::new(Box::new(Fake(self.host.clone())));
        let mut status = vm.start(self.program.clone(), &self.arguments);
        for _ in 0..100_000 {
            let parked = match status {
                Status::Exited(outcome) => {
                    self.host.line(&show::outcome(&outcome));
                    return self.host.printed.take();
                }
                Status::Upgrade => {
                    self.host.line("-- gives back");
                    while let events @ [_, ..] = &vm.give_back()[..] {
                        events.iter().for_each(|event| self.host.line(&show::event(event)));
                    }
                    return self.host.printed.take();
                }
                Status::Parked(parked) => parked,
            };
            let events: Vec<Event> = self.host.events.borrow_mut().drain(..).collect();
            if events.is_empty() {
                let Some(wake_at) = parked.wake_at else {
                    let unread = parked.unread;
                    self.host.line(&format!("-- waits; unread {} ({} bytes)", unread.messages, unread.bytes));
                    return self.host.printed.take();
                };
                self.host.now.set(self.host.now.get().max(wake_at));
            }
            let (batch, events) = handed_over(events);
            status = vm.resume(batch, events);
        }
        self.host.line("-- never rests");
        self.host.printed.take()
    }

    pub fn check(self, expect: Expect) {
        expect.assert_eq(&self.run());
    }
}

/// As the host hands it over.
fn handed_over(events: Vec<Event>) -> (Vec<u8>, Vec<Event>) {
    let (mut batch, mut listed) = (Vec::new(), Vec::new());
    for event in events {
        match short(&event).and_then(|entry| entry.pieces()) {
            Some((head, pieces)) => batch.extend([&head[..], &pieces.concat()].concat()),
            None => {
                batch.extend(batch::LISTED);
                listed.push(event);
            }
        }
    }
    (batch, listed)
}

fn short(event: &Event) -> Option<Entry<'_>> {
    Some(match event {
        Event::Message(Message { sender, topic, payload }) => {
            Entry::new(Kind::Message, 0, sender.as_deref().unwrap_or_default(), topic, payload)
        }
        Event::Call(Call { id, method, arguments }) => Entry::new(Kind::Call, *id, "", method, arguments),
        Event::Reply(Reply { request, outcome: Outcome::Completed(result) }) => {
            Entry::new(Kind::Reply, *request, "", "", result)
        }
        Event::Exit(Ended { sender, at, outcome: Outcome::Completed(result) }) => {
            Entry::new(Kind::Exit, at.to_bits(), sender, "", result)
        }
        Event::LinkDown(Ended { sender, at, outcome: Outcome::Completed(result) }) => {
            Entry::new(Kind::LinkDown, at.to_bits(), sender, "", result)
        }
        _ => return None,
    })
}

/// Runs the body of a `main`.
pub fn check(body: &str, expect: Expect) {
    Case::body(body).check(expect);
}
