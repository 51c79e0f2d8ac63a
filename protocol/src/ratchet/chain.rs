//! Symmetric chains and the keys that are jumped over (spec sections 5.2 and 5.3).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::crypto::hash::prf;
use crate::error::{Error, Result};
use crate::labels;
use crate::limits::{DAY, MAX_NUMBER, MAX_SKIPPED, MAX_SKIPPED_DAYS};
use crate::secret::Secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink, list16, structure};

/// The ratchet a chain belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strand {
    /// `CK' ‖ ec_mk = PRF("dh chain", 64; CK)`.
    Classical,
    /// `CK' ‖ pq_mk = PRF("pq chain", 64; CK, uint32(n))`.
    PostQuantum,
}

/// A chain key and the number of the next message.
pub(crate) struct Chain {
    key: Secret<32>,
    n: u32,
}
structure!(Chain { key, n });

impl Chain {
    pub(crate) fn new(key: Secret<32>) -> Self {
        Self { key, n: 0 }
    }

    /// The number of the next message.
    pub(crate) fn n(&self) -> u32 {
        self.n
    }

    /// Whether a sending chain has reached its end (M-DR-08).
    pub(crate) fn is_used_up(&self) -> bool {
        self.n >= MAX_NUMBER - 1
    }

    /// Whether it can be a sending chain, as every decoded one must.
    pub(crate) fn check_sending(&self) -> Result<()> {
        if self.n < MAX_NUMBER {
            Ok(())
        } else {
            Err(Error::Malformed)
        }
    }

    /// The next chain state and this message's key.
    pub(crate) fn step(&self, strand: Strand) -> (Self, Secret<32>) {
        let okm = match strand {
            Strand::Classical => prf::<64>(labels::DH_CHAIN, &[self.key.expose()]),
            Strand::PostQuantum => prf(
                labels::PQ_CHAIN,
                &[self.key.expose(), &self.n.to_be_bytes()],
            ),
        };
        let [key, message_key] = okm.split();
        (
            Self {
                key,
                n: self.n.saturating_add(1),
            },
            message_key,
        )
    }
}

/// A key that was jumped over. Boxed, so that moving entries leaves no copies behind.
struct SkippedKey {
    n: u32,
    /// The day it was first seen by `maintain`; 0 before that.
    day: u16,
    key: Box<Secret<32>>,
}
structure!(SkippedKey { n, day, key });

/// The skipped keys of one chain, by ascending number.
#[derive(Default)]
pub(crate) struct Skipped {
    /// One above the highest number whose key was deleted unused.
    floor: u32,
    keys: VecDeque<SkippedKey>,
}

impl Skipped {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key of a number that the chain has passed (M-DR-06).
    pub(crate) fn key(&self, n: u32) -> Result<Secret<32>> {
        let found = self.keys.binary_search_by_key(&n, |skipped| skipped.n).ok();
        match found.and_then(|at| self.keys.get(at)) {
            Some(skipped) => Ok(skipped.key.duplicate()),
            None if n < self.floor => Err(Error::TooOld),
            None => Err(Error::Duplicate),
        }
    }

    /// Deletes a key that was used.
    pub(crate) fn remove(&mut self, n: u32) {
        if let Ok(at) = self.keys.binary_search_by_key(&n, |skipped| skipped.n) {
            self.keys.remove(at);
        }
    }

    /// Deletes the oldest key; false when there is none.
    pub(crate) fn evict(&mut self) -> bool {
        match self.keys.pop_front() {
            Some(skipped) => {
                self.floor = skipped.n.saturating_add(1);
                true
            }
            None => false,
        }
    }

    fn append(&mut self, jumped: Jumped) {
        if jumped.lost {
            // Keys from before the jump are older than those that did not fit.
            self.keys.clear();
            self.floor = jumped.keys.first().map_or(self.floor, |first| first.n);
        }
        self.keys.extend(jumped.keys);
    }

