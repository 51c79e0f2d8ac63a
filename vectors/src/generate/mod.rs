//! The generator: every file of `vectors/v1`, always the same bytes.

pub mod builder;
pub mod people;

mod account;
mod agreement;
mod bundle;
mod contact_archive;
mod contact_frames;
mod contact_people;
mod contact_rules;
mod contact_state;
mod contact_talk;
mod conversation;
mod erasure;
mod handshake;
mod hash;
mod hostile;
mod keys;
mod limits;
mod loss;
mod message;
mod prekeys;
mod ratchet;
mod schedule;
mod scka;
mod signature;
mod signer;
mod state;
mod state_rules;

use crate::format::{Outcome, VectorFile};

/// What makes one file.
type Maker = fn() -> Outcome<VectorFile>;

/// Makes all files, by name without extension.
///
/// # Errors
/// When the implementation does not do what a case says.
pub fn all() -> Outcome<Vec<(&'static str, VectorFile)>> {
    let makers: [(&str, Maker); 21] = [
        ("a1-hash", hash::file),
        ("a2-keys", keys::file),
        ("a3-signature", signature::file),
        ("a4-prekeys", prekeys::file),
        ("a5-message", message::file),
        ("a6-erasure", erasure::file),
        ("b1-bundle", bundle::file),
        ("b2-handshake", handshake::file),
        ("b3-ratchet", ratchet::file),
        ("b4-scka", scka::file),
        ("b5-account", account::file),
        ("b6-state", state::file),
        ("b7-limits", limits::file),
        ("b8-signer", signer::file),
        ("b9-contact", contact_state::file),
        ("c1-conversation", conversation::file),
        ("c2-loss", loss::file),
        ("c3-hostile", hostile::file),
        ("c4-agreement", agreement::file),
        ("c5-contacts", contact_talk::file),
        ("c6-contact-rules", contact_rules::file),
    ];
    makers
        .into_iter()
        .map(|(name, make)| Ok((name, make().map_err(|reason| format!("{name}: {reason}"))?)))
        .collect()
}
