//! The real key agreement as a finite machine: every side state and every piece gets a number, every step of
//! the code is taken once and remembered.
//!
//! Finite, because randomness is fixed for each epoch and side, and because a sender goes back to codeword 0 after
//! `period` messages of an object, as it does after 65,536 codewords in earnest. Duplicate indices are possible
//! that way, and the codewords of any two messages of an object still suffice when they are different ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use marline::hazmat::codec::{Encode, Reader};
use marline::hazmat::message::Piece;
use marline::hazmat::scka::{Authenticator, ChunkedKem, EpochKey, Scka};
use marline::{Role, Secret, Slots};

use super::SeededRng;

/// The two sides.
pub const ROLES: [Role; 2] = [Role::Initiator, Role::Responder];
const SESSION_ID: [u8; 32] = [3; 32];
/// `epoch`, `auth_root`, `auth_mac`: where the state's tag stands (spec section 8.2).
const TAG: usize = 4 + 32 + 32;

/// Something wrong that the checks must find.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Codewords of ciphertexts never arrive.
    NoCiphertexts,
    /// The responder starts with another authenticator.
    OtherAuthenticator,
    /// The responder gives out other keys.
    OtherKeys,
    /// Messages go under the epoch after the one they should.
    NewestEpoch,
    /// A side repeats an epoch key.
    RepeatedKey,
}

/// A side's state, and the newest epoch whose key it has.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Side {
    state: Vec<u8>,
    newest: u32,
}

/// Both sides' states and all pieces, by number, and the steps between them.
pub struct Machine {
    slots: Slots,
    period: u16,
    fault: Fault,
    sides: [Numbered<Side>; 2],
    pieces: Numbered<(u32, u8, u16, Vec<u8>)>,
    sends: [HashMap<u32, (u32, u32)>; 2],
    receives: [HashMap<(u32, u32), u32>; 2],
    /// The key of each epoch, from the side that had it first.
    keys: BTreeMap<u32, [u8; 32]>,
}

/// Values with numbers.
struct Numbered<T> {
    numbers: HashMap<T, u32>,
    values: Vec<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
        }
    }

    fn number(&mut self, value: T) -> u32 {
        let next = self.values.len() as u32;
        let number = *self.numbers.entry(value.clone()).or_insert(next);
        if number == next {
            self.values.push(value);
        }
        number
    }

    fn value(&self, number: u32) -> &T {
        &self.values[number as usize]
    }
}

impl Machine {
    /// The machine, and the numbers of the two sides' first states.
    pub fn new(slots: u8, period: u16, fault: Fault) -> (Self, [u32; 2]) {
        let slots = Slots::new(slots).unwrap();
        let mut sides = [Numbered::new(), Numbered::new()];
        let start = [0, 1].map(|at| {
            let other = at == 1 && fault == Fault::OtherAuthenticator;
            let root = Secret::fill(|root| root.fill(if other { 9 } else { 1 }));
            let mac = Secret::fill(|mac| mac.fill(if other { 9 } else { 2 }));
            let authenticator = Authenticator::new(root, mac);
            let kem = ChunkedKem::new(SESSION_ID, slots, ROLES[at], authenticator);
            let state = kem.to_vec();
            sides[at].number(Side { state, newest: 0 })
        });
        let machine = Self {
            slots,
            period,
            fault,
            sides,
            pieces: Numbered::new(),
            sends: [HashMap::new(), HashMap::new()],
            receives: [HashMap::new(), HashMap::new()],
            keys: BTreeMap::new(),
        };
        (machine, start)
    }

    /// The newest epoch whose key this side has.
    pub fn newest(&self, at: usize, side: u32) -> u32 {
        self.sides[at].value(side).newest
    }

    /// The epoch a piece was sent under.
    pub fn epoch_of(&self, piece: u32) -> u32 {
        self.pieces.value(piece).0
    }

    /// The tags of all states that a side was in.
    pub fn tags(&self, at: usize) -> BTreeSet<u8> {
        let sides = self.sides[at].values.iter();
        sides.map(|side| side.state[TAG]).collect()
    }

    /// Numbers of side states and of pieces.
    pub fn len(&self) -> (usize, usize, usize) {
        let [one, other] = &self.sides;
        (
            one.values.len(),
            other.values.len(),
            self.pieces.values.len(),
        )
    }

