//! The types of handles. To C they are opaque; here they only name which value is behind a pointer.

use marline::{Account, Contact, Opened, Publication, Session};
use zeroize::Zeroizing;

use crate::adopt::Adoptable;
use crate::boundary::Object;
use crate::contact::Events;
use crate::pending::Prepared;

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident: $value:ty = $tag:literal;)*) => {$(
        impl Object for $name {
            const TAG: u64 = u64::from_be_bytes(*$tag);
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

handles! {
    MarlineBuffer: Zeroizing<Vec<u8>> = b"MarlBuff";
    MarlineAccount: Account = b"MarlAcct";
    MarlinePublication: Publication = b"MarlPubl";
    MarlineSession: Session = b"MarlSess";
    MarlineOpened: Opened = b"MarlOpen";
    MarlineContact: Contact = b"MarlCont";
    MarlineAccepted: Adoptable = b"MarlAccp";
    MarlineEvents: Events = b"MarlEvnt";
    MarlinePending: Prepared = b"MarlPend";
}
