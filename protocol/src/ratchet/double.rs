//! The classical ratchet (spec section 5.2): Double Ratchet revision 4 with header encryption.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::chain::{
    Chain, JumpBudget, Jumped, ReceivingChain, Skipped, Strand, Taken, evict_beyond_limit,
};
use crate::crypto::aead;
use crate::crypto::dh::{KeyPair, PublicKey, SecretKey};
use crate::crypto::hash::{Hash, expand, extract};
use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::labels;
use crate::limits::{MAX_NUMBER, MAX_RETIRED, MAX_SKIPPED};
use crate::secret::{Secret, Wiped};
use crate::wire::codec::{Decode, Encode, Reader, Sink, list8, structure};
use crate::wire::message::{Header, Parts};

/// Whose turn it is to bring a new ratchet key. All is boxed: in the place of what a variant does not have would be what was on
/// the stack.
enum Turn {
    /// Ours, at the next send; no own secret is held.
    Step { peer: Box<PublicKey> },
    /// The peer's; until then we send on this chain.
    Sending {
        own: Box<KeyPair>,
        chain: Box<SendingChain>,
    },
    /// The peer's, and we have not sent yet: a responder before its first message.
    Fresh { own: Box<SecretKey> },
}

/// A sending chain and the key of its headers.
struct SendingChain {
    chain: Chain,
    header_key: Secret<32>,
}

/// The current receiving chain.
struct Receiving {
    dh: PublicKey,
    chain: ReceivingChain,
    header_key: Secret<32>,
}

/// A receiving chain that was replaced: late messages still come.
struct Retired {
    header_key: Secret<32>,
    n: u32,
    skipped: Skipped,
}

/// The newest retired chains first. Room for all of them is made once: a list that grows leaves copies of its keys behind.
#[derive(Default)]
struct RetiredChains(VecDeque<Retired>);

/// The classical ratchet of one session.
pub(crate) struct DoubleRatchet {
    root: Secret<32>,
    next_send: Secret<32>,
    next_receive: Secret<32>,
    previous: u32,
    turn: Turn,
    /// Boxed for the same reason.
    receiving: Option<Box<Receiving>>,
    retired: RetiredChains,
}

/// The outcome of a DH step: root, chain key, next header key.
struct DhStep {
    root: Secret<32>,
    chain: Secret<32>,
    next_header: Secret<32>,
}

/// A sending step that is computed and not taken yet.
pub(crate) struct SendingStep {
    own: Box<KeyPair>,
    step: DhStep,
}

/// What a message needs from this ratchet.
pub(crate) struct SendKeys<'a> {
    pub(crate) dh: PublicKey,
    pub(crate) pn: u32,
    pub(crate) n: u32,
    pub(crate) key: Secret<32>,
    pub(crate) header_key: &'a Secret<32>,
}

/// Under which key a header opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    Current,
    Next,
    Retired(usize),
}

/// What accepting a message will change.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Change {
    Current(Taken),
    Retired(usize, u32),
    // Not boxed: moving out of a box would leave its keys in freed memory.
    Step(ReceivingStep),
}

/// A receiving step that is computed and not taken yet.
pub(crate) struct ReceivingStep {
    root: Secret<32>,
    next_receive: Secret<32>,
    receiving: Receiving,
    taken: Taken,
    /// How the chain before ends.
    end: Option<(Option<Chain>, Jumped)>,
}

impl RetiredChains {
    /// Before the first is added.
    fn make_room(&mut self) {
        if self.0.is_empty() {
            self.0.reserve_exact(MAX_RETIRED);
        }
    }

    /// Adds the newest; the oldest goes where there is no room for both.
    fn add(&mut self, newest: Retired) {
        self.make_room();
        // Not taken out, which would leave its key where it was.
        self.0.truncate(MAX_RETIRED - 1);
        self.0.push_front(newest);
    }
}

impl DoubleRatchet {
    /// The initiator's: it steps when it sends, against the responder's signed prekey.
    pub(crate) fn initiator(
        root: Secret<32>,
        header_keys: [Secret<32>; 2],
        peer: PublicKey,
    ) -> Self {
        let [next_send, next_receive] = header_keys;
        let turn = Turn::Step {
            peer: Box::new(peer),
        };
        Self::new(root, next_send, next_receive, turn)
    }

