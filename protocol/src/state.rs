//! Sealed states (spec section 8.1): versioned, with a generation, under the application's key.

use alloc::vec::Vec;
use core::mem;

use rand_core::TryCryptoRng;

use crate::crypto::aead::{self, ZERO_NONCE};
use crate::crypto::hash::{Hash, hash, prf};
use crate::error::{Error, Result};
use crate::labels;
use crate::limits::VERSION;
use crate::secret::{Secret, Wiped, random_bytes};
use crate::wire::codec::{Decode, Encode, Reader, Sink};

/// `version ‖ kind ‖ generation ‖ salt`.
const HEAD_LEN: usize = 42;

/// The application's key for states: 32 uniform bytes that it keeps safe.
pub struct StateKey(Secret<32>);

/// What a state belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StateKind {
    /// A [`crate::Session`].
    Session = 1,
    /// An [`crate::Account`].
    Account = 2,
    /// A [`crate::Contact`].
    Contact = 3,
}

impl StateKey {
    /// A key from 32 uniform bytes; the caller's copy is wiped.
    pub fn new(bytes: &mut [u8; 32]) -> Self {
        Self(Secret::take(bytes))
    }

    /// The key that seals one state: salts are fresh, so it seals exactly one.
    fn key(&self, salt: &[u8; 32]) -> Secret<32> {
        prf(labels::STATE_KEY, &[self.0.expose(), salt])
    }
}

impl StateKind {
    /// `version ‖ kind ‖ generation`, with which every state begins.
    pub(crate) fn encode_start(self, generation: u64, out: &mut impl Sink) {
        out.put(&[VERSION, self as u8]);
        generation.encode(out);
    }

    /// Reads that start; the generation.
    pub(crate) fn decode_start(self, input: &mut Reader<'_>) -> Result<u64> {
        input.version()?;
        if u8::decode(input)? != self as u8 {
            return Err(Error::Malformed);
        }
        u64::decode(input)
    }
}

/// `fingerprint = H("fingerprint"; state)`: equal exactly for equal states.
pub fn fingerprint(state: &[u8]) -> Hash {
    hash(labels::FINGERPRINT, &[state])
}

/// Seals a state, encoded where it is sealed; draws 32 bytes.
pub(crate) fn seal<R: TryCryptoRng + ?Sized>(
    key: &StateKey,
    kind: StateKind,
    generation: u64,
    state: &impl Encode,
    rng: &mut R,
) -> Result<Vec<u8>> {
    let salt: [u8; 32] = random_bytes(rng)?;
    let room = HEAD_LEN + state.encoded_len() + aead::TAG_LEN;
    let mut out = Wiped::new(Vec::with_capacity(room)); // wiped unless it is sealed
    kind.encode_start(generation, &mut *out);
    out.put(&salt);
    let head = out.clone();
    state.encode(&mut *out);
    aead::seal(&key.key(&salt), &ZERO_NONCE, &head, &mut out, HEAD_LEN)?;
    Ok(mem::take(&mut *out))
}

/// Opens a sealed state (M-ST-01): the state, of the generation that the blob names.
pub(crate) fn open(
    key: &StateKey,
    kind: StateKind,
    sealed: &[u8],
    minimum_generation: u64,
) -> Result<Wiped> {
    let mut input = Reader::new(sealed);
    let generation = kind.decode_start(&mut input)?;
    let salt = input.array()?;
    let mut state = Wiped::new(input.rest().to_vec());
    let (head, _) = sealed.split_at(HEAD_LEN);
    aead::open(&key.key(salt), &ZERO_NONCE, head, &mut state)?;
    if generation < minimum_generation {
        return Err(Error::Rollback);
    }
    if kind.decode_start(&mut Reader::new(&state))? == generation {
        Ok(state)
    } else {
        Err(Error::Malformed)
    }
}

crate::secret::opaque_debug!(StateKey);
