//! A channel that drops, delays and duplicates.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Shares of messages, 0 to 1.
#[derive(Clone, Copy)]
pub struct Rates {
    drop: f64,
    reorder: f64,
    duplicate: f64,
}

impl Rates {
    pub fn new(drop: f64, reorder: f64, duplicate: f64) -> Result<Self, &'static str> {
        let share = 0.0..=1.0;
        if !(0.0..=0.9).contains(&drop) || !share.contains(&reorder) || !share.contains(&duplicate)
        {
            return Err("rates are shares: drop 0 to 0.9, reorder and duplicate 0 to 1");
        }
        Ok(Self {
            drop,
            reorder,
            duplicate,
        })
    }
}

/// One direction of the channel.
pub struct Channel {
    rates: Rates,
    rng: StdRng,
    /// Messages on their way, each with the number of later ones that may overtake it.
    queue: Vec<(usize, Vec<u8>)>,
    pub dropped: usize,
    pub delayed: usize,
    pub duplicated: usize,
}

impl Channel {
    pub fn new(rates: Rates, seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self {
            rates,
            rng,
            queue: Vec::new(),
            dropped: 0,
            delayed: 0,
            duplicated: 0,
        }
    }

    /// Takes a message in; perhaps.
    pub fn send(&mut self, message: Vec<u8>) {
        if self.rng.random_bool(self.rates.drop) {
            self.dropped += 1;
            return;
        }
        if self.rng.random_bool(self.rates.duplicate) {
            self.duplicated += 1;
            self.queue
                .push((self.rng.random_range(0..6), message.clone()));
        }
        let late = self.rng.random_bool(self.rates.reorder);
        self.delayed += usize::from(late);
        self.queue
            .push((if late { self.rng.random_range(1..6) } else { 0 }, message));
    }

    /// What arrives now, in the order of arrival.
    pub fn deliver(&mut self) -> Vec<Vec<u8>> {
        let (now, later): (Vec<_>, Vec<_>) = self.queue.drain(..).partition(|(wait, _)| *wait == 0);
        self.queue = later
            .into_iter()
            .map(|(wait, message)| (wait - 1, message))
            .collect();
        now.into_iter().map(|(_, message)| message).collect()
    }
}
