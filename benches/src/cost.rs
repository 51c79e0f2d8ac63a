//! What a piece of code costs: wall time, CPU time of the thread, allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// The system's allocator, counting.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // No count while the thread ends.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get().wrapping_add(1)));
}

// SAFETY: everything is left to the system's allocator; the counter is a thread-local number that allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread until now; growing a block counts as one.
pub fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// What something cost, in all or per repetition.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Nanoseconds on the clock: what a user waits, on a machine that does nothing else.
    pub wall: f64,
    /// Nanoseconds of this thread's CPU time.
    pub cpu: f64,
    /// Calls of the allocator.
    pub allocations: f64,
}

impl Cost {
    /// The cost of running `f` on each input. What is returned is dropped in that time, the inputs are not.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn of<I, O>(mut inputs: Vec<I>, mut f: impl FnMut(&mut I) -> Outcome<O>) -> Outcome<Self> {
        let (allocated, cpu, wall) = (allocations(), thread_cpu(), Instant::now());
        for input in &mut inputs {
            black_box(f(black_box(input))?);
        }
        let (wall, cpu) = (wall.elapsed(), thread_cpu().saturating_sub(cpu));
        Ok(Self {
            wall: wall.as_nanos() as f64,
            cpu: cpu.as_nanos() as f64,
            allocations: allocations().saturating_sub(allocated) as f64,
        })
    }

    /// The cost of each of `n` parts.
    pub fn per(self, n: u64) -> Self {
        let n = n as f64;
        Self {
            wall: self.wall / n,
            cpu: self.cpu / n,
            allocations: self.allocations / n,
        }
    }
}

/// The middle one; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
