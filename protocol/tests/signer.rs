//! An identity whose secret lives elsewhere: a thread that gets bytes to sign and gives signatures, made with the primitive
//! crates alone (spec section 2.2).
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::mpsc::{Sender, channel};
use std::thread;

use common::{ALICE, NOW, SeededRng, deliver};
use ed25519_dalek::Signer as _;
use marline::hazmat::codec::Encode;
use marline::{
    Account, Error, External, HybridSignature, IdentityKey, IdentityKeyPair, PrekeyBundle, Result,
    Secret, Signer, SigningInput, StateKey, Subject,
};
use ml_dsa::MlDsa65;

/// Bytes to sign, fresh randomness, and where the signature goes.
type Request = (Vec<u8>, [u8; 32], Sender<HybridSignature>);

/// What an account holds of the identity.
struct Remote {
    identity: IdentityKey,
    requests: Sender<Request>,
}

impl Remote {
    /// Starts a thread that owns the secrets of these seeds.
    fn start(ed25519: [u8; 32], mldsa65: [u8; 32]) -> Self {
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(&ed25519);
        let mldsa65 = ml_dsa::ExpandedSigningKey::<MlDsa65>::from_seed(&mldsa65.into());
        let identity = IdentityKey::from_keys(
            &ed25519.verifying_key().to_bytes(),
            &mldsa65.verifying_key().encode().into(),
        );
        let (requests, inbox) = channel::<Request>();
        thread::spawn(move || {
            for (input, rnd, answer) in inbox {
                // FIPS 204 algorithm 2: an empty context is two zero bytes before the message.
                let lattice = mldsa65.sign_internal(&[&[0, 0], &input], &rnd.into());
                let signature = HybridSignature::from_parts(
                    ed25519.sign(&input).to_bytes(),
                    lattice.encode().into(),
                );
                answer.send(signature).unwrap();
            }
        });
        Self {
            identity: identity.unwrap(),
            requests,
        }
    }

    fn alice() -> Self {
        Self::start([1; 32], [2; 32])
    }
}

impl Signer for Remote {
    fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    fn sign(&self, input: &SigningInput, rnd: &[u8; 32]) -> Result<HybridSignature> {
        let (answer, signature) = channel();
        let request = (input.as_bytes().to_vec(), *rnd, answer);
        self.requests.send(request).map_err(|_| Error::Signer)?;
        signature.recv().map_err(|_| Error::Signer)
    }
}

fn alice(signer: Remote) -> Account<External<Remote>> {
    Account::with_signer(signer, Subject::new(ALICE.as_bytes()).unwrap())
}

#[test]
fn an_external_signer_publishes_and_initiates() {
    let rng = &mut SeededRng::new(1);
    let mut alice = alice(Remote::alice());
    let mut bob = Account::generate(common::BOB, rng).unwrap();

    let bundle = alice.publish(1, NOW, rng).unwrap().bundle();
    let (mut b, first) = bob.initiate(&bundle, b"to alice", NOW, rng).unwrap();
    let accepted = alice.accept(&first, NOW).unwrap();
    assert_eq!(accepted.opened.plaintext(), b"to alice");
    let mut a = accepted.session;
    deliver(&mut a, &mut b, b"answer", rng);
    assert_eq!(b.peer().identity, alice.id());

    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let (_, first) = alice.initiate(&bundle, b"to bob", NOW, rng).unwrap();
    let opened = bob.accept(&first, NOW).unwrap().opened;
    assert_eq!(opened.plaintext(), b"to bob");
    assert_eq!(opened.peer().identity, alice.id());
    assert_eq!(opened.peer().subject.as_bytes(), ALICE.as_bytes());
}

/// The same seeds in memory are the same identity and make the same signatures.
#[test]
fn an_external_signer_and_a_key_pair_of_the_same_seeds_are_the_same() {
    let rng = &mut SeededRng::new(2);
    let pair = IdentityKeyPair::from_seeds(Secret::take(&mut [1; 32]), Secret::take(&mut [2; 32]));
    assert_eq!(pair.identity().id(), Remote::alice().identity().id());
    let subject = Subject::new(ALICE.as_bytes()).unwrap();
    let mut local = Account::with_signer(pair, subject);
    let same = &mut rng.clone();
    let one = local.publish(1, NOW, rng).unwrap().manifest_bytes();
    let other = alice(Remote::alice()).publish(1, NOW, same).unwrap();
    assert_eq!(one, other.manifest_bytes());
}

