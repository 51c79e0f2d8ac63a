//! The boundary: the only module with unsafe blocks (with its parts). It turns pointers into slices, guards
//! and outputs, so that the exported functions are safe code.
//!
//! What it defends against whatever the caller does: NULL, absurd lengths, a handle of another type, two calls on
//! one handle at once, a panic, a fork, a wrong `struct_size`. What it cannot: a pointer that is neither NULL nor
//! valid for its length, and a handle that was freed. That is the contract of `marline.h`.

mod output;
mod process;

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "device")]
use crate::device::{
    MarlineContactInfo, MarlineDeviceFacts, MarlineDeviceOptions, MarlineIncoming,
    MarlineMaintenance,
};
use crate::events::MarlineEvent;
use crate::facts::MarlineFacts;
use crate::options::MarlineOptions;
use crate::status::*;

pub use output::{Output, OutputBytes, OutputRecord};

/// A type of handle.
pub trait Object {
    /// First word of a handle.
    const TAG: u64;
    /// Whether calls change it: then it belongs to the process that made it.
    const CHANGES: bool = true;
    /// Whether a child process may not free what its parent made: it leaks there.
    const ONLY_MAKER_FREES: bool = false;
    /// What is behind it. `Send` and `Sync`: any thread may use or free a handle.
    type Value: Send + Sync;
}

/// What a handle's pointer points to.
#[repr(C)]
struct Handle<V> {
    tag: u64,
    /// Calls that read, or [`EXCLUSIVE`]; and [`POISONED`].
    state: AtomicU32,
    /// The process that made it.
    process: u64,
    value: UnsafeCell<V>,
}

const EXCLUSIVE: u32 = 1 << 31;
const POISONED: u32 = 1 << 30;
const DEAD: u64 = u64::from_be_bytes(*b"MarlDead");

/// What the caller of an exported function promises. Whoever has one may look behind the pointers.
pub struct Contract(PhantomData<*const ()>);

/// Runs the body of an exported function: `call!(err, |c| { … })`.
macro_rules! call {
    ($err:expr, |$c:ident| $body:expr) => {{
        // SAFETY: this expands in exported functions, whose caller keeps the contract of marline.h.
        let contract = unsafe { $crate::boundary::Contract::of_the_caller() };
        contract.run($err, |$c| $body)
    }};
}
/// Runs the body of an exported function without a status: `read!(default, |c| { … })`.
macro_rules! read {
    ($default:expr, |$c:ident| $body:expr) => {{
        // SAFETY: as above.
        let contract = unsafe { $crate::boundary::Contract::of_the_caller() };
        contract.read($default, |$c| $body)
    }};
}
pub(crate) use {call, read};

/// A handle in use by calls that only read.
pub struct Shared<'a, V>(&'a Handle<V>);

/// A handle in use by one call that may change it.
pub struct Exclusive<'a, V>(&'a Handle<V>);

/// A structure that begins with its size and may grow.
///
/// # Safety
/// `repr(C)`, no padding, every bit pattern valid, first field `struct_size: u32`.
pub unsafe trait Record: Copy {}
// SAFETY: integers and arrays of them; the sizes are asserted where they are defined.
unsafe impl Record for MarlineError {}
// SAFETY: as above.
unsafe impl Record for MarlineOptions {}
// SAFETY: as above.
unsafe impl Record for MarlineFacts {}
// SAFETY: as above.
unsafe impl Record for MarlineEvent {}
#[cfg(feature = "device")]
// SAFETY: as above.
unsafe impl Record for MarlineDeviceOptions {}
#[cfg(feature = "device")]
// SAFETY: as above.
unsafe impl Record for MarlineContactInfo {}
#[cfg(feature = "device")]
// SAFETY: as above.
unsafe impl Record for MarlineIncoming {}
#[cfg(feature = "device")]
// SAFETY: as above.
unsafe impl Record for MarlineMaintenance {}
#[cfg(feature = "device")]
// SAFETY: as above.
unsafe impl Record for MarlineDeviceFacts {}

