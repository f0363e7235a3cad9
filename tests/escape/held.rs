//! What this program holds, in numbers that come back to where they were: bytes of its heap, bytes charged to the
//! engine, file handles, threads. Owns the counting.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lunarium_engine::Engine;
use lunarium_tests::engine_memory;

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

pub struct Held {
    heap: usize,
    charged: u64,
    handles: BTreeSet<String>,
    threads: BTreeSet<String>,
}

impl Held {
    pub fn now(engine: &Engine) -> Held {
        let entries = |path| fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let threads = entries("/proc/self/task").filter_map(|path| {
            let name = fs::read_to_string(path.join("comm")).ok()?;
            // The pool for file operations keeps those that it has made, 500 at most.
            (!name.starts_with("blocking-")).then_some(())?;
            Some(format!("{} {}", name.trim(), path.file_name()?.display()))
        });
        // The listing itself is one of them, under any number.
        let handles = entries("/proc/self/fd").filter_map(|path| {
            let target = fs::read_link(&path).ok()?;
            (!target.ends_with("fd")).then(|| format!("{} {}", path.display(), target.display()))
        });
        Held {
            heap: HEAP.load(Ordering::Relaxed),
            charged: engine_memory(engine),
            handles: handles.collect(),
            threads: threads.collect(),
        }
    }

    /// Waits until everything is back. What isn't: nothing, or a text.
    pub fn left(&self, engine: &Engine) -> String {
        let begin = Instant::now();
        loop {
            let left = Held::now(engine).beyond(self);
            if left.is_empty() || begin.elapsed() > GIVEN_BACK {
                return left;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn beyond(&self, before: &Held) -> String {
        let mut left = Vec::new();
        if self.heap > before.heap + KEPT {
            left.push(format!("{} bytes of heap", self.heap - before.heap));
        }
        if self.charged != before.charged {
            left.push(format!("{} bytes charged", self.charged.abs_diff(before.charged)));
        }
        for (what, now, before) in
            [("file handle", &self.handles, &before.handles), ("thread", &self.threads, &before.threads)]
        {
            if now.len() > before.len() {
                left.extend(now.difference(before).map(|name| format!("{what} {name}")));
            }
        }
        left.join(", ")
    }
}
