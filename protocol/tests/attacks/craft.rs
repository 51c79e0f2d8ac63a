//! Identities, bundles and first flights by the specification (sections 2 to 4), to be made wrong.

use marline::Account;
use marline::hazmat::{kem1024, sign};
use marline::{PrekeyBundle, Secret, Session};

use super::attacker::Attacker;
use super::common::{NOW, SeededRng, accounts};
use super::notation::*;
use super::structures::*;

/// The seeds of an identity.
#[derive(Clone, Copy)]
pub struct Identity {
    pub ed25519: Key,
    pub mldsa65: Key,
}

/// A secret of the library out of bytes.
pub fn secret<const N: usize>(bytes: &[u8; N]) -> Secret<N> {
    Secret::take(&mut bytes.clone())
}

impl Identity {
    pub fn of(account: &Account) -> Self {
        match AccountState::parse(&account.to_state()).signer {
            Signer::Seeds { ed25519, mldsa65 } => Self { ed25519, mldsa65 },
            Signer::External { .. } => panic!("external signer"),
        }
    }

    /// The encoded `IdentityKey`.
    pub fn key(&self) -> [u8; 1985] {
        let mldsa65 = sign::mldsa65_public(&secret(&self.mldsa65));
        let ed25519 = sign::ed25519_public(&secret(&self.ed25519));
        let key = [&[1], ed25519.as_bytes().as_slice(), mldsa65.as_slice()].concat();
        key.try_into().unwrap()
    }

    /// A hybrid signature (section 2.2).
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 3373] {
        let input = [
            &frame("hybrid ed25519+ml-dsa-65"),
            frame(purpose).as_slice(),
            message,
        ]
        .concat();
        let ed25519 = sign::ed25519_sign(&secret(&self.ed25519), &input);
        let mldsa65 = sign::mldsa65_sign(&secret(&self.mldsa65), &input, &[7; 32]);
        [ed25519.as_slice(), mldsa65.as_slice()]
            .concat()
            .try_into()
            .unwrap()
    }
}

/// `leaf` of section 3.1.
pub fn leaf(kind: u8, id: u32, x25519: &Key, kem_hash: &Key) -> Key {
    h("prekey", &[&[kind], &id.to_be_bytes(), x25519, kem_hash])
}

impl Bundle {
    pub fn of(bundle: &PrekeyBundle) -> Self {
        Self::parse(&bundle.to_bytes())
    }

    /// Signs the manifest as it now is.
    pub fn sign(mut self, identity: &Identity) -> Self {
        self.signature = identity.sign("sign manifest", &self.manifest.bytes());
        self
    }

    /// Makes the manifest's root (of a publication with one one-time prekey) or hash fit the record.
    pub fn fit(mut self) -> Self {
        match &self.record {
            Record::LastResort { kem } => self.manifest.signed_kem_hash = h("kem key", &[kem]),
            Record::OneTime {
                id, x25519, kem, ..
            } => {
                self.manifest.root = leaf(2, *id, x25519, &h("kem key", &[kem]));
            }
        }
        self
    }

    /// What the library makes of it.
    pub fn decode(&self) -> marline::Result<PrekeyBundle> {
        PrekeyBundle::from_bytes(&self.bytes())
    }
}

/// The initiator's choices.
pub struct Initiator<'a> {
    pub identity: Identity,
    pub subject: &'a [u8],
    pub ephemeral: Key,
    pub slots: u8,
}

/// A first flight and the session that follows from it.
pub struct Initiated {
    pub flight: FirstFlight,
    pub session: Attacker,
}

impl Initiated {
    /// The initial message with an honest inner message.
    pub fn message(&mut self) -> Vec<u8> {
        let header = self.session.step([0x33; 32]).header();
        [self.flight.bytes(), self.session.send(&header)].concat()
    }
}