impl Contract {
    /// # Safety
    /// The pointers that the calling function was given keep the contract of `marline.h`: each is NULL, or valid for
    /// the length that goes with it during the call, or (a handle) made by this library and not freed.
    pub unsafe fn of_the_caller() -> Self {
        Self(PhantomData)
    }

    /// The status of `body`; a panic is caught. Fills the error record.
    pub fn run(
        self,
        err: *mut MarlineError,
        body: impl FnOnce(&Self) -> Result<(), Status>,
    ) -> Status {
        let status = match catch_unwind(AssertUnwindSafe(|| body(&self))) {
            Ok(Ok(())) => MARLINE_OK,
            Ok(Err(status)) => status,
            Err(_) => MARLINE_ERR_INTERNAL,
        };
        if is_for::<MarlineError>(err) {
            self.write_record(err, MarlineError::new(status));
        }
        status
    }

    /// The value of `body`, or `default` if it fails.
    pub fn read<T>(self, default: T, body: impl FnOnce(&Self) -> Result<T, Status>) -> T {
        match catch_unwind(AssertUnwindSafe(|| body(&self))) {
            Ok(Ok(value)) => value,
            _ => default,
        }
    }

    /// Bytes in: `(NULL, 0)` is empty.
    pub fn bytes(&self, from: *const u8, length: usize) -> Result<&[u8], Status> {
        if length > isize::MAX.unsigned_abs() {
            return Err(MARLINE_ERR_LENGTH);
        }
        if from.is_null() {
            return if length == 0 {
                Ok(&[])
            } else {
                Err(MARLINE_ERR_NULL)
            };
        }
        // SAFETY: not NULL, not too long, and valid for `length` bytes during the call by the contract.
        Ok(unsafe { std::slice::from_raw_parts(from, length) })
    }

    /// Bytes in, of one size.
    pub fn array<const N: usize>(
        &self,
        from: *const u8,
        length: usize,
    ) -> Result<&[u8; N], Status> {
        if from.is_null() {
            return Err(MARLINE_ERR_NULL);
        }
        if length != N {
            return Err(MARLINE_ERR_LENGTH);
        }
        self.bytes(from, length)?
            .first_chunk()
            .ok_or(MARLINE_ERR_LENGTH)
    }

    /// Options in: absent or short is default, long must be zero where this version knows no field.
    pub fn options<T: Record + Default>(&self, from: *const T) -> Result<T, Status> {
        if from.is_null() {
            return Ok(T::default());
        }
        if !is_for::<T>(from) {
            return Err(MARLINE_ERR_ARGUMENT);
        }
        let size = self.struct_size(from).ok_or(MARLINE_ERR_STRUCT_SIZE)?;
        let all = self.bytes(from.cast(), size)?;
        let (known, surplus) = all.split_at(size.min(size_of::<T>()));
        if surplus.iter().any(|byte| *byte != 0) {
            return Err(MARLINE_ERR_STRUCT_SIZE);
        }
        let mut options = T::default();
        // SAFETY: `known` is no longer than `options`, of which every bit pattern is valid.
        unsafe {
            ptr::copy_nonoverlapping(known.as_ptr(), (&raw mut options).cast(), known.len());
        }
        Ok(options)
    }

    /// Text in: a name that the user sees.
    #[cfg(feature = "device")]
    pub fn text(&self, from: *const u8, length: usize) -> Result<&str, Status> {
        std::str::from_utf8(self.bytes(from, length)?).map_err(|_| MARLINE_ERR_ARGUMENT)
    }

