//! Buffers (bytes that the library allocated) and decrypted messages.

use std::mem;
use std::ops::Deref;
use std::ptr;

use zeroize::{Zeroizing, optimization_barrier};

use crate::boundary::read;
use crate::handles::{MarlineBuffer, MarlineOpened};

/// What is behind a buffer. It is wiped whole, as `Zeroizing` does, which takes a fortieth of a short encryption because it
/// writes byte by byte.
pub struct Bytes(Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Zeroizing<Vec<u8>>> for Bytes {
    fn from(mut bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(mem::take(&mut bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // To the end of the allocation, not of what is used of it.
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        optimization_barrier(self.0.as_slice());
    }
}

/// The bytes of a buffer.
///
/// @param[in] buffer  not NULL
/// @return the bytes, valid until the buffer is freed; not NULL even for an empty buffer; NULL for NULL or what
///         is no buffer
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_buffer_data(buffer: *const MarlineBuffer) -> *const u8 {
    read!(ptr::null(), |c| Ok(c.shared(buffer)?.as_ptr()))
}

/// The number of bytes in a buffer.
///
/// @param[in] buffer  not NULL
/// @return the number; 0 for NULL or what is no buffer
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_buffer_len(buffer: *const MarlineBuffer) -> usize {
    read!(0, |c| Ok(c.shared(buffer)?.len()))
}

/// Wipes and frees a buffer.
///
/// @param[in] buffer  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_buffer_free(buffer: *mut MarlineBuffer) {
    read!((), |c| c.free(buffer));
}

/// The plaintext of a decrypted message.
///
/// @param[in] opened  not NULL
/// @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_plaintext(opened: *const MarlineOpened) -> *const u8 {
    read!(ptr::null(), |c| Ok(c.shared(opened)?.plaintext().as_ptr()))
}

/// The number of bytes of the plaintext.
///
/// @param[in] opened  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_plaintext_len(opened: *const MarlineOpened) -> usize {
    read!(0, |c| Ok(c.shared(opened)?.plaintext().len()))
}

/// The subject that the sender claims: 0 to 255 bytes, not NUL-terminated, not checked to be text.
///
/// @param[in] opened  not NULL
/// @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_subject(opened: *const MarlineOpened) -> *const u8 {
    read!(ptr::null(), |c| Ok(c
        .shared(opened)?
        .peer()
        .subject
        .as_bytes()
        .as_ptr()))
}

/// The number of bytes of the subject.
///
/// @param[in] opened  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_subject_len(opened: *const MarlineOpened) -> usize {
    read!(0, |c| Ok(c.shared(opened)?.peer().subject.as_bytes().len()))
}

/// The sender's authenticated identity: MARLINE_ID_SIZE bytes.
///
/// @param[in] opened  not NULL
/// @return MARLINE_ID_SIZE bytes, valid until the handle is freed; NULL for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_identity(opened: *const MarlineOpened) -> *const u8 {
    read!(ptr::null(), |c| Ok(c
        .shared(opened)?
        .peer()
        .identity
        .as_bytes()
        .as_ptr()))
}

/// Wipes and frees a decrypted message.
///
/// @param[in] opened  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_opened_free(opened: *mut MarlineOpened) {
    read!((), |c| c.free(opened));
}
