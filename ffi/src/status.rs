//! Status codes, their names and classes, and the error record.

use std::ffi::{CStr, c_char};

use marline::Error;

/// 0 is success, else one of the MARLINE_ERR_ macros. Codes are stable and never reused.
pub type Status = i32;

/// Success.
pub const MARLINE_OK: Status = 0;
/// A pointer is NULL that must not be.
pub const MARLINE_ERR_NULL: Status = 101;
/// A length is above its limit, or not the one size an argument has.
pub const MARLINE_ERR_LENGTH: Status = 102;
/// A selector or number has no meaning.
pub const MARLINE_ERR_ARGUMENT: Status = 103;
/// A handle of another type, or no handle at all. A help in finding mistakes, not a promise.
pub const MARLINE_ERR_BAD_HANDLE: Status = 104;
/// Another call is using the handle: a mutable handle is for one call at a time.
pub const MARLINE_ERR_BUSY: Status = 105;
/// An earlier call on the handle ended in MARLINE_ERR_INTERNAL: free it, import the last stored state.
pub const MARLINE_ERR_POISONED: Status = 106;
/// The handle was made before a fork, in the parent process: import the state in the child.
pub const MARLINE_ERR_WRONG_PROCESS: Status = 107;
/// The caller's buffer is too small; the needed size was written and nothing has changed.
pub const MARLINE_ERR_BUFFER_TOO_SMALL: Status = 108;
/// `struct_size` is not set, or a longer structure has fields this version does not know.
pub const MARLINE_ERR_STRUCT_SIZE: Status = 109;
/// A prepared change was committed already, or is of the other kind.
pub const MARLINE_ERR_SPENT: Status = 110;
/// A prepared change belongs to an older state: prepare it again.
pub const MARLINE_ERR_STALE: Status = 111;
/// A limit of the protocol is reached (specification, section 7).
pub const MARLINE_ERR_LIMIT: Status = 112;
/// No contact, file or waiting message of that name.
pub const MARLINE_ERR_NOT_FOUND: Status = 113;
/// The name is taken, or the device exists already.
pub const MARLINE_ERR_EXISTS: Status = 114;
/// Forged, corrupt, or meant for somebody else: drop it. One code for all such failures.
pub const MARLINE_ERR_AUTHENTICATION: Status = 201;
/// Delivered before: ignore it.
pub const MARLINE_ERR_DUPLICATE: Status = 202;
/// The key is gone (evicted, expired, or of a retired epoch): the message is lost.
pub const MARLINE_ERR_TOO_OLD: Status = 203;
/// The message jumps over more keys than the limit allows: drop it.
pub const MARLINE_ERR_TOO_FAR_AHEAD: Status = 204;
/// The prekeys a first message names are not here: the peer needs a fresh bundle.
pub const MARLINE_ERR_UNKNOWN_PREKEY: Status = 205;
/// The one-time prekey was used before: the peer needs a fresh bundle.
pub const MARLINE_ERR_PREKEY_USED: Status = 206;
/// The bundle is outside its validity window: fetch a fresh one, and check the clock.
pub const MARLINE_ERR_EXPIRED: Status = 207;
/// Older than something seen before: a restored backup, or an attack.
pub const MARLINE_ERR_ROLLBACK: Status = 208;
/// The peer shows another identity than before: show the user.
pub const MARLINE_ERR_IDENTITY_CHANGED: Status = 209;
/// A handshake with oneself was refused.
pub const MARLINE_ERR_OWN_IDENTITY: Status = 210;
/// The post-quantum agreement broke and the session has ended: start a new one.
pub const MARLINE_ERR_AGREEMENT_FAILED: Status = 211;
/// Another protocol version: upgrade.
pub const MARLINE_ERR_VERSION: Status = 212;
/// Not a valid encoding: drop it.
pub const MARLINE_ERR_MALFORMED: Status = 213;
/// There is no session for this: start one from a bundle, or accept the first message.
pub const MARLINE_ERR_NO_SESSION: Status = 214;
/// The device's file, or the operating system under it, failed in another way than the following.
pub const MARLINE_ERR_STORAGE: Status = 301;
/// No room on the disk, or above `max_bytes`: make room, try again.
pub const MARLINE_ERR_DISK_FULL: Status = 302;
/// The device's file or its directory cannot be written.
pub const MARLINE_ERR_READ_ONLY: Status = 303;
/// The device's file is damaged, or was altered without the key: restore a backup.
pub const MARLINE_ERR_CORRUPT: Status = 304;
/// Another process holds the device's file for longer than half a minute: try again.
pub const MARLINE_ERR_IN_USE: Status = 305;
/// Not a device file, or one of a newer version.
pub const MARLINE_ERR_SCHEMA: Status = 306;
/// The passphrase or key of the device is wrong.
pub const MARLINE_ERR_WRONG_KEY: Status = 307;
/// The operating system gave no randomness; nothing has changed.
pub const MARLINE_ERR_RANDOMNESS: Status = 401;
/// Not enough memory for a message of this size; nothing has changed.
pub const MARLINE_ERR_NO_MEMORY: Status = 402;
/// The signature does not verify under the account's identity; or the identity's secret is outside of this library, and
/// the call needs it: see marline_account_external. Nothing has changed.
pub const MARLINE_ERR_SIGNER: Status = 403;
/// A mistake in the library; the handles of the call are poisoned.
pub const MARLINE_ERR_INTERNAL: Status = 500;

