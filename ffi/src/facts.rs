//! What there is to know about a session, and the secret that it exports.

use marline::{Facts, Role};

use crate::boundary::call;
use crate::buffer::Bytes;
use crate::handles::{MarlineBuffer, MarlineSession};
use crate::status::{MARLINE_ERR_LENGTH, MarlineError, Status, of};

/// Bytes of an exported secret, at most.
pub const MARLINE_MAX_EXPORT: usize = 8160;

/// Role: this side started the session.
pub const MARLINE_ROLE_INITIATOR: u32 = 1;
/// Role: this side accepted the session.
pub const MARLINE_ROLE_RESPONDER: u32 = 2;

/// What there is to know about a session, `= MARLINE_FACTS_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineFacts {
    /// `sizeof(marline_facts)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// MARLINE_ROLE_...
    pub role: u32,
    /// Codewords in every message, 1 to 38.
    pub slots: u32,
    /// Current post-quantum epoch.
    pub epoch: u32,
    /// Messages sent and received since that epoch's key: high when the peer does not answer.
    pub messages_since_epoch: u32,
    /// 1 if the handshake used a one-time prekey.
    pub used_one_time_prekey: u32,
    /// 1 if the peer has sent anything in this session.
    pub peer_has_answered: u32,
    /// 1 if the post-quantum agreement broke and the session has ended.
    pub failed: u32,
    /// Keys held for messages that have not come, classical ratchet.
    pub skipped_classical: u32,
    /// Keys held for messages that have not come, post-quantum ratchet.
    pub skipped_post_quantum: u32,
    /// Grows with every change of the state.
    pub generation: u64,
    /// The session's id, the same on both sides.
    pub session_id: [u8; 32],
    /// The peer's authenticated identity.
    pub peer_identity: [u8; 32],
}
const _: () = assert!(size_of::<MarlineFacts>() == 112 && align_of::<MarlineFacts>() == 8);

/// What there is to know about a session.
///
/// @param[in] session  not NULL
/// @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_facts(
    session: *const MarlineSession,
    out_facts: *mut MarlineFacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_facts)?;
        out.set(facts_of(c.shared(session)?.facts()));
        Ok(())
    })
}

/// The subject that the peer claims: 0 to 255 bytes, not checked to be text.
///
/// @param[in] session  not NULL
/// @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_peer_subject(
    session: *const MarlineSession,
    out_subject: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_subject)?;
        let subject = c.shared(session)?.peer().subject.as_bytes().to_vec();
        out.put(Bytes::from(subject));
        Ok(())
    })
}

/// A secret for another protocol, the same on both sides for the same label and context. It depends on the
/// handshake only.
///
/// @param[in] session  not NULL
/// @param[in] label  `label_len` bytes, NULL if that is 0
/// @param[in] label_len  length of the label
/// @param[in] context  `context_len` bytes, NULL if that is 0
/// @param[in] context_len  length of the context
/// @param[in] secret_len  1 to MARLINE_MAX_EXPORT
/// @param[out] out_secret  not NULL; a new buffer of `secret_len` bytes, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_session_export_secret(
    session: *const MarlineSession,
    label: *const u8,
    label_len: usize,
    context: *const u8,
    context_len: usize,
    secret_len: usize,
    out_secret: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_secret)?;
        let session = c.shared_by_maker(session)?;
        let (label, context) = (c.bytes(label, label_len)?, c.bytes(context, context_len)?);
        let length = export_len(secret_len)?;
        let secret = session.export_secret(label, context, length);
        out.put(Bytes::from(secret.map_err(of)?));
        Ok(())
    })
}

/// Facts as C sees them.
pub(crate) fn facts_of(facts: Facts) -> MarlineFacts {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    MarlineFacts {
        struct_size: 0,
        role: match facts.role {
            Role::Initiator => MARLINE_ROLE_INITIATOR,
            Role::Responder => MARLINE_ROLE_RESPONDER,
        },
        slots: facts.slots.get().into(),
        epoch: facts.epoch,
        messages_since_epoch: facts.messages_since_epoch,
        used_one_time_prekey: facts.used_one_time_prekey.into(),
        peer_has_answered: facts.peer_has_answered.into(),
        failed: facts.failed.into(),
        skipped_classical: number(facts.skipped.0),
        skipped_post_quantum: number(facts.skipped.1),
        generation: facts.generation,
        session_id: facts.session_id,
        peer_identity: *facts.peer.identity.as_bytes(),
    }
}

/// The length of an exported secret, if there are secrets of that length.
pub(crate) fn export_len(length: usize) -> Result<usize, Status> {
    if (1..=MARLINE_MAX_EXPORT).contains(&length) {
        Ok(length)
    } else {
        Err(MARLINE_ERR_LENGTH)
    }
}
