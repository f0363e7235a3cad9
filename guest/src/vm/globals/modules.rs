//! What a compiled chunk does with modules: which fields it reads and sets, which it requires, and what the table that it returns
//! holds.
//!
//! Owns how a module is followed through the instructions: from where it comes (a global, a field, `require` of a text) to what
//! takes a field of it, at once or by a local variable that never changes, in functions inside as well. Errs towards silence:
//! what goes where it isn't followed may be changed there, and counts as changed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Function, GETTABUP, GETUPVAL, Instruction, LOADK, SETFIELD, SETTABUP, SETUPVAL};

/// Fields and modules told of one chunk.
const MOST: usize = lunarium_contract::length::GLOBAL_READS;

/// What a chunk does with modules. A module has its dotted name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Line, module and field of each read.
    pub reads: BTreeSet<(u32, Vec<u8>, Vec<u8>)>,
    /// Fields that it sets, each with a line.
    pub assigned: BTreeMap<(Vec<u8>, Vec<u8>), u32>,
    /// Modules of which any field may be set.
    pub escaped: BTreeSet<Vec<u8>>,
    /// Line and name of what it requires by a text.
    pub required: BTreeSet<(u32, Vec<u8>)>,
    /// The fields of the table that it returns, each with its line. Empty when they aren't known.
    pub returned: BTreeMap<Vec<u8>, u32>,
    /// It returns something, or may.
    pub gives: bool,
    /// It has a local function `main` that it never uses.
    pub has_idle_main: bool,
    /// Calls of what starts something by texts.
    pub calls: Vec<Call>,
}

/// A call of what starts something by texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// `process.spawn`.
    pub function: Vec<u8>,
    pub line: u32,
    /// Arguments that are texts, with their places from one.
    pub texts: Vec<(u32, Vec<u8>)>,
    /// Nothing takes what it gives.
    pub dropped: bool,
}

/// What is started, or named, by texts: of these the first two arguments are told.
const STARTERS: [&[u8]; 7] = [
    b"process.spawn",
    b"process.spawn_monitored",
    b"process.spawn_linked",
    b"process.spawn_linked_monitored",
    b"process.exec",
    b"security.named_scope",
    b"security.policy",
];

/// What an upvalue is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Held {
    Globals,
    Module(Vec<u8>),
    Other,
}

// ---- The instructions: lopcodes.h

const MOVE: u32 = 0;
const LOADNIL: u32 = 8;
const GETFIELD: u32 = 14;
const SETTABLE: u32 = 16;
const SETI: u32 = 17;
const NEWTABLE: u32 = 19;
const SELF: u32 = 20;
const JMP: u32 = 56;
const EQ: u32 = 57;
const EQK: u32 = 60;
const TEST: u32 = 66;
const TESTSET: u32 = 67;
const CALL: u32 = 68;
const TAILCALL: u32 = 69;
const RETURN: u32 = 70;
const RETURN1: u32 = 72;
const FORPREP: u32 = 74;
const TFORPREP: u32 = 75;
const TFORCALL: u32 = 76;
const SETLIST: u32 = 78;
const CLOSURE: u32 = 79;

impl Instruction {
    fn k(self) -> bool {
        self.0 >> 15 & 1 != 0
    }

    /// How far a jump goes from the instruction behind it.
    fn jump(self) -> i64 {
        i64::from(self.0 >> 7) - ((1 << 24) - 1)
    }

    /// Writes to this register.
    fn writes(self, register: usize) -> bool {
        let (operation, a) = (self.operation(), self.a());
        match operation {
            LOADNIL => (a..=a + self.b()).contains(&register),
            SELF => register == a || register == a + 1,
            // The registers of calls and loops lie above those that are in use.
            CALL | TAILCALL | FORPREP | TFORPREP | TFORCALL => a <= register,
            0..=9 | 11..=14 | 19 | 21..=45 | 49..=53 | TESTSET | 73 | 77 | CLOSURE..=81 => a == register,
            _ => false,
        }
    }

    /// Hands what is in this register to something that isn't followed, or sets a field of it that isn't known.
    fn takes(self, register: usize) -> bool {
        let (operation, a, b, c) = (self.operation(), self.a(), self.b(), self.c());
        match operation {
            MOVE | TESTSET => b == register,
            SETUPVAL => a == register,
            SETTABLE | SETI => a == register || c == register && !self.k(),
            SETTABUP | SETFIELD => c == register && !self.k(),
            CALL | TAILCALL => a < register && (b == 0 || register < a + b),
            RETURN => a <= register && (b == 0 || register + 1 < a + b),
            RETURN1 => a == register,
            SETLIST => a < register && (b == 0 || register <= a + b),
            _ => false,
        }
    }