    /// The responder's: `own` is the signed prekey's secret, deleted at the first message.
    pub(crate) fn responder(
        root: Secret<32>,
        header_keys: [Secret<32>; 2],
        own: SecretKey,
    ) -> Self {
        let [next_receive, next_send] = header_keys;
        let turn = Turn::Fresh { own: Box::new(own) };
        Self::new(root, next_send, next_receive, turn)
    }

    fn new(root: Secret<32>, next_send: Secret<32>, next_receive: Secret<32>, turn: Turn) -> Self {
        let retired = RetiredChains::default();
        Self {
            root,
            next_send,
            next_receive,
            previous: 0,
            turn,
            receiving: None,
            retired,
        }
    }

    /// `RK' ‖ CK ‖ NHK = EXPAND(EXTRACT(RK, X25519(own, peer)), "dh root", session_id, 96)`.
    fn dh_step(&self, own: &SecretKey, peer: &PublicKey, session_id: &Hash) -> Result<DhStep> {
        let shared = own.agree(peer)?;
        let prk = extract(self.root.expose(), &[shared.expose()]);
        let [root, chain, next_header] =
            expand::<96>(&prk, labels::DH_ROOT, [session_id, &[]]).split();
        Ok(DhStep {
            root,
            chain,
            next_header,
        })
    }

    /// Whether it is a state that a session can be in between two messages: a responder has received one, and the
    /// key to step with is the newest one received.
    pub(crate) fn check(&self) -> bool {
        match (&self.turn, &self.receiving) {
            (Turn::Step { peer }, Some(receiving)) => **peer == receiving.dh,
            (Turn::Step { .. } | Turn::Sending { .. }, _) => true,
            (Turn::Fresh { .. }, _) => false,
        }
    }

    /// Whether a message can be sent.
    ///
    /// # Errors
    /// [`Error::Limit`] at the end of a chain, and for a responder that has received nothing.
    pub(crate) fn check_send(&self) -> Result<()> {
        match &self.turn {
            Turn::Step { .. } => Ok(()),
            Turn::Sending { chain, .. } if !chain.chain.is_used_up() => Ok(()),
            Turn::Sending { .. } | Turn::Fresh { .. } => Err(Error::Limit),
        }
    }

    /// Draws and computes the sending step if it is our turn. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Randomness`]; [`Error::Malformed`] for a peer's key that does not contribute.
    pub(crate) fn prepare_send<R: TryCryptoRng + ?Sized>(
        &self,
        session_id: &Hash,
        rng: &mut R,
    ) -> Result<Option<SendingStep>> {
        let Turn::Step { peer } = &self.turn else {
            return Ok(None);
        };
        let own = Box::new(KeyPair::new(SecretKey::new(Secret::random(rng)?)));
        let step = self.dh_step(own.secret(), peer, session_id)?;
        Ok(Some(SendingStep { own, step }))
    }

