//! Hostile guests: what each does in place of a well-behaved one, in WebAssembly's text, with the words of `base.wat`. Owns the
//! table, which the build script makes components of (`build.rs`) and the corpus runs. Knows neither.

mod calls;
mod lies;
mod memory;
mod pointers;

/// A hostile guest. The bodies that are empty are those of a guest that does its work: it exits with nil.
pub struct Hostile {
    /// What it tries.
    pub tried: &'static str,
    /// How it must end (`Case::ends`).
    pub ends: &'static str,
    /// The bodies of its functions: each answers with the address of a result (`stack_pointer` with a number).
    pub start: &'static str,
    pub resume: &'static str,
    pub give_back: &'static str,
    pub compile: &'static str,
    pub check: &'static str,
    pub stack_pointer: &'static str,
    /// Of its allocator, which the host calls: `$align` and `$size` to an address.
    pub realloc: &'static str,
    /// A component of its own, which behaves so from the first instruction on; with these items of its module.
    pub apart: Option<&'static str>,
    /// What that imports beside the others.
    pub imports: &'static str,
    /// It is terminated after so many ticks of its neighbour.
    pub ticks: Option<u64>,
    /// Its limit of CPU time, in milliseconds.
    pub cpu: u64,
    /// A second process of it is started, too: from then on it is asked to compile its source.
    pub twice: bool,
}

/// One that does its work.
const WELL: Hostile = Hostile {
    tried: "",
    ends: "=> nil",
    start: "",
    resume: "",
    give_back: "",
    compile: "",
    check: "",
    stack_pointer: "",
    realloc: "",
    apart: None,
    imports: "",
    ticks: None,
    cpu: 60_000,
    twice: false,
};

/// One that would never return.
const ENDLESS: Hostile = Hostile { ends: "ResourceExhausted cpu", cpu: 300, ..WELL };

/// The place of the one that is quiet: it prints every five milliseconds.
pub const QUIET: usize = 0;

/// The place of the one that waits for ever.
pub const ASLEEP: usize = 1;

const QUIET_ONES: &[Hostile] = &[PRINTS, SLEEPS];

const SLEEPS: Hostile = Hostile { tried: "nothing: it sleeps", start: "(call $park (i64.const -1))", ..PRINTS };

const PRINTS: Hostile = Hostile {
    tried: "nothing: it prints every five milliseconds",
    ends: "Canceled: process terminated",
    ticks: Some(2),
    start: "(call $park (i64.const 5000000))",
    resume: r#"
        (drop (call $print (i32.const 160) (i32.const 7)))
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (call $park (i64.mul (i64.const 5000000) (i64.extend_i32_u (i32.add (global.get $count) (i32.const 1)))))"#,
    ..WELL
};

/// Those of one component. A guest is chosen by the place here.
pub fn common() -> Vec<&'static Hostile> {
    all().filter(|hostile| hostile.apart.is_none()).collect()
}

/// Those that have a component each.
pub fn apart() -> Vec<&'static Hostile> {
    all().filter(|hostile| hostile.apart.is_some()).collect()
}

fn all() -> impl Iterator<Item = &'static Hostile> {
    [QUIET_ONES, pointers::TABLE, lies::TABLE, calls::TABLE, memory::TABLE].into_iter().flatten()
}
