//! Stories of two devices.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use getrandom::SysRng;
use marline::{Account, InitiateOptions, Slots};

const NOW: u64 = 1_800_000_000;

#[test]
fn ping_pong_epochs() {
    for (slots, per_epoch) in [
        (Slots::CONSTRAINED, 145),
        (Slots::STANDARD, 37),
        (Slots::IMMEDIATE, 3),
    ] {
        let rng = &mut SysRng;
        let mut bob = Account::generate("bob", rng).unwrap();
        let mut alice = Account::generate("alice", rng).unwrap();
        let publication = bob.publish(2, NOW, rng).unwrap();
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let (mut a, first) = alice
            .initiate_with(&publication.bundle(), b"0", options, NOW, rng)
            .unwrap();
        let accepted = bob.accept(&first, NOW).unwrap();
        let mut b = accepted.session;
        let mut completed = vec![];
        let mut message = 1;
        while completed.len() < 4 {
            message += 1;
            let text = format!("message {message}");
            let epoch = b.facts().epoch.min(a.facts().epoch);
            let (from, to) = if message % 2 == 0 {
                (&mut b, &mut a)
            } else {
                (&mut a, &mut b)
            };
            let sent = from.encrypt(text.as_bytes(), rng).unwrap();
            assert_eq!(to.decrypt(&sent).unwrap().plaintext(), text.as_bytes());
            assert!(a.to_state().len() <= 3000 && b.to_state().len() <= 3000);
            if a.facts().epoch.min(b.facts().epoch) > epoch {
                completed.push(message);
            }
        }
        for pair in completed.windows(2) {
            assert_eq!(pair[1] - pair[0], per_epoch);
        }
    }
}
