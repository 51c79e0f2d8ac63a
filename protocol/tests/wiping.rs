//! No secret is left in memory that was given back: an allocator that looks into every freed block for pieces of keys it was
//! told of. What registers and stack hold is out of its sight.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(
    unsafe_code,
    reason = "a global allocator cannot be written without; nothing else here is unsafe"
)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::convert::Infallible;
use std::slice;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use common::session_state::View;
use common::{NOW, SeededRng};
use marline::{Account, InitiateOptions, Padding, Session, Slots, StateKey};
use rand_core::{TryCryptoRng, TryRng};

/// Bytes of a piece. Two in a row count: what is left of a secret shows when it is 23 bytes long, and from 16 on when it begins
/// where a piece does. A single one can be what a moved structure took along from the stack in bytes that it does not use.
const PIECE: usize = 8;
/// The pieces of every secret known to the test: a hash table outside of the heap, 0 for nothing.
static PIECES: [AtomicU64; 1 << 16] = [const { AtomicU64::new(0) }; 1 << 16];
static COUNT: AtomicUsize = AtomicUsize::new(0);
static LOOKING: AtomicBool = AtomicBool::new(false);
static BLOCKS: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static FOUND_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Looks into every block before it is freed.
struct Looking;

// SAFETY: the system's allocator does the work. The default `realloc` allocates, copies and frees through these functions.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that every byte of a block can be read later.
        // SAFETY: the caller's contract is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if LOOKING.load(SeqCst) {
            // SAFETY: a live block of this size that nobody else uses any more.
            look(unsafe { slice::from_raw_parts(block, layout.size()) });
        }
        // SAFETY: the caller's contract is handed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

fn look(block: &[u8]) {
    BLOCKS.fetch_add(1, SeqCst);
    // Most of memory is zero, and no secret begins so.
    let known = |bytes| {
        let piece = piece(bytes);
        piece != 0 && PIECES[place(piece)].load(SeqCst) == piece
    };
    for window in block.windows(2 * PIECE) {
        let (one, next) = window.split_at(PIECE);
        if known(one) && known(next) {
            FOUND.fetch_add(1, SeqCst);
            FOUND_SIZE.store(block.len(), SeqCst);
        }
    }
}

fn piece(bytes: &[u8]) -> u64 {
    u64::from_ne_bytes(bytes.try_into().unwrap())
}

/// Where a piece is in the table, or would be.
fn place(piece: u64) -> usize {
    let start = usize::try_from(piece >> 48).unwrap();
    let places = (start..PIECES.len()).chain(0..start);
    let mut free = places.filter(|at| [0, piece].contains(&PIECES[*at].load(SeqCst)));
    free.next().unwrap()
}

/// Tells the allocator of a secret.
fn know(secret: &[u8]) {
    for bytes in secret.chunks_exact(PIECE) {
        let piece = piece(bytes);
        if PIECES[place(piece)].swap(piece, SeqCst) == 0 {
            COUNT.fetch_add(1, SeqCst);
        }
    }
}

/// A generator whose draws of keys and seeds are known to the allocator. Shorter ones are nonces, which are public.
struct Known(SeededRng);

impl TryRng for Known {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)?;
        bytes
            .as_chunks::<32>()
            .0
            .iter()
            .for_each(|secret| know(secret));
        Ok(())
    }
}

impl TryCryptoRng for Known {}

/// The keys of a session that the test reads out of its state.
fn know_state(session: &Session) {
    let state = session.to_state();
    for at in View::of(&state).secrets {
        know(&state[at..at + 32]);
    }
}

/// Sealed and opened again. The only draw is the salt, which is public: it comes from a generator that tells nobody.
fn restored(session: &Session, rng: &mut Known) -> Session {
    let mut bytes = [0; 32];
    rng.try_fill_bytes(&mut bytes).unwrap();
    let key = StateKey::new(&mut bytes);
    let sealed = session.export(&key, &mut rng.0).unwrap();
    Session::import(&key, &sealed, 0).unwrap()
}

fn text(i: usize) -> String {
    format!("{i}: a secret text for one reader")
}

fn say(from: &mut Session, to: &mut Session, rng: &mut Known, i: usize) {
    let message = from.encrypt(text(i).as_bytes(), rng).unwrap();
    assert_eq!(
        to.decrypt(&message).unwrap().plaintext(),
        text(i).as_bytes()
    );
    know_state(from);
    know_state(to);
}

/// A life: two devices, a handshake, epochs, late, lost and forged messages, prepared changes, restarts.
fn life(rng: &mut Known) {
    let mut alice = Account::generate("alice", rng).unwrap();
    let mut bob = Account::generate("bob", rng).unwrap();
    let bundle = bob.publish(3, NOW, rng).unwrap().bundle();
    let options = InitiateOptions {
        slots: Slots::IMMEDIATE,
        ..Default::default()
    };
    let (mut a, first) = alice
        .initiate_with(&bundle, b"first", options, NOW, rng)
        .unwrap();
    let mut forged = first.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert!(bob.accept(&forged, NOW).is_err());
    let mut b = bob.accept(&first, NOW).unwrap().session;
    // A ninth retired chain takes the place of the oldest: in `a`, which restarts each time, and in `b`, which does once after it.
    for i in 0..12 {
        say(&mut b, &mut a, rng, i);
        let late = a.encrypt(b"late", rng).unwrap();
        let lost = a.encrypt(b"lost", rng).unwrap();
        say(&mut a, &mut b, rng, i);
        assert!(b.decrypt(&late).is_ok() && b.decrypt(&late).is_err());
        drop(lost);
        let pending = a
            .prepare_encrypt(b"text", &[], Padding::default(), rng)
            .unwrap();
        let message = a.commit(pending).unwrap();
        drop(b.prepare_decrypt(&message, &[]).unwrap());
        a = Session::from_state(&a.to_state()).unwrap();
        b.maintain(NOW);
        if i == 10 {
            b = restored(&b, rng);
        }
    }
    assert!(a.facts().epoch > 2);
    // One without an answer has no receiving chain: nothing of the session decoded before it may be in that place.
    let options = InitiateOptions::default();
    let (c, _) = alice
        .initiate_with(&bundle, b"again", options, NOW, rng)
        .unwrap();
    know_state(&c);
    for _ in 0..3 {
        drop(Session::from_state(&a.to_state()).unwrap());
        let c = Session::from_state(&c.to_state()).unwrap();
        drop(
            c.prepare_encrypt(b"text", &[], Padding::default(), rng)
                .unwrap(),
        );
    }
    know(&a.export_secret(b"label", b"", 32).unwrap());
    drop(Account::from_state(&bob.to_state()).unwrap());
}

#[test]
fn freed_memory_holds_no_secret() {
    // The control: a copy of a secret that nobody wipes.
    know(b"control: careless");
    LOOKING.store(true, SeqCst);
    drop(std::hint::black_box(b"control: careless".to_vec()));
    assert_eq!(FOUND.swap(0, SeqCst), 1);
    life(&mut Known(SeededRng::new(1)));
    LOOKING.store(false, SeqCst);
    let (blocks, secrets) = (BLOCKS.load(SeqCst), COUNT.load(SeqCst));
    assert!(
        blocks > 1_000 && secrets > 200,
        "{blocks} blocks, {secrets} pieces"
    );
    assert_eq!(
        FOUND.load(SeqCst),
        0,
        "the last in {} bytes",
        FOUND_SIZE.load(SeqCst)
    );
}