    /// Looks at what is in this register, and no more.
    fn tests(self, register: usize) -> bool {
        match self.operation() {
            TEST | EQK => self.a() == register,
            EQ => self.a() == register || self.b() == register,
            _ => false,
        }
    }
}

/// A function, with where jumps in it lead, in order.
#[derive(Clone, Copy)]
struct Body<'b, 'd> {
    function: &'b Function<'d>,
    targets: &'b [usize],
}

/// Local variables that hold a module as long as they live: by register and where each begins, where it ends.
type Locals = BTreeMap<(usize, usize), (usize, Vec<u8>)>;

/// Follows modules through a chunk. `tables` are the names, dotted ones too, that lead to tables in every process.
pub(super) struct Follower<'t> {
    pub(super) tables: &'t BTreeSet<Vec<u8>>,
    pub(super) found: Uses,
}

impl Follower<'_> {
    pub(super) fn visit(&mut self, function: &Function<'_>, upvalues: &[Held]) {
        let (mut locals, targets) = (Locals::new(), function.targets());
        let body = Body { function, targets: &targets };
        let held = |upvalue: usize| upvalues.get(upvalue).unwrap_or(&Held::Other);
        for at in 0..function.code.len() {
            let Some(instruction) = function.instruction(at) else { return };
            match (instruction.operation(), held(instruction.b())) {
                (GETTABUP, Held::Globals) => {
                    let name = function.string(instruction.c()).unwrap_or_default();
                    if name == b"require" {
                        self.require(body, at, instruction.a(), &mut locals);
                    } else if self.tables.contains(name) {
                        self.follow(body, at, instruction.a(), name, &mut locals);
                    }
                }
                (GETTABUP, Held::Module(module)) => {
                    self.read(body, at, instruction, module, &mut locals);
                }
                (GETUPVAL, Held::Module(module)) => {
                    self.follow(body, at, instruction.a(), module, &mut locals);
                }
                _ => {}
            }
            if let (SETTABUP, Held::Module(module)) = (instruction.operation(), held(instruction.a())) {
                self.assign(function, at, instruction, module);
            }
        }
        self.visit_inner(function, upvalues, &locals);
    }

    fn visit_inner(&mut self, function: &Function<'_>, upvalues: &[Held], locals: &Locals) {
        for at in 0..function.code.len() {
            let Some(instruction) = function.instruction(at).filter(|it| it.operation() == CLOSURE) else { continue };
            let Some(inner) = function.functions.get(instruction.bx()) else { return };
            let held = |(in_stack, index): &(bool, usize)| {
                if !in_stack {
                    return upvalues.get(*index).cloned().unwrap_or(Held::Other);
                }
                // The last one that began in this register.
                let local = locals.range((*index, 0)..=(*index, at)).next_back();
                let lives = local.filter(|(_, (end, _))| at < *end);
                lives.map_or(Held::Other, |(_, (_, module))| Held::Module(module.clone()))
            };
            let held: Vec<Held> = inner.upvalues.iter().map(held).collect();
            self.visit(inner, &held);
        }
    }

    /// `require` of a text, and what becomes of the module.
    fn require(&mut self, body: Body<'_, '_>, at: usize, register: usize, locals: &mut Locals) {
        let function = body.function;
        let (Some(name), Some(call)) = (function.instruction(at + 1), function.instruction(at + 2)) else { return };
        let is_text = name.operation() == LOADK && name.a() == register + 1;
        let is_call = matches!(call.operation(), CALL | TAILCALL) && call.a() == register && call.b() == 2;
        let Some(name) = function.string(name.bx()).filter(|_| is_text && is_call) else { return };
        if self.found.required.len() < MOST {
            self.found.required.insert((function.line(at), name.to_vec()));
        }
        // One result; several go somewhere else.
        if call.operation() == CALL && call.c() == 2 {
            self.follow(body, at + 2, register, name, locals);
        } else {
            self.escape(name);
        }
    }

    /// What becomes of a module that an instruction has put into a register.
    fn follow(&mut self, body: Body<'_, '_>, at: usize, register: usize, module: &[u8], locals: &mut Locals) {
        for next in at + 1..body.function.code.len() {
            if let Some(end) = body.function.local(register, next) {
                return self.follow_local(body, at, (register, next, end), module, locals);
            }
            let Some(instruction) = body.function.instruction(next) else { return };
            let is_over = self.step(body, next, instruction, register, module, locals);
            if is_over || instruction.tests(register) || instruction.writes(register) {
                return;
            }
        }
    }

    /// The same, when the register is that of a local variable which begins now.
    fn follow_local(
        &mut self,
        body: Body<'_, '_>,
        at: usize,
        (register, start, end): (usize, usize, usize),
        module: &[u8],
        locals: &mut Locals,
    ) {
        // It may be one of several values: `mine or time`.
        if body.jumps_into(at, start) || body.function.changes(register, start, end) {
            return self.escape(module);
        }
        for next in start..end {
            let Some(instruction) = body.function.instruction(next) else { return };
            self.step(body, next, instruction, register, module, locals);
        }
        locals.insert((register, start), (end, module.to_vec()));
    }

    /// Whether the instruction uses what is in the register.
    fn step(
        &mut self,
        body: Body<'_, '_>,
        at: usize,
        instruction: Instruction,
        register: usize,
        module: &[u8],
        locals: &mut Locals,
    ) -> bool {
        match instruction.operation() {
            GETFIELD if instruction.b() == register => {
                self.read(body, at, instruction, module, locals);
            }
            SELF if instruction.b() == register && instruction.k() => {
                self.read(body, at, instruction, module, locals);
            }
            SETFIELD if instruction.a() == register => self.assign(body.function, at, instruction, module),
            _ if instruction.takes(register) => self.escape(module),
            _ => return false,
        }
        true
    }

    fn read(&mut self, body: Body<'_, '_>, at: usize, instruction: Instruction, module: &[u8], locals: &mut Locals) {
        let function = body.function;
        let Some(field) = function.string(instruction.c()) else { return };
        // Who asks whether it is there knows that it may not be.
        let is_asked = function.instruction(at + 1).is_some_and(|next| match next.operation() {
            TEST | EQK => next.a() == instruction.a(),
            TESTSET => next.b() == instruction.a(),
            _ => false,
        });
        if is_asked {
            self.found.assigned.entry((module.to_vec(), field.to_vec())).or_insert(function.line(at));
        } else if self.found.reads.len() < MOST {
            self.found.reads.insert((function.line(at), module.to_vec(), field.to_vec()));
        }
        let path = [module, b".", field].concat();
        if instruction.operation() != SELF && STARTERS.contains(&&path[..]) && self.found.calls.len() < MOST {
            self.found.calls.extend(function.call_of(path.clone(), at, instruction.a()));
        }
        if instruction.operation() != SELF && self.tables.contains(&path) {
            self.follow(body, at, instruction.a(), &path, locals);
        }
    }

    fn assign(&mut self, function: &Function<'_>, at: usize, instruction: Instruction, module: &[u8]) {
        let field = function.string(instruction.b());
        match field.filter(|_| self.found.assigned.len() < MOST) {
            Some(field) => {
                let line = function.line(at);
                self.found.assigned.entry((module.to_vec(), field.to_vec())).or_insert(line);
            }
            None => self.escape(module),
        }
    }

    fn escape(&mut self, module: &[u8]) {
        self.found.escaped.insert(module.to_vec());
    }
}

