//! The types of handles. To C they are opaque; here they only name which value is behind a pointer.

use marline::{Contact, Opened, Session};

use crate::account::AnyAccount;
use crate::adopt::Adoptable;
use crate::boundary::Object;
use crate::buffer::Bytes;
use crate::events::Events;
use crate::pending::Prepared;
use crate::prekey::Published;
use crate::signing::Signing;

macro_rules! handles {
    ($changes:literal: $($name:ident: $value:ty = $tag:literal;)*) => {$(
        impl Object for $name {
            const TAG: u64 = u64::from_be_bytes(*$tag);
            const CHANGES: bool = $changes;
            type Value = $value;
        }
    )*};
}

/// Bytes that the library allocated; wiped when freed.
pub struct MarlineBuffer(());
/// One device's identity and prekeys.
pub struct MarlineAccount(());
/// What a device gives to a directory. Public data.
pub struct MarlinePublication(());
/// A conversation with one peer device.
pub struct MarlineSession(());
/// A decrypted message: the plaintext together with the authenticated peer it came from.
pub struct MarlineOpened(());
/// A change of a session that is computed and not made yet.
pub struct MarlinePending(());
/// All sessions with one peer device.
pub struct MarlineContact(());
/// A first message that was accepted and awaits its contact.
pub struct MarlineAccepted(());
/// What an application is to be told, and mostly what its user is to see.
pub struct MarlineEvents(());
/// Bytes that the holder of an account's secret is asked to sign.
pub struct MarlineSigning(());
/// A device that keeps its state in an encrypted file.
#[cfg(feature = "device")]
pub struct MarlineDevice(());
/// Contacts of a device, as they were when asked for.
#[cfg(feature = "device")]
pub struct MarlineContacts(());
/// Plaintexts that a device holds until they are acknowledged.
#[cfg(feature = "device")]
pub struct MarlineInbox(());
/// Ciphertexts that a device holds until they are marked as sent.
#[cfg(feature = "device")]
pub struct MarlineOutbox(());

handles! { true:
    MarlineAccount: AnyAccount = b"MarlAcct";
    MarlineSession: Session = b"MarlSess";
    MarlineContact: Contact = b"MarlCont";
    MarlineAccepted: Adoptable = b"MarlAccp";
    MarlinePending: Prepared = b"MarlPend";
    MarlineSigning: Signing = b"MarlSign";
}

handles! { false:
    MarlineBuffer: Bytes = b"MarlBuff";
    MarlinePublication: Published = b"MarlPubl";
    MarlineOpened: Opened = b"MarlOpen";
    MarlineEvents: Events = b"MarlEvnt";
}

#[cfg(feature = "device")]
handles! { false:
    MarlineContacts: Vec<marline_device::ContactInfo> = b"MarlCnts";
    MarlineInbox: Vec<marline_device::Incoming> = b"MarlInbx";
    MarlineOutbox: Vec<marline_device::Outgoing> = b"MarlOutb";
}

#[cfg(feature = "device")]
impl Object for MarlineDevice {
    const TAG: u64 = u64::from_be_bytes(*b"MarlDevi");
    /// SQLite must not see its connection again in a child process, not even to close it.
    const ONLY_MAKER_FREES: bool = true;
    type Value = crate::device::Kept;
}
