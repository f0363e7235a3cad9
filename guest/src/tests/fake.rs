//! The host of the tests: one process, whose own messages come back to it; a clock that the test moves.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use lunarium_contract::short;

use super::{PEER, PID, heap, show};
use crate::host::{
    ActorParam, ActorResult, Answer, Call, Decision, Ended, ErrorKind, Event, ExecRequest, Failure, FirstMessage, Held,
    HeldLimits, Host, Level, Listing, Message, Options, Outcome, Refusal, Reply, Sent, Short, SpawnRequest, Unread,
    refusal,
};

#[derive(Clone)]
pub struct State {
    pub now: Cell<u64>,
    pub printed: RefCell<String>,
    pub events: RefCell<VecDeque<Event>>,
    pub names: RefCell<BTreeMap<String, String>>,
    pub trap_links: Cell<bool>,
    /// How many lines the output takes before it is full; a full one is empty again at the next resume.
    pub output: Cell<usize>,
    /// Shown instead of delivered.
    pub log_sends: Cell<bool>,
    /// A budget is reached: listening is refused.
    pub full: Cell<bool>,
    /// The process's actor and scope; policies and groups the fake host knows are `app:…`.
    pub security: RefCell<Option<(ActorResult, Vec<String>)>>,
    /// How a spawned child ends at once, told by an EXIT.
    pub child: RefCell<Option<Outcome>>,
    /// How executed children end at once, first come first served; one more never ends.
    pub callees: RefCell<VecDeque<Outcome>>,
    /// What functions that answer at once do, first come first served; then they give their arguments.
    pub answers: RefCell<VecDeque<Result<Answer, Refusal>>>,
    pub files: RefCell<BTreeMap<String, String>>,
    /// Requests so far.
    pub requests: Cell<u64>,
    /// Whether the process is in the group that the peer is in, how often that has changed, and who waits for it.
    pub group: Cell<bool>,
    pub group_version: Cell<u64>,
    pub watching: Cell<Option<u64>>,
}

/// Where the monotonic clock stands at the start.
const START: u64 = 1_000_000_000;

impl Default for State {
    fn default() -> Self {
        Self {
            now: Cell::new(START),
            printed: RefCell::default(),
            events: RefCell::default(),
            names: RefCell::default(),
            trap_links: Cell::new(false),
            output: Cell::new(usize::MAX),
            log_sends: Cell::new(false),
            full: Cell::default(),
            security: RefCell::default(),
            child: RefCell::default(),
            callees: RefCell::default(),
            answers: RefCell::default(),
            files: RefCell::default(),
            requests: Cell::new(0),
            group: Cell::new(false),
            group_version: Cell::new(1),
            watching: Cell::new(None),
        }
    }
}

impl State {
    pub fn line(&self, line: &str) {
        let mut printed = self.printed.borrow_mut();
        printed.push_str(line);
        printed.push('\n');
    }

    /// Pid of a live process.
    fn resolve(&self, destination: &str) -> Result<String, Refusal> {
        let names = self.names.borrow();
        let pid = if destination.starts_with('{') { destination } else { names.get(destination).map_or("", |pid| pid) };
        if pid == PID || pid == PEER {
            return Ok(pid.to_owned());
        }
        Err(refusal(ErrorKind::NotFound, format!("process `{destination}` not found")))
    }

    /// Starts an operation on files and answers it at once, by an event. Like the real host it refuses the ninth.
    fn operate(&self, what: &str, answer: Result<String, Refusal>) -> Result<u64, Refusal> {
        let mut events = self.events.borrow_mut();
        let under_way = events.iter().filter(|event| matches!(event, Event::Reply(_))).count();
        self.line(&format!("-- {what} (beside {under_way})"));
        if under_way >= 8 {
            return Err(refusal(ErrorKind::ResourceExhausted, "too many".to_owned()));
        }
        let request = self.requests.get() + 1;
        self.requests.set(request);
        let outcome = match answer {
            Ok(text) => Outcome::Completed([&[0xd9, text.len() as u8], text.as_bytes()].concat()),
            Err(Refusal { kind, message, retryable, .. }) => {
                Outcome::Failed(Failure { kind, message, retryable: Some(retryable), details: None, stack: None })
            }
        };
        events.push_back(Event::Reply(Reply { request, outcome }));
        Ok(request)
    }

