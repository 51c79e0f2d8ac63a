//! What is in an inbox.

use std::ptr;

use marline_device::Incoming;

use crate::boundary::{call, read};
use crate::events::{Events, trust_of};
use crate::handles::{MarlineEvents, MarlineInbox};
use crate::status::{MARLINE_ERR_ARGUMENT, MarlineError, Status};

/// A message in an inbox, `= MARLINE_INCOMING_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineIncoming {
    /// `sizeof(marline_incoming)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// How far the author's identity is trusted: MARLINE_TRUST_...
    pub trust: u32,
    /// 1 if there is a plaintext; 0 after a reset, or when an event says why.
    pub has_plaintext: u32,
    /// For marline_device_acknowledge.
    pub id: [u8; 32],
    /// The authenticated identity it is from.
    pub author: [u8; 32],
}
const _: () = assert!(size_of::<MarlineIncoming>() == 76);

/// The number of messages in an inbox.
///
/// @param[in] inbox  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_count(inbox: *const MarlineInbox) -> usize {
    read!(0, |c| Ok(c.shared(inbox)?.len()))
}

/// One message of an inbox, but for its bytes.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @param[in,out] out_incoming  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_get(
    inbox: *const MarlineInbox,
    index: u32,
    out_incoming: *mut MarlineIncoming,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_incoming)?;
        let inbox = c.shared(inbox)?;
        let incoming = at(&inbox, index)?;
        out.set(MarlineIncoming {
            struct_size: 0,
            trust: trust_of(incoming.trust),
            has_plaintext: incoming.plaintext().is_some().into(),
            id: incoming.id,
            author: *incoming.author.identity.as_bytes(),
        });
        Ok(())
    })
}

/// The plaintext of a message.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the bytes, valid until the handle is freed; not NULL even when empty; NULL if there is no plaintext, for another
///         index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_plaintext(
    inbox: *const MarlineInbox,
    index: u32,
) -> *const u8 {
    read!(ptr::null(), |c| Ok(at(&c.shared(inbox)?, index)?
        .plaintext()
        .map_or(ptr::null(), <[u8]>::as_ptr)))
}

/// The number of bytes of a message's plaintext.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the number; 0 if there is no plaintext, for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_plaintext_len(
    inbox: *const MarlineInbox,
    index: u32,
) -> usize {
    read!(0, |c| Ok(at(&c.shared(inbox)?, index)?
        .plaintext()
        .map_or(0, <[u8]>::len)))
}

/// The name of the contact that a message is from: UTF-8, not NUL-terminated.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the bytes, valid until the handle is freed; NULL for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_contact(
    inbox: *const MarlineInbox,
    index: u32,
) -> *const u8 {
    read!(ptr::null(), |c| Ok(at(&c.shared(inbox)?, index)?
        .contact
        .as_ptr()))
}

/// The number of bytes of the contact's name.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the number; 0 for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_contact_len(
    inbox: *const MarlineInbox,
    index: u32,
) -> usize {
    read!(0, |c| Ok(at(&c.shared(inbox)?, index)?.contact.len()))
}

/// The subject that the author claims: 0 to 255 bytes, not NUL-terminated, not checked to be text.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for another index, NULL or a wrong
///         handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_subject(
    inbox: *const MarlineInbox,
    index: u32,
) -> *const u8 {
    read!(ptr::null(), |c| Ok(
        subject(at(&c.shared(inbox)?, index)?).as_ptr()
    ))
}

/// The number of bytes of the subject.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @return the number; 0 for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_subject_len(
    inbox: *const MarlineInbox,
    index: u32,
) -> usize {
    read!(0, |c| Ok(subject(at(&c.shared(inbox)?, index)?).len()))
}

/// What happened besides when a message was received. It is kept in the inbox with the message.
///
/// @param[in] inbox  not NULL
/// @param[in] index  below marline_inbox_count
/// @param[out] out_events  not NULL; the events, free it with marline_events_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_events(
    inbox: *const MarlineInbox,
    index: u32,
    out_events: *mut *mut MarlineEvents,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_events)?;
        let inbox = c.shared(inbox)?;
        out.put(Events(at(&inbox, index)?.events.clone()));
        Ok(())
    })
}

/// Wipes and frees an inbox. What is on the device is not touched.
///
/// @param[in] inbox  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_inbox_free(inbox: *mut MarlineInbox) {
    read!((), |c| c.free(inbox));
}

fn at(inbox: &[Incoming], index: u32) -> Result<&Incoming, Status> {
    let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
    inbox.get(index).ok_or(MARLINE_ERR_ARGUMENT)
}

fn subject(incoming: &Incoming) -> &[u8] {
    incoming.author.subject.as_bytes()
}