    fn kem(&self, side: &Side) -> ChunkedKem {
        let mut input = Reader::new(&side.state);
        let kem = ChunkedKem::decode(&mut input, SESSION_ID, self.slots).unwrap();
        input.finish().unwrap();
        kem
    }

    /// The side after sending, and the piece; what is wrong with it otherwise.
    pub fn send(&mut self, at: usize, side: u32) -> Result<(u32, u32), String> {
        if let Some(known) = self.sends[at].get(&side) {
            return Ok(*known);
        }
        let before = self.sides[at].value(side).clone();
        let mut kem = self.kem(&before);
        let promised = kem.sending_epoch();
        let epoch = u32::from_be_bytes(before.state[..4].try_into().unwrap());
        let mut rng = SeededRng::new(u64::from(epoch) * 2 + at as u64);
        let sent = kem.send(&mut rng).map_err(|error| error.to_string())?;
        // (5) The receiver reads the sending epoch from the piece: it is the one before the piece's.
        if sent.sending_epoch != promised || sent.piece.epoch != promised + 1 {
            return Err("a piece does not tell its sending epoch".into());
        }
        let mut after = self.stored(&kem, before.newest);
        self.output(at, &mut after, sent.output)?;
        let sending_epoch = match self.fault {
            Fault::NewestEpoch => sent.sending_epoch + 1,
            _ => sent.sending_epoch,
        };
        // (3) The sender knows the keys up to the sending epoch.
        if sending_epoch > after.newest {
            return Err("sent under an epoch whose key the sender does not know".into());
        }
        let Piece {
            kind,
            index,
            codewords,
            ..
        } = sent.piece;
        let piece = self
            .pieces
            .number((sending_epoch, kind as u8, index, codewords));
        let after = self.sides[at].number(after);
        self.sends[at].insert(side, (after, piece));
        Ok((after, piece))
    }

    /// The side after a piece has arrived; what is wrong with it otherwise.
    pub fn receive(&mut self, at: usize, side: u32, piece: u32) -> Result<u32, String> {
        if let Some(known) = self.receives[at].get(&(side, piece)) {
            return Ok(*known);
        }
        let before = self.sides[at].value(side).clone();
        let (sending_epoch, kind, index, codewords) = self.pieces.value(piece).clone();
        // (4) The receiver knows the keys up to the receiving epoch, before it has looked into the piece.
        if sending_epoch > before.newest {
            return Err("received under an epoch whose key the receiver does not know".into());
        }
        let lost = self.fault == Fault::NoCiphertexts && kind == 2;
        let mut kem = self.kem(&before);
        let mut after = before.clone();
        if !lost {
            let piece = Piece {
                epoch: sending_epoch + 1,
                kind: super::kind(kind),
                index,
                codewords,
            };
            let output = kem.receive(&piece).map_err(|error| error.to_string())?;
            after = self.stored(&kem, before.newest);
            self.output(at, &mut after, output)?;
        }
        if after.state[..4] < before.state[..4] {
            return Err("an epoch went back".into());
        }
        let after = self.sides[at].number(after);
        self.receives[at].insert((side, piece), after);
        Ok(after)
    }

    /// The state as bytes; a sender's next index goes back to 0 after `period` messages.
    fn stored(&self, kem: &ChunkedKem, newest: u32) -> Side {
        let mut state = kem.to_vec();
        let end = (self.period * u16::from(self.slots.get())).to_be_bytes();
        if matches!(state[TAG], 1 | 5) && state.ends_with(&end) {
            let next = state.len() - 2;
            state[next..].fill(0);
        }
        Side { state, newest }
    }

    /// (1) Both sides have the same key for an epoch; (2) each has one, in order.
    fn output(
        &mut self,
        at: usize,
        side: &mut Side,
        output: Option<EpochKey>,
    ) -> Result<(), String> {
        let Some(EpochKey { epoch, key }) = output else {
            return Ok(());
        };
        let mut key = *key.expose();
        if self.fault == Fault::OtherKeys && at == 1 {
            key[0] ^= 1;
        }
        let again = u32::from(self.fault == Fault::RepeatedKey && epoch > 1);
        let epoch = epoch - again;
        if epoch != side.newest + 1 {
            return Err(format!(
                "key of epoch {epoch} after that of {}",
                side.newest
            ));
        }
        side.newest = epoch;
        if *self.keys.entry(epoch).or_insert(key) != key {
            return Err(format!("different keys for epoch {epoch}"));
        }
        Ok(())
    }
}
