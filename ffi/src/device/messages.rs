//! Sending and receiving through a device.

use marline_device::{Outgoing, SendOptions};

use crate::boundary::{Output, OutputBytes, call, read};
use crate::buffer::Bytes;
use crate::contact::plaintext_bytes;
use crate::handles::{MarlineBuffer, MarlineDevice, MarlineInbox, MarlineOutbox};
use crate::options::MarlineOptions;
use crate::prekey::MARLINE_ID_SIZE;
use crate::session::room_for;
use crate::status::{MARLINE_ERR_ARGUMENT, MarlineError, Status, of_device};

/// Encrypts for a contact, starting a session from the contact's bundle when there is none. State and ciphertext are on
/// disk when the call returns: the message may leave at once. It waits in the outbox until marline_device_mark_sent.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
/// @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
/// @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] options  nullable; NULL is all defaults; `slots` counts if this starts a session
/// @param[in] now  Unix seconds
/// @param[out] out_id  not NULL; names it in the outbox, `out_id_len` bytes
/// @param[in] out_id_len  MARLINE_ID_SIZE
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE;
///         MARLINE_ERR_NOT_FOUND (no such contact); MARLINE_ERR_NO_SESSION: add a bundle; MARLINE_ERR_IDENTITY_CHANGED: the
///         user has to decide; MARLINE_ERR_AGREEMENT_FAILED: marline_device_reset; for the bundle: MARLINE_ERR_EXPIRED,
///         MARLINE_ERR_ROLLBACK, MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_MALFORMED; MARLINE_ERR_LIMIT,
///         MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_send(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    plaintext: *const u8,
    plaintext_len: usize,
    ad: *const u8,
    ad_len: usize,
    options: *const MarlineOptions,
    now: u64,
    out_id: *mut u8,
    out_id_len: usize,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (id, message) = (
            c.out_array::<MARLINE_ID_SIZE>(out_id, out_id_len),
            c.out_handle(out_message),
        );
        let out = Sent(id?, message?);
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        let plaintext = plaintext_bytes(c, plaintext, plaintext_len)?;
        let ad = c.bytes(ad, ad_len)?;
        let options = c.options(options)?;
        let (slots, padding) = (options.slots()?, options.padding()?);
        let options = SendOptions { padding, ad, slots };
        let sent = device.device()?.send_with(name, plaintext, options, now);
        out.put(sent.map_err(of_device)?)
    })
}

/// Gives up the session with a contact and starts another from its bundle; the message tells the peer so. At most one in
/// an hour.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[in] now  Unix seconds
/// @param[out] out_id  not NULL; names it in the outbox, `out_id_len` bytes
/// @param[in] out_id_len  MARLINE_ID_SIZE
/// @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_send; MARLINE_ERR_LIMIT within an hour of the last reset
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_reset(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    now: u64,
    out_id: *mut u8,
    out_id_len: usize,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (id, message) = (
            c.out_array::<MARLINE_ID_SIZE>(out_id, out_id_len),
            c.out_handle(out_message),
        );
        let out = Sent(id?, message?);
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        out.put(device.device()?.reset(name, now).map_err(of_device)?)
    })
}

/// The message is with the transport: it leaves the outbox with the next change or marline_device_flush. A crash before that
/// means that it is sent twice, which the receiver ignores. An id that is not in the outbox does nothing.
///
/// @param[in,out] device  not NULL
/// @param[in] id  not NULL; what marline_device_send or marline_outbox_get gave, `id_len` bytes
/// @param[in] id_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_mark_sent(
    device: *mut MarlineDevice,
    id: *const u8,
    id_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let id = *c.array(id, id_len)?;
        device.device()?.mark_sent(id).map_err(of_device)
    })
}

