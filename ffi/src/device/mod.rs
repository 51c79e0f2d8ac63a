//! A device that keeps its state in an encrypted file (crate `marline-device`): opening and closing it.
//!
//! The order that the crate fixes holds through the boundary too: a call computes, persists, and only then are its outputs
//! written. All calls are exclusive, because each is a transaction on the file.

use std::path::Path;
use std::sync::Mutex;

use marline::IdentityId;
use marline_device::{Anchor, Argon2Params, Device, Durability, Options, Unlock};
use zeroize::Zeroizing;

use crate::account::MARLINE_MAX_SUBJECT;
use crate::boundary::{Contract, call, read};
use crate::handles::MarlineDevice;
use crate::prekey::MARLINE_ID_SIZE;
use crate::status::{
    MARLINE_ERR_ARGUMENT, MARLINE_ERR_CORRUPT, MARLINE_ERR_INTERNAL, MARLINE_ERR_LENGTH,
    MarlineError, Status, of_device,
};

mod contacts;
mod inbox;
mod messages;
mod prekeys;

pub use contacts::MarlineContactInfo;
pub use inbox::MarlineIncoming;
pub use prekeys::{MarlineDeviceFacts, MarlineMaintenance};

/// Unlock: 32 uniform bytes that the application keeps safe (a keychain, a TPM, an enclave).
pub const MARLINE_UNLOCK_KEY: u32 = 1;
/// Unlock: a passphrase, stretched by Argon2id: takes a fifth of a second and 64 MiB by default.
pub const MARLINE_UNLOCK_PASSPHRASE: u32 = 2;

/// Durability: every change is on disk when the call returns; survives loss of power.
pub const MARLINE_DURABILITY_FULL: u32 = 0;
/// Durability: a change survives a crash of the process at once, and loss of power after marline_device_flush.
pub const MARLINE_DURABILITY_BATCHED: u32 = 1;

/// Anchor: the newest generation is kept in a small file beside the device's, `<path>.anchor`, or where the caller says.
pub const MARLINE_ANCHOR_FILE: u32 = 0;
/// Anchor: none; an older copy of the file is noticed by `minimum_generation` only.
pub const MARLINE_ANCHOR_NONE: u32 = 1;

/// How a device is kept, `= MARLINE_DEVICE_OPTIONS_INIT`. Zero always means the default; NULL is all defaults.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineDeviceOptions {
    /// `sizeof(marline_device_options)`.
    pub struct_size: u32,
    /// MARLINE_DURABILITY_...
    pub durability: u32,
    /// MARLINE_ANCHOR_...
    pub anchor: u32,
    /// For marline_device_create with a passphrase: KiB of memory, 19,456 to 1,048,576; 0 is 65,536.
    pub argon2_memory_kib: u32,
    /// For marline_device_create with a passphrase: passes, 2 to 64; 0 is 3.
    pub argon2_passes: u32,
    /// For marline_device_create with a passphrase: lanes, 1 to 16; 0 is 1.
    pub argon2_lanes: u32,
    /// The newest marline_device_generation that the application remembers: an older file is MARLINE_ERR_ROLLBACK.
    pub minimum_generation: u64,
    /// Largest size of the file in bytes; above it MARLINE_ERR_DISK_FULL. 0 is no limit.
    pub max_bytes: u64,
}
const _: () =
    assert!(size_of::<MarlineDeviceOptions>() == 40 && align_of::<MarlineDeviceOptions>() == 8);

/// What is behind a device's handle. SQLite's connection may move between threads and not be shared; every call is
/// exclusive, so the lock is never waited for.
pub struct Kept {
    identity: IdentityId,
    device: Mutex<Device>,
}

impl Kept {
    fn new(device: Device) -> Self {
        Self {
            identity: device.id(),
            device: Mutex::new(device),
        }
    }

    /// The device. A panic while it was in use poisons the handle first.
    fn device(&mut self) -> Result<&mut Device, Status> {
        self.device.get_mut().map_err(|_| MARLINE_ERR_INTERNAL)
    }
}

