//! What Rust holds on its own heap, by thread: Lua's memory isn't counted (`lua/memory.rs` asks the system directly here). On
//! wasm a raise drops nothing of the frames it leaves, and natively neither: so what a test finds left at its end, a process
//! would lose at each such call.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static LUA_BLOCKS: Cell<Option<u32>> = const { Cell::new(None) };
    static LIMITS: Cell<u32> = const { Cell::new(0) };
    static LUA_REFUSED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: usize, sign: isize) {
    LIVE.set(LIVE.get() + sign * bytes.cast_signed());
}

// SAFETY: the system's allocator, with a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: from `alloc`, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Bytes that this thread holds.
pub fn live() -> isize {
    LIVE.get()
}

/// Lua gets so many more blocks, and then none until this is called again. None: without end. Whether it was refused one
/// since the last call.
pub fn let_lua_allocate(blocks: Option<u32>) -> bool {
    LIMITS.set(LIMITS.get() + u32::from(blocks.is_some()));
    LUA_BLOCKS.set(blocks);
    LUA_REFUSED.replace(false)
}

/// How often a limit was set on this thread since this was asked.
pub fn lua_limits() -> u32 {
    LIMITS.take()
}

/// Whether Lua gets another block.
pub fn lua_gets_a_block() -> bool {
    let left = LUA_BLOCKS.get();
    let enough = left != Some(0);
    if enough {
        LUA_BLOCKS.set(left.map(|left| left - 1));
    } else {
        LUA_REFUSED.set(true);
    }
    enough
}

/// Lua's allocator, past the count.
pub mod lua {
    use super::{GlobalAlloc, Layout, System};

    pub unsafe fn alloc(layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    pub unsafe fn dealloc(block: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(block, layout) }
    }

    pub unsafe fn realloc(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { System.realloc(block, layout, size) }
    }
}