    /// The group isn't as it was.
    fn change_group(&self) {
        self.group_version.set(self.group_version.get() + 1);
        self.answer_watch();
    }

    fn answer_watch(&self) {
        if let Some(request) = self.watching.take() {
            let outcome = Outcome::Completed(b"\xc3".to_vec());
            self.events.borrow_mut().push_back(Event::Reply(Reply { request, outcome }));
        }
    }

    fn act(&self, what: &str, destination: &str) -> Result<(), Refusal> {
        let pid = self.resolve(destination)?;
        self.line(&format!("-- {what} {pid}"));
        Ok(())
    }
}

pub struct Fake(pub Rc<State>);

impl Host for Fake {
    fn send(&self, destination: &str, topic: &str, payload: &[u8], unread: Unread) -> Result<(), Refusal> {
        let pid = self.0.resolve(destination)?;
        if self.0.log_sends.get() {
            self.0.line(&format!(
                "-- send {topic} {} (unread {}, {})",
                show::payload(payload),
                unread.messages,
                unread.bytes
            ));
        } else if pid == PID {
            self.0.events.borrow_mut().push_back(Event::Message(Message {
                sender: Some(PID.to_owned()),
                topic: topic.to_owned(),
                payload: payload.to_vec(),
            }));
        }
        Ok(())
    }

    // Hands over everything.
    fn listen(&self, _: &str) -> Result<(), Refusal> {
        if !self.0.full.get() {
            return Ok(());
        }
        let full = refusal(ErrorKind::ResourceExhausted, "the host is full".to_owned());
        Err(Refusal { limit: Some("host.memory".to_owned()), ..full })
    }

    fn unlisten(&self, _: &str) {}

    fn listen_to_all(&self) {}

    fn spawn(&self, request: SpawnRequest<'_>) -> Result<String, Refusal> {
        let SpawnRequest { entry, host, arguments, monitored, linked, context, actor, scope, name, messages } = request;
        if entry == "app:nobody" {
            return Err(refusal(ErrorKind::NotFound, format!("entry `{entry}` not found")));
        }
        self.0.line(&format!("-- spawn {entry} {host} {} {monitored} {linked}", show::payload(arguments)));
        if let Some(context) = context {
            self.0.line(&format!("-- named {name:?} with {}", show::payload(context)));
        }
        if actor.is_some() || scope.is_some() {
            let actor = actor.as_ref().map(|ActorParam { id, meta }| (id, meta.as_deref().map(show::payload)));
            self.0.line(&format!("-- as {actor:?} with {scope:?}"));
        }
        for FirstMessage { topic, payload } in messages {
            self.0.line(&format!("-- first {topic} {}", show::payload(payload)));
        }
        if let Some(outcome) = self.0.child.borrow_mut().take() {
            let ended = Ended { sender: PEER.to_owned(), at: 12.5, outcome };
            let event = if linked { Event::LinkDown(ended) } else { Event::Exit(ended) };
            self.0.events.borrow_mut().push_back(event);
        }
        Ok(PEER.to_owned())
    }

    fn exec(&self, request: ExecRequest<'_>) -> Result<u64, Refusal> {
        let ExecRequest { entry, host, arguments, context, actor, scope } = request;
        if entry == "app:nobody" {
            return Err(refusal(ErrorKind::NotFound, format!("entry `{entry}` not found")));
        }
        self.0.line(&format!("-- exec {entry} {host} {}", show::payload(arguments)));
        if context.is_some() || actor.is_some() || scope.is_some() {
            let actor = actor.as_ref().map(|actor| actor.id);
            self.0.line(&format!("-- with {:?} as {actor:?} with {scope:?}", context.map(show::payload)));
        }
        let request = self.0.requests.get() + 1;
        self.0.requests.set(request);
        if let Some(outcome) = self.0.callees.borrow_mut().pop_front() {
            self.0.events.borrow_mut().push_back(Event::Reply(Reply { request, outcome }));
        }
        Ok(request)
    }