impl Initiator<'_> {
    /// The handshake of section 4.2; `edit` changes what is sealed.
    pub fn initiate(&self, bundle: &Bundle, edit: impl FnOnce(&mut Sealed, &Key)) -> Initiated {
        let manifest = &bundle.manifest;
        let responder = h("identity", &[&manifest.identity]);
        let (kem, onetime) = match &bundle.record {
            Record::LastResort { kem } => (kem, None),
            Record::OneTime {
                id, x25519, kem, ..
            } => (kem, Some((*id, *x25519))),
        };
        let ek = kem1024::EncapsulationKey::from_bytes(kem).unwrap();
        let (ciphertext, ss) = ek.encapsulate(&secret(&[0x44; 32]));
        let d1 = x25519(&self.ephemeral, &manifest.signed_x25519);
        let d2 = onetime.map_or([0; 32], |(_, key)| x25519(&self.ephemeral, &key));
        let mut flight = FirstFlight {
            version: 1,
            kind: 1,
            signed_id: manifest.signed_id,
            onetime_id: onetime.map(|(id, _)| id),
            slots: self.slots,
            ephemeral: x25519_public(&self.ephemeral),
            ciphertext: *ciphertext,
            sealed: List(vec![]),
        };
        let signed_leaf = leaf(
            1,
            manifest.signed_id,
            &manifest.signed_x25519,
            &manifest.signed_kem_hash,
        );
        let onetime_leaf = onetime.map(|(id, x25519)| leaf(2, id, &x25519, &h("kem key", &[kem])));
        let th0 = h(
            "handshake",
            &[
                &[1],
                &responder,
                &h("manifest", &[&manifest.bytes()]),
                &[flight.signed_id.bytes(), flight.onetime_id.bytes()].concat(),
                &signed_leaf,
                onetime_leaf.as_ref().map_or(&[], |leaf| leaf),
                &[self.slots],
                &flight.ephemeral,
                &flight.ciphertext,
            ],
        );
        let prk = extract(&th0, &[ss.expose(), &d1, &d2]);
        let identity = self.identity.key();
        let claim = h("claim", &[&identity, self.subject]);
        let signature = self
            .identity
            .sign("sign initiator", &[th0, responder, claim].concat());
        let subject = List(self.subject.to_vec());
        let mut sealed = Sealed {
            identity,
            subject,
            signature,
        };
        edit(&mut sealed, &th0);
        let [k_id] = expand(&prk, "initiator key", &th0);
        let sealed = seal(&k_id, &[0; 12], &th0, &sealed.bytes());
        let th = h("transcript", &[&th0, &h("sealed", &[&sealed])]);
        flight.sealed = List(sealed);
        let session = Attacker::new(self.session(&prk, th, responder, manifest));
        Initiated { flight, session }
    }

    /// The initiator's state of section 8.2 after the handshake.
    fn session(&self, prk: &Key, th: Key, peer_id: Key, manifest: &Manifest) -> SessionState {
        let [ec, pq, next_send, next_receive, exporter_secret, session_id] =
            expand(prk, "session", &th);
        let [root, i2r, r2i, auth_root, auth_mac] = expand(&pq, "pq start", &th);
        let skipped = Skipped {
            floor: 0,
            keys: List(vec![]),
        };
        SessionState {
            version: 1,
            kind: 1,
            generation: 0,
            role: 0,
            slots: self.slots,
            status: 0,
            own_id: h("identity", &[&self.identity.key()]),
            peer_id,
            peer_subject: manifest.subject.clone(),
            session_id,
            th,
            exporter_secret,
            used_onetime: 0,
            since_epoch: 0,
            opening: Opening::Done {},
            double: Double {
                root: ec,
                next_send,
                next_receive,
                previous: 0,
                turn: Turn::Step {
                    peer: manifest.signed_x25519,
                },
                receiving: None,
                retired: List(vec![]),
            },
            sparse: Sparse {
                root,
                current: EpochChains {
                    epoch: 0,
                    send: Some(PqSending { key: i2r, n: 0 }),
                    receive: PqReceiving {
                        key: r2i,
                        n: 0,
                        skipped,
                    },
                },
                previous: None,
            },
            scka: Scka {
                epoch: 1,
                auth_root,
                auth_mac,
                state: SckaState::Idle {},
            },
        }
    }
}

/// A session whose initiator is the attacker, with the given slots: it has sent one message without codewords.
pub fn hostile_initiator(slots: u8, rng: &mut SeededRng) -> (Attacker, Session) {
    let (_, mut bob) = accounts(rng);
    let bundle = Bundle::of(&bob.publish(1, NOW, rng).unwrap().bundle());
    let identity = Identity {
        ed25519: [1; 32],
        mldsa65: [2; 32],
    };
    let initiator = Initiator {
        identity,
        subject: b"mallory",
        ephemeral: rng.array(),
        slots,
    };
    let mut initiated = initiator.initiate(&bundle, |_, _| {});
    let accepted = bob.accept(&initiated.message(), NOW).unwrap();
    (initiated.session, accepted.session)
}
