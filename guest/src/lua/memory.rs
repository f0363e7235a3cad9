//! The memory Lua may hold: an allocator for `lua_newstate` that counts bytes and refuses beyond a limit.
//! Owns the count. Refuses to know what is allocated: at the limit Lua collects its garbage, then raises
//! "not enough memory". Lua's allocator is a C function.

use std::alloc::Layout;
#[cfg(not(test))]
use std::alloc::{alloc, dealloc, realloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

#[cfg(test)]
use crate::tests::heap::lua::{alloc, dealloc, realloc};

/// Enough for every type Lua stores, on wasm32 and on the machines of the tests.
const ALIGN: usize = 16;

/// Bytes held and the most that may be held.
pub struct Memory {
    used: Cell<usize>,
    limit: Cell<usize>,
    loan: Cell<usize>,
    /// What [`Lua::push_owned`](crate::lua::Lua::push_owned) is pushing; else what it couldn't.
    pub(super) parked: Cell<Vec<u8>>,
    own: Cell<usize>,
}

impl Memory {
    pub fn unlimited() -> Self {
        Self {
            used: Cell::new(0),
            limit: Cell::new(usize::MAX),
            loan: Cell::new(0),
            parked: Cell::default(),
            own: Cell::new(usize::MAX),
        }
    }

    /// From now on Lua may hold `bytes` more than it holds now. At the limit: Lua error "not enough memory".
    pub fn allow(&self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.limit.set(self.used.get().saturating_add(bytes));
        self.own.set(bytes);
    }

    /// Bytes that may be taken before garbage is collected for more.
    pub fn left(&self) -> usize {
        self.limit.get().saturating_sub(self.used.get())
    }

    /// Bytes that may be held on top of what was held when they were allowed.
    pub fn own(&self) -> usize {
        self.own.get()
    }

    /// From now on Lua may hold as much as before, and at least `bytes` more than it holds now.
    pub fn spare(&self, bytes: u64) {
        let before = self.limit.get();
        self.allow(bytes);
        self.limit.set(self.limit.get().max(before));
    }

    /// Until this is called again Lua may hold so many bytes beyond its limit, for what the script didn't ask for. What was lent
    /// before.
    pub fn lend(&self, bytes: usize) -> usize {
        self.loan.replace(bytes)
    }

    fn change(&self, old: usize, new: usize) -> bool {
        let used = self.used.get().saturating_sub(old).saturating_add(new);
        if new > old && used > self.limit.get().saturating_add(self.loan.get()) {
            return false;
        }
        #[cfg(test)]
        if new > old && !crate::tests::heap::lua_gets_a_block() {
            return false;
        }
        self.used.set(used);
        true
    }
}

/// A `lua_Alloc` whose user data is a [`Memory`].
pub unsafe extern "C" fn allocate(
    memory: *mut c_void,
    block: *mut c_void,
    old_size: usize,
    size: usize,
) -> *mut c_void {
    // For a new block, Lua passes its type in place of the old size.
    let old_size = if block.is_null() { 0 } else { old_size };
    // SAFETY: Lua passes the `Memory` that its state was made with, and a block's size as it was asked for.
    unsafe {
        let memory = &*memory.cast::<Memory>();
        if !memory.change(old_size, size) {
            return ptr::null_mut();
        }
        let old = Layout::from_size_align_unchecked(old_size, ALIGN);
        if size == 0 {
            if old_size > 0 {
                dealloc(block.cast(), old);
            }
            return ptr::null_mut();
        }
        let moved = if size > isize::MAX as usize - ALIGN {
            ptr::null_mut()
        } else if old_size == 0 {
            alloc(Layout::from_size_align_unchecked(size, ALIGN))
        } else {
            realloc(block.cast(), old, size)
        };
        if moved.is_null() {
            // The machine has no more although the limit has: the same error.
            memory.change(size, old_size);
        }
        moved.cast()
    }
}
