//! `ChunkedKem` (spec section 6): plain ML-KEM-768 in erasure-coded codewords, six states.

use alloc::boxed::Box;
use core::mem;

use rand_core::TryCryptoRng;

use super::erasure::{Decoder, Encoder, Object};
use super::{EpochKey, Scka, Sent};
use crate::crypto::hash::{Hash, expand, extract, prf};
use crate::crypto::kem::kem768;
use crate::error::{Error, Result};
use crate::labels::{self, Label};
use crate::limits::MAX_NUMBER;
use crate::prekey::kem_hash;
use crate::ratchet::Role;
use crate::secret::Secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink, structure};
use crate::wire::message::{Kind, Piece, Slots};

/// Codewords of `ek ‖ mac`.
const KEY_CODEWORDS: usize = 38;
/// Codewords of `ct ‖ mac`.
const CIPHERTEXT_CODEWORDS: usize = 35;

/// Keys of the object MACs; they turn with every epoch key.
pub struct Authenticator {
    root: Secret<32>,
    mac: Secret<32>,
}
structure!(Authenticator { root, mac });

impl Authenticator {
    /// The authenticator of epoch 1, from the start of the post-quantum ratchet.
    pub fn new(root: Secret<32>, mac: Secret<32>) -> Self {
        Self { root, mac }
    }

    /// `auth_root' ‖ auth_mac' = EXPAND(EXTRACT(auth_root, epoch_key), "authenticator", epoch, 64)`.
    fn updated(&self, epoch: u32, epoch_key: &Secret<32>) -> Self {
        let prk = extract(self.root.expose(), &[epoch_key.expose()]);
        let okm = expand::<64>(&prk, labels::AUTHENTICATOR, [&epoch.to_be_bytes(), &[]]);
        let [root, mac] = okm.split();
        Self { root, mac }
    }

    fn mac(&self, label: Label, epoch: u32, object: &[u8]) -> Secret<32> {
        prf(label, &[self.mac.expose(), &epoch.to_be_bytes(), object])
    }
}

/// Where one side stands in the agreement of an epoch. Keys are boxed, so that changing the state leaves no copies; the hash, so
/// that smaller variants have less room for what was on the stack: 32 bytes in `Idle`.
enum State {
    /// Key owner, nothing sent in this epoch: holds no key yet.
    Idle,
    /// Key owner, sends its key.
    SendingKey {
        key: Box<kem768::DecapsulationKey>,
        object: Encoder<KEY_CODEWORDS>,
    },
    /// Key owner, the peer has the key and answers.
    ReceivingCt {
        key: Box<kem768::DecapsulationKey>,
        ek_hash: Box<Hash>,
        held: Decoder<CIPHERTEXT_CODEWORDS>,
    },
    /// Encapsulator, collects the peer's key.
    AwaitingKey { held: Decoder<KEY_CODEWORDS> },
    /// Encapsulator, has the key and has not encapsulated yet.
    KeyHeld { ek: kem768::EncapsulationKey },
    /// Encapsulator, sends the ciphertext; its secret is deleted already.
    SendingCt {
        object: Encoder<CIPHERTEXT_CODEWORDS>,
    },
}

/// Chunked ML-KEM-768 behind the SCKA interface.
pub struct ChunkedKem {
    session_id: Hash,
    slots: Slots,
    epoch: u32,
    authenticator: Authenticator,
    state: State,
}

impl ChunkedKem {
    /// Epoch 1: the initiator owns the first key.
    pub fn new(session_id: Hash, slots: Slots, role: Role, authenticator: Authenticator) -> Self {
        let state = match role {
            Role::Initiator => State::Idle,
            Role::Responder => State::AwaitingKey {
                held: Decoder::new(),
            },
        };
        Self {
            session_id,
            slots,
            epoch: 1,
            authenticator,
            state,
        }
    }

    /// Whether the state is one that a side of this role can be in: the initiator owns the keys of odd epochs.
    pub fn check(&self, role: Role) -> bool {
        let owner = match self.state {
            State::Idle | State::SendingKey { .. } | State::ReceivingCt { .. } => true,
            State::AwaitingKey { .. } | State::KeyHeld { .. } | State::SendingCt { .. } => false,
        };
        owner == ((role == Role::Initiator) == (self.epoch % 2 == 1))
    }

    /// The newest epoch whose key this side knows.
    pub fn newest_key(&self) -> u32 {
        match self.state {
            State::SendingCt { .. } => self.epoch,
            _ => self.sending_epoch(),
        }
    }

    /// `epoch_key = EXPAND(EXTRACT(session_id, ss), "epoch key", epoch ‖ H("kem key"; ek), 32)`.
    fn epoch_key(&self, shared: &Secret<32>, ek_hash: &Hash) -> Secret<32> {
        let prk = extract(&self.session_id, &[shared.expose()]);
        expand(
            &prk,
            labels::EPOCH_KEY,
            [&self.epoch.to_be_bytes(), ek_hash],
        )
    }

