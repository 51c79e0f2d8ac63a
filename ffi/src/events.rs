//! What an application is to be told after a message came to a contact.

use marline::{Event, Trust};

use crate::boundary::{call, read};
use crate::handles::MarlineEvents;
use crate::status::{MARLINE_ERR_ARGUMENT, MarlineError, Status};

/// Trust: not the identity known for this contact.
pub const MARLINE_TRUST_OTHER: u32 = 0;
/// Trust: the identity known for this contact; nobody compared the safety number.
pub const MARLINE_TRUST_UNVERIFIED: u32 = 1;
/// Trust: the safety number was compared.
pub const MARLINE_TRUST_VERIFIED: u32 = 2;

/// Event: the peer started the session `session_id`; `sends` is 1 if messages go out on it from now on.
pub const MARLINE_EVENT_NEW_SESSION: u32 = 1;
/// Event: the peer gave up the former session and started this one; messages may have been lost. Show the user.
pub const MARLINE_EVENT_SESSION_RESET: u32 = 2;
/// Event: the post-quantum agreement of the session broke: marline_contact_reset starts anew.
pub const MARLINE_EVENT_SESSION_FAILED: u32 = 3;
/// Event: the archive was full; the session's remaining messages can no longer be read.
pub const MARLINE_EVENT_SESSION_EVICTED: u32 = 4;
/// Event: the peer shows the identity `to` in place of `from`. Nothing is sent before marline_contact_acknowledge or
/// marline_contact_reject. Show the user.
pub const MARLINE_EVENT_IDENTITY_CHANGED: u32 = 5;
/// Event: an authenticated message of a peer that does not use contacts.
pub const MARLINE_EVENT_UNREADABLE: u32 = 6;
/// Event: one that this version of the interface has no number for.
pub const MARLINE_EVENT_OTHER: u32 = 0;

/// One event, `= MARLINE_EVENT_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineEvent {
    /// `sizeof(marline_event)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// MARLINE_EVENT_...
    pub kind: u32,
    /// For MARLINE_EVENT_NEW_SESSION: 1 if messages go out on it from now on.
    pub sends: u32,
    /// The session, for events of sessions.
    pub session_id: [u8; 32],
    /// For MARLINE_EVENT_IDENTITY_CHANGED: the identity known so far.
    pub from: [u8; 32],
    /// For MARLINE_EVENT_IDENTITY_CHANGED: the identity seen now.
    pub to: [u8; 32],
}
const _: () = assert!(size_of::<MarlineEvent>() == 108 && align_of::<MarlineEvent>() == 4);

/// What is behind events.
pub struct Events(pub(crate) Vec<Event>);

/// The number of events.
///
/// @param[in] events  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_events_count(events: *const MarlineEvents) -> usize {
    read!(0, |c| Ok(c.shared(events)?.0.len()))
}

/// One event.
///
/// @param[in] events  not NULL
/// @param[in] index  below marline_events_count
/// @param[in,out] out_event  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_events_get(
    events: *const MarlineEvents,
    index: u32,
    out_event: *mut MarlineEvent,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_event)?;
        let events = c.shared(events)?;
        let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        let event = events.0.get(index).ok_or(MARLINE_ERR_ARGUMENT)?;
        out.set(event_of(event));
        Ok(())
    })
}

/// Frees events.
///
/// @param[in] events  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_events_free(events: *mut MarlineEvents) {
    read!((), |c| c.free(events));
}

pub(crate) fn trust_of(trust: Trust) -> u32 {
    match trust {
        Trust::Verified => MARLINE_TRUST_VERIFIED,
        Trust::Unverified => MARLINE_TRUST_UNVERIFIED,
        Trust::Other => MARLINE_TRUST_OTHER,
    }
}

fn event_of(event: &Event) -> MarlineEvent {
    let session = |kind, id: &[u8; 32]| MarlineEvent {
        kind,
        session_id: *id,
        ..MarlineEvent::default()
    };
    match event {
        Event::NewSession { session_id, sends } => MarlineEvent {
            sends: (*sends).into(),
            ..session(MARLINE_EVENT_NEW_SESSION, session_id)
        },
        Event::SessionReset { session_id } => session(MARLINE_EVENT_SESSION_RESET, session_id),
        Event::SessionFailed { session_id } => session(MARLINE_EVENT_SESSION_FAILED, session_id),
        Event::SessionEvicted { session_id } => session(MARLINE_EVENT_SESSION_EVICTED, session_id),
        Event::IdentityChanged { from, to } => MarlineEvent {
            kind: MARLINE_EVENT_IDENTITY_CHANGED,
            from: *from.as_bytes(),
            to: *to.as_bytes(),
            ..MarlineEvent::default()
        },
        Event::Unreadable => session(MARLINE_EVENT_UNREADABLE, &[0; 32]),
        _ => MarlineEvent::default(),
    }
}
