//! What the tests share: a seeded generator, two devices in conversation, a bad channel.
#![allow(dead_code)] // Every test crate uses another part.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

pub mod model;
pub mod scka;
pub mod session_state;

use std::convert::Infallible;

use marline::hazmat::message::Kind;
use marline::{Account, InitiateOptions, Session};
use rand_core::{TryCryptoRng, TryRng};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

/// The day of the tests, Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// Seconds in a day.
pub const DAY: u64 = 86_400;
/// The subject of the initiator: an address of common length.
pub const ALICE: &str = "alice@example.org";
/// The subject of the responder.
pub const BOB: &str = "bob@example.org";

/// A deterministic generator: draw `i` is `SHAKE256(seed ‖ i)`. A clone repeats it.
#[derive(Clone)]
pub struct SeededRng {
    seed: u64,
    draws: u64,
}

impl SeededRng {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, draws: 0 }
    }

    /// The generator of a long run: `seed`, or `MARLINE_SEED` where that is set; printed either way.
    pub fn announced(seed: u64) -> Self {
        let from_outside = std::env::var("MARLINE_SEED").ok();
        let seed = from_outside.map_or(seed, |text| text.parse().unwrap());
        println!("MARLINE_SEED={seed}");
        Self::new(seed)
    }

    /// A number below `bound` (which is far below 2^64: the bias does not matter here).
    pub fn below(&mut self, bound: usize) -> usize {
        let Ok(number) = self.try_next_u64();
        (number % bound as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let Ok(()) = self.try_fill_bytes(&mut bytes);
        bytes
    }

    /// `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let Ok(()) = self.try_fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let mut state = Shake256::default();
        state.update(&self.seed.to_be_bytes());
        state.update(&self.draws.to_be_bytes());
        state.finalize_xof().read(bytes);
        self.draws += 1;
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

/// A generator that serves `draws` draws and then fails.
pub struct FailingRng {
    /// Draws left.
    pub draws: usize,
    /// Where they come from.
    pub rng: SeededRng,
}

/// What a [`FailingRng`] fails with.
#[derive(Debug)]
pub struct OutOfEntropy;

impl std::fmt::Display for OutOfEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of entropy")
    }
}

impl std::error::Error for OutOfEntropy {}

impl TryRng for FailingRng {
    type Error = OutOfEntropy;

    fn try_next_u32(&mut self) -> Result<u32, OutOfEntropy> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfEntropy> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), OutOfEntropy> {
        self.draws = self.draws.checked_sub(1).ok_or(OutOfEntropy)?;
        let Ok(()) = self.rng.try_fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}

/// Two devices and their session.
pub struct Pair {
    /// The initiator's device.
    pub alice: Account,
    /// The responder's device.
    pub bob: Account,
    /// The initiator's session.
    pub a: Session,
    /// The responder's session.
    pub b: Session,
    /// The initial message, accepted already.
    pub first: Vec<u8>,
}

/// Two devices that do not know each other.
pub fn accounts(rng: &mut SeededRng) -> (Account, Account) {
    let alice = Account::generate(ALICE, rng).unwrap();
    (alice, Account::generate(BOB, rng).unwrap())
}

/// A session whose first message has arrived, with default options; the responder has not answered.
pub fn unanswered(rng: &mut SeededRng) -> Pair {
    unanswered_with(InitiateOptions::default(), rng)
}

/// The same with other options.
pub fn unanswered_with(options: InitiateOptions<'_>, rng: &mut SeededRng) -> Pair {
    let (mut alice, mut bob) = accounts(rng);
    let bundle = bob.publish(2, NOW, rng).unwrap().bundle();
    let (a, first) = alice
        .initiate_with(&bundle, b"first", options, NOW, rng)
        .unwrap();
    let accepted = bob.accept_with(&first, options.ad, NOW).unwrap();
    assert_eq!(accepted.opened.plaintext(), b"first");
    Pair {
        alice,
        bob,
        a,
        b: accepted.session,
        first,
    }
}

/// A session in which both sides have sent one message, with default options.
pub fn answered(rng: &mut SeededRng) -> Pair {
    answered_with(InitiateOptions::default(), rng)
}

/// The same with other options.
pub fn answered_with(options: InitiateOptions<'_>, rng: &mut SeededRng) -> Pair {
    let mut pair = unanswered_with(options, rng);
    deliver(&mut pair.b, &mut pair.a, b"answer", rng);
    pair
}

/// Sends one message and checks that it arrives.
pub fn deliver(from: &mut Session, to: &mut Session, text: &[u8], rng: &mut SeededRng) {
    let message = from.encrypt(text, rng).unwrap();
    assert_eq!(to.decrypt(&message).unwrap().plaintext(), text);
}

/// The kind of a piece from its number on the wire.
pub fn kind(number: u8) -> Kind {
    [Kind::None, Kind::Key, Kind::Ciphertext][usize::from(number)]
}

/// A channel that loses, reorders and duplicates: what is sent waits in a window, out of which the
/// receiver gets any one.
pub struct Channel<T> {
    /// Percent of sent messages that are lost.
    pub loss: usize,
    /// Percent of delivered messages that are delivered once more later.
    pub duplicates: usize,
    /// Messages that wait before any is delivered; 1 keeps the order.
    pub window: usize,
    waiting: Vec<T>,
}

impl<T: Clone> Channel<T> {
    /// A channel with these rates.
    pub fn new(loss: usize, duplicates: usize, window: usize) -> Self {
        Self {
            loss,
            duplicates,
            window,
            waiting: Vec::new(),
        }
    }

    /// Puts a message on the way; false when it is lost.
    pub fn send(&mut self, message: T, rng: &mut SeededRng) -> bool {
        let lost = rng.percent(self.loss);
        if !lost {
            self.waiting.push(message);
        }
        !lost
    }

    /// What arrives now: nothing while the window is not full.
    pub fn receive(&mut self, rng: &mut SeededRng) -> Option<T> {
        (self.waiting.len() >= self.window).then(|| self.take(rng))
    }

    /// What still arrives when nothing more is sent.
    pub fn drain(&mut self, rng: &mut SeededRng) -> Option<T> {
        (!self.waiting.is_empty()).then(|| self.take(rng))
    }

    fn take(&mut self, rng: &mut SeededRng) -> T {
        let at = rng.below(self.waiting.len());
        if rng.percent(self.duplicates) {
            self.waiting[at].clone()
        } else {
            self.waiting.remove(at)
        }
    }
}