    /// Takes the prepared step, if any, and one chain step. `None` only if nothing was prepared when it had to be.
    pub(crate) fn send(&mut self, prepared: Option<SendingStep>) -> Option<SendKeys<'_>> {
        if let Some(SendingStep { own, step }) = prepared {
            self.root = step.root;
            let header_key = core::mem::replace(&mut self.next_send, step.next_header);
            let chain = Box::new(SendingChain {
                chain: Chain::new(step.chain),
                header_key,
            });
            self.turn = Turn::Sending { own, chain };
        }
        let Turn::Sending { own, chain } = &mut self.turn else {
            return None;
        };
        let n = chain.chain.n();
        let (next, key) = chain.chain.step(Strand::Classical);
        chain.chain = next;
        let (dh, pn) = (*own.public(), self.previous);
        Some(SendKeys {
            dh,
            pn,
            n,
            key,
            header_key: &chain.header_key,
        })
    }

    /// Tries the header keys: current chain, next, retired from the newest (M-RX-02). Takes no chain step.
    ///
    /// # Errors
    /// [`Error::Authentication`] when none opens it; [`Error::Malformed`] for what then does not decode.
    pub(crate) fn open_header(&self, parts: &Parts<'_>, ad: &[u8]) -> Result<(Opened, Header)> {
        let current = self
            .receiving
            .as_ref()
            .map(|chain| (Opened::Current, &chain.header_key));
        let may_step = !matches!(self.turn, Turn::Step { .. });
        let next = may_step.then_some((Opened::Next, &self.next_receive));
        let retired = self.retired.0.iter().enumerate();
        let retired = retired.map(|(i, chain)| (Opened::Retired(i), &chain.header_key));
        let mut buffer = Wiped::new(Vec::with_capacity(parts.header_ct.len()));
        for (opened, key) in current.into_iter().chain(next).chain(retired) {
            buffer.clear();
            buffer.extend_from_slice(parts.header_ct);
            if aead::open(key, parts.nonce, ad, &mut buffer).is_ok() {
                declassify(&mut buffer, "an authentic header: the receiver acts on it");
                return Ok((opened, Header::from_bytes(&buffer)?));
            }
        }
        Err(Error::Authentication)
    }

    /// The message key for an opened header, and what taking it will change. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Duplicate`], [`Error::TooOld`], [`Error::TooFarAhead`], [`Error::Authentication`],
    /// [`Error::Malformed`].
    pub(crate) fn plan(
        &self,
        opened: Opened,
        header: &Header,
        session_id: &Hash,
        budget: &mut JumpBudget,
    ) -> Result<(Secret<32>, Change)> {
        match opened {
            Opened::Current => {
                let receiving = self.receiving.as_ref().ok_or(Error::Authentication)?;
                if receiving.dh != header.dh {
                    return Err(Error::Authentication);
                }
                let (key, taken) = receiving.chain.take(Strand::Classical, header.n, budget)?;
                Ok((key, Change::Current(taken)))
            }
            Opened::Retired(i) => {
                let retired = self.retired.0.get(i).ok_or(Error::Authentication)?;
                if header.n >= retired.n {
                    return Err(Error::Authentication);
                }
                Ok((retired.skipped.key(header.n)?, Change::Retired(i, header.n)))
            }
            Opened::Next => self.plan_step(header, session_id, budget),
        }
    }

    fn plan_step(
        &self,
        header: &Header,
        session_id: &Hash,
        budget: &mut JumpBudget,
    ) -> Result<(Secret<32>, Change)> {
        let own = match &self.turn {
            Turn::Sending { own, .. } => own.secret(),
            Turn::Fresh { own } => own,
            Turn::Step { .. } => return Err(Error::Authentication),
        };
        let end = match &self.receiving {
            Some(old) => Some(old.chain.jump(Strand::Classical, header.pn, budget)?),
            None => None,
        };
        // Before the costly step; `take` spends it.
        budget.check(header.n)?;
        let step = self.dh_step(own, &header.dh, session_id)?;
        let chain = ReceivingChain::new(step.chain);
        let (key, taken) = chain.take(Strand::Classical, header.n, budget)?;
        let header_key = self.next_receive.duplicate();
        let receiving = Receiving {
            dh: header.dh,
            chain,
            header_key,
        };
        let (root, next_receive) = (step.root, step.next_header);
        Ok((
            key,
            Change::Step(ReceivingStep {
                root,
                next_receive,
                receiving,
                taken,
                end,
            }),
        ))
    }

    /// Makes the planned change.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Current(taken) => {
                if let Some(receiving) = &mut self.receiving {
                    receiving.chain.apply(taken);
                }
            }
            Change::Retired(i, n) => {
                if let Some(retired) = self.retired.0.get_mut(i) {
                    retired.skipped.remove(n);
                }
            }
            Change::Step(step) => self.apply_step(step),
        }
        self.evict();
    }

    fn apply_step(&mut self, step: ReceivingStep) {
        let ReceivingStep {
            root,
            next_receive,
            mut receiving,
            taken,
            end,
        } = step;
        let peer = Box::new(receiving.dh);
        receiving.chain.apply(taken);
        match (&mut self.receiving, end) {
            (Some(place), Some((end, jumped))) => {
                // Not moved out of the box, which would leave its keys in freed memory.
                let old = core::mem::replace(&mut **place, receiving);
                let (n, skipped) = old.chain.retire(end, jumped);
                self.retired.add(Retired {
                    header_key: old.header_key,
                    n,
                    skipped,
                });
            }
            _ => self.receiving = Some(Box::new(receiving)),
        }
        self.root = root;
        self.next_receive = next_receive;
        if let Turn::Sending { chain, .. } = &self.turn {
            self.previous = chain.chain.n();
        }
        // The own secret and the sending chain go: nothing of them is needed any more.
        self.turn = Turn::Step { peer };
    }

    fn skipped(&mut self) -> impl Iterator<Item = &mut Skipped> {
        let current = self
            .receiving
            .as_mut()
            .map(|chain| &mut chain.chain.skipped);
        self.retired
            .0
            .iter_mut()
            .rev()
            .map(|chain| &mut chain.skipped)
            .chain(current)
    }

    /// Skipped keys held.
    pub(crate) fn skipped_len(&self) -> usize {
        let retired: usize = self.retired.0.iter().map(|chain| chain.skipped.len()).sum();
        retired
            + self
                .receiving
                .as_ref()
                .map_or(0, |chain| chain.chain.skipped.len())
    }

    fn evict(&mut self) {
        let total = self.skipped_len();
        evict_beyond_limit(self.skipped(), total);
    }

    /// Dates skipped keys and deletes old ones.
    pub(crate) fn maintain(&mut self, now: u64) {
        self.skipped().for_each(|skipped| skipped.maintain(now));
    }
}

