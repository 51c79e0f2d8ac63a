//! Marline: post-quantum hybrid end-to-end encryption.
//!
//! Two strands, X25519 and ML-KEM: an attacker has to break both. Sessions start from published prekeys, with
//! hybrid Ed25519 + ML-DSA-65 authentication and a sealed initiator; every message turns a Double Ratchet with
//! header encryption and a sparse post-quantum ratchet, so that a stolen state heals in both.
//!
//! The normative text is `spec/marline.md`; module and section names agree.
//!
//! ```
//! use getrandom::SysRng;
//! use marline::Account;
//!
//! # fn main() -> Result<(), marline::Error> {
//! let rng = &mut SysRng;
//! let now = 1_800_000_000; // Unix seconds, from the application's clock
//!
//! // Bob publishes prekeys: any directory can store and hand them out.
//! let mut bob = Account::generate("bob@example.org", rng)?;
//! let publication = bob.publish(100, now, rng)?;
//!
//! // Alice fetches a bundle, starts a session and encrypts the first message.
//! let mut alice = Account::generate("alice@example.org", rng)?;
//! let (mut session, first) = alice.initiate(&publication.bundle(), b"hello", now, rng)?;
//!
//! // Bob accepts: a session, and a plaintext that cannot be had without its sender.
//! let mut accepted = bob.accept(&first, now)?;
//! assert_eq!(accepted.opened.plaintext(), b"hello");
//! assert_eq!(accepted.opened.peer().identity, alice.id());
//!
//! let reply = accepted.session.encrypt(b"hi", rng)?;
//! assert_eq!(session.decrypt(&reply)?.plaintext(), b"hi");
//!
//! // Two people compare this number once.
//! assert_eq!(alice.safety_number(&bob.id()), bob.safety_number(&alice.id()));
//! # Ok(())
//! # }
//! ```
//!
//! No I/O, no clock, no global state: randomness and `now` are arguments. `no_std` with `alloc`.
//!
//! Feature `aws-lc`: X25519, Ed25519 signing, ML-DSA keys and verification, ML-KEM decapsulation and the AEAD run on
//! AWS-LC's assembly, the rest on the portable crates as without the feature. The same bytes, the same refusals, two to
//! seven times faster on x86-64; it needs `std` and a C compiler. Outside this repository, `AWS_LC_SYS_USE_SYSTEM=0` keeps
//! its build from linking another AWS-LC that the machine has.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
mod contact;
mod crypto;
#[doc(hidden)]
pub mod declassify;
mod error;
mod handshake;
mod identity;
mod labels;
pub mod limits;
mod prekey;
mod ratchet;
mod secret;
mod session;
mod state;
mod wire;

pub use account::{Accepted, Account, InitiateOptions, Task};
pub use contact::{Contact, Event, Received, Trust};
pub use error::{Error, Result};
pub use identity::{
    AccountSigner, External, HybridSignature, IdentityId, IdentityKey, IdentityKeyPair, Peer,
    SafetyNumber, Signer, SigningInput, Subject,
};
pub use prekey::{PrekeyBundle, Publication};
pub use ratchet::Role;
pub use secret::Secret;
pub use session::{Facts, Opened, Pending, Session};
pub use state::{StateKey, fingerprint};
pub use wire::message::Slots;
pub use wire::padding::Padding;

#[cfg(feature = "hazmat")]
#[doc(hidden)]
pub mod hazmat;
