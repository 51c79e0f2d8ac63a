//! Where results go: a caller's variable, array or structure.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::AtomicU32;

use super::{Contract, Handle, Object, Record, process};
use crate::status::{MARLINE_ERR_INTERNAL, Status};

/// Where a result goes. Whatever it points to was cleared when it was made.
pub struct Output<'a, T>(pub(super) *mut T, pub(super) PhantomData<&'a Contract>);

/// A caller's array for a result. It may overlap inputs: nothing is written before there is a result, or none.
pub struct OutputBytes<'a> {
    pub(super) to: *mut u8,
    pub(super) capacity: usize,
    /// Of one size: what the result does not fill becomes zero.
    pub(super) whole: bool,
    pub(super) during: PhantomData<&'a Contract>,
}

/// A caller's structure for a result; its `struct_size` stays.
pub struct OutputRecord<'a, T>(pub(super) *mut T, pub(super) &'a Contract);

impl<T> Output<'_, T> {
    /// Writes the result.
    pub fn set(self, value: T) {
        // SAFETY: checked in `Contract::output`, and the contract still holds.
        unsafe { self.0.write(value) };
    }
}

impl<O: Object> Output<'_, *mut O> {
    /// Makes a handle of a value.
    pub fn put(self, value: O::Value) {
        const { assert!(offset_of!(Handle<O::Value>, tag) == 0) };
        let handle = Box::new(Handle {
            tag: O::TAG,
            state: AtomicU32::new(0),
            process: if O::CHANGES { process::current() } else { 0 },
            value: UnsafeCell::new(value),
        });
        self.set(Box::into_raw(handle).cast());
    }
}

impl<T: Record> OutputRecord<'_, T> {
    /// Writes the result, as far as the caller's structure goes.
    pub fn set(self, record: T) {
        self.1.write_record(self.0, record);
    }
}

impl OutputBytes<'_> {
    /// Bytes there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes the result; inputs are no longer needed then.
    pub fn write(mut self, result: &[u8]) -> Result<(), Status> {
        if result.len() > self.capacity {
            return Err(MARLINE_ERR_INTERNAL);
        }
        if !result.is_empty() {
            // SAFETY: checked when it was made, long enough, and `copy` allows overlap.
            unsafe { ptr::copy(result.as_ptr(), self.to, result.len()) };
        }
        self.clear(result.len());
        self.whole = false;
        Ok(())
    }

    /// Zero from `at` on, in an array of one size.
    fn clear(&mut self, at: usize) {
        if self.whole {
            // SAFETY: not NULL and valid for `capacity` bytes by the contract; `at` is at most that.
            unsafe { self.to.add(at).write_bytes(0, self.capacity - at) };
        }
    }
}

impl Drop for OutputBytes<'_> {
    fn drop(&mut self) {
        self.clear(0);
    }
}
