//! What this program holds, in numbers that come back to where they were: bytes of its heap, bytes charged to the
//! engine, file handles, threads. Owns the counting.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lunarium_engine::Engine;

/// Bytes of the heap that stay for good where something grows once and is kept: tables, queues, buffers of the
/// runtime. What a thousand processes leak a kilobyte of is more.
const KEPT: usize = 512 << 10;

/// Everything is given back a moment after the end. Longer than this it counts as left behind.
const GIVEN_BACK: Duration = Duration::from_secs(60);

/// Counts the bytes that the program has allocated and not freed.
struct Counting;

static HEAP: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is the system's; counting allocates nothing.
#[allow(unsafe_code, reason = "an allocator is unsafe to write, and nothing else sees all of the heap")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[derive(Clone, Copy)]
pub struct Held {
    heap: usize,
    charged: u64,
    handles: usize,
    threads: usize,
}

impl Held {
    pub fn now(engine: &Engine) -> Held {
        let entries = |path| fs::read_dir(path).map_or(0, Iterator::count);
        Held {
            heap: HEAP.load(Ordering::Relaxed),
            charged: engine.memory_used(),
            handles: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
        }
    }

    /// Waits until everything is back. What isn't: nothing, or a text.
    pub fn left(self, engine: &Engine) -> String {
        let begin = Instant::now();
        loop {
            let left = Held::now(engine).beyond(self);
            if left.is_empty() || begin.elapsed() > GIVEN_BACK {
                return left;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn beyond(self, before: Held) -> String {
        let mut left = Vec::new();
        if self.heap > before.heap + KEPT {
            left.push(format!("{} bytes of heap", self.heap - before.heap));
        }
        if self.charged != before.charged {
            left.push(format!("{} bytes charged", self.charged.abs_diff(before.charged)));
        }
        if self.handles > before.handles {
            left.push(format!("{} file handles", self.handles - before.handles));
        }
        if self.threads > before.threads {
            left.push(format!("{} threads", self.threads - before.threads));
        }
        left.join(", ")
    }
}
