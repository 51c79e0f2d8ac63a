//! A few calls as C makes them, small enough for Miri (docs/assurance.md): it sees what valgrind does not, a reference that
//! another call makes invalid, and a race. `misuse.py` calls every function in every wrong way.
#![allow(unsafe_code, clippy::unwrap_used)]

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::{array, slice, thread};

use marline_ffi::{buffer::*, contact::*, handles::*, prekey::*, session::*, status::*, trust::*};

const ID: [u8; 32] = [7; 32];

fn contact() -> *mut MarlineContact {
    let mut contact = null_mut();
    // SAFETY: all pointers are valid.
    let status = unsafe { marline_contact_new(ID.as_ptr(), 32, &mut contact, null_mut()) };
    assert_eq!(status, MARLINE_OK);
    contact
}

#[test]
fn wrong_handles_are_refused_and_a_record_ends_where_its_size_says() {
    let contact = contact();
    let identity_of = |handle: *const MarlineContact, length| {
        let (mut id, mut record) = ([1; 32], [8, MARLINE_OK]);
        let (to, err) = (id.as_mut_ptr(), record.as_mut_ptr().cast());
        // SAFETY: the pointers are valid, but for handles that are recognized.
        let status = unsafe { marline_contact_identity(handle, to, length, err) };
        assert_eq!(record, [8, status]);
        (status, id)
    };
    let between = contact.wrapping_byte_add(1);
    assert_eq!(identity_of(contact, 32), (MARLINE_OK, ID));
    assert_eq!(identity_of(contact, 31), (MARLINE_ERR_LENGTH, [1; 32]));
    assert_eq!(identity_of(null(), 32), (MARLINE_ERR_NULL, [0; 32]));
    assert_eq!(identity_of(between, 32), (MARLINE_ERR_BAD_HANDLE, [0; 32]));
    // SAFETY: another type's handle is left alone.
    unsafe { marline_session_free(contact.cast()) };
    assert_eq!(identity_of(contact, 32).0, MARLINE_OK);
    // SAFETY: it is freed once.
    unsafe { marline_contact_free(contact) };
}

#[test]
fn arrays_may_overlap_and_a_buffer_is_the_callers() {
    let mut bytes: [u8; 65] = array::from_fn(|i| i as u8);
    let qr = [&[1], &bytes[..64]].concat();
    let (at, contact) = (bytes.as_mut_ptr(), contact());
    let (mut sealed, mut generation) = (null_mut(), 0);
    // SAFETY: all pointers are valid, and each handle is freed once.
    unsafe {
        let made = marline_safety_number_qr(at, 32, at.add(32), 32, at, 65, null_mut());
        let (to, of) = (&raw mut sealed, &raw mut generation);
        let export = marline_contact_export(contact, at, 32, to, of, null_mut());
        assert_eq!([made, export], [MARLINE_OK; 2]);
        let state = slice::from_raw_parts(marline_buffer_data(sealed), marline_buffer_len(sealed));
        assert_eq!(state.first(), Some(&1));
        marline_buffer_free(sealed);
        marline_contact_free(contact);
    }
    assert_eq!(bytes[..], qr);
}

#[test]
fn threads_with_one_handle_exclude_each_other() {
    let contact = AtomicPtr::new(contact());
    let change_and_read = |verified| {
        for _ in 0..20 {
            let (contact, id) = (contact.load(Ordering::Relaxed), ID.as_ptr());
            let (mut trust, err) = (9, null_mut());
            // SAFETY: all pointers are valid.
            let statuses = unsafe {
                let set = marline_contact_set_verified(contact, id, 32, verified, err);
                [set, marline_contact_trust(contact, id, 32, &mut trust, err)]
            };
            assert!(
                statuses
                    .iter()
                    .all(|s| [MARLINE_OK, MARLINE_ERR_BUSY].contains(s))
            );
            assert_eq!(trust != 0, statuses[1] == MARLINE_OK);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| change_and_read(0));
        scope.spawn(|| change_and_read(1));
    });
    // SAFETY: nobody uses it any more.
    unsafe { marline_contact_free(contact.into_inner()) };
}