    /// One's own functions are called by an event; a peer has none.
    fn call(&self, destination: &str, method: &str, arguments: &[u8], timeout: Option<u64>) -> Result<u64, Refusal> {
        let pid = self.0.resolve(destination)?;
        self.0.line(&format!("-- call {pid} {method} {} {timeout:?}", show::payload(arguments)));
        let request = self.0.requests.get() + 1;
        self.0.requests.set(request);
        let event = if pid == PID {
            // The answer is the reply: one number for both.
            Event::Call(Call { id: request, method: method.to_owned(), arguments: arguments.to_vec() })
        } else {
            let (kind, message) = (ErrorKind::Canceled, "gone".to_owned());
            let outcome =
                Outcome::Failed(Failure { kind, message, retryable: Some(false), details: None, stack: None });
            Event::Reply(Reply { request, outcome })
        };
        self.0.events.borrow_mut().push_back(event);
        Ok(request)
    }

    fn answer(&self, call: u64, payload: &[u8]) {
        self.0.line(&format!("-- answer {}", show::payload(payload)));
        let outcome = Outcome::Completed(payload.to_vec());
        self.0.events.borrow_mut().push_back(Event::Reply(Reply { request: call, outcome }));
    }

    fn upgrade(&self, entry: Option<&str>, arguments: &[u8]) -> Result<(), Refusal> {
        if entry == Some("app:nobody") {
            return Err(refusal(ErrorKind::NotFound, "entry `app:nobody` not found".to_owned()));
        }
        heap::let_lua_allocate(None);
        self.0.line(&format!("-- upgrade {} {}", entry.unwrap_or("itself"), show::payload(arguments)));
        Ok(())
    }

    fn terminate(&self, destination: &str) -> Result<(), Refusal> {
        self.0.act("terminate", destination)
    }

    fn cancel(&self, destination: &str, deadline: Option<u64>) -> Result<(), Refusal> {
        self.0.act(&format!("cancel {deadline:?}"), destination)
    }

    fn limits(&self) -> HeldLimits {
        let held = |used| Held { used, limit: 10 * used };
        HeldLimits {
            cpu: held(1_000_000),
            cpu_total: held(2_000_000),
            lifetime: Held { used: 3_000_000, limit: i64::MAX as u64 },
            mailbox_messages: held(4),
            mailbox_bytes: held(5),
            links: held(6),
            monitors: held(7),
            names: held(8),
            groups: held(10),
            log_lines: held(9),
        }
    }

    fn options(&self) -> Options {
        Options { trap_links: self.0.trap_links.get() }
    }

    fn set_options(&self, options: Options) {
        self.0.trap_links.set(options.trap_links);
    }

    fn link(&self, destination: &str) -> Result<(), Refusal> {
        self.0.act("link", destination)
    }

    fn unlink(&self, destination: &str) -> Result<(), Refusal> {
        self.0.act("unlink", destination)
    }

    fn monitor(&self, destination: &str) -> Result<(), Refusal> {
        // Says after how many more blocks Lua's memory is at its end, for a while.
        if let Some(blocks) = destination.strip_prefix("memory:") {
            heap::let_lua_allocate(blocks.parse().ok());
            return Ok(());
        }
        self.0.act("monitor", destination)
    }

    fn unmonitor(&self, destination: &str) -> Result<(), Refusal> {
        if destination == "memory:" {
            return match heap::let_lua_allocate(None) {
                true => Ok(()),
                false => Err(refusal(ErrorKind::Unknown, "it was enough".to_owned())),
            };
        }
        self.0.act("unmonitor", destination)
    }

    fn register(&self, name: &str, process: Option<&str>) -> Result<(), Refusal> {
        let pid = process.unwrap_or(PID);
        let mut names = self.0.names.borrow_mut();
        match names.get(name) {
            Some(holder) if holder != pid => {
                Err(refusal(ErrorKind::AlreadyExists, format!("name `{name}` is already held by {holder}")))
            }
            _ => {
                names.insert(name.to_owned(), pid.to_owned());
                Ok(())
            }
        }
    }

    fn lookup(&self, name: &str) -> Result<String, Refusal> {
        let names = self.0.names.borrow();
        names.get(name).cloned().ok_or_else(|| refusal(ErrorKind::NotFound, format!("name `{name}` is not registered")))
    }