/// Class 0: success.
pub const MARLINE_CLASS_OK: u32 = 0;
/// Class of 1xx: the program has a mistake, or must do something else first.
pub const MARLINE_CLASS_CALLER: u32 = 1;
/// Class of 2xx: data from outside (a message, a bundle, a stored state) was refused.
pub const MARLINE_CLASS_DATA: u32 = 2;
/// Class of 3xx: storage.
pub const MARLINE_CLASS_STORAGE: u32 = 3;
/// Class of 4xx: the environment (randomness, memory).
pub const MARLINE_CLASS_ENVIRONMENT: u32 = 4;
/// Class of 5xx: a mistake in the library.
pub const MARLINE_CLASS_INTERNAL: u32 = 5;

/// Code, name and message. A test holds it against the constants above.
const TABLE: &[(Status, &CStr, &CStr)] = &[
    (MARLINE_OK, c"MARLINE_OK", c"success"),
    (
        MARLINE_ERR_NULL,
        c"MARLINE_ERR_NULL",
        c"a pointer is NULL that must not be",
    ),
    (
        MARLINE_ERR_LENGTH,
        c"MARLINE_ERR_LENGTH",
        c"a length is not allowed",
    ),
    (
        MARLINE_ERR_ARGUMENT,
        c"MARLINE_ERR_ARGUMENT",
        c"an argument has no meaning",
    ),
    (
        MARLINE_ERR_BAD_HANDLE,
        c"MARLINE_ERR_BAD_HANDLE",
        c"not a live handle of this type",
    ),
    (
        MARLINE_ERR_BUSY,
        c"MARLINE_ERR_BUSY",
        c"the handle is in use by another call",
    ),
    (
        MARLINE_ERR_POISONED,
        c"MARLINE_ERR_POISONED",
        c"the handle is poisoned by an internal error",
    ),
    (
        MARLINE_ERR_WRONG_PROCESS,
        c"MARLINE_ERR_WRONG_PROCESS",
        c"the handle belongs to the process before fork",
    ),
    (
        MARLINE_ERR_BUFFER_TOO_SMALL,
        c"MARLINE_ERR_BUFFER_TOO_SMALL",
        c"the buffer is too small",
    ),
    (
        MARLINE_ERR_STRUCT_SIZE,
        c"MARLINE_ERR_STRUCT_SIZE",
        c"struct_size is wrong",
    ),
    (
        MARLINE_ERR_SPENT,
        c"MARLINE_ERR_SPENT",
        c"the prepared change is spent, or of another kind",
    ),
    (
        MARLINE_ERR_STALE,
        c"MARLINE_ERR_STALE",
        c"stale: the state has moved on",
    ),
    (MARLINE_ERR_LIMIT, c"MARLINE_ERR_LIMIT", c"limit reached"),
    (
        MARLINE_ERR_NOT_FOUND,
        c"MARLINE_ERR_NOT_FOUND",
        c"not found",
    ),
    (MARLINE_ERR_EXISTS, c"MARLINE_ERR_EXISTS", c"exists already"),
    (
        MARLINE_ERR_AUTHENTICATION,
        c"MARLINE_ERR_AUTHENTICATION",
        c"authentication failed",
    ),
    (
        MARLINE_ERR_DUPLICATE,
        c"MARLINE_ERR_DUPLICATE",
        c"already delivered",
    ),
    (
        MARLINE_ERR_TOO_OLD,
        c"MARLINE_ERR_TOO_OLD",
        c"too old: the key is no longer kept",
    ),
    (
        MARLINE_ERR_TOO_FAR_AHEAD,
        c"MARLINE_ERR_TOO_FAR_AHEAD",
        c"too far ahead",
    ),
    (
        MARLINE_ERR_UNKNOWN_PREKEY,
        c"MARLINE_ERR_UNKNOWN_PREKEY",
        c"unknown prekey",
    ),
    (
        MARLINE_ERR_PREKEY_USED,
        c"MARLINE_ERR_PREKEY_USED",
        c"one-time prekey already used",
    ),
    (
        MARLINE_ERR_EXPIRED,
        c"MARLINE_ERR_EXPIRED",
        c"outside the validity window",
    ),
    (
        MARLINE_ERR_ROLLBACK,
        c"MARLINE_ERR_ROLLBACK",
        c"rollback: older than what was seen before",
    ),
    (
        MARLINE_ERR_IDENTITY_CHANGED,
        c"MARLINE_ERR_IDENTITY_CHANGED",
        c"the peer's identity changed",
    ),
    (
        MARLINE_ERR_OWN_IDENTITY,
        c"MARLINE_ERR_OWN_IDENTITY",
        c"own identity",
    ),
    (
        MARLINE_ERR_AGREEMENT_FAILED,
        c"MARLINE_ERR_AGREEMENT_FAILED",
        c"post-quantum agreement failed, the session has ended",
    ),
    (
        MARLINE_ERR_VERSION,
        c"MARLINE_ERR_VERSION",
        c"unsupported version",
    ),
    (
        MARLINE_ERR_MALFORMED,
        c"MARLINE_ERR_MALFORMED",
        c"malformed",
    ),
    (
        MARLINE_ERR_NO_SESSION,
        c"MARLINE_ERR_NO_SESSION",
        c"no session",
    ),
    (
        MARLINE_ERR_STORAGE,
        c"MARLINE_ERR_STORAGE",
        c"the file or the operating system failed",
    ),
    (
        MARLINE_ERR_DISK_FULL,
        c"MARLINE_ERR_DISK_FULL",
        c"disk full",
    ),
    (
        MARLINE_ERR_READ_ONLY,
        c"MARLINE_ERR_READ_ONLY",
        c"read only",
    ),
    (
        MARLINE_ERR_CORRUPT,
        c"MARLINE_ERR_CORRUPT",
        c"the file is damaged",
    ),
    (
        MARLINE_ERR_IN_USE,
        c"MARLINE_ERR_IN_USE",
        c"the file is in use by another process",
    ),
    (
        MARLINE_ERR_SCHEMA,
        c"MARLINE_ERR_SCHEMA",
        c"not a device file of a known version",
    ),
    (
        MARLINE_ERR_WRONG_KEY,
        c"MARLINE_ERR_WRONG_KEY",
        c"wrong passphrase or key",
    ),
    (
        MARLINE_ERR_RANDOMNESS,
        c"MARLINE_ERR_RANDOMNESS",
        c"randomness failed",
    ),
    (
        MARLINE_ERR_NO_MEMORY,
        c"MARLINE_ERR_NO_MEMORY",
        c"out of memory",
    ),
    (
        MARLINE_ERR_SIGNER,
        c"MARLINE_ERR_SIGNER",
        c"the signer failed",
    ),
    (
        MARLINE_ERR_INTERNAL,
        c"MARLINE_ERR_INTERNAL",
        c"internal error",
    ),
];

