//! Which globals a compiled chunk uses: read from the binary form that Lua itself dumps, so that what counts as a global is
//! what the compiler made one. Owns the reading of that form; scripts can neither dump nor load it. Reads nothing but dumps of
//! this Lua, and gives up (no uses) on anything else.
//!
//! A global is a field of the chunk's `_ENV`. The compiler writes `GETTABUP`/`SETTABUP` for a short name among the first 256
//! constants; a longer name, or a later constant, is `GETUPVAL`, `LOADK`, `GETTABLE`/`SETTABLE`. A local `_ENV` is another
//! table, and its fields are nobody's globals. A function that takes the table as a value (`_G`, `_ENV`) may define whatever
//! name it holds, so what it could define counts as assigned.

mod modules;

pub use modules::Call;

use std::collections::{BTreeMap, BTreeSet};

use self::modules::{Follower, Held};

/// Reads reported of one chunk. The number: more than anybody corrects at once.
const MOST_READS: usize = lunarium_contract::length::GLOBAL_READS;
/// Names a chunk assigns. Beyond them nothing is told: they are data, and the host takes no more from a call.
const MOST_ASSIGNED: usize = 10_000;

/// What a chunk does with globals.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Name and line of each read; a name once a line.
    pub reads: BTreeSet<(u32, Vec<u8>)>,
    /// Names that it (possibly) assigns, each with a line.
    pub assigned: BTreeMap<Vec<u8>, u32>,
    /// What it does with modules.
    pub modules: modules::Uses,
    /// It has replaced its `_ENV`: nothing can be told.
    lost: bool,
}

/// The uses in a dumped function; `tables` are the names, dotted ones too, that lead to tables in every process. None: it isn't
/// a dump of this Lua.
pub fn uses(dump: &[u8], tables: &BTreeSet<Vec<u8>>) -> Option<Uses> {
    let mut reader = Reader { rest: dump };
    reader.header()?;
    let main = reader.function(0)?;
    let mut found = Uses::default();
    // A chunk has one upvalue, its `_ENV`.
    main.visit(&[true], &mut found);
    if found.lost {
        return Some(Uses::default());
    }
    let mut follower = Follower { tables, found: modules::Uses::default() };
    follower.visit(&main, &[Held::Globals]);
    let (returned, gives) = (main.returned(), main.gives());
    let has_idle_main = main.has_idle_main() || defines_idle_main(&found);
    found.modules = modules::Uses { returned, gives, has_idle_main, ..follower.found };
    Some(found)
}

/// A global `main` that nothing reads.
fn defines_idle_main(found: &Uses) -> bool {
    found.assigned.contains_key(&b"main"[..]) && !found.reads.iter().any(|(_, name)| name == b"main")
}

// ---- The binary form: lundump.c

/// Signature, version 5.4, format 0, and the bytes that a text-mode transfer would have changed.
const HEADER: &[u8] = b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";
/// An integer, a number and the count of upvalues follow.
const HEADER_REST: usize = 8 + 8 + 1;
/// Functions in functions: the parser allows two hundred levels of anything.
const MOST_NESTED: usize = 250;

struct Reader<'d> {
    rest: &'d [u8],
}

/// A function, as far as it matters here.
struct Function<'d> {
    code: Vec<u32>,
    /// Strings; none for other constants.
    constants: Vec<Option<&'d [u8]>>,
    /// In the stack of the function around it, or else among its upvalues; and where there.
    upvalues: Vec<(bool, usize)>,
    functions: Vec<Function<'d>>,
    /// The line of each instruction.
    lines: Vec<u32>,
    /// In the order in which they begin.
    locals: Vec<Local>,
}

/// A local variable: its register, and from which instruction to which it lives.
struct Local {
    register: usize,
    start: usize,
    end: usize,
    /// It is called `main`.
    is_main: bool,
}