impl Body<'_, '_> {
    /// Whether something jumps behind `at`, up to `end`.
    fn jumps_into(&self, at: usize, end: usize) -> bool {
        let target = self.targets.get(self.targets.partition_point(|target| *target <= at));
        target.is_some_and(|target| *target <= end)
    }
}

impl Function<'_> {
    /// The local variable in this register that begins here: where it ends.
    fn local(&self, register: usize, start: usize) -> Option<usize> {
        let first = self.locals.partition_point(|local| local.start < start);
        let here = self.locals.iter().skip(first).take_while(|local| local.start == start);
        here.filter(|local| local.register == register).map(|local| local.end).next()
    }

    /// The call of the function that an instruction has put into a register.
    fn call_of(&self, function: Vec<u8>, at: usize, register: usize) -> Option<Call> {
        let mut texts: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for next in at + 1..self.code.len() {
            let instruction = self.instruction(next)?;
            if matches!(instruction.operation(), CALL | TAILCALL) && instruction.a() == register {
                let dropped = instruction.operation() == CALL && instruction.c() == 1;
                return Some(Call { function, line: self.line(next), texts: texts.into_iter().collect(), dropped });
            }
            if instruction.writes(register) {
                return None;
            }
            for place in 1..=2_u32 {
                let argument = register + place as usize;
                if instruction.operation() == LOADK && instruction.a() == argument {
                    if let Some(text) = self.string(instruction.bx()) {
                        texts.insert(place, text.to_vec());
                    }
                } else if instruction.writes(argument) {
                    texts.remove(&place);
                }
            }
        }
        None
    }

    /// Whether a chunk returns something, here or there.
    pub(super) fn gives(&self) -> bool {
        (0..self.code.len()).filter_map(|at| self.instruction(at)).any(|instruction| match instruction.operation() {
            RETURN => instruction.b() != 1,
            RETURN1 | TAILCALL => true,
            _ => false,
        })
    }

    /// Whether it has a local `main` that nothing uses.
    pub(super) fn has_idle_main(&self) -> bool {
        let mut mains = self.locals.iter().filter(|local| local.is_main);
        mains.any(|local| {
            !(local.start..local.end).any(|at| {
                let Some(instruction) = self.instruction(at) else { return true };
                let inner = self.functions.get(instruction.bx()).filter(|_| instruction.operation() == CLOSURE);
                let captured = inner.is_some_and(|inner| inner.upvalues.contains(&(true, local.register)));
                captured || instruction.takes(local.register) || instruction.tests(local.register)
            })
        })
    }

    /// Where jumps lead, in order.
    fn targets(&self) -> Vec<usize> {
        let jumps = self.code.iter().zip(1_i64..).filter(|(code, _)| Instruction(**code).operation() == JMP);
        let targets = jumps.filter_map(|(code, next)| usize::try_from(next + Instruction(*code).jump()).ok());
        let mut targets: Vec<usize> = targets.collect();
        targets.sort_unstable();
        targets
    }

    /// Whether a local variable is given another value, here or in a function inside.
    fn changes(&self, register: usize, start: usize, end: usize) -> bool {
        (start..end).any(|at| {
            let Some(instruction) = self.instruction(at) else { return false };
            let inner = self.functions.get(instruction.bx()).filter(|_| instruction.operation() == CLOSURE);
            instruction.writes(register) || inner.is_some_and(|inner| inner.changes_upvalue((true, register)))
        })
    }

    fn changes_upvalue(&self, outer: (bool, usize)) -> bool {
        self.upvalues.iter().enumerate().filter(|(_, upvalue)| **upvalue == outer).any(|(number, _)| {
            let sets = |code: &u32| {
                let instruction = Instruction(*code);
                instruction.operation() == SETUPVAL && instruction.b() == number
            };
            self.code.iter().any(sets) || self.functions.iter().any(|inner| inner.changes_upvalue((false, number)))
        })
    }

    /// The fields of the table that a chunk returns; none when they aren't known.
    pub(super) fn returned(&self) -> BTreeMap<Vec<u8>, u32> {
        let mut all = BTreeMap::new();
        for at in 0..self.code.len() {
            let Some(instruction) = self.instruction(at) else { return all };
            let is_one = match instruction.operation() {
                RETURN => instruction.b() == 2,
                RETURN1 => true,
                TAILCALL => return BTreeMap::new(),
                _ => continue,
            };
            // What ends every chunk returns nothing.
            if !is_one && instruction.b() == 1 {
                continue;
            }
            match self.table(instruction.a(), at).filter(|_| is_one) {
                Some(fields) => all.extend(fields),
                None => return BTreeMap::new(),
            }
        }
        all
    }

    /// The fields of the table that is in this register where it is returned.
    fn table(&self, register: usize, end: usize) -> Option<BTreeMap<Vec<u8>, u32>> {
        let start = (0..end).rev().find(|at| self.instruction(*at).is_some_and(|it| it.writes(register)))?;
        if self.instruction(start)?.operation() != NEWTABLE {
            return None;
        }
        let mut fields = BTreeMap::new();
        for at in start + 1..end {
            let instruction = self.instruction(at)?;
            let captured = self.functions.get(instruction.bx()).filter(|_| instruction.operation() == CLOSURE);
            let is_captured = captured.is_some_and(|inner| inner.upvalues.contains(&(true, register)));
            if instruction.takes(register) || is_captured && captured.is_some_and(|inner| inner.sets_field_of(register))
            {
                return None;
            }
            if instruction.operation() == SETFIELD && instruction.a() == register {
                fields.insert(self.string(instruction.b())?.to_vec(), self.line(at));
            }
        }
        Some(fields)
    }

    /// Whether it may set fields of the table that an upvalue of it is.
    fn sets_field_of(&self, register: usize) -> bool {
        let number = self.upvalues.iter().position(|upvalue| *upvalue == (true, register));
        // As a value it may go anywhere; inside of another function it isn't looked for.
        let uses = |code: &u32| {
            let instruction = Instruction(*code);
            match instruction.operation() {
                SETTABUP => Some(instruction.a()) == number,
                GETUPVAL | SETUPVAL => Some(instruction.b()) == number,
                _ => false,
            }
        };
        let inner = |inner: &Function<'_>| inner.upvalues.iter().any(|upvalue| number == Some(upvalue.1) && !upvalue.0);
        self.code.iter().any(uses) || self.functions.iter().any(inner)
    }
}
