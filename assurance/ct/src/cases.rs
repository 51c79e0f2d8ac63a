//! The cases: the protocol from the first key on, with every draw of randomness secret.

use std::convert::Infallible;
use std::hint::black_box;

use marline::hazmat::{aead, dh, kem768};
use marline::{Account, Error, InitiateOptions, Secret, Session, Slots, StateKey};
use rand_core::{TryCryptoRng, TryRng};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

use crate::{declassify, sent, valgrind};

/// A name and what is done.
type Case = (&'static str, fn());

/// What must be reported, or the method does not work here.
pub const CONTROLS: &[Case] = &[
    ("comparison that stops early", early_exit),
    ("table indexed by a secret", indexed),
    ("a secret of a session, compared carelessly", careless),
];

/// What must not.
pub const CASES: &[Case] = &[
    ("identity, prekeys, publication", || drop(devices())),
    ("handshake with a one-time prekey", || drop(handshake(true))),
    ("handshake without", || drop(handshake(false))),
    (
        "handshake refused: ciphertext, seal, signature",
        refused_handshake,
    ),
    ("conversation, standard slots", || {
        conversation(Slots::STANDARD, 12)
    }),
    ("conversation over post-quantum epochs", || {
        conversation(Slots::IMMEDIATE, 9)
    }),
    ("messages out of order", out_of_order),
    ("refused: header, body, duplicate", refused),
    ("state exported and imported", exported),
    ("X25519 without contribution", no_contribution),
    ("ML-KEM: implicit rejection", implicit_rejection),
    ("AEAD: wrong tag", wrong_tag),
];

const NOW: u64 = 1_800_000_000;

/// Randomness, all of it secret.
struct Tainted(u64);

impl TryRng for Tainted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let mut state = Shake256::default();
        state.update(&self.0.to_be_bytes());
        state.finalize_xof().read(bytes);
        self.0 += 1;
        valgrind::secret(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Tainted {}

fn array<const N: usize>(seed: u64) -> [u8; N] {
    let mut bytes = [0; N];
    let Ok(()) = Tainted(seed).try_fill_bytes(&mut bytes);
    bytes
}

fn early_exit() {
    let (one, other) = (array::<32>(1), array::<32>(1));
    let equal = one
        .iter()
        .zip(&other)
        .all(|(a, b)| black_box(*a) == black_box(*b));
    black_box(equal);
}

fn indexed() {
    let table: [u8; 256] = std::array::from_fn(|i| i as u8 ^ 0x5a);
    let [index] = array::<1>(2);
    black_box(black_box(&table)[usize::from(black_box(index))]);
}

/// That the marks come through the whole handshake.
fn careless() {
    let (a, b, ..) = handshake(true);
    let secrets = [a, b].map(|side| side.export_secret(b"label", b"", 32).unwrap());
    black_box(
        secrets[0]
            .iter()
            .zip(&*secrets[1])
            .all(|(a, b)| black_box(*a) == black_box(*b)),
    );
}

fn devices() -> (Account, Account, Vec<u8>, Vec<u8>) {
    let rng = &mut Tainted(100);
    let alice = Account::generate("alice", rng).unwrap();
    let mut bob = Account::generate("bob", rng).unwrap();
    let publication = bob.publish(2, NOW, rng).unwrap();
    let one_time = sent(publication.bundle().to_bytes());
    let last_resort = sent(publication.last_resort_bundle().to_bytes());
    (alice, bob, one_time, last_resort)
}

fn handshake_with(one_time: bool, slots: Slots) -> (Session, Session, Account, Vec<u8>) {
    let (mut alice, mut bob, bundle, last_resort) = devices();
    let bundle = if one_time { bundle } else { last_resort };
    let bundle = marline::PrekeyBundle::from_bytes(&bundle).unwrap();
    let options = InitiateOptions {
        slots,
        ..Default::default()
    };
    let rng = &mut Tainted(200);
    let (a, first) = alice
        .initiate_with(&bundle, b"first", options, NOW, rng)
        .unwrap();
    let first = sent(first);
    let accepted = bob.accept(&first, NOW).unwrap();
    assert!(accepted.opened.plaintext() == b"first");
    (a, accepted.session, bob, first)
}

fn handshake(one_time: bool) -> (Session, Session, Account, Vec<u8>) {
    handshake_with(one_time, Slots::STANDARD)
}

fn refused_handshake() {
    let (mut alice, mut bob, bundle, _) = devices();
    let bundle = marline::PrekeyBundle::from_bytes(&bundle).unwrap();
    let (_, first) = alice
        .initiate(&bundle, b"first", NOW, &mut Tainted(300))
        .unwrap();
    let first = sent(first);
    // The ephemeral key, the ML-KEM ciphertext, the seal, the tag of the seal, the message's header and body.
    let flight = first.len() - 289;
    for at in [20, 700, 2_000, flight - 1, flight + 40, first.len() - 1] {
        let mut forged = first.clone();
        forged[at] ^= 1;
        assert!(bob.accept(&forged, NOW).is_err());
    }
    drop(bob.accept(&first, NOW).unwrap());
    assert_eq!(bob.accept(&first, NOW).err(), Some(Error::PrekeyUsed));
}

fn deliver(from: &mut Session, to: &mut Session, rng: &mut Tainted) {
    let mut text = *b"a secret text";
    valgrind::secret(&mut text);
    let message = sent(from.encrypt(&text, rng).unwrap());
    assert_eq!(to.decrypt(&message).unwrap().plaintext(), b"a secret text");
}

fn conversation(slots: Slots, rounds: usize) {
    let (mut a, mut b, ..) = handshake_with(true, slots);
    let rng = &mut Tainted(400);
    for _ in 0..rounds {
        deliver(&mut b, &mut a, rng);
        deliver(&mut a, &mut b, rng);
    }
    if slots == Slots::IMMEDIATE {
        assert!(a.facts().epoch > 1, "epochs were completed");
    }
}

fn out_of_order() {
    let (mut a, mut b, ..) = handshake(true);
    let rng = &mut Tainted(500);
    deliver(&mut b, &mut a, rng);
    let late: Vec<_> = (0..4)
        .map(|_| sent(a.encrypt(b"late", rng).unwrap()))
        .collect();
    deliver(&mut a, &mut b, rng);
    deliver(&mut b, &mut a, rng);
    deliver(&mut a, &mut b, rng);
    for message in late.iter().rev() {
        assert!(b.decrypt(message).is_ok());
    }
}

fn refused() {
    let (mut a, mut b, ..) = handshake(true);
    let rng = &mut Tainted(600);
    deliver(&mut b, &mut a, rng);
    let message = sent(a.encrypt(b"text", rng).unwrap());
    for at in [5, 40, message.len() - 40, message.len() - 1] {
        let mut forged = message.clone();
        forged[at] ^= 1;
        assert!(matches!(b.decrypt(&forged), Err(Error::Authentication)));
    }
    assert!(matches!(
        b.decrypt_with(&message, b"other"),
        Err(Error::Authentication)
    ));
    assert!(b.decrypt(&message).is_ok());
    assert!(matches!(b.decrypt(&message), Err(Error::Duplicate)));
    assert!(a.decrypt(&message).is_err());
}

fn exported() {
    let (mut a, mut b, bob, _) = handshake(true);
    let rng = &mut Tainted(700);
    let key = StateKey::new(&mut array::<32>(3));
    let sealed = sent(a.export(&key, rng).unwrap());
    let mut forged = sealed.clone();
    forged[100] ^= 1;
    assert!(Session::import(&key, &forged, 0).is_err());
    drop(sent(bob.export(&key, rng).unwrap()));
    deliver(&mut b, &mut a, rng);
    drop(a.export_secret(b"label", b"context", 64).unwrap());
}

fn no_contribution() {
    let secret = dh::SecretKey::new(Secret::take(&mut array(4)));
    for low in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let low = dh::PublicKey::from_bytes(&low).unwrap();
        assert!(secret.agree(&low).is_err());
    }
}

fn implicit_rejection() {
    let (key, public) = kem768::DecapsulationKey::generate(Secret::take(&mut array(5)));
    let mut public = *public;
    declassify(&mut public, "a public key");
    let peer = kem768::EncapsulationKey::from_bytes(&public).unwrap();
    let (ciphertext, shared) = peer.encapsulate(&Secret::take(&mut array(6)));
    let mut ciphertext = *ciphertext;
    declassify(&mut ciphertext, "it leaves the device");
    let mut same = *key.decapsulate(&ciphertext).expose();
    assert!(shared.equals(&same));
    ciphertext[7] ^= 1;
    same = *key.decapsulate(&ciphertext).expose();
    assert!(!shared.equals(&same));
}

fn wrong_tag() {
    let key = Secret::take(&mut array::<32>(7));
    let mut text = b"text".to_vec();
    aead::seal(&key, &[0; 12], b"", &mut text, 0).unwrap();
    let mut text = sent(text);
    text[3] ^= 1;
    assert!(aead::open(&key, &[0; 12], b"", &mut text).is_err());
}