structure!(SendingChain { header_key, chain });
structure!(Receiving {
    dh,
    header_key,
    chain
});
structure!(Retired {
    header_key,
    n,
    skipped
});

impl Decode for RetiredChains {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let count = usize::from(u8::decode(input)?);
        if count > MAX_RETIRED {
            return Err(Error::Malformed);
        }
        let mut chains = Self::default();
        for _ in 0..count {
            chains.make_room();
            chains.0.push_back(Decode::decode(input)?);
        }
        Ok(chains)
    }
}

impl Encode for DoubleRatchet {
    fn encode(&self, out: &mut impl Sink) {
        self.root.encode(out);
        self.next_send.encode(out);
        self.next_receive.encode(out);
        self.previous.encode(out);
        self.turn.encode(out);
        self.receiving.encode(out);
        list8::encode(&self.retired.0, out);
    }
}

impl Decode for DoubleRatchet {
    /// Checks the rules of section 8.2: chains in range, counts in bounds.
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let ratchet = Self {
            root: Decode::decode(input)?,
            next_send: Decode::decode(input)?,
            next_receive: Decode::decode(input)?,
            previous: Decode::decode(input)?,
            turn: Decode::decode(input)?,
            receiving: Decode::decode(input)?,
            retired: Decode::decode(input)?,
        };
        if let Turn::Sending { chain, .. } = &ratchet.turn {
            chain.chain.check_sending()?;
        }
        ratchet
            .retired
            .0
            .iter()
            .try_for_each(|chain| chain.skipped.check(chain.n))?;
        let valid = (ratchet.receiving.is_some() || ratchet.retired.0.is_empty())
            && ratchet.skipped_len() <= MAX_SKIPPED
            && ratchet.previous < MAX_NUMBER;
        if valid {
            Ok(ratchet)
        } else {
            Err(Error::Malformed)
        }
    }
}

impl Encode for Turn {
    fn encode(&self, out: &mut impl Sink) {
        match self {
            Self::Step { peer } => {
                0u8.encode(out);
                peer.encode(out);
            }
            Self::Sending { own, chain } => {
                1u8.encode(out);
                own.encode(out);
                chain.encode(out);
            }
            Self::Fresh { own } => {
                2u8.encode(out);
                own.encode(out);
            }
        }
    }
}

impl Decode for Turn {
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(match u8::decode(input)? {
            0 => Self::Step {
                peer: Decode::decode(input)?,
            },
            1 => Self::Sending {
                own: Decode::decode(input)?,
                chain: Decode::decode(input)?,
            },
            2 => Self::Fresh {
                own: Decode::decode(input)?,
            },
            _ => return Err(Error::Malformed),
        })
    }
}
