//! Where the heap's blocks lie in the snapshot: each page to which a process writes it has a copy of. So what every process writes to
//! lies together. Owns the tricks, and knows the allocator's: it takes the smallest hole that is large enough. Natively there is nothing
//! to win.

#[cfg(target_family = "wasm")]
pub use layout::{begin_page, fill_holes, keep_room, take_room};
#[cfg(not(target_family = "wasm"))]
pub use nothing::{begin_page, fill_holes, keep_room, take_room};

#[cfg(target_family = "wasm")]
mod layout {
    use std::cell::Cell;
    use std::hint::black_box;

    /// Bytes of the largest hole that is filled.
    const HOLE: usize = 64 * 1024;

    /// Of the machine's pages, not of wasm's.
    const PAGE: usize = 4096;

    /// Of each block, the allocator's own.
    const HEAD: usize = 4;

    thread_local! {
        static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }

    /// Takes the holes that building has left in the heap, for good: what is allocated later lies together on fresh pages then, instead
    /// of making a private copy of each page with a hole.
    pub fn fill_holes() {
        let top = top();
        // These sizes take the allocator's blocks whole, down to the smallest.
        for size in (1..=HOLE / 16).rev().map(|units| units * 16 - HEAD) {
            let mut block = black_box(Vec::<u8>::with_capacity(size));
            while block.as_ptr().addr() < top {
                block.leak();
                block = black_box(Vec::with_capacity(size));
            }
        }
    }

    /// Behind every block. Too large for a hole, what is asked for lies there.
    fn top() -> usize {
        let last = black_box(Vec::<u8>::with_capacity(HOLE));
        last.as_ptr().addr()
    }

    /// The same, and takes the rest of the last page: what is allocated next begins a page.
    pub fn begin_page() {
        fill_holes();
        // With the head of the next block.
        black_box(Vec::<u8>::with_capacity((PAGE - top() % PAGE).next_multiple_of(16) + 16 - HEAD)).leak();
    }

    /// Keeps so many bytes for what is allocated after [`take_room`].
    pub fn keep_room(bytes: usize) {
        ROOM.set(Vec::with_capacity(bytes));
    }

    /// Frees what was kept.
    pub fn take_room() {
        drop(ROOM.take());
    }
}

#[cfg(not(target_family = "wasm"))]
mod nothing {
    pub fn fill_holes() {}

    pub fn begin_page() {}

    pub fn keep_room(_bytes: usize) {}

    pub fn take_room() {}
}