#[test]
fn a_state_has_the_identity_and_not_the_secret() {
    let rng = &mut SeededRng::new(3);
    let key = StateKey::new(&mut [7; 32]);
    let mut account = alice(Remote::alice());
    let bundle = account.publish(1, NOW, rng).unwrap().bundle();
    let state = account.to_state();
    assert!(
        !state
            .windows(32)
            .any(|bytes| bytes == [1; 32] || bytes == [2; 32])
    );
    let public = account.identity().to_vec();
    assert!(state.windows(public.len()).any(|bytes| bytes == public));

    let blob = account.export(&key, rng).unwrap();
    let generation = account.generation();
    let import = |signer, minimum| Account::import_with_signer(&key, &blob, minimum, signer);
    let mut restored = import(Remote::alice(), generation).unwrap();
    assert_eq!(restored.to_state(), state);
    // It goes on where it was.
    let mut bob = Account::generate(common::BOB, rng).unwrap();
    let (_, first) = bob.initiate(&bundle, b"hi", NOW, rng).unwrap();
    assert!(restored.accept(&first, NOW).is_ok());
    assert!(restored.publish(1, NOW, rng).is_ok());

    let stranger = Remote::start([3; 32], [2; 32]);
    assert_eq!(import(stranger, 0).err(), Some(Error::IdentityChanged));
    let rollback = import(Remote::alice(), generation + 1);
    assert_eq!(rollback.err(), Some(Error::Rollback));
    // A signer that is only lent is still there when a state is refused.
    let lent = Remote::alice();
    let import = |minimum| Account::import_with_signer(&key, &blob, minimum, &lent);
    assert_eq!(import(generation + 1).err(), Some(Error::Rollback));
    let mut restored = import(generation).unwrap();
    assert!(restored.publish(1, NOW, rng).is_ok());
    // A state is of one kind of account or of the other.
    assert_eq!(
        Account::import(&key, &blob, 0).err(),
        Some(Error::Malformed)
    );
    assert_eq!(Account::from_state(&state).err(), Some(Error::Malformed));
    let local = bob.export(&key, rng).unwrap();
    let result = Account::import_with_signer(&key, &local, 0, Remote::alice());
    assert_eq!(result.err(), Some(Error::Malformed));
}

#[test]
fn what_the_signer_reports_is_passed_on_and_nothing_has_changed() {
    let rng = &mut SeededRng::new(4);
    let (nobody, _) = channel();
    let mut alice = alice(Remote {
        requests: nobody,
        ..Remote::alice()
    });
    let mut bob = Account::generate(common::BOB, rng).unwrap();
    let bundle = bob.publish(1, NOW, rng).unwrap().bundle();
    let state = alice.to_state();
    let result = alice.publish(1, NOW, rng);
    assert_eq!(result.err(), Some(Error::Signer));
    let result = alice.initiate(&bundle, b"hi", NOW, rng);
    assert_eq!(result.err(), Some(Error::Signer));
    assert_eq!(alice.to_state(), state);
}

/// A signer that has only one of the two secrets, or none, is noticed before a signature of it is used.
#[test]
fn a_signature_needs_both_secrets() {
    let rng = &mut SeededRng::new(5);
    let mut bob = Account::generate(common::BOB, rng).unwrap();
    let bobs: PrekeyBundle = bob.publish(1, NOW, rng).unwrap().last_resort_bundle();
    for (ed25519, mldsa65) in [(1, 3), (3, 2), (3, 3)] {
        let mut broken = alice(Remote {
            identity: Remote::alice().identity.clone(),
            ..Remote::start([ed25519; 32], [mldsa65; 32])
        });
        let state = broken.to_state();
        let result = broken.publish(1, NOW, rng);
        assert_eq!(result.err(), Some(Error::Signer));
        let result = broken.initiate(&bobs, b"hi", NOW, rng);
        assert_eq!(result.err(), Some(Error::Signer));
        assert_eq!(broken.to_state(), state);
    }
}