/// Makes a device with a fresh identity in a new file, readable by its owner only.
///
/// @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
/// @param[in] path_len  length of the path
/// @param[in] anchor  a file for the anchor, on another disk or where backups do not reach; `anchor_len` bytes, NULL if that
///            is 0: beside the device's file
/// @param[in] anchor_len  length of the anchor's path
/// @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
/// @param[in] secret  the key or the passphrase; `secret_len` bytes
/// @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
/// @param[in] subject  the name it claims towards others; `subject_len` bytes, NULL if that is 0
/// @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
/// @param[in] options  nullable; NULL is all defaults
/// @param[out] out_device  not NULL; a new device, free it with marline_device_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (a selector, a path, Argon2's cost),
///         MARLINE_ERR_STRUCT_SIZE, MARLINE_ERR_EXISTS, MARLINE_ERR_NOT_FOUND (no such directory),
///         MARLINE_ERR_RANDOMNESS; storage errors are MARLINE_ERR_STORAGE, MARLINE_ERR_DISK_FULL,
///         MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE, MARLINE_ERR_INTERNAL. No file is left then.
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_create(
    path: *const u8,
    path_len: usize,
    anchor: *const u8,
    anchor_len: usize,
    unlock: u32,
    secret: *const u8,
    secret_len: usize,
    subject: *const u8,
    subject_len: usize,
    options: *const MarlineDeviceOptions,
    out_device: *mut *mut MarlineDevice,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_device)?;
        let path = file(c, path, path_len)?;
        let given = c.options(options)?;
        let options = device_options(c, &given, anchor, anchor_len)?;
        let unlock = unlock_with(c, unlock, secret, secret_len, &given)?;
        if subject_len > MARLINE_MAX_SUBJECT {
            return Err(MARLINE_ERR_LENGTH);
        }
        let subject = c.bytes(subject, subject_len)?;
        let device = Device::create(path, unlock, subject, options).map_err(of_device)?;
        out.put(Kept::new(device));
        Ok(())
    })
}

/// Opens a device.
///
/// @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
/// @param[in] path_len  length of the path
/// @param[in] anchor  the file of the anchor, as it was created with; `anchor_len` bytes, NULL if that is 0
/// @param[in] anchor_len  length of the anchor's path
/// @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
/// @param[in] secret  the key or the passphrase; `secret_len` bytes
/// @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
/// @param[in] options  nullable; NULL is all defaults
/// @param[out] out_device  not NULL; the device, free it with marline_device_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE;
///         MARLINE_ERR_WRONG_KEY; MARLINE_ERR_NOT_FOUND; MARLINE_ERR_ROLLBACK: the file is older than one that was used here,
///         see marline_device_open_restored; MARLINE_ERR_EXISTS: the anchor would be one of the device's own files;
///         MARLINE_ERR_SCHEMA; storage errors are MARLINE_ERR_STORAGE,
///         MARLINE_ERR_DISK_FULL, MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE, MARLINE_ERR_INTERNAL
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_open(
    path: *const u8,
    path_len: usize,
    anchor: *const u8,
    anchor_len: usize,
    unlock: u32,
    secret: *const u8,
    secret_len: usize,
    options: *const MarlineDeviceOptions,
    out_device: *mut *mut MarlineDevice,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_device)?;
        let path = file(c, path, path_len)?;
        let given = c.options(options)?;
        let options = device_options(c, &given, anchor, anchor_len)?;
        let unlock = unlock_with(c, unlock, secret, secret_len, &given)?;
        let device = Device::open(path, unlock, options).map_err(of_opening)?;
        out.put(Kept::new(device));
        Ok(())
    })
}

/// Opens a copy that is older than the state it was copied from: a restored backup, a cloned machine. What such a copy must
/// not go on with is deleted: all sessions, all prekeys, the outbox. Identity, contacts and their verification
/// stay. Afterwards marline_device_publish, and a fresh bundle of each contact.
///
/// @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
/// @param[in] path_len  length of the path
/// @param[in] anchor  a file for the anchor; `anchor_len` bytes, NULL if that is 0
/// @param[in] anchor_len  length of the anchor's path
/// @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
/// @param[in] secret  the key or the passphrase; `secret_len` bytes
/// @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
/// @param[in] options  nullable; NULL is all defaults
/// @param[in] now  Unix seconds
/// @param[out] out_device  not NULL; the device, free it with marline_device_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_open, without MARLINE_ERR_ROLLBACK
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_open_restored(
    path: *const u8,
    path_len: usize,
    anchor: *const u8,
    anchor_len: usize,
    unlock: u32,
    secret: *const u8,
    secret_len: usize,
    options: *const MarlineDeviceOptions,
    now: u64,
    out_device: *mut *mut MarlineDevice,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_device)?;
        let path = file(c, path, path_len)?;
        let given = c.options(options)?;
        let options = device_options(c, &given, anchor, anchor_len)?;
        let unlock = unlock_with(c, unlock, secret, secret_len, &given)?;
        let device = Device::open_restored(path, unlock, options, now).map_err(of_opening)?;
        out.put(Kept::new(device));
        Ok(())
    })
}

/// Closes a device and wipes what was in memory. Its file stays, with everything in it; what was marked as sent or
/// acknowledged since the last change waits there once more, unless marline_device_flush was called. In a child process
/// after a fork this does nothing: the file belongs to the parent.
///
/// @param[in] device  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_free(device: *mut MarlineDevice) {
    read!((), |c| c.free(device));
}