/// Of locals from where to where each lives, in order, their registers: how many live when one begins.
fn with_registers(spans: Vec<(bool, usize, usize)>) -> Vec<Local> {
    let mut ends: Vec<usize> = Vec::new();
    let local = |(is_main, start, end)| {
        while ends.last().is_some_and(|end| *end <= start) {
            ends.pop();
        }
        ends.push(end);
        Local { register: ends.len() - 1, start, end, is_main }
    };
    spans.into_iter().map(local).collect()
}

impl<'d> Reader<'d> {
    fn take(&mut self, count: usize) -> Option<&'d [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// Seven bits a byte, the most significant first, the last byte marked.
    fn size(&mut self) -> Option<usize> {
        let mut size: usize = 0;
        loop {
            let byte = self.byte()?;
            size = size.checked_mul(128)? | usize::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                return Some(size);
            }
        }
    }

    /// None inside: there is no string.
    fn string(&mut self) -> Option<Option<&'d [u8]>> {
        match self.size()?.checked_sub(1) {
            Some(length) => self.take(length).map(Some),
            None => Some(None),
        }
    }

    /// A list of things that each take a byte at least.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.size().filter(|count| *count <= self.rest.len())?;
        (0..count).map(|_| item(self)).collect()
    }

    fn header(&mut self) -> Option<()> {
        let is_ours = self.take(HEADER.len())? == HEADER;
        self.take(HEADER_REST)?;
        is_ours.then_some(())
    }

    fn function(&mut self, depth: usize) -> Option<Function<'d>> {
        if depth > MOST_NESTED {
            return None;
        }
        self.string()?;
        let first_line = u32::try_from(self.size()?).ok()?;
        self.size()?;
        // Parameters, whether there are more, size of the stack.
        self.take(3)?;
        let code = self.list(|reader| Some(u32::from_le_bytes(reader.take(4)?.try_into().ok()?)))?;
        let constants = self.list(Self::constant)?;
        let upvalues = self.list(|reader| {
            let upvalue = (reader.byte()? != 0, usize::from(reader.byte()?));
            reader.byte()?;
            Some(upvalue)
        })?;
        let functions = self.list(|reader| reader.function(depth + 1))?;
        let lines = self.lines(first_line)?;
        let locals = self.list(|reader| {
            let name = reader.string()?;
            Some((name == Some(b"main"), reader.size()?, reader.size()?))
        })?;
        let locals = with_registers(locals);
        self.list(Self::string)?;
        Some(Function { code, constants, upvalues, functions, lines, locals })
    }

    fn constant(&mut self) -> Option<Option<&'d [u8]>> {
        match self.byte()? {
            // nil, false, true
            0x00 | 0x01 | 0x11 => Some(None),
            // integer, float
            0x03 | 0x13 => self.take(8).map(|_| None),
            // string, short or long
            0x04 | 0x14 => self.string(),
            _ => None,
        }
    }

    /// Each instruction's line is stored as the difference to the one before, and now and then as it is.
    fn lines(&mut self, first: u32) -> Option<Vec<u32>> {
        const ABSOLUTE: i8 = -128;
        let count = self.size()?;
        let differences = self.take(count)?;
        let mut absolute = self.list(|reader| Some((reader.size()?, reader.size()?)))?.into_iter();
        let mut line = first;
        differences
            .iter()
            .map(|difference| {
                line = match difference.cast_signed() {
                    ABSOLUTE => u32::try_from(absolute.next()?.1).ok()?,
                    difference => line.wrapping_add_signed(difference.into()),
                };
                Some(line)
            })
            .collect()
    }
}

// ---- The instructions: lopcodes.h

const LOADK: u32 = 3;
const LOADKX: u32 = 4;
const GETUPVAL: u32 = 9;
const SETUPVAL: u32 = 10;
const GETTABUP: u32 = 11;
const GETTABLE: u32 = 12;
const SETTABUP: u32 = 15;
const SETFIELD: u32 = 18;

#[derive(Clone, Copy)]
struct Instruction(u32);