/// Opens a message. State, plaintext and events are on disk when the call returns; the same message with the same associated
/// data gives the same until marline_device_acknowledge. Somebody unknown who starts a session becomes a new contact.
///
/// @param[in,out] device  not NULL
/// @param[in] message  `message_len` bytes
/// @param[in] message_len  length of the message
/// @param[in] from  the contact that the transport says it comes from; `from_len` bytes, NULL if that is 0: all contacts are
///            tried, those heard last first
/// @param[in] from_len  length of the contact's name
/// @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
/// @param[in] ad_len  length of the associated data
/// @param[in] now  Unix seconds
/// @param[out] out_inbox  not NULL; the message at index 0, free it with marline_inbox_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_NOT_FOUND (no contact `from`);
///         MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_DUPLICATE, MARLINE_ERR_TOO_OLD, MARLINE_ERR_TOO_FAR_AHEAD,
///         MARLINE_ERR_UNKNOWN_PREKEY, MARLINE_ERR_PREKEY_USED, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_LIMIT (publish
///         again), MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED, MARLINE_ERR_NO_SESSION,
///         MARLINE_ERR_NO_MEMORY. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_receive(
    device: *mut MarlineDevice,
    message: *const u8,
    message_len: usize,
    from: *const u8,
    from_len: usize,
    ad: *const u8,
    ad_len: usize,
    now: u64,
    out_inbox: *mut *mut MarlineInbox,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_inbox)?;
        let mut device = c.exclusive(device)?;
        let message = c.bytes(message, message_len)?;
        room_for(message.len())?;
        let from = Some(c.text(from, from_len)?).filter(|name| !name.is_empty());
        let ad = c.bytes(ad, ad_len)?;
        let incoming = device.device()?.receive_with(message, from, ad, now);
        out.put(vec![incoming.map_err(of_device)?]);
        Ok(())
    })
}

/// The application has what it needs of a message, its plaintext and its events: it leaves the inbox with the next change or
/// marline_device_flush. An id that is not in the inbox does nothing.
///
/// @param[in,out] device  not NULL
/// @param[in] id  not NULL; the `id` of marline_inbox_get, `id_len` bytes
/// @param[in] id_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_acknowledge(
    device: *mut MarlineDevice,
    id: *const u8,
    id_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let id = *c.array(id, id_len)?;
        device.device()?.acknowledge(id).map_err(of_device)
    })
}

/// Messages not acknowledged, oldest first, also those that only bring events: after a start, what was received and not dealt with.
///
/// @param[in,out] device  not NULL
/// @param[out] out_inbox  not NULL; the inbox as it is now, free it with marline_inbox_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_inbox(
    device: *mut MarlineDevice,
    out_inbox: *mut *mut MarlineInbox,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_inbox)?;
        let mut device = c.exclusive(device)?;
        out.put(device.device()?.inbox().map_err(of_device)?);
        Ok(())
    })
}

/// Ciphertexts not marked as sent, oldest first: after a start, what is to be sent (again).
///
/// @param[in,out] device  not NULL
/// @param[out] out_outbox  not NULL; the outbox as it is now, free it with marline_outbox_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_outbox(
    device: *mut MarlineDevice,
    out_outbox: *mut *mut MarlineOutbox,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_outbox)?;
        let mut device = c.exclusive(device)?;
        out.put(device.device()?.outbox().map_err(of_device)?);
        Ok(())
    })
}

/// The number of messages in an outbox.
///
/// @param[in] outbox  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_outbox_count(outbox: *const MarlineOutbox) -> usize {
    read!(0, |c| Ok(c.shared(outbox)?.len()))
}

/// One message of an outbox.
///
/// @param[in] outbox  not NULL
/// @param[in] index  below marline_outbox_count
/// @param[out] out_id  not NULL; for marline_device_mark_sent, `out_id_len` bytes
/// @param[in] out_id_len  MARLINE_ID_SIZE
/// @param[out] out_name  not NULL; the contact it is for, a new buffer, free it with marline_buffer_free
/// @param[out] out_message  not NULL; what to send, a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH; MARLINE_ERR_ARGUMENT for another index
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_outbox_get(
    outbox: *const MarlineOutbox,
    index: u32,
    out_id: *mut u8,
    out_id_len: usize,
    out_name: *mut *mut MarlineBuffer,
    out_message: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (id, name, message) = (
            c.out_array::<MARLINE_ID_SIZE>(out_id, out_id_len),
            c.out_handle(out_name),
            c.out_handle(out_message),
        );
        let (out, name) = (Sent(id?, message?), name?);
        let outbox = c.shared(outbox)?;
        let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        let outgoing = outbox.get(index).ok_or(MARLINE_ERR_ARGUMENT)?;
        name.put(Bytes::from(outgoing.contact.as_bytes().to_vec()));
        out.put(outgoing.clone())
    })
}

/// Frees an outbox. What is on the device is not touched.
///
/// @param[in] outbox  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_outbox_free(outbox: *mut MarlineOutbox) {
    read!((), |c| c.free(outbox));
}

/// Where a ciphertext and its id go.
struct Sent<'a>(OutputBytes<'a>, Output<'a, *mut MarlineBuffer>);

impl Sent<'_> {
    fn put(self, outgoing: Outgoing) -> Result<(), Status> {
        self.1.put(Bytes::from(outgoing.message));
        self.0.write(&outgoing.id)
    }
}
