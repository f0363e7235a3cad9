//! The component: the world's exports over [`Vm`]. Owns the one VM of the instance.
//! Calls in the wrong order are the host's bug, and trap.

use std::cell::{Cell, RefCell};

use super::Vm;
use crate::host::bindings::Guest as World;
use crate::host::bindings::exports::lunarium::process::guest::Guest;
use crate::host::{Asked, Chunk, Event, Globals, Program, Status};

thread_local! {
    /// It lies behind the state that it has, among what a process writes, and not among what is only read.
    static VM: Cell<Option<&'static RefCell<Vm>>> = const { Cell::new(None) };
}

struct Component;

impl World for Component {
    fn init() {
        assert!(VM.get().is_none(), "init called twice");
        VM.set(Some(Box::leak(Box::new(RefCell::new(Vm::new(Box::new(Asked)))))));
    }
}

fn with_vm<T>(body: impl FnOnce(&mut Vm) -> T) -> T {
    match VM.get() {
        Some(vm) => body(&mut vm.borrow_mut()),
        None => panic!("called before init"),
    }
}

impl Guest for Component {
    fn start(program: Program, arguments: Vec<u8>) -> Status {
        with_vm(|vm| vm.start(program, &arguments))
    }

    fn resume(batch: Vec<u8>, events: Option<Vec<Event>>) -> Status {
        with_vm(|vm| vm.resume(batch, events.unwrap_or_default()))
    }

    fn give_back() -> Vec<Event> {
        with_vm(Vm::give_back)
    }

    fn check(chunk: Chunk) -> Result<Globals, String> {
        with_vm(|vm| vm.check(&chunk))
    }

    fn compile(chunk: Chunk) -> Result<Vec<u8>, String> {
        with_vm(|vm| vm.compile(&chunk))
    }

    #[inline(never)]
    fn stack_pointer() -> u32 {
        let local = 0u8;
        std::hint::black_box(&raw const local) as u32
    }
}

crate::host::bindings::export!(Component with_types_in crate::host::bindings);
