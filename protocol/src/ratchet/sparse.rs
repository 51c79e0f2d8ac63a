//! The sparse post-quantum ratchet (spec section 5.3): a root and chains per epoch of the SCKA.

use alloc::boxed::Box;

use super::Role;
use super::chain::{Chain, JumpBudget, ReceivingChain, Skipped, Strand, Taken, evict_beyond_limit};
use super::scka::{Authenticator, EpochKey};
use crate::crypto::hash::{Hash, expand, extract};
use crate::error::{Error, Result};
use crate::labels;
use crate::limits::{MAX_NUMBER, MAX_SKIPPED};
use crate::secret::Secret;
use crate::wire::codec::{Decode, Encode, Reader, Sink, structure};

/// The chains of one epoch. What can be missing is boxed: a missing key in its place would be whatever bytes were on the stack.
struct EpochChains {
    epoch: u32,
    /// Deleted once a message was sent in a later epoch.
    send: Option<Box<Chain>>,
    receive: ReceivingChain,
}

/// The post-quantum ratchet of one session.
pub(crate) struct SparseRatchet {
    role: Role,
    root: Secret<32>,
    current: EpochChains,
    previous: Option<Box<EpochChains>>,
}

/// What accepting a message will change.
pub(crate) struct Change {
    epoch: u32,
    taken: Taken,
}

impl EpochChains {
    fn new(role: Role, epoch: u32, chains: [Secret<32>; 2]) -> Self {
        let [i2r, r2i] = chains;
        let (send, receive) = match role {
            Role::Initiator => (i2r, r2i),
            Role::Responder => (r2i, i2r),
        };
        Self {
            epoch,
            send: Some(Box::new(Chain::new(send))),
            receive: ReceivingChain::new(receive),
        }
    }
}

impl SparseRatchet {
    /// `root ‖ chain_i2r ‖ chain_r2i ‖ auth_root ‖ auth_mac = EXPAND(SK_pq, "pq start", th, 160)`.
    pub(crate) fn start(role: Role, secret: &Secret<32>, th: &Hash) -> (Self, Authenticator) {
        let okm = expand::<160>(secret, labels::PQ_START, [th, &[]]);
        let [root, i2r, r2i, auth_root, auth_mac] = okm.split();
        let current = EpochChains::new(role, 0, [i2r, r2i]);
        (
            Self {
                role,
                root,
                current,
                previous: None,
            },
            Authenticator::new(auth_root, auth_mac),
        )
    }

    /// The newest epoch whose key is known.
    pub(crate) fn epoch(&self) -> u32 {
        self.current.epoch
    }

    /// `root' ‖ chain_i2r ‖ chain_r2i = EXPAND(EXTRACT(root, epoch_key), "pq root", epoch, 96)`. The chains of the
    /// epoch before the last are deleted (M-SP-03).
    pub(crate) fn add_epoch(&mut self, output: &EpochKey) {
        debug_assert_eq!(output.epoch, self.current.epoch + 1); // M-SP-01, a property of the SCKA
        let prk = extract(self.root.expose(), &[output.key.expose()]);
        let okm = expand::<96>(&prk, labels::PQ_ROOT, [&output.epoch.to_be_bytes(), &[]]);
        let [root, i2r, r2i] = okm.split();
        self.root = root;
        let chains = EpochChains::new(self.role, output.epoch, [i2r, r2i]);
        self.previous = Some(Box::new(core::mem::replace(&mut self.current, chains)));
    }

    fn chains(&self, epoch: u32) -> Option<&EpochChains> {
        [Some(&self.current), self.previous.as_deref()]
            .into_iter()
            .flatten()
            .find(|chains| chains.epoch == epoch)
    }

    fn chains_mut(&mut self, epoch: u32) -> Option<&mut EpochChains> {
        [Some(&mut self.current), self.previous.as_deref_mut()]
            .into_iter()
            .flatten()
            .find(|chains| chains.epoch == epoch)
    }

    /// Whether there is a sending chain for `epoch`, as every decoded state must have.
    pub(crate) fn check_epoch(&self, epoch: u32) -> bool {
        self.chains(epoch)
            .is_some_and(|chains| chains.send.is_some())
    }

