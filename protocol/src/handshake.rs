//! The handshake (spec section 4): sign-and-seal over X25519 and ML-KEM-1024.

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::crypto::aead::{self, ZERO_NONCE};
use crate::crypto::dh::{KeyPair, PublicKey, SecretKey};
use crate::crypto::hash::{Hash, expand, extract, hash};
use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::identity::{IdentityId, IdentityKey, Peer, Signer, SigningInput, Subject};
use crate::labels;
use crate::limits::VERSION;
use crate::prekey::{Claimed, Record, VerifiedBundle};
use crate::ratchet::Role;
use crate::ratchet::triple::{Context, Start, TripleRatchet};
use crate::secret::{Secret, random_bytes};
use crate::wire::codec::{Decode, Encode};
use crate::wire::initial::{FirstFlight, PrekeyIds, Sealed};
use crate::wire::message::Slots;

/// The public inputs of `th0`, in the spec's order.
struct Transcript<'a> {
    responder: IdentityId,
    manifest_hash: &'a Hash,
    prekeys: PrekeyIds,
    signed_leaf: &'a Hash,
    onetime_leaf: Option<&'a Hash>,
    slots: Slots,
    ephemeral: &'a PublicKey,
    ciphertext: &'a [u8],
}

/// A finished handshake.
pub(crate) struct Established {
    pub(crate) peer: Peer,
    pub(crate) ratchet: TripleRatchet,
    pub(crate) exporter: Secret<32>,
    pub(crate) used_onetime: bool,
}

impl Transcript<'_> {
    /// `th0 = H("handshake"; ...)`.
    fn th0(&self) -> Hash {
        hash(
            labels::HANDSHAKE,
            &[
                &[VERSION],
                self.responder.as_bytes(),
                self.manifest_hash,
                &self.prekeys.to_vec(),
                self.signed_leaf,
                self.onetime_leaf.map_or(&[], |leaf| leaf),
                &[self.slots.get()],
                self.ephemeral.as_bytes(),
                self.ciphertext,
            ],
        )
    }
}

/// What the initiator signs: `th0 ‖ responder identity_id ‖ claim`. Without the responder's identity in it, a responder
/// could pass the signature on to somebody else.
fn signing_input(
    th0: &Hash,
    responder: IdentityId,
    identity: &IdentityKey,
    subject: &Subject,
) -> SigningInput {
    let claim = hash(labels::CLAIM, &[&identity.to_vec(), subject.as_bytes()]);
    SigningInput::new(labels::SIGN_INITIATOR, &[th0, responder.as_bytes(), &claim])
}

/// `prk = EXTRACT(th0, ss ‖ d1 ‖ d2)` and `k_id`.
fn seal_keys(
    th0: &Hash,
    ss: &Secret<32>,
    d1: &Secret<32>,
    d2: Option<&Secret<32>>,
) -> (Secret<32>, Secret<32>) {
    let d2 = d2.map_or(&[0; 32], Secret::expose);
    let prk = extract(th0, &[ss.expose(), d1.expose(), d2]);
    let k_id = expand(&prk, labels::INITIATOR_KEY, [th0, &[]]);
    (prk, k_id)
}

/// `th = H("transcript"; th0, H("sealed"; sealed))`.
fn transcript_hash(th0: &Hash, sealed: &[u8]) -> Hash {
    hash(labels::TRANSCRIPT, &[th0, &hash(labels::SEALED, &[sealed])])
}

/// The session secrets out of `prk` and `th`.
fn session_secrets(
    prk: &Secret<32>,
    th: Hash,
    role: Role,
    slots: Slots,
) -> (Context, Start, Secret<32>) {
    let okm = expand::<192>(prk, labels::SESSION, [&th, &[]]);
    let [ec, pq, i2r, r2i, exporter, session_id] = okm.split();
    let mut session_id = *session_id.expose();
    declassify(&mut session_id, "the session's id");
    let context = Context {
        role,
        slots,
        session_id,
        th,
    };
    (
        context,
        Start {
            ec,
            pq,
            header_keys: [i2r, r2i],
        },
        exporter,
    )
}