    /// A handle to read: what tells no secret, and begins nothing that another process could go on with.
    pub fn shared<O: Object>(&self, handle: *const O) -> Result<Shared<'_, O::Value>, Status> {
        Self::reading(self.handle::<O>(handle)?)
    }

    /// A handle to read, by the process that made it: states, secrets, and messages that are prepared. A child that got
    /// them would use keys that its parent uses too.
    pub fn shared_by_maker<O: Object>(
        &self,
        handle: *const O,
    ) -> Result<Shared<'_, O::Value>, Status> {
        Self::reading(self.handle_of_maker::<O>(handle)?)
    }

    fn reading<V>(handle: &Handle<V>) -> Result<Shared<'_, V>, Status> {
        let mut state = handle.state.load(Ordering::Relaxed);
        loop {
            check(state, state & EXCLUSIVE != 0)?;
            match handle.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(Shared(handle)),
                Err(now) => state = now,
            }
        }
    }

    /// A handle to change, by the process that made it.
    pub fn exclusive<O: Object>(&self, handle: *mut O) -> Result<Exclusive<'_, O::Value>, Status> {
        let handle = self.handle_of_maker::<O>(handle)?;
        let order = (Ordering::Acquire, Ordering::Relaxed);
        match handle
            .state
            .compare_exchange(0, EXCLUSIVE, order.0, order.1)
        {
            Ok(_) => Ok(Exclusive(handle)),
            Err(state) => Err(check(state, true).err().unwrap_or(MARLINE_ERR_BUSY)),
        }
    }

    fn handle_of_maker<O: Object>(&self, handle: *const O) -> Result<&Handle<O::Value>, Status> {
        const { assert!(O::CHANGES) };
        let handle = self.handle::<O>(handle)?;
        if handle.process != process::current() {
            return Err(MARLINE_ERR_WRONG_PROCESS);
        }
        Ok(handle)
    }

    fn handle<O: Object>(&self, handle: *const O) -> Result<&Handle<O::Value>, Status> {
        if handle.is_null() {
            return Err(MARLINE_ERR_NULL);
        }
        let handle = handle.cast::<Handle<O::Value>>();
        if !handle.is_aligned() {
            return Err(MARLINE_ERR_BAD_HANDLE);
        }
        // SAFETY: not NULL, aligned, and a live handle of ours by the contract: all begin with a tag.
        if unsafe { ptr::read(handle.cast::<u64>()) } != O::TAG {
            return Err(MARLINE_ERR_BAD_HANDLE);
        }
        // SAFETY: the tag says that it is a `Handle` of this type; its value is in a cell.
        Ok(unsafe { &*handle })
    }

    /// Frees a handle. NULL and handles of another type are left alone, and so is one in use: a leak is
    /// better than a use after free.
    pub fn free<O: Object>(&self, handle: *mut O) -> Result<(), Status> {
        let live = self.handle::<O>(handle)?;
        if O::ONLY_MAKER_FREES && live.process != process::current() {
            return Err(MARLINE_ERR_WRONG_PROCESS);
        }
        let state = &live.state;
        let idle = state.load(Ordering::Relaxed) & POISONED;
        let order = (Ordering::Acquire, Ordering::Relaxed);
        state
            .compare_exchange(idle, EXCLUSIVE, order.0, order.1)
            .map_err(|_| MARLINE_ERR_BUSY)?;
        let handle = handle.cast::<Handle<O::Value>>();
        // SAFETY: a live handle of this type, made by `Output::put`, which nobody else uses; the tag is
        // written so that a second free finds it as long as the memory is not given away again.
        unsafe {
            (&raw mut (*handle).tag).write_volatile(DEAD);
            drop(Box::from_raw(handle));
        }
        Ok(())
    }

    /// Where a handle goes: NULL for now.
    pub fn out_handle<O: Object>(&self, to: *mut *mut O) -> Result<Output<'_, *mut O>, Status> {
        self.output(to, ptr::null_mut())
    }

    /// Where a number goes: 0 for now.
    pub fn out<T: Copy + Default>(&self, to: *mut T) -> Result<Output<'_, T>, Status> {
        self.output(to, T::default())
    }

    fn output<T>(&self, to: *mut T, empty: T) -> Result<Output<'_, T>, Status> {
        if to.is_null() {
            return Err(MARLINE_ERR_NULL);
        }
        if !to.is_aligned() {
            return Err(MARLINE_ERR_ARGUMENT);
        }
        // SAFETY: not NULL, aligned, and valid for one value by the contract.
        unsafe { to.write(empty) };
        Ok(Output(to, PhantomData))
    }

    /// A caller's array of one size: zero if there is no result.
    pub fn out_array<const N: usize>(
        &self,
        to: *mut u8,
        length: usize,
    ) -> Result<OutputBytes<'_>, Status> {
        if to.is_null() {
            return Err(MARLINE_ERR_NULL);
        }
        if length != N {
            return Err(MARLINE_ERR_LENGTH);
        }
        Ok(OutputBytes {
            to,
            capacity: N,
            whole: true,
            during: PhantomData,
        })
    }

    /// A caller's array of any size; it is written when there is a result.
    pub fn out_bytes(&self, to: *mut u8, capacity: usize) -> Result<OutputBytes<'_>, Status> {
        if to.is_null() && capacity > 0 {
            return Err(MARLINE_ERR_NULL);
        }
        if capacity > isize::MAX.unsigned_abs() {
            return Err(MARLINE_ERR_LENGTH);
        }
        Ok(OutputBytes {
            to,
            capacity,
            whole: false,
            during: PhantomData,
        })
    }

    /// Where a structure goes that begins with its size: cleared for now, as far as the caller's goes.
    pub fn out_record<T: Record + Default>(
        &self,
        to: *mut T,
    ) -> Result<OutputRecord<'_, T>, Status> {
        if to.is_null() {
            return Err(MARLINE_ERR_NULL);
        }
        if !is_for::<T>(to) {
            return Err(MARLINE_ERR_ARGUMENT);
        }
        self.struct_size(to).ok_or(MARLINE_ERR_STRUCT_SIZE)?;
        self.write_record(to, T::default());
        Ok(OutputRecord(to, self))
    }

    /// `struct_size` of a record, if it is plausible.
    fn struct_size<T: Record>(&self, record: *const T) -> Option<usize> {
        // SAFETY: callers checked NULL and alignment; every record begins with its size.
        let size = unsafe { ptr::read(record.cast::<u32>()) };
        let size = usize::try_from(size).ok()?;
        (size_of::<u32>()..=4096).contains(&size).then_some(size)
    }

    /// Writes the part of a record after `struct_size` that the caller's structure has room for.
    fn write_record<T: Record>(&self, to: *mut T, record: T) {
        let Some(size) = self.struct_size(to) else {
            return;
        };
        let skip = size_of::<u32>();
        let length = size.min(size_of::<T>()).saturating_sub(skip);
        // SAFETY: both structures have at least `skip + length` bytes, the caller's by its `struct_size`.
        unsafe {
            let from = (&raw const record).cast::<u8>().add(skip);
            ptr::copy_nonoverlapping(from, to.cast::<u8>().add(skip), length);
        }
    }
}