    fn unregister(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.0.names.borrow_mut().remove(name).is_some())
    }

    fn join_group(&self, group: &str) -> Result<(), Refusal> {
        if group == "full" {
            let full = refusal(ErrorKind::ResourceExhausted, "group `full` is full".to_owned());
            return Err(Refusal { limit: Some("group.members".to_owned()), ..full });
        }
        if !self.0.group.replace(true) {
            self.0.change_group();
        }
        Ok(())
    }

    fn leave_group(&self, _: &str) -> Result<bool, Refusal> {
        let was_in_it = self.0.group.replace(false);
        if was_in_it {
            self.0.change_group();
        }
        Ok(was_in_it)
    }

    fn members(&self, _: &str, after: Option<&str>) -> Result<Listing, Refusal> {
        let all = if self.0.group.get() { vec![PID.to_owned(), PEER.to_owned()] } else { vec![PEER.to_owned()] };
        let pids = if after.is_some() { Vec::new() } else { all };
        Ok(Listing { pids, version: self.0.group_version.get() })
    }

    fn send_to_group(
        &self,
        group: &str,
        topic: &str,
        payload: &[u8],
        _: Unread,
        after: Option<&str>,
    ) -> Result<Sent, Refusal> {
        self.0.line(&format!("-- to {group} after {after:?}: {topic} {}", show::payload(payload)));
        let last = after.is_none().then(|| PEER.to_owned());
        Ok(Sent { accepted: 2, last })
    }

    fn watch_group(&self, _: &str, version: u64) -> Result<u64, Refusal> {
        let request = self.0.requests.get() + 1;
        self.0.requests.set(request);
        self.0.watching.set(Some(request));
        if version != self.0.group_version.get() {
            self.0.answer_watch();
        }
        Ok(request)
    }

    fn unwatch_group(&self, _: &str) -> Result<(), Refusal> {
        self.0.answer_watch();
        Ok(())
    }

    fn own_actor(&self) -> Option<ActorResult> {
        self.0.security.borrow().as_ref().map(|(actor, _)| actor.clone())
    }

    fn own_scope(&self) -> Option<Vec<String>> {
        self.0.security.borrow().as_ref().map(|(_, policies)| policies.clone())
    }

    fn can(&self, action: &str, resource: &str, attributes: Option<&[u8]>) -> Result<bool, Refusal> {
        let attributes = attributes.map(show::payload).unwrap_or_default();
        self.0.line(&format!("-- can {action} {resource} {attributes}"));
        Ok(action == "may")
    }

    fn authorize(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        let message = format!("permission `{action}` on `{resource}` is missing");
        if action == "may" || action.starts_with("process.") {
            Ok(())
        } else {
            Err(refusal(ErrorKind::PermissionDenied, message))
        }
    }

    fn evaluate(
        &self,
        policies: &[&str],
        actor: Option<ActorParam<'_>>,
        action: &str,
        resource: &str,
        attributes: Option<&[u8]>,
    ) -> Result<Decision, Refusal> {
        let actor = actor.map(|ActorParam { id, meta }| (id, meta.map(show::payload)));
        let attributes = attributes.map(show::payload);
        self.0.line(&format!("-- evaluate {policies:?} {actor:?} {action} {resource} {attributes:?}"));
        if policies.contains(&"app:unknown") {
            return Err(refusal(ErrorKind::NotFound, "policy `app:unknown` not found".to_owned()));
        }
        Ok(match (policies, action) {
            ([], _) => Decision::Undefined,
            (_, "may") => Decision::Allow,
            _ => Decision::Deny,
        })
    }

    fn policy(&self, id: &str) -> Result<(), Refusal> {
        match id.starts_with("app:") {
            true => Ok(()),
            false => Err(refusal(ErrorKind::NotFound, format!("policy `{id}` not found"))),
        }
    }

    fn group(&self, name: &str) -> Result<Vec<String>, Refusal> {
        match name.strip_prefix("app:") {
            Some(group) => Ok(vec![format!("app:{group}_1"), format!("app:{group}_2")]),
            None => Err(refusal(ErrorKind::NotFound, format!("policy group `{name}` not found"))),
        }
    }

    fn variable(&self, name: &str) -> Result<String, Refusal> {
        if name == "HOME" {
            return Ok("/home/ada".to_owned());
        }
        Err(refusal(ErrorKind::NotFound, format!("variable `{name}` not found")))
    }

    fn variables(&self) -> Vec<(String, String)> {
        [("HOME", "/home/ada"), ("LANG", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn read_file(&self, path: &str, offset: u64, length: Option<u32>) -> Result<u64, Refusal> {
        let contents = self.0.files.borrow().get(path).cloned();
        let answer = contents.ok_or_else(|| refusal(ErrorKind::NotFound, format!("no `{path}`")));
        self.0.operate(&format!("read {path} {offset} {length:?}"), answer)
    }

    fn write_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        let contents = String::from_utf8_lossy(contents).into_owned();
        self.0.files.borrow_mut().insert(path.to_owned(), contents);
        self.0.operate(&format!("write {path}"), Ok("done".to_owned()))
    }

    fn append_file(&self, path: &str, contents: &[u8]) -> Result<u64, Refusal> {
        self.0.operate(&format!("append {path} {}", contents.len()), Ok("done".to_owned()))
    }

    fn list_files(&self, path: &str) -> Result<u64, Refusal> {
        self.0.operate(&format!("list {path}"), Ok("done".to_owned()))
    }

    fn stat_file(&self, path: &str) -> Result<u64, Refusal> {
        self.0.operate(&format!("stat {path}"), Ok("done".to_owned()))
    }

    fn remove_file(&self, path: &str) -> Result<u64, Refusal> {
        Err(refusal(ErrorKind::PermissionDenied, format!("fs.write on `{path}` is not granted")))
    }

    fn make_directory(&self, path: &str) -> Result<u64, Refusal> {
        self.0.operate(&format!("mkdir {path}"), Ok("done".to_owned()))
    }

    fn rename_file(&self, path: &str, to: &str) -> Result<u64, Refusal> {
        self.0.operate(&format!("rename {path} {to}"), Ok("done".to_owned()))
    }

    fn find_functions(&self, module: &str, function: Option<&str>) -> Result<Vec<u8>, Refusal> {
        let absent = |what: &str| Err(refusal(ErrorKind::NotFound, format!("{what} not found")));
        match (module, function) {
            ("billing", None) => Ok(b"\x82\xa3vat\x92\x00\xc2\xa6charge\x92\x01\xc3".to_vec()),
            ("billing", Some("refund")) => Ok(b"\x81\xa6refund\x92\x02\xc2".to_vec()),
            ("billing", Some(name)) => absent(&format!("function '{name}'")),
            _ => absent(&format!("module '{module}'")),
        }
    }

    fn call_function(&self, function: u32, arguments: &[u8]) -> Result<Answer, Refusal> {
        let function = ["vat", "charge", "refund"].get(function as usize).copied().unwrap_or("nothing");
        self.0.line(&format!("-- call billing.{function} {}", show::payload(arguments)));
        if function == "charge" {
            let request = self.0.requests.get() + 1;
            self.0.requests.set(request);
            if let Some(outcome) = self.0.callees.borrow_mut().pop_front() {
                self.0.events.borrow_mut().push_back(Event::Reply(Reply { request, outcome }));
            }
            return Ok(Answer::Later(request));
        }
        self.0.answers.borrow_mut().pop_front().unwrap_or_else(|| Ok(results(arguments)))
    }

    fn print(&self, line: &[u8]) -> bool {
        let left = self.0.output.get();
        if left == 0 {
            // The reader takes everything while the process waits.
            let told = self.0.events.borrow().iter().any(|event| matches!(event, Event::OutputReady));
            if !told {
                self.0.events.borrow_mut().push_back(Event::OutputReady);
            }
            self.0.output.set(2);
            self.0.line("-- full");
            return false;
        }
        self.0.output.set(left - 1);
        self.0.line(&String::from_utf8_lossy(line));
        true
    }

    fn dropped(&self, lines: u32) {
        self.0.line(&format!("-- dropped {lines}"));
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str, bool)]) {
        let shown = |text: &str, is_json| if is_json { text.to_owned() } else { format!("{text:?}") };
        let fields: String = fields.iter().map(|(key, text, json)| format!(" {key}={}", shown(text, *json))).collect();
        self.0.line(&format!("-- {level:?} {message:?}{fields}"));
    }

    fn now(&self) -> u64 {
        self.0.now.get()
    }

    fn wall(&self) -> (i64, u32) {
        // 2026-01-02T03:04:05Z at the start.
        let passed = self.0.now.get() - START;
        (1_767_323_045 + (passed / 1_000_000_000) as i64, (passed % 1_000_000_000) as u32)
    }
}

/// Results as the host answers with them.
fn results(payload: &[u8]) -> Answer {
    match short::to_words(payload) {
        Some(bytes) => Answer::Short(Short { size: payload.len() as u8, bytes }),
        None => Answer::Results(payload.to_vec()),
    }
}
