//! Where the heap's blocks lie in the snapshot: each page to which a process writes it has a copy of. Owns the tricks; natively there is
//! nothing to win.

/// Takes the holes that building has left in the heap, for good, and the rest of the last page: what a process allocates later lies
/// together on fresh pages then, instead of making a private copy of each page with a hole.
#[cfg(target_family = "wasm")]
pub fn fill_holes() {
    use std::hint::black_box;
    let top = Box::leak(Box::new([0u8; HOLE])).as_ptr().addr();
    // Four bytes of each block are the allocator's: these sizes take its blocks whole, down to the smallest.
    for size in (1..=HOLE / 16).rev().map(|units| units * 16 - 4) {
        let mut block = black_box(Vec::<u8>::with_capacity(size));
        while block.as_ptr().addr() < top {
            block.leak();
            block = black_box(Vec::with_capacity(size));
        }
    }
    // The next block begins behind what is left of this page.
    let next = top + HOLE;
    black_box(Vec::<u8>::with_capacity((PAGE - next % PAGE).next_multiple_of(16) - 4)).leak();
}

/// Sees to it that the next block of so many bytes lies on one page. The number of blocks that this takes is small: what straddles two
/// pages is followed by what doesn't.
#[cfg(target_family = "wasm")]
pub fn keep_on_a_page(size: usize) {
    use std::hint::black_box;
    loop {
        let block = black_box(Vec::<u8>::with_capacity(size));
        let first = block.as_ptr().addr();
        if first / PAGE == (first + size - 1) / PAGE {
            // It is the one that is found again.
            return;
        }
        block.leak();
    }
}

#[cfg(not(target_family = "wasm"))]
pub fn fill_holes() {}

#[cfg(not(target_family = "wasm"))]
pub fn keep_on_a_page(_size: usize) {}

/// Bytes of the largest hole that is filled.
#[cfg(target_family = "wasm")]
const HOLE: usize = 64 * 1024;

/// Of the machine's pages, not of wasm's.
#[cfg(target_family = "wasm")]
const PAGE: usize = 4096;