/// Not NULL and aligned.
fn is_for<T>(pointer: *const T) -> bool {
    !pointer.is_null() && pointer.is_aligned()
}

fn check(state: u32, busy: bool) -> Result<(), Status> {
    if state & POISONED != 0 {
        Err(MARLINE_ERR_POISONED)
    } else if busy {
        Err(MARLINE_ERR_BUSY)
    } else {
        Ok(())
    }
}

/// Releases a handle after a call; a panic poisons it.
fn release(state: &AtomicU32, held: u32) {
    if std::thread::panicking() {
        state.fetch_or(POISONED, Ordering::Relaxed);
    }
    state.fetch_sub(held, Ordering::Release);
}

impl<V> Deref for Shared<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        // SAFETY: the count of readers keeps every exclusive call out.
        unsafe { &*self.0.value.get() }
    }
}

impl<V> Drop for Shared<'_, V> {
    fn drop(&mut self) {
        release(&self.0.state, 1);
    }
}

impl<V> Deref for Exclusive<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        // SAFETY: `EXCLUSIVE` keeps every other call out.
        unsafe { &*self.0.value.get() }
    }
}

impl<V> DerefMut for Exclusive<'_, V> {
    fn deref_mut(&mut self) -> &mut V {
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<V> Drop for Exclusive<'_, V> {
    fn drop(&mut self) {
        release(&self.0.state, EXCLUSIVE);
    }
}