/// The initiator's side (section 4.2).
///
/// # Errors
/// [`Error::Randomness`]; [`Error::Malformed`] for prekeys that do not contribute; those of the signer.
pub(crate) fn initiate<S: Signer, R: TryCryptoRng + ?Sized>(
    signer: &S,
    subject: &Subject,
    verified: &VerifiedBundle<'_>,
    slots: Slots,
    rng: &mut R,
) -> Result<(Established, FirstFlight)> {
    let manifest = &verified.bundle.manifest.manifest;
    let ephemeral = KeyPair::new(SecretKey::new(Secret::random(rng)?));
    let m = Secret::random(rng)?;
    let rnd = random_bytes(rng)?;
    let (kem, onetime) = match &verified.bundle.record {
        Record::LastResort { kem } => (kem, None),
        Record::OneTime {
            id, x25519, kem, ..
        } => (kem, Some((*id, x25519))),
    };
    let (ciphertext, ss) = kem.encapsulate(&m);
    let d1 = ephemeral.secret().agree(&manifest.signed.x25519)?;
    let d2 = onetime
        .map(|(_, x25519)| ephemeral.secret().agree(x25519))
        .transpose()?;
    let prekeys = PrekeyIds {
        signed: manifest.signed.id,
        onetime: onetime.map(|(id, _)| id),
    };
    let responder = manifest.identity.id();
    let th0 = Transcript {
        responder,
        manifest_hash: &manifest.hash(),
        prekeys,
        signed_leaf: &verified.signed_leaf,
        onetime_leaf: verified.onetime_leaf.as_ref(),
        slots,
        ephemeral: ephemeral.public(),
        ciphertext: &*ciphertext,
    }
    .th0();
    let (prk, k_id) = seal_keys(&th0, &ss, &d1, d2.as_ref());

    let identity = signer.identity();
    let signature = signer.sign(&signing_input(&th0, responder, identity, subject), &rnd)?;
    let sealed = Sealed {
        identity: identity.clone(),
        subject: subject.clone(),
        signature,
    };
    let mut sealed = sealed.to_vec();
    aead::seal(&k_id, &ZERO_NONCE, &th0, &mut sealed, 0)?;

    let th = transcript_hash(&th0, &sealed);
    let (context, start, exporter) = session_secrets(&prk, th, Role::Initiator, slots);
    let ratchet = TripleRatchet::initiator(context, start, manifest.signed.x25519);
    let peer = Peer {
        identity: responder,
        subject: manifest.subject.clone(),
    };
    let used_onetime = onetime.is_some();
    let flight = FirstFlight {
        prekeys,
        slots,
        ephemeral: *ephemeral.public(),
        ciphertext,
        sealed,
    };
    Ok((
        Established {
            peer,
            ratchet,
            exporter,
            used_onetime,
        },
        flight,
    ))
}

/// The responder's side up to the inner message (section 4.3, M-HS-06 to -09), and `th0`. Changes nothing.
///
/// # Errors
/// [`Error::Authentication`], [`Error::Malformed`], [`Error::OwnIdentity`], [`Error::Duplicate`], [`Error::Limit`].
pub(crate) fn accept(
    own: IdentityId,
    claimed: &Claimed<'_>,
    flight: &FirstFlight,
) -> Result<(Established, Hash)> {
    let kem = &claimed.onetime.unwrap_or(claimed.signed).kem;
    let mut th0 = Transcript {
        responder: own,
        manifest_hash: claimed.manifest_hash,
        prekeys: flight.prekeys,
        signed_leaf: &claimed.signed.leaf,
        onetime_leaf: claimed.onetime.map(|prekey| &prekey.leaf),
        slots: flight.slots,
        ephemeral: &flight.ephemeral,
        ciphertext: &*flight.ciphertext,
    }
    .th0();
    declassify(&mut th0, "the transcript hash: replays are known by it");
    let d1 = claimed.signed.x25519.agree(&flight.ephemeral)?;
    let d2 = claimed
        .onetime
        .map(|prekey| prekey.x25519.agree(&flight.ephemeral))
        .transpose()?;
    let ss = kem.decapsulate(&flight.ciphertext);
    let (prk, k_id) = seal_keys(&th0, &ss, &d1, d2.as_ref());

    let mut sealed = Zeroizing::new(flight.sealed.clone());
    aead::open(&k_id, &ZERO_NONCE, &th0, &mut sealed)?;
    declassify(&mut sealed, "the initiator's claim: it is verified");
    let sealed = Sealed::from_bytes(&sealed)?;
    if sealed.identity.id() == own {
        return Err(Error::OwnIdentity);
    }
    let input = signing_input(&th0, own, &sealed.identity, &sealed.subject);
    sealed.identity.verify(&input, &sealed.signature)?;

    // By th0, not th: whoever has the prekeys can seal anew, and must not get a second session out of one signature.
    claimed.check_replay(&th0)?;
    let th = transcript_hash(&th0, &flight.sealed);
    let (context, start, exporter) = session_secrets(&prk, th, Role::Responder, flight.slots);
    let signed = claimed.signed.x25519.duplicate();
    let ratchet = TripleRatchet::responder(context, start, signed);
    let peer = Peer {
        identity: sealed.identity.id(),
        subject: sealed.subject,
    };
    let used_onetime = claimed.onetime.is_some();
    let established = Established {
        peer,
        ratchet,
        exporter,
        used_onetime,
    };
    Ok((established, th0))
}
