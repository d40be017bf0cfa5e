//! An allocator that counts, and ends the process when one input needs too much.
//!
//! The fuzzer's own limit on single allocations works with a sanitizer only, and its limit on the process is too coarse
//! to tell a small leak or a zip bomb from what the fuzzer itself needs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that reading one input may need at a time, in bytes. Inputs have 64 KiB; as JSON values they grow
/// sixteenfold, and the texts of an archive are capped at a megabyte.
const MOST: usize = 16 * 1024 * 1024;

#[global_allocator]
static COUNTED: Counted = Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

struct Counted;

/// Sets the limit for one input.
pub(crate) fn limit() {
    LIMIT.store(LIVE.load(Ordering::Relaxed) + MOST, Ordering::Relaxed);
}

fn grown(by: usize) {
    let live = LIVE.fetch_add(by, Ordering::Relaxed) + by;
    let limit = LIMIT.load(Ordering::Relaxed);
    // A panic is reported with its backtrace, which takes much.
    if live > limit && !std::thread::panicking() {
        // Room for the report, which allocates.
        LIMIT.store(usize::MAX, Ordering::Relaxed);
        eprintln!("one input needs more than {MOST} bytes of memory; the last allocation asked for {by}");
        std::process::abort();
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