/// The id of the device's identity.
///
/// @param[in] device  not NULL
/// @param[out] out_identity  not NULL; `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_identity(
    device: *const MarlineDevice,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len)?;
        out.write(c.shared(device)?.identity.as_bytes())
    })
}

/// The generation of the device's state: it grows with every change. Kept where a restore does not reach, it shows that a
/// whole machine was rolled back: give it as `minimum_generation`.
///
/// @param[in,out] device  not NULL
/// @param[out] out_generation  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_generation(
    device: *mut MarlineDevice,
    out_generation: *mut u64,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out(out_generation)?;
        out.set(c.exclusive(device)?.device()?.generation());
        Ok(())
    })
}

/// Puts everything on disk: what was marked as sent or acknowledged, and with MARLINE_DURABILITY_BATCHED the changes since
/// the last call.
///
/// @param[in,out] device  not NULL
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; storage errors are MARLINE_ERR_STORAGE,
///         MARLINE_ERR_DISK_FULL, MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_flush(
    device: *mut MarlineDevice,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        device.device()?.flush().map_err(of_device)
    })
}

/// Writes a consistent, encrypted copy of the file to a new one, opened by the same key or passphrase. It is for
/// marline_device_open_restored.
///
/// @param[in,out] device  not NULL
/// @param[in] path  the new file; `path_len` bytes of UTF-8
/// @param[in] path_len  length of the path
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (a path), MARLINE_ERR_EXISTS
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_backup(
    device: *mut MarlineDevice,
    path: *const u8,
    path_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let path = file(c, path, path_len)?;
        device.device()?.backup(path).map_err(of_device)
    })
}

/// A path in: not empty, without a NUL.
fn file(c: &Contract, from: *const u8, length: usize) -> Result<&Path, Status> {
    let bytes = c.bytes(from, length)?;
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(MARLINE_ERR_ARGUMENT);
    }
    #[cfg(unix)]
    let path = Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes));
    #[cfg(not(unix))]
    let path = Path::new(std::str::from_utf8(bytes).map_err(|_| MARLINE_ERR_ARGUMENT)?);
    Ok(path)
}

fn device_options(
    c: &Contract,
    given: &MarlineDeviceOptions,
    anchor: *const u8,
    anchor_len: usize,
) -> Result<Options, Status> {
    let durability = match given.durability {
        MARLINE_DURABILITY_FULL => Durability::Full,
        MARLINE_DURABILITY_BATCHED => Durability::Batched,
        _ => return Err(MARLINE_ERR_ARGUMENT),
    };
    let elsewhere = !c.bytes(anchor, anchor_len)?.is_empty();
    let anchor = match (given.anchor, elsewhere) {
        (MARLINE_ANCHOR_FILE, true) => Anchor::At(file(c, anchor, anchor_len)?.into()),
        (MARLINE_ANCHOR_FILE, false) => Anchor::Beside,
        (MARLINE_ANCHOR_NONE, false) => Anchor::None,
        _ => return Err(MARLINE_ERR_ARGUMENT),
    };
    Ok(Options {
        durability,
        anchor,
        minimum_generation: given.minimum_generation,
        max_bytes: Some(given.max_bytes).filter(|bytes| *bytes > 0),
    })
}

fn unlock_with(
    c: &Contract,
    unlock: u32,
    secret: *const u8,
    length: usize,
    options: &MarlineDeviceOptions,
) -> Result<Unlock, Status> {
    let secret = c.bytes(secret, length)?;
    match unlock {
        MARLINE_UNLOCK_KEY => {
            let key = secret.try_into().map(Zeroizing::new);
            Ok(Unlock::Key(*key.map_err(|_| MARLINE_ERR_LENGTH)?))
        }
        MARLINE_UNLOCK_PASSPHRASE if secret.is_empty() => Err(MARLINE_ERR_LENGTH),
        MARLINE_UNLOCK_PASSPHRASE => {
            let default = Argon2Params::default();
            let or = |given: u32, default: u32| if given == 0 { default } else { given };
            let params = Argon2Params {
                memory_kib: or(options.argon2_memory_kib, default.memory_kib),
                passes: or(options.argon2_passes, default.passes),
                lanes: or(options.argon2_lanes, default.lanes),
            };
            Ok(Unlock::Passphrase(secret.to_vec(), params))
        }
        _ => Err(MARLINE_ERR_ARGUMENT),
    }
}

/// The cost that a file names is the file's matter, not an argument's.
fn of_opening(error: marline_device::Error) -> Status {
    match error {
        marline_device::Error::Parameters => MARLINE_ERR_CORRUPT,
        other => of_device(other),
    }
}
