//! Timing in the way of dudect: two classes of input, measured in random order, and Welch's t of their times.
//!
//! `assurance/ct/run timing SAMPLES`. |t| above 10 on a quiet machine says that the classes can be told apart; a small t says that
//! this many samples on this machine did not tell them apart, and nothing more. Nothing asserts on it. The build is the one that
//! runs under valgrind, whose marks do nothing here.

use std::hint::black_box;
use std::time::Instant;

use marline::hazmat::{aead, kem768, kem1024, provider};
use marline::{Account, Secret, Session};
use rand_core::TryRng;
use shake::{ExtendableOutput, Shake256, Update, XofReader};

/// Randomness of a seed.
struct Seeded(Box<dyn XofReader>);

impl Seeded {
    fn new(seed: &[u8]) -> Self {
        let mut state = Shake256::default();
        state.update(seed);
        Self(Box::new(state.finalize_xof()))
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read(&mut bytes);
        bytes
    }
}

impl TryRng for Seeded {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_be_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_be_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Seeded {}

/// Welch's t of the times of two classes, without the slowest tenth, which belongs to the machine.
fn t_value(samples: usize, mut operation: impl FnMut(usize)) -> f64 {
    let rng = &mut Seeded::new(b"classes");
    let mut times: [Vec<f64>; 2] = [vec![], vec![]];
    for _ in 0..samples {
        let class = usize::from(rng.array::<1>()[0] & 1);
        let start = Instant::now();
        operation(class);
        times[class].push(start.elapsed().as_secs_f64() * 1e9);
    }
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() * 9 / 10];
    let [a, b] = times.map(|mut times| {
        times.retain(|time| *time <= limit);
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    (a.0 - b.0) / (a.1 + b.1).sqrt()
}

fn main() {
    let samples = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    println!("provider: {}", provider::NAME);
    let show = |name: &str, t: f64| {
        let verdict = if t.abs() > 10.0 { "told apart" } else { "" };
        println!("{name:60} t = {t:8.2} {verdict}");
    };
    let rng = &mut Seeded::new(b"timing");

    let (key, mut others) = (rng.array::<4096>(), [rng.array::<4096>(); 2]);
    others[0] = key;
    show(
        "control: comparison that stops early",
        t_value(samples, |class| {
            let same = key
                .iter()
                .zip(&others[class])
                .all(|(a, b)| black_box(*a) == black_box(*b));
            black_box(same);
        }),
    );

    let secret = Secret::take(&mut rng.array::<32>());
    let candidates = [*secret.expose(), rng.array()];
    show(
        "Secret::equals, equal or not",
        t_value(samples, |class| {
            black_box(secret.equals(black_box(&candidates[class])));
        }),
    );

    let (key, public) = kem768::DecapsulationKey::generate(Secret::take(&mut rng.array()));
    let peer = kem768::EncapsulationKey::from_bytes(&public).unwrap();
    let (good, _) = peer.encapsulate(&Secret::take(&mut rng.array()));
    let mut bad = good.clone();
    bad[9] ^= 1;
    show(
        "ML-KEM-768 decapsulation, valid or not",
        t_value(samples, |class| {
            black_box(key.decapsulate(black_box([&good, &bad][class])));
        }),
    );

    let (key, public) = kem1024::DecapsulationKey::generate(Secret::take(&mut rng.array()));
    let peer = kem1024::EncapsulationKey::from_bytes(&public).unwrap();
    let (good, _) = peer.encapsulate(&Secret::take(&mut rng.array()));
    let mut bad = good.clone();
    bad[9] ^= 1;
    show(
        "ML-KEM-1024 decapsulation, valid or not",
        t_value(samples, |class| {
            black_box(key.decapsulate(black_box([&good, &bad][class])));
        }),
    );

    let key = Secret::take(&mut rng.array::<32>());
    let mut sealed = vec![7; 200];
    aead::seal(&key, &[0; 12], b"", &mut sealed, 0).unwrap();
    let forged = [0, 15].map(|at| {
        let mut forged = sealed.clone();
        forged[200 + at] ^= 1;
        forged
    });
    show(
        "AEAD: tag wrong in its first or last byte",
        t_value(samples, |class| {
            let mut text = forged[class].clone();
            black_box(aead::open(&key, &[0; 12], b"", &mut text).is_ok());
        }),
    );

    let (mut session, message) = conversation(rng);
    let start = message.len();
    let forged = [20, start - 1].map(|at| {
        let mut forged = message.clone();
        forged[at] ^= 1;
        forged
    });
    let twice = [&forged[0], &{
        let mut other = forged[0].clone();
        other[21] ^= 1;
        other
    }]
    .map(Clone::clone);
    show(
        "message: header forged here or there",
        t_value(samples, |class| {
            black_box(session.decrypt(&twice[class]).is_ok());
        }),
    );
    show(
        "for comparison: header or body forged (may be told apart)",
        t_value(samples, |class| {
            black_box(session.decrypt(&forged[class]).is_ok());
        }),
    );
}

/// A session, and a message for it that is not delivered.
fn conversation(rng: &mut Seeded) -> (Session, Vec<u8>) {
    let now = 1_800_000_000;
    let mut alice = Account::generate("alice", rng).unwrap();
    let mut bob = Account::generate("bob", rng).unwrap();
    let bundle = bob.publish(1, now, rng).unwrap().bundle();
    let (mut a, first) = alice.initiate(&bundle, b"first", now, rng).unwrap();
    let mut b = bob.accept(&first, now).unwrap().session;
    let answer = b.encrypt(b"answer", rng).unwrap();
    assert!(a.decrypt(&answer).is_ok());
    let message = a.encrypt(b"text", rng).unwrap();
    (b, message)
}
