//! The operations: each with its limit, and with what a peer takes for the same.

mod handshakes;
mod messages;
mod olm;
mod states;

pub use messages::after_gap;

use marline::Slots;
use vodozemac::{Curve25519PublicKey, Curve25519SecretKey};

use crate::Outcome;
use crate::cost::Cost;
use crate::primitives::Primitives;

/// Does something so many times, on prepared input, and says what that cost in all.
pub type Run = Box<dyn FnMut(u64) -> Outcome<Cost>>;

/// Something that is measured.
pub struct Operation {
    /// What one is.
    pub name: &'static str,
    /// How many of them one repetition does.
    pub contains: u64,
    /// The most repetitions in one sample: preparing input takes time and memory.
    pub most: u64,
    /// Marline's public API.
    pub marline: Run,
    /// The primitives alone.
    pub limit: Run,
    /// Olm, by vodozemac: without post-quantum parts, for scale.
    pub olm: Option<Run>,
    /// How many times its limit it may take.
    pub bound: f64,
    /// Microseconds that libsignal took on the reference machine, where there is the like.
    pub libsignal: Option<f64>,
    /// How much of that time it may take with the provider `aws-lc`; 1 with the portable one where this is set.
    pub share: Option<f64>,
}

impl Operation {
    fn new(name: &'static str, marline: Run, limit: Run) -> Self {
        Self {
            name,
            contains: 1,
            most: 400,
            marline,
            limit,
            olm: None,
            bound: 1.25,
            libsignal: None,
            share: None,
        }
    }

    fn of_many(self, contains: u64, most: u64) -> Self {
        Self {
            contains,
            most,
            ..self
        }
    }

    fn olm(self, run: Run) -> Self {
        Self {
            olm: Some(run),
            ..self
        }
    }

    fn bound(self, bound: f64) -> Self {
        Self { bound, ..self }
    }

    fn libsignal(self, microseconds: f64, share: Option<f64>) -> Self {
        Self {
            libsignal: Some(microseconds),
            share,
            ..self
        }
    }
}

/// A run of something that needs no input.
fn repeat<O: 'static>(mut f: impl FnMut() -> Outcome<O> + 'static) -> Run {
    Box::new(move |n| Cost::of(vec![(); n as usize], |()| f()))
}

/// The name of the operation that tells how fast this machine is now: `x25519-dalek` beside the provider.
pub const SCALE: &str = "X25519";
/// What `x25519-dalek` took on the reference machine, microseconds (`reference/primitives.md`).
pub const REFERENCE_X25519: f64 = 52.2;

fn x25519() -> Outcome<Operation> {
    let (own, peer) = (Curve25519SecretKey::new(), Curve25519SecretKey::new());
    let peer = Curve25519PublicKey::from(&peer);
    let primitives = || Primitives::new(Slots::STANDARD, 0);
    let (one, other) = (primitives()?, primitives()?);
    let run = |primitives: Primitives| repeat(move || primitives.agree());
    Ok(Operation::new(SCALE, run(one), run(other))
        .olm(repeat(move || Ok(own.diffie_hellman(&peer)))))
}

/// All of them, in the order of the report.
///
/// # Errors
/// Those of the preparations.
pub fn all() -> Outcome<Vec<Operation>> {
    let mut all = vec![x25519()?];
    all.extend(handshakes::all()?);
    all.extend(messages::all()?);
    all.extend(states::all()?);
    Ok(all)
}
