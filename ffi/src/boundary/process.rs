//! Which process this is, without asking the system at every call.
//!
//! A handle that changes belongs to the process that made it: a child that went on with its copy of a session would use
//! keys that its parent uses too. `getpid` is a system call, about 300 ns, which is a twelfth of a short encryption.
//! So there is one page of memory that Linux empties in every child (`MADV_WIPEONFORK`, since 4.14), whether the child
//! comes from `fork`, `_Fork` or `clone`: an empty page means a new process, which then takes a mark that none of its
//! ancestors had. After `vfork`, and `clone` with `CLONE_VM`, parent and child have the same memory, and so the same page
//! and the same handles: nothing exists twice, and the two exclude each other as two threads do.
//!
//! Elsewhere (and under Miri, which has no `madvise`), where the system refuses, and on processors without 64-bit atomics, the
//! id of the process is asked for at every call. That has a gap: a child in a new PID namespace whose id there is the one that
//! its parent has in its own (both are 1, when the parent is the first process of a container) is taken for its parent.

use std::process;

/// A number that stays as long as the process lives, and that no process has had which it descends from (but for the
/// gap above).
pub(super) fn current() -> u64 {
    page::current().unwrap_or_else(|| u64::from(process::id()))
}

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    target_has_atomic = "64",
    not(miri)
))]
mod page {
    use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
    use std::{process, ptr};

    /// Marks given out. A child goes on from what its parent had given out when it was made.
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    /// The page, which lives as long as the process; NULL before the first call, [`REFUSED`] if there is none. No `OnceLock`: a
    /// fork while another thread is in it would leave it locked in the child.
    static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
    static REFUSED: AtomicU64 = AtomicU64::new(0);
    /// The system rounds it up to a page.
    const LENGTH: usize = size_of::<AtomicU64>();

    /// The mark of this process, if the system keeps a page for it.
    pub(super) fn current() -> Option<u64> {
        let mark = mark()?;
        Some(match mark.load(Ordering::Relaxed) {
            0 => take(mark),
            taken => taken,
        })
    }

    /// The first call in a process. If several threads are here at once, the mark of one of them counts.
    #[cold]
    pub(super) fn take(mark: &AtomicU64) -> u64 {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // The number alone is new to all ancestors, unless one of their threads was here while another one forked.
        // Therefore the id.
        let new = u64::from(process::id()) << 32 | u64::from(given);
        match mark.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => new,
            Err(taken) => taken,
        }
    }

    /// Where a process keeps its mark: 0 in a new process.
    pub(super) fn mark() -> Option<&'static AtomicU64> {
        let page = match PAGE.load(Ordering::Acquire) {
            none if none.is_null() => make(),
            page => page.cast_const(),
        };
        // SAFETY: `REFUSED`, or a page that was mapped for reading and writing, zeroed and aligned, and is never unmapped.
        (!ptr::eq(page, &REFUSED)).then(|| unsafe { &*page })
    }

    #[cold]
    fn make() -> *const AtomicU64 {
        let refused = (&raw const REFUSED).cast_mut();
        let page = mapped().unwrap_or(refused);
        let order = (Ordering::AcqRel, Ordering::Acquire);
        match PAGE.compare_exchange(ptr::null_mut(), page, order.0, order.1) {
            Ok(_) => page,
            Err(theirs) => {
                if page != refused {
                    // SAFETY: this thread mapped it, and nobody has seen it: another thread was first.
                    unsafe { libc::munmap(page.cast(), LENGTH) };
                }
                theirs
            }
        }
    }

    /// A page that is empty in a child process.
    fn mapped() -> Option<*mut AtomicU64> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, wherever the system likes.
        let page = unsafe { libc::mmap(ptr::null_mut(), LENGTH, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: advice about our own mapping, of which nothing is in use.
        let wiped = unsafe {
            // Emulators may accept any advice and follow none: then also one that does not exist.
            libc::madvise(page, LENGTH, -1) != 0
                && libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) == 0
        };
        if wiped {
            return Some(page.cast());
        }
        // SAFETY: the mapping from above, which nobody else knows of.
        unsafe { libc::munmap(page, LENGTH) };
        None
    }
}

#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    target_has_atomic = "64",
    not(miri)
)))]
mod page {
    /// No such page is known here.
    pub(super) fn current() -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux", target_has_atomic = "64", not(miri)))]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn linux_keeps_the_mark_and_is_not_asked() {
        let mark = page::mark().unwrap();
        assert_eq!(current(), mark.load(Ordering::Relaxed));
        assert!(std::ptr::eq(mark, page::mark().unwrap()));
    }

    /// The page as a child finds it. The C suite forks.
    #[test]
    fn threads_that_find_an_empty_page_at_once_take_one_mark_which_is_new() {
        let before = current();
        let mark = AtomicU64::new(0);
        let taken: BTreeSet<u64> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| page::take(&mark))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(taken, BTreeSet::from([mark.load(Ordering::Relaxed)]));
        assert!(!taken.contains(&before) && !taken.contains(&0));
    }
}
