//! Sealed states (spec section 8.1): rollback, damage, and the form itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use common::{Pair, SeededRng, answered, deliver};
use marline::{Account, Error, Session, StateKey, fingerprint};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

fn key() -> StateKey {
    StateKey::new(&mut [7; 32])
}

#[test]
fn an_older_state_is_a_rollback() {
    let rng = &mut SeededRng::new(6);
    let Pair {
        mut a, mut b, bob, ..
    } = answered(rng);
    let old = a.export(&key(), rng).unwrap();
    let generation = a.generation();
    deliver(&mut a, &mut b, b"text", rng);
    let new = a.export(&key(), rng).unwrap();
    let import = |blob: &[u8], minimum| Session::import(&key(), blob, minimum).err();
    assert_eq!(import(&old, generation), None);
    assert_eq!(import(&old, generation + 1), Some(Error::Rollback));
    assert_eq!(import(&new, generation + 1), None);
    assert_eq!(import(&new, 0), None);
    assert_eq!(import(&new, u64::MAX), Some(Error::Rollback));
    let blob = bob.export(&key(), rng).unwrap();
    let import = |minimum| Account::import(&key(), &blob, minimum).err();
    assert_eq!(import(bob.generation()), None);
    assert_eq!(import(bob.generation() + 1), Some(Error::Rollback));
}

/// Flips, truncations and extensions of a blob; `import` is that of its kind.
fn every_byte_of_a_blob(blob: &[u8], import: impl Fn(&[u8]) -> Option<Error>) {
    assert_eq!(import(blob), None);
    let expected = |at| match at {
        0 => Error::Version,
        1 => Error::Malformed,
        _ => Error::Authentication,
    };
    let mut flipped = blob.to_vec();
    for at in 0..blob.len() {
        for mask in [1 << (at % 8), 0xff] {
            flipped[at] ^= mask;
            assert_eq!(import(&flipped), Some(expected(at)), "byte {at}");
            flipped[at] ^= mask;
        }
        // The head is 42 bytes.
        let expected = match at {
            0..42 => Error::Malformed,
            _ => Error::Authentication,
        };
        assert_eq!(import(&blob[..at]), Some(expected), "{at} bytes");
    }
    for more in [1, 16, 1_000] {
        let longer = [blob, &vec![0; more]].concat();
        assert_eq!(import(&longer), Some(Error::Authentication));
    }
}

#[test]
fn every_byte_of_a_sealed_state() {
    let rng = &mut SeededRng::new(7);
    let Pair { a, alice, .. } = answered(rng);
    let session = a.export(&key(), rng).unwrap();
    every_byte_of_a_blob(&session, |blob| Session::import(&key(), blob, 0).err());
    let account = alice.export(&key(), rng).unwrap();
    every_byte_of_a_blob(&account, |blob| Account::import(&key(), blob, 0).err());
    // A blob of the other kind, or under another key.
    assert_eq!(
        Session::import(&key(), &account, 0).err(),
        Some(Error::Malformed)
    );
    assert_eq!(
        Account::import(&key(), &session, 0).err(),
        Some(Error::Malformed)
    );
    let other = StateKey::new(&mut [8; 32]);
    assert_eq!(
        Session::import(&other, &session, 0).err(),
        Some(Error::Authentication)
    );
}

/// Section 8.1 in other words: the key and the head of a blob with this salt.
fn blob_key(salt: &[u8]) -> ChaCha20Poly1305 {
    let mut state = Shake256::default();
    let label = b"marline/1 state key";
    state.update(&[label.len() as u8]);
    state.update(label);
    state.update(&[7; 32]);
    state.update(salt);
    let mut key = [0; 32];
    state.finalize_xof().read(&mut key);
    ChaCha20Poly1305::new(&key.into())
}

#[test]
fn a_blob_is_what_section_8_1_says() {
    let rng = &mut SeededRng::new(8);
    let Pair { a, .. } = answered(rng);
    let blob = a.export(&key(), rng).unwrap();
    let other = a.export(&key(), rng).unwrap();
    assert_ne!(blob[10..42], other[10..42], "salts are fresh");
    let (head, sealed) = blob.split_at(42);
    assert_eq!(head[..2], [1, 1]);
    assert_eq!(head[2..10], a.generation().to_be_bytes());
    let payload = Payload {
        msg: sealed,
        aad: head,
    };
    let state = blob_key(&head[10..])
        .decrypt(&[0; 12].into(), payload)
        .unwrap();
    assert_eq!(state, *a.to_state());
    assert_eq!(fingerprint(&state), fingerprint(&a.to_state()));

    // A blob that claims a generation the state in it does not have.
    let mut head = head.to_vec();
    head[2] ^= 1;
    let payload = Payload {
        msg: &state,
        aad: &head,
    };
    let sealed = blob_key(&head[10..])
        .encrypt(&[0; 12].into(), payload)
        .unwrap();
    let result = Session::import(&key(), &[head, sealed].concat(), 0);
    assert_eq!(result.err(), Some(Error::Malformed));
}
