//! Prekeys and upkeep of a device.

use crate::account::{one_time_count, task_bits};
use crate::boundary::call;
use crate::buffer::Bytes;
use crate::handles::{MarlineBuffer, MarlineDevice, MarlinePublication};
use crate::status::{MarlineError, Status, of_device};

/// The state of things, `= MARLINE_DEVICE_FACTS_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineDeviceFacts {
    /// `sizeof(marline_device_facts)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// One-time prekeys left of the newest publication.
    pub one_time_left: u32,
    /// What marline_device_maintain would do: MARLINE_TASK_... bits.
    pub due: u32,
    /// Contacts.
    pub contacts: u32,
    /// Ciphertexts not marked as sent.
    pub outbox: u32,
    /// Plaintexts not acknowledged.
    pub inbox: u32,
    /// 1 if a publication waits to be marked as published.
    pub unpublished: u32,
}
const _: () = assert!(size_of::<MarlineDeviceFacts>() == 28);

/// What marline_device_maintain did, `= MARLINE_MAINTENANCE_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineMaintenance {
    /// `sizeof(marline_maintenance)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// Why prekeys were published: MARLINE_TASK_ROTATE, MARLINE_TASK_REPLENISH, or 0: they were not.
    pub reason: u32,
    /// Publications whose private halves were deleted.
    pub deleted: u32,
    /// Contacts whose old keys were looked through.
    pub contacts: u32,
}
const _: () = assert!(size_of::<MarlineMaintenance>() == 16);

/// Makes a publication for a directory. It is on disk when the call returns, and waits in marline_device_unpublished until
/// marline_device_mark_published.
///
/// @param[in,out] device  not NULL
/// @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
/// @param[in] now  Unix seconds
/// @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_ARGUMENT for another count,
///         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS; storage errors are MARLINE_ERR_STORAGE, MARLINE_ERR_DISK_FULL,
///         MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE. Nothing has changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_publish(
    device: *mut MarlineDevice,
    count: u32,
    now: u64,
    out_publication: *mut *mut MarlinePublication,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_publication)?;
        let mut device = c.exclusive(device)?;
        let count = one_time_count(count)?;
        let publication = device.device()?.publish(count, now).map_err(of_device)?;
        out.put(publication.into());
        Ok(())
    })
}

/// The publication that no directory has yet.
///
/// @param[in,out] device  not NULL
/// @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free; NULL also after success if
///             there is none
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_unpublished(
    device: *mut MarlineDevice,
    out_publication: *mut *mut MarlinePublication,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_publication)?;
        let mut device = c.exclusive(device)?;
        if let Some(publication) = device.device()?.unpublished().map_err(of_device)? {
            out.put(publication.into());
        }
        Ok(())
    })
}

/// The directory has the publication.
///
/// @param[in,out] device  not NULL
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_mark_published(
    device: *mut MarlineDevice,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        device.device()?.mark_published().map_err(of_device)
    })
}

/// Does what is due and reports it: publishes when the newest publication is a week old or three quarters of its one-time
/// prekeys are used, deletes private halves past their deadline, and once a day deletes message keys of 30 days.
/// Call it about every hour.
///
/// @param[in,out] device  not NULL
/// @param[in] now  Unix seconds
/// @param[in,out] out_report  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] out_publication  not NULL; for the directory, free it with marline_publication_free; NULL also after success
///             if none was due
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_publish; MARLINE_ERR_STRUCT_SIZE
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_maintain(
    device: *mut MarlineDevice,
    now: u64,
    out_report: *mut MarlineMaintenance,
    out_publication: *mut *mut MarlinePublication,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (report, publication) = (c.out_record(out_report), c.out_handle(out_publication));
        let (out_report, out_publication) = (report?, publication?);
        let mut device = c.exclusive(device)?;
        let report = device.device()?.maintain(now).map_err(of_device)?;
        out_report.set(MarlineMaintenance {
            struct_size: 0,
            reason: task_bits(report.reason.as_slice()),
            deleted: number(report.deleted),
            contacts: number(report.contacts),
        });
        if let Some(publication) = report.published {
            out_publication.put(publication.into());
        }
        Ok(())
    })
}

/// The state of things.
///
/// @param[in,out] device  not NULL
/// @param[in] now  Unix seconds
/// @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_STRUCT_SIZE
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_status(
    device: *mut MarlineDevice,
    now: u64,
    out_facts: *mut MarlineDeviceFacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_facts)?;
        let mut device = c.exclusive(device)?;
        let status = device.device()?.status(now).map_err(of_device)?;
        out.set(MarlineDeviceFacts {
            struct_size: 0,
            one_time_left: number(status.one_time_prekeys),
            due: task_bits(&status.due),
            contacts: number(status.contacts),
            outbox: number(status.outbox),
            inbox: number(status.inbox),
            unpublished: status.unpublished.into(),
        });
        Ok(())
    })
}

/// The name that the device claims.
///
/// @param[in,out] device  not NULL
/// @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_subject(
    device: *mut MarlineDevice,
    out_subject: *mut *mut MarlineBuffer,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_subject)?;
        let mut device = c.exclusive(device)?;
        let subject = device.device()?.status(0).map_err(of_device)?.subject;
        out.put(Bytes::from(subject));
        Ok(())
    })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