    /// Idle → SendingKey.
    fn generate(&mut self, seed: Secret<64>) {
        let (key, ek) = kem768::DecapsulationKey::generate(seed);
        let mac = self.authenticator.mac(labels::MAC_KEY, self.epoch, &*ek);
        let object = Encoder::new(Object::new([&*ek, mac.expose()]));
        let key = Box::new(key);
        self.state = State::SendingKey { key, object };
    }

    /// KeyHeld → SendingCt.
    fn encapsulate(&mut self, ek: &kem768::EncapsulationKey, fresh: &Secret<32>) -> EpochKey {
        let ek_hash = kem_hash(ek.as_bytes());
        let epoch = self.epoch.to_be_bytes();
        let root = self.authenticator.root.expose();
        let m = prf(
            labels::ENCAPSULATE,
            &[root, fresh.expose(), &epoch, &ek_hash],
        );
        let (ct, shared) = ek.encapsulate(&m);
        let key = self.epoch_key(&shared, &ek_hash);
        self.authenticator = self.authenticator.updated(self.epoch, &key);
        let mac = self
            .authenticator
            .mac(labels::MAC_CIPHERTEXT, self.epoch, &*ct);
        self.state = State::SendingCt {
            object: Encoder::new(Object::new([&*ct, mac.expose()])),
        };
        EpochKey {
            epoch: self.epoch,
            key,
        }
    }

    /// The codewords of the next message.
    fn piece(&mut self) -> Piece {
        let length = self.slots.codeword_bytes();
        let (kind, (index, codewords)) = match &mut self.state {
            State::SendingKey { object, .. } => (Kind::Key, object.take(length)),
            State::SendingCt { object } => (Kind::Ciphertext, object.take(length)),
            _ => (Kind::None, (0, alloc::vec![0; length])),
        };
        Piece {
            epoch: self.epoch,
            kind,
            index,
            codewords,
        }
    }

    /// AwaitingKey: add; complete → KeyHeld.
    fn receive_key(&mut self, piece: &Piece) -> Result<()> {
        let State::AwaitingKey { held } = &mut self.state else {
            return Ok(());
        };
        let Some(object) = held.complete(piece.index, &piece.codewords) else {
            held.add(piece.index, &piece.codewords);
            return Ok(());
        };
        let (ek, mac) = cut::<{ kem768::KEY_LEN }>(object.as_bytes())?;
        if !self
            .authenticator
            .mac(labels::MAC_KEY, self.epoch, ek)
            .equals(mac)
        {
            return Err(Error::AgreementFailed);
        }
        let ek = kem768::EncapsulationKey::from_bytes(ek).map_err(|_| Error::AgreementFailed)?;
        self.state = State::KeyHeld { ek };
        Ok(())
    }

    /// SendingKey or ReceivingCt: add; complete → AwaitingKey in the next epoch.
    fn receive_ciphertext(&mut self, piece: &Piece) -> Result<Option<EpochKey>> {
        const NONE_HELD: &Decoder<CIPHERTEXT_CODEWORDS> = &Decoder::new();
        let (key, ek_hash, held) = match &self.state {
            State::SendingKey { key, object, .. } => {
                let (ek, _) = cut::<{ kem768::KEY_LEN }>(object.object().as_bytes())?;
                (key, kem_hash(ek), NONE_HELD)
            }
            State::ReceivingCt { key, ek_hash, held } => (key, **ek_hash, held),
            _ => return Ok(None),
        };
        let Some(object) = held.complete(piece.index, &piece.codewords) else {
            self.keep_ciphertext(piece, ek_hash);
            return Ok(None);
        };
        let (ct, mac) = cut::<{ kem768::CIPHERTEXT_LEN }>(object.as_bytes())?;
        let output = self.epoch_key(&key.decapsulate(ct), &ek_hash);
        let authenticator = self.authenticator.updated(self.epoch, &output);
        if !authenticator
            .mac(labels::MAC_CIPHERTEXT, self.epoch, ct)
            .equals(mac)
        {
            return Err(Error::AgreementFailed);
        }
        let next = next_epoch(self.epoch)?;
        self.authenticator = authenticator;
        self.state = State::AwaitingKey {
            held: Decoder::new(),
        };
        let epoch = mem::replace(&mut self.epoch, next);
        Ok(Some(EpochKey { epoch, key: output }))
    }