const UNKNOWN: (Status, &CStr, &CStr) = (-1, c"MARLINE_ERR_UNKNOWN", c"unknown status");

/// An optional record of an error, allocated by the caller: 256 bytes, `= MARLINE_ERROR_INIT`. Every function
/// writes it last. It never holds a secret or text from a peer.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct MarlineError {
    /// `sizeof(marline_error)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// The status that the function returned.
    pub status: Status,
    /// English, NUL-terminated, for logs.
    pub message: [c_char; 248],
}
const _: () = assert!(size_of::<MarlineError>() == 256 && align_of::<MarlineError>() == 4);

impl MarlineError {
    /// The record of a status.
    pub(crate) fn new(status: Status) -> Self {
        let mut message = [0; 248];
        let text = if status == MARLINE_OK {
            c""
        } else {
            entry(status).2
        };
        for (to, from) in message.iter_mut().zip(text.to_bytes()) {
            *to = from.cast_signed() as c_char;
        }
        Self {
            struct_size: 0,
            status,
            message,
        }
    }
}

fn entry(status: Status) -> (Status, &'static CStr, &'static CStr) {
    let mut entries = TABLE.iter();
    entries
        .find(|entry| entry.0 == status)
        .copied()
        .unwrap_or(UNKNOWN)
}