    /// Dates new keys and deletes those of 30 days or more (spec section 7, "Age").
    pub(crate) fn maintain(&mut self, now: u64) {
        let today = match ((now / DAY).wrapping_add(1) & 0xffff) as u16 {
            0 => 1,
            day => day,
        };
        for skipped in self.keys.iter_mut().filter(|skipped| skipped.day == 0) {
            skipped.day = today;
        }
        let old = |skipped: &SkippedKey| {
            // Modulo 65536; a day "in the future" (the clock went back) counts as age 0.
            let age = today.wrapping_sub(skipped.day);
            (MAX_SKIPPED_DAYS..u16::MAX / 2).contains(&age)
        };
        // Numbers and days grow together; should the clock have gone back, the older ones go as well.
        if let Some(last) = self
            .keys
            .iter()
            .filter(|skipped| old(skipped))
            .map(|s| s.n)
            .max()
        {
            self.floor = last.saturating_add(1);
            self.keys.retain(|skipped| skipped.n > last);
        }
    }
}

/// Deletes the oldest keys of several stores, given oldest first, until all hold at most 2,000 (M-DR-05).
pub(crate) fn evict_beyond_limit<'a>(stores: impl Iterator<Item = &'a mut Skipped>, total: usize) {
    let mut excess = total.saturating_sub(MAX_SKIPPED);
    for store in stores {
        while excess > 0 && store.evict() {
            excess -= 1;
        }
    }
}

impl Encode for Skipped {
    fn encode(&self, out: &mut impl Sink) {
        self.floor.encode(out);
        list16::encode(&self.keys, out);
    }
}

impl Decode for Skipped {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (floor, keys): (u32, Vec<SkippedKey>) =
            (Decode::decode(input)?, list16::decode(input)?);
        let sorted = keys.is_sorted_by(|a, b| a.n < b.n);
        let above = keys.first().is_none_or(|first| first.n >= floor);
        if sorted && above && keys.len() <= MAX_SKIPPED {
            let keys = keys.into();
            Ok(Self { floor, keys })
        } else {
            Err(Error::Malformed)
        }
    }
}

/// Keys collected while jumping over messages.
pub(crate) struct Jumped {
    keys: Vec<SkippedKey>,
    /// Whether the first of them did not fit.
    lost: bool,
}

/// How many keys one message may still jump over.
pub(crate) struct JumpBudget(pub(crate) u32);

impl JumpBudget {
    /// Whether a jump is within the budget.
    pub(crate) fn check(&self, jump: u32) -> Result<()> {
        if jump > self.0 {
            Err(Error::TooFarAhead)
        } else {
            Ok(())
        }
    }

    fn spend(&mut self, jump: u32) -> Result<()> {
        self.check(jump)?;
        self.0 -= jump;
        Ok(())
    }
}

/// A receiving chain with the keys it has jumped over.
pub(crate) struct ReceivingChain {
    chain: Chain,
    pub(crate) skipped: Skipped,
}

/// What taking one key changes in a [`ReceivingChain`].
pub(crate) enum Taken {
    /// A skipped key was used.
    Skipped(u32),
    /// The chain has moved on.
    Advanced(Chain, Jumped),
}

impl ReceivingChain {
    pub(crate) fn new(key: Secret<32>) -> Self {
        Self {
            chain: Chain::new(key),
            skipped: Skipped::default(),
        }
    }

    /// The key of message `n`, and what taking it will change. Changes nothing itself.
    pub(crate) fn take(
        &self,
        strand: Strand,
        n: u32,
        budget: &mut JumpBudget,
    ) -> Result<(Secret<32>, Taken)> {
        if n < self.chain.n {
            return Ok((self.skipped.key(n)?, Taken::Skipped(n)));
        }
        let (chain, jumped) = self.jump(strand, n, budget)?;
        let chain = chain.as_ref().unwrap_or(&self.chain);
        let (next, key) = chain.step(strand);
        Ok((key, Taken::Advanced(next, jumped)))
    }

    /// Walks up to message `n`, collecting the last 2,000 keys on the way; `None` for no step.
    pub(crate) fn jump(
        &self,
        strand: Strand,
        n: u32,
        budget: &mut JumpBudget,
    ) -> Result<(Option<Chain>, Jumped)> {
        let count = n.saturating_sub(self.chain.n);
        budget.spend(count)?;
        let kept = (count as usize).min(MAX_SKIPPED);
        let first_kept = n.saturating_sub(kept as u32);
        let mut keys = Vec::with_capacity(kept);
        let mut chain: Option<Chain> = None;
        for at in self.chain.n..n {
            let (next, key) = chain.as_ref().unwrap_or(&self.chain).step(strand);
            if at >= first_kept {
                keys.push(SkippedKey {
                    n: at,
                    day: 0,
                    key: Box::new(key),
                });
            }
            chain = Some(next);
        }
        Ok((
            chain,
            Jumped {
                keys,
                lost: count as usize > kept,
            },
        ))
    }