    /// Keeps codewords of a ciphertext that is not complete.
    fn keep_ciphertext(&mut self, piece: &Piece, ek_hash: Hash) {
        self.state = match mem::replace(&mut self.state, State::Idle) {
            State::SendingKey { key, .. } => {
                let mut held = Decoder::new();
                held.add(piece.index, &piece.codewords);
                let ek_hash = Box::new(ek_hash);
                State::ReceivingCt { key, ek_hash, held }
            }
            State::ReceivingCt {
                key,
                ek_hash,
                mut held,
            } => {
                held.add(piece.index, &piece.codewords);
                State::ReceivingCt { key, ek_hash, held }
            }
            other => other,
        };
    }
}

/// An object's content and its MAC.
fn cut<const N: usize>(object: &[u8]) -> Result<(&[u8; N], &[u8; 32])> {
    let (content, mac) = object.split_last_chunk().ok_or(Error::AgreementFailed)?;
    Ok((content.try_into().map_err(|_| Error::AgreementFailed)?, mac))
}

/// Epochs end where numbers end (M-DR-08): after 2^31 of them, which is never.
fn next_epoch(epoch: u32) -> Result<u32> {
    epoch
        .checked_add(1)
        .filter(|epoch| *epoch < MAX_NUMBER)
        .ok_or(Error::AgreementFailed)
}

impl Scka for ChunkedKem {
    fn sending_epoch(&self) -> u32 {
        self.epoch.saturating_sub(1)
    }

    fn send<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<Sent> {
        let mut output = None;
        match &self.state {
            State::Idle => self.generate(Secret::random(rng)?),
            State::KeyHeld { .. } => {
                let fresh = Secret::random(rng)?;
                if let State::KeyHeld { ek } = mem::replace(&mut self.state, State::Idle) {
                    output = Some(self.encapsulate(&ek, &fresh));
                }
            }
            _ => {}
        }
        Ok(Sent {
            piece: self.piece(),
            sending_epoch: self.sending_epoch(),
            output,
        })
    }

    fn receive(&mut self, piece: &Piece) -> Result<Option<EpochKey>> {
        if matches!(self.state, State::SendingCt { .. }) && piece.epoch == next_epoch(self.epoch)? {
            self.epoch = piece.epoch;
            self.state = State::Idle;
            return Ok(None);
        }
        match piece.kind {
            _ if piece.epoch != self.epoch => Ok(None),
            Kind::None => Ok(None),
            Kind::Key => self.receive_key(piece).map(|()| None),
            Kind::Ciphertext => self.receive_ciphertext(piece),
        }
    }
}

impl Encode for ChunkedKem {
    fn encode(&self, out: &mut impl Sink) {
        self.epoch.encode(out);
        self.authenticator.encode(out);
        self.state.encode(out);
    }
}

impl ChunkedKem {
    /// Reads the state of a session with this id and these slots.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn decode(input: &mut Reader<'_>, session_id: Hash, slots: Slots) -> Result<Self> {
        let epoch = u32::decode(input)?;
        if !(1..MAX_NUMBER).contains(&epoch) {
            return Err(Error::Malformed);
        }
        let (authenticator, state) = (Decode::decode(input)?, Decode::decode(input)?);
        Ok(Self {
            session_id,
            slots,
            epoch,
            authenticator,
            state,
        })
    }
}

impl Encode for State {
    fn encode(&self, out: &mut impl Sink) {
        match self {
            Self::Idle => 0u8.encode(out),
            Self::SendingKey { key, object } => {
                1u8.encode(out);
                key.encode(out);
                object.encode(out);
            }
            Self::ReceivingCt { key, ek_hash, held } => {
                2u8.encode(out);
                key.encode(out);
                ek_hash.encode(out);
                held.encode(out);
            }
            Self::AwaitingKey { held } => {
                3u8.encode(out);
                held.encode(out);
            }
            Self::KeyHeld { ek } => {
                4u8.encode(out);
                ek.encode(out);
            }
            Self::SendingCt { object } => {
                5u8.encode(out);
                object.encode(out);
            }
        }
    }
}

impl Decode for State {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(match u8::decode(input)? {
            0 => Self::Idle,
            1 => Self::SendingKey {
                key: Decode::decode(input)?,
                object: Decode::decode(input)?,
            },
            2 => Self::ReceivingCt {
                key: Decode::decode(input)?,
                ek_hash: Decode::decode(input)?,
                held: Decode::decode(input)?,
            },
            3 => Self::AwaitingKey {
                held: Decode::decode(input)?,
            },
            4 => Self::KeyHeld {
                ek: Decode::decode(input)?,
            },
            5 => Self::SendingCt {
                object: Decode::decode(input)?,
            },
            _ => return Err(Error::Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_dr_08_epochs_end_below_2_to_the_31() {
        assert_eq!(next_epoch(MAX_NUMBER - 2), Ok(MAX_NUMBER - 1));
        assert_eq!(next_epoch(MAX_NUMBER - 1), Err(Error::AgreementFailed));
        assert_eq!(next_epoch(u32::MAX), Err(Error::AgreementFailed));
    }
}