/// The code of a protocol error. Every variant has its own; a test reads their names from the source.
pub(crate) fn of(error: Error) -> Status {
    match error {
        Error::Authentication => MARLINE_ERR_AUTHENTICATION,
        Error::Duplicate => MARLINE_ERR_DUPLICATE,
        Error::TooOld => MARLINE_ERR_TOO_OLD,
        Error::TooFarAhead => MARLINE_ERR_TOO_FAR_AHEAD,
        Error::UnknownPrekey => MARLINE_ERR_UNKNOWN_PREKEY,
        Error::PrekeyUsed => MARLINE_ERR_PREKEY_USED,
        Error::Expired => MARLINE_ERR_EXPIRED,
        Error::Rollback => MARLINE_ERR_ROLLBACK,
        Error::IdentityChanged => MARLINE_ERR_IDENTITY_CHANGED,
        Error::OwnIdentity => MARLINE_ERR_OWN_IDENTITY,
        Error::NoSession => MARLINE_ERR_NO_SESSION,
        Error::AgreementFailed => MARLINE_ERR_AGREEMENT_FAILED,
        Error::Version => MARLINE_ERR_VERSION,
        Error::Malformed => MARLINE_ERR_MALFORMED,
        Error::Limit => MARLINE_ERR_LIMIT,
        Error::Randomness => MARLINE_ERR_RANDOMNESS,
        Error::Signer => MARLINE_ERR_SIGNER,
        Error::Stale => MARLINE_ERR_STALE,
        _ => MARLINE_ERR_INTERNAL,
    }
}

/// The code of a device's error. Every variant has its own code or shares one that asks the same of the caller.
#[cfg(feature = "device")]
pub(crate) fn of_device(error: marline_device::Error) -> Status {
    use marline_device::Error;
    match error {
        Error::Protocol(error) => of(error),
        Error::WrongKey => MARLINE_ERR_WRONG_KEY,
        Error::Parameters | Error::Name => MARLINE_ERR_ARGUMENT,
        Error::Rollback => MARLINE_ERR_ROLLBACK,
        Error::NotFound => MARLINE_ERR_NOT_FOUND,
        Error::Exists => MARLINE_ERR_EXISTS,
        Error::DiskFull => MARLINE_ERR_DISK_FULL,
        Error::ReadOnly => MARLINE_ERR_READ_ONLY,
        Error::Corrupt => MARLINE_ERR_CORRUPT,
        // A conflict is what other stores report where SQLite waits.
        Error::Busy | Error::Conflict => MARLINE_ERR_IN_USE,
        Error::Schema => MARLINE_ERR_SCHEMA,
        _ => MARLINE_ERR_STORAGE,
    }
}

