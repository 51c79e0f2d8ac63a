//! Bytes on the wire and of state.

use getrandom::SysRng;
use marline::{Account, Slots};

use crate::{NOW, Outcome, Pair};

/// What, and how many bytes of it.
pub type Sizes = Vec<(String, usize)>;

/// Sizes, for plaintexts of 100 bytes with the default padding.
///
/// # Errors
/// Those of the messages.
pub fn sizes() -> Outcome<Sizes> {
    let rng = &mut SysRng;
    let mut bob = Account::generate("bob", rng)?;
    let mut alice = Account::generate("alice", rng)?;
    let publication = bob.publish(100, NOW, rng)?;
    let bundle = publication.bundle();
    let (session, first) = alice.initiate(&bundle, &[7; 100], NOW, rng)?;
    let record = publication
        .one_time_bytes()
        .next()
        .map_or(0, |record| record.len());
    let mut sizes = vec![
        (
            "bundle with a one-time prekey".to_owned(),
            bundle.to_bytes().len(),
        ),
        (
            "of it the manifest, the same for all".to_owned(),
            publication.manifest_bytes().len(),
        ),
        ("of it the one-time record".to_owned(), record),
        ("first message, 100 B".to_owned(), first.len()),
        (
            "state of a device with 100 one-time prekeys".to_owned(),
            bob.to_state().len(),
        ),
        (
            "state of a session, before the first answer".to_owned(),
            session.to_state().len(),
        ),
    ];
    for (name, slots) in [
        ("1 slot", Slots::CONSTRAINED),
        ("4 slots, the default", Slots::STANDARD),
        ("38 slots", Slots::IMMEDIATE),
    ] {
        let mut pair = Pair::after_turns(slots, 40)?;
        let message = pair.responder.encrypt(&[7; 100], rng)?;
        sizes.push((format!("later message, 100 B, {name}"), message.len()));
        if slots == Slots::STANDARD {
            let mut most = 0;
            for turn in 0..200 {
                pair.turn(turn % 2 == 0, &[7; 100])?;
                most = most.max(pair.initiator.to_state().len());
            }
            sizes.push(("state of a session, most in 200 messages".to_owned(), most));
        }
    }
    let mut pair = Pair::after_turns(Slots::STANDARD, 2)?;
    for _ in 0..2_000 {
        pair.initiator.encrypt(&[7; 100], rng)?;
    }
    pair.turn(false, &[7; 100])?;
    let full = pair.responder.to_state().len();
    sizes.push((
        "state of a session with 2,000 skipped keys".to_owned(),
        full,
    ));
    Ok(sizes)
}