impl Instruction {
    fn operation(self) -> u32 {
        self.0 & 0x7f
    }
    fn a(self) -> usize {
        (self.0 >> 7 & 0xff) as usize
    }
    fn b(self) -> usize {
        (self.0 >> 16 & 0xff) as usize
    }
    fn c(self) -> usize {
        (self.0 >> 24) as usize
    }
    fn bx(self) -> usize {
        (self.0 >> 15) as usize
    }
    fn ax(self) -> usize {
        (self.0 >> 7) as usize
    }
}

impl Function<'_> {
    /// `environments` tells which of its upvalues are the chunk's `_ENV`.
    fn visit(&self, environments: &[bool], found: &mut Uses) {
        let is_env = |upvalue: usize| environments.get(upvalue).copied().unwrap_or(false);
        let mut takes_globals = false;
        for at in 0..self.code.len() {
            let Some(instruction) = self.instruction(at) else { return };
            match instruction.operation() {
                GETTABUP if is_env(instruction.b()) => {
                    let name = self.string(instruction.c());
                    takes_globals |= name == Some(b"_G");
                    self.read(at, name, found);
                }
                SETTABUP if is_env(instruction.a()) => self.assign(at, self.string(instruction.b()), found),
                GETUPVAL if is_env(instruction.b()) => takes_globals |= !self.by_register(at, instruction, found),
                SETUPVAL if is_env(instruction.b()) => found.lost = true,
                _ => {}
            }
        }
        if takes_globals {
            self.assign_everything(found);
        }
        for function in &self.functions {
            let upvalues = function.upvalues.iter();
            let inner: Vec<bool> = upvalues.map(|(in_stack, index)| !in_stack && is_env(*index)).collect();
            function.visit(&inner, found);
        }
    }

    fn instruction(&self, at: usize) -> Option<Instruction> {
        self.code.get(at).copied().map(Instruction)
    }

    fn string(&self, constant: usize) -> Option<&[u8]> {
        self.constants.get(constant).copied().flatten()
    }

    fn line(&self, at: usize) -> u32 {
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// The string that the instruction loads, with its register and how many instructions it takes.
    fn loaded(&self, at: usize) -> Option<(&[u8], usize, usize)> {
        let instruction = self.instruction(at)?;
        let (constant, length) = match instruction.operation() {
            LOADK => (instruction.bx(), 1),
            LOADKX => (self.instruction(at + 1)?.ax(), 2),
            _ => return None,
        };
        Some((self.string(constant)?, instruction.a(), length))
    }

    /// `_ENV` in a register, then the name in another. False: it isn't followed by a name, so it is used as a value.
    fn by_register(&self, at: usize, env: Instruction, found: &mut Uses) -> bool {
        let Some((name, register, length)) = self.loaded(at + 1) else { return false };
        let is_read = self
            .instruction(at + 1 + length)
            .is_some_and(|next| next.operation() == GETTABLE && next.b() == env.a() && next.c() == register);
        if is_read {
            self.read(at, Some(name), found);
        } else {
            // The value to assign is computed in between.
            self.assign(at, Some(name), found);
        }
        true
    }

    fn read(&self, at: usize, name: Option<&[u8]>, found: &mut Uses) {
        if let Some(name) = name
            && found.reads.len() < MOST_READS
        {
            found.reads.insert((self.line(at), name.to_vec()));
        }
    }

    fn assign(&self, at: usize, name: Option<&[u8]>, found: &mut Uses) {
        if let Some(name) = name {
            found.assigned.entry(name.to_vec()).or_insert_with(|| self.line(at));
            found.lost |= found.assigned.len() > MOST_ASSIGNED;
        }
    }

    /// The function has the table of globals in its hands: whatever field it sets, or text it holds, may be one.
    fn assign_everything(&self, found: &mut Uses) {
        for at in 0..self.code.len() {
            let Some(instruction) = self.instruction(at) else { return };
            if instruction.operation() == SETFIELD {
                self.assign(at, self.string(instruction.b()), found);
            } else if let Some((text, _, _)) = self.loaded(at) {
                self.assign(at, Some(text), found);
            }
        }
    }
}