/// The name of a status, such as "MARLINE_ERR_NULL".
///
/// @param[in] status  any number
/// @return a static NUL-terminated string, never NULL
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_status_name(status: Status) -> *const c_char {
    entry(status).1.as_ptr()
}

/// One English phrase about a status, for logs.
///
/// @param[in] status  any number
/// @return a static NUL-terminated string, never NULL
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_status_message(status: Status) -> *const c_char {
    entry(status).2.as_ptr()
}

/// The class of a status: what a program should switch on, because classes do not grow.
///
/// @param[in] status  any number
/// @return one of MARLINE_CLASS_...; MARLINE_CLASS_INTERNAL for a number that is no status
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn marline_status_class(status: Status) -> u32 {
    match status {
        MARLINE_OK => MARLINE_CLASS_OK,
        100..=199 => MARLINE_CLASS_CALLER,
        200..=299 => MARLINE_CLASS_DATA,
        300..=399 => MARLINE_CLASS_STORAGE,
        400..=499 => MARLINE_CLASS_ENVIRONMENT,
        _ => MARLINE_CLASS_INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_in_the_table_once_under_its_own_name() {
        let constants: Vec<(String, Status)> = include_str!("status.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": Status = "))
            .map(|(name, value)| {
                (
                    name.to_owned(),
                    value.trim_end_matches(';').parse().unwrap(),
                )
            })
            .collect();
        assert_eq!(constants.len(), TABLE.len());
        for ((name, value), entry) in constants.iter().zip(TABLE) {
            assert_eq!(
                (entry.0, entry.1.to_str().unwrap()),
                (*value, name.as_str())
            );
        }
        let different: BTreeSet<_> = TABLE.iter().map(|entry| entry.0).collect();
        assert_eq!(different.len(), TABLE.len());
        assert!(TABLE.iter().all(|entry| entry.2.count_bytes() < 248));
    }

    /// For those that no test from outside reaches: a failing disk, a store of another kind.
    #[cfg(feature = "device")]
    #[test]
    fn errors_of_storage_have_codes_of_the_storage_class() {
        use marline_device::Error;
        assert_eq!(of_device(Error::Busy), MARLINE_ERR_IN_USE);
        assert_eq!(of_device(Error::Conflict), MARLINE_ERR_IN_USE);
        assert_eq!(of_device(Error::ReadOnly), MARLINE_ERR_READ_ONLY);
        let other = of_device(Error::Storage("x".into()));
        assert_eq!(other, MARLINE_ERR_STORAGE);
        assert_eq!(marline_status_class(other), MARLINE_CLASS_STORAGE);
    }

    #[test]
    fn every_variant_of_the_protocols_error_has_its_own_code() {
        // The enum is non_exhaustive, so the compiler does not say when one is missing: read the source.
        let source = include_str!("../../protocol/src/error.rs");
        let body = source.split_once("pub enum Error {").unwrap().1;
        let variants: Vec<_> = body
            .lines()
            .take_while(|line| *line != "}")
            .filter_map(|line| line.trim().strip_suffix(','))
            .filter(|name| name.chars().all(char::is_alphanumeric))
            .collect();
        assert!(variants.len() >= 16, "{variants:?}");
        let own = include_str!("status.rs");
        for name in variants {
            assert!(
                own.contains(&format!("Error::{name} => MARLINE_ERR_")),
                "{name} has no code"
            );
        }
    }
}
