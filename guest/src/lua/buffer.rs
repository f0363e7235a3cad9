//! Text and lists on Lua's heap, for what may get as large as a script's memory: Lua counts them, collects for them and
//! raises at the limit, and a Lua error on the way leaks nothing.

use std::ffi::c_int;
use std::{io, ptr, slice};

use super::Lua;

/// A text that grows, in a block that stays at its place on the stack.
pub struct Buffer {
    lua: Lua,
    place: c_int,
    start: *mut u8,
    length: usize,
    capacity: usize,
}

const FIRST: usize = 256;

impl Buffer {
    /// Pushes the block. Raises.
    pub fn new(lua: Lua) -> Self {
        let start = lua.push_block(FIRST);
        Self { lua, place: lua.top(), start, length: 0, capacity: FIRST }
    }

    pub fn text(&self) -> &[u8] {
        // SAFETY: the first `length` bytes of the block are written, and it stays while it is on the stack.
        unsafe { slice::from_raw_parts(self.start, self.length) }
    }

    /// Makes room, so that the next `more` bytes don't raise. Raises.
    pub fn reserve(&mut self, more: usize) {
        if more > self.capacity - self.length {
            self.grow(more);
        }
    }

    /// Raises.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        // SAFETY: there is room, and nobody else has the block.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.length), bytes.len()) };
        self.length += bytes.len();
    }

    fn grow(&mut self, more: usize) {
        let capacity = self.length.saturating_add(more).max(self.capacity.saturating_mul(2));
        if !self.lua.reserve(1) {
            self.lua.raise_text("stack overflow");
        }
        let start = self.lua.push_block(capacity);
        // SAFETY: the new block is larger, and both are on the stack.
        unsafe { ptr::copy_nonoverlapping(self.start, start, self.length) };
        self.lua.replace(self.place);
        self.start = start;
        self.capacity = capacity;
    }
}

/// Never fails: it raises.
impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Pushes a block with `count` copies of `first`. It lasts while it is on the stack. Raises.
#[allow(clippy::mut_from_ref, reason = "the block is new, and nobody else has it")]
pub fn push_list<T: Copy>(lua: &Lua, count: usize, first: T) -> &mut [T] {
    let start = lua.push_block(count.saturating_mul(size_of::<T>())).cast::<T>();
    // SAFETY: Lua aligns blocks for every type; each element is written before the slice is made.
    unsafe {
        for i in 0..count {
            start.add(i).write(first);
        }
        slice::from_raw_parts_mut(start, count)
    }
}
