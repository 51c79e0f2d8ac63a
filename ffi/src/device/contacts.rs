//! Contacts of a device, by the names they have there.

use std::ptr;

use marline_device::{Added, ContactInfo};

use crate::boundary::{call, read};
use crate::contact::{flag, identity_id};
use crate::facts::{MarlineFacts, facts_of};
use crate::handles::{MarlineContacts, MarlineDevice};
use crate::prekey::MARLINE_ID_SIZE;
use crate::status::{MARLINE_ERR_ARGUMENT, MarlineError, Status, of_device};

/// Added: the contact is new.
pub const MARLINE_ADDED_NEW: u32 = 1;
/// Added: the contact was known, and has a fresh bundle now.
pub const MARLINE_ADDED_KNOWN: u32 = 2;
/// Added: the name belongs to another identity. Nothing is sent before marline_device_acknowledge_identity or
/// marline_device_reject_identity. Show the user.
pub const MARLINE_ADDED_CHANGED: u32 = 3;

/// What a device knows of a contact, `= MARLINE_CONTACT_INFO_INIT`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineContactInfo {
    /// `sizeof(marline_contact_info)`, set by the caller; nothing is written beyond it.
    pub struct_size: u32,
    /// 1 if the user has compared the safety number.
    pub verified: u32,
    /// 1 if another identity awaits the user's decision: `changed`.
    pub has_changed: u32,
    /// 1 if a bundle is at hand, for the first session or a reset.
    pub has_bundle: u32,
    /// Sessions with it: see marline_contacts_session.
    pub sessions: u32,
    /// The identity that messages are sent to.
    pub identity: [u8; 32],
    /// The identity that awaits a decision.
    pub changed: [u8; 32],
}
const _: () = assert!(size_of::<MarlineContactInfo>() == 84);

/// Adds a contact from its bundle, or gives a fresh bundle to one that exists, for a first session or a reset. The
/// bundle is verified. A known identity under another name is renamed.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the name it has here: UTF-8 without control characters, 1 to 255 bytes; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[in] bundle  what the directory handed out; `bundle_len` bytes
/// @param[in] bundle_len  length of the bundle
/// @param[in] now  Unix seconds
/// @param[out] out_added  not NULL; MARLINE_ADDED_...
/// @param[out] out_identity  not NULL; the bundle's identity, `out_identity_len` bytes
/// @param[in] out_identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (not a name), MARLINE_ERR_EXISTS (the name is
///         another contact's, and the identity a third one's); for the bundle: MARLINE_ERR_AUTHENTICATION,
///         MARLINE_ERR_EXPIRED, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED. Nothing has
///         changed then.
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_add_contact(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    bundle: *const u8,
    bundle_len: usize,
    now: u64,
    out_added: *mut u32,
    out_identity: *mut u8,
    out_identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let (added, identity) = (
            c.out(out_added),
            c.out_array::<MARLINE_ID_SIZE>(out_identity, out_identity_len),
        );
        let (out_added, out_identity) = (added?, identity?);
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        let bundle = c.bytes(bundle, bundle_len)?;
        let added = device.device()?.add_contact(name, bundle, now);
        let added = added.map_err(of_device)?;
        out_added.set(added_as(&added));
        out_identity.write(added.identity.as_bytes())
    })
}

/// All contacts, in no order.
///
/// @param[in,out] device  not NULL
/// @param[out] out_contacts  not NULL; the contacts as they are now, free it with marline_contacts_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_contacts(
    device: *mut MarlineDevice,
    out_contacts: *mut *mut MarlineContacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_contacts)?;
        let mut device = c.exclusive(device)?;
        out.put(device.device()?.contacts().map_err(of_device)?);
        Ok(())
    })
}

/// One contact.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[out] out_contacts  not NULL; the contact at index 0, free it with marline_contacts_free
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_NOT_FOUND
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_contact(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    out_contacts: *mut *mut MarlineContacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out_contacts)?;
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        out.put(vec![device.device()?.contact(name).map_err(of_device)?]);
        Ok(())
    })
}

/// Records whether the user has compared the safety number of an identity, the contact's when it was shown: see
/// marline_safety_number.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[in] identity  not NULL; the one whose number was compared; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[in] verified  1 or 0
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_contact; MARLINE_ERR_IDENTITY_CHANGED when the contact has another identity by now
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_set_verified(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    identity: *const u8,
    identity_len: usize,
    verified: u32,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        let identity = identity_id(c, identity, identity_len)?;
        let verified = flag(verified)?;
        let device = device.device()?;
        device
            .set_verified(name, identity, verified)
            .map_err(of_device)
    })
}