    /// Whether a message can be sent under `epoch`.
    ///
    /// # Errors
    /// [`Error::Limit`] at the end of the chain.
    pub(crate) fn check_send(&self, epoch: u32) -> Result<()> {
        let chain = self.chains(epoch).and_then(|chains| chains.send.as_deref());
        if chain.is_some_and(|chain| !chain.is_used_up()) {
            Ok(())
        } else {
            Err(Error::Limit)
        }
    }

    /// The number and key of the next message under `epoch`; sending chains of older epochs end. `None` only where
    /// [`Self::check_send`] fails.
    pub(crate) fn send(&mut self, epoch: u32) -> Option<(u32, Secret<32>)> {
        if let Some(previous) = self.previous.as_mut().filter(|chains| chains.epoch < epoch) {
            previous.send = None;
        }
        let chain = self.chains_mut(epoch)?.send.as_mut()?;
        let n = chain.n();
        let (next, key) = chain.step(Strand::PostQuantum);
        **chain = next;
        Some((n, key))
    }

    /// The key of message `n` of `epoch`, and what taking it will change. Changes nothing.
    ///
    /// # Errors
    /// [`Error::TooOld`], [`Error::Authentication`] (M-SP-04), and those of a chain.
    pub(crate) fn plan(
        &self,
        epoch: u32,
        n: u32,
        budget: &mut JumpBudget,
    ) -> Result<(Secret<32>, Change)> {
        let chains = match self.chains(epoch) {
            Some(chains) => chains,
            None if epoch < self.current.epoch => return Err(Error::TooOld),
            None => return Err(Error::Authentication),
        };
        let (key, taken) = chains.receive.take(Strand::PostQuantum, n, budget)?;
        Ok((key, Change { epoch, taken }))
    }

    /// Makes the planned change.
    pub(crate) fn apply(&mut self, change: Change) {
        if let Some(chains) = self.chains_mut(change.epoch) {
            chains.receive.apply(change.taken);
        }
        let total = self.skipped_len();
        evict_beyond_limit(self.skipped(), total);
    }

    fn skipped(&mut self) -> impl Iterator<Item = &mut Skipped> {
        let previous = self.previous.as_deref_mut();
        let chains = previous.into_iter().chain([&mut self.current]);
        chains.map(|chains| &mut chains.receive.skipped)
    }

    /// Skipped keys held.
    pub(crate) fn skipped_len(&self) -> usize {
        let previous = self
            .previous
            .as_ref()
            .map_or(0, |chains| chains.receive.skipped.len());
        previous + self.current.receive.skipped.len()
    }

    /// Dates skipped keys and deletes old ones.
    pub(crate) fn maintain(&mut self, now: u64) {
        self.skipped().for_each(|skipped| skipped.maintain(now));
    }

    /// Reads the state of one side.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn decode(input: &mut Reader<'_>, role: Role) -> Result<Self> {
        let (root, current) = (Decode::decode(input)?, EpochChains::decode(input)?);
        let previous: Option<Box<EpochChains>> = Decode::decode(input)?;
        let ratchet = Self {
            role,
            root,
            current,
            previous,
        };
        let sending = [Some(&ratchet.current), ratchet.previous.as_deref()]
            .into_iter()
            .flatten();
        sending
            .flat_map(|chains| &chains.send)
            .try_for_each(|chain| chain.check_sending())?;
        let follows = match &ratchet.previous {
            Some(previous) => previous.epoch.checked_add(1) == Some(ratchet.current.epoch),
            None => ratchet.current.epoch == 0,
        };
        let valid = follows
            && ratchet.current.epoch < MAX_NUMBER
            && ratchet.current.send.is_some()
            && ratchet.skipped_len() <= MAX_SKIPPED;
        if valid {
            Ok(ratchet)
        } else {
            Err(Error::Malformed)
        }
    }
}

structure!(EpochChains {
    epoch,
    send,
    receive
});

impl Encode for SparseRatchet {
    fn encode(&self, out: &mut impl Sink) {
        self.root.encode(out);
        self.current.encode(out);
        self.previous.encode(out);
    }
}