    /// Makes the change that [`Self::take`] planned.
    pub(crate) fn apply(&mut self, taken: Taken) {
        match taken {
            Taken::Skipped(n) => self.skipped.remove(n),
            Taken::Advanced(next, jumped) => {
                self.skipped.append(jumped);
                self.chain = next;
            }
        }
    }

    /// Ends the chain after a jump: its length and its skipped keys.
    pub(crate) fn retire(mut self, end: Option<Chain>, jumped: Jumped) -> (u32, Skipped) {
        self.skipped.append(jumped);
        (end.map_or(self.chain.n, |chain| chain.n), self.skipped)
    }
}

impl Encode for ReceivingChain {
    fn encode(&self, out: &mut impl Sink) {
        self.chain.encode(out);
        self.skipped.encode(out);
    }
}

impl Decode for ReceivingChain {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let chain = Self {
            chain: Decode::decode(input)?,
            skipped: Decode::decode(input)?,
        };
        chain.skipped.check(chain.chain.n)?;
        Ok(chain)
    }
}

impl Skipped {
    /// Whether the store fits a chain whose next message is `n`, as every decoded state must.
    pub(crate) fn check(&self, n: u32) -> Result<()> {
        let below = self.keys.back().is_none_or(|last| last.n < n);
        if below && self.floor <= n && n <= MAX_NUMBER {
            Ok(())
        } else {
            Err(Error::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> ReceivingChain {
        ReceivingChain::new(Secret::fill(|key| key.fill(7)))
    }

    fn take(chain: &mut ReceivingChain, n: u32) -> Result<Secret<32>> {
        let (key, taken) = chain.take(Strand::PostQuantum, n, &mut JumpBudget(25_000))?;
        chain.apply(taken);
        Ok(key)
    }

    #[test]
    fn keys_do_not_depend_on_the_order() {
        let (mut one, mut other) = (chain(), chain());
        let forth: Vec<_> = (0..5).map(|n| take(&mut one, n).unwrap()).collect();
        for n in [4, 0, 3, 1, 2] {
            assert!(
                take(&mut other, n)
                    .unwrap()
                    .equals(forth[n as usize].expose())
            );
        }
        assert_eq!(take(&mut other, 3).err(), Some(Error::Duplicate));
        assert_eq!(one.to_vec(), other.to_vec());
    }

    #[test]
    #[cfg_attr(miri, ignore = "2,500 steps take it minutes")]
    fn c5_a_full_store_evicts_the_oldest() {
        let mut chain = chain();
        take(&mut chain, 2_500).unwrap();
        assert_eq!(chain.skipped.len(), 2_000);
        assert_eq!(take(&mut chain, 499).err(), Some(Error::TooOld));
        assert!(take(&mut chain, 500).is_ok());
        assert_eq!(take(&mut chain, 500).err(), Some(Error::Duplicate));
    }

    #[test]
    #[cfg_attr(miri, ignore = "25,000 steps take it an hour")]
    fn c4_a_jump_beyond_the_budget_is_refused() {
        assert!(take(&mut chain(), 25_000).is_ok());
        assert_eq!(take(&mut chain(), 25_001).err(), Some(Error::TooFarAhead));
        assert_eq!(take(&mut chain(), u32::MAX).err(), Some(Error::TooFarAhead));
    }

    #[test]
    fn skipped_keys_die_after_thirty_days() {
        let mut chain = chain();
        take(&mut chain, 3).unwrap();
        chain.skipped.maintain(100 * DAY);
        chain.skipped.maintain(129 * DAY);
        assert!(take(&mut chain, 0).is_ok());
        chain.skipped.maintain(130 * DAY);
        assert_eq!(chain.skipped.len(), 0);
        assert_eq!(take(&mut chain, 1).err(), Some(Error::TooOld));
    }
}