/// The user accepts a contact's changed identity, given as it was shown. It is not verified.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[in] identity  not NULL; `identity_len` bytes
/// @param[in] identity_len  MARLINE_ID_SIZE
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_contact; MARLINE_ERR_IDENTITY_CHANGED unless it is the one that awaits a decision
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_acknowledge_identity(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    identity: *const u8,
    identity_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        let identity = identity_id(c, identity, identity_len)?;
        let device = device.device()?;
        device
            .acknowledge_identity(name, identity)
            .map_err(of_device)
    })
}

/// The user refuses a contact's changed identity: what it brought is deleted.
///
/// @param[in,out] device  not NULL
/// @param[in] name  the contact's name; `name_len` bytes
/// @param[in] name_len  length of the name
/// @param[out] err  nullable; see marline_error
/// @return as marline_device_contact
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_device_reject_identity(
    device: *mut MarlineDevice,
    name: *const u8,
    name_len: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut device = c.exclusive(device)?;
        let name = c.text(name, name_len)?;
        device.device()?.reject_identity(name).map_err(of_device)
    })
}

/// The number of contacts.
///
/// @param[in] contacts  not NULL
/// @return the number; 0 for NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_count(contacts: *const MarlineContacts) -> usize {
    read!(0, |c| Ok(c.shared(contacts)?.len()))
}

/// One contact.
///
/// @param[in] contacts  not NULL
/// @param[in] index  below marline_contacts_count
/// @param[in,out] out_info  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_get(
    contacts: *const MarlineContacts,
    index: u32,
    out_info: *mut MarlineContactInfo,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_info)?;
        let contacts = c.shared(contacts)?;
        out.set(info_of(at(&contacts, index)?));
        Ok(())
    })
}

/// The name of a contact: UTF-8, not NUL-terminated.
///
/// @param[in] contacts  not NULL
/// @param[in] index  below marline_contacts_count
/// @return the bytes, valid until the handle is freed; NULL for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_name(
    contacts: *const MarlineContacts,
    index: u32,
) -> *const u8 {
    read!(ptr::null(), |c| Ok(at(&c.shared(contacts)?, index)?
        .name
        .as_ptr()))
}

/// The number of bytes of a contact's name.
///
/// @param[in] contacts  not NULL
/// @param[in] index  below marline_contacts_count
/// @return the number; 0 for another index, NULL or a wrong handle
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_name_len(
    contacts: *const MarlineContacts,
    index: u32,
) -> usize {
    read!(0, |c| Ok(at(&c.shared(contacts)?, index)?.name.len()))
}

/// The facts of one session with a contact.
///
/// @param[in] contacts  not NULL
/// @param[in] index  below marline_contacts_count
/// @param[in] session  below the contact's `sessions`; 0 is the best one
/// @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
/// @param[out] err  nullable; see marline_error
/// @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
/// @threads shared: any number of calls that only read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_session(
    contacts: *const MarlineContacts,
    index: u32,
    session: u32,
    out_facts: *mut MarlineFacts,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_record(out_facts)?;
        let contacts = c.shared(contacts)?;
        let contact = at(&contacts, index)?;
        let session = usize::try_from(session).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        let facts = contact.sessions.get(session);
        out.set(facts_of(facts.ok_or(MARLINE_ERR_ARGUMENT)?.clone()));
        Ok(())
    })
}

/// Frees contacts. The device's own are not touched.
///
/// @param[in] contacts  NULL is ignored
/// @threads exclusive: no other call may use the handle
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_contacts_free(contacts: *mut MarlineContacts) {
    read!((), |c| c.free(contacts));
}

fn at(contacts: &[ContactInfo], index: u32) -> Result<&ContactInfo, Status> {
    let index = usize::try_from(index).map_err(|_| MARLINE_ERR_ARGUMENT)?;
    contacts.get(index).ok_or(MARLINE_ERR_ARGUMENT)
}

fn added_as(added: &Added) -> u32 {
    match (&added.event, added.new) {
        (Some(_), _) => MARLINE_ADDED_CHANGED,
        (None, true) => MARLINE_ADDED_NEW,
        (None, false) => MARLINE_ADDED_KNOWN,
    }
}

fn info_of(contact: &ContactInfo) -> MarlineContactInfo {
    MarlineContactInfo {
        struct_size: 0,
        verified: contact.verified.into(),
        has_changed: contact.changed.is_some().into(),
        has_bundle: contact.has_bundle.into(),
        sessions: u32::try_from(contact.sessions.len()).unwrap_or(u32::MAX),
        identity: *contact.identity.as_bytes(),
        changed: contact.changed.map_or([0; 32], |id| *id.as_bytes()),
    }
}
