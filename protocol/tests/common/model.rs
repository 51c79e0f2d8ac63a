//! What a session is expected to do, without a key or a cipher: who sent what in which chain, and what has arrived.
//! Written from section 5 of the specification.

/// Receiving chains whose skipped keys are kept besides the current one (spec section 7).
const RETIRED: usize = 8;

/// A message: the `number`-th of a chain of its sender, both counted from 0.
#[derive(Clone, Debug)]
pub struct MessageModel {
    /// The side that sent it.
    pub from: usize,
    /// Whether the other side has it.
    pub delivered: bool,
    chain: usize,
    number: usize,
}

/// What must come of a genuine message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It opens.
    Opened,
    /// It was there before.
    Duplicate,
    /// Its chain is no longer kept: nobody can tell it from a forgery.
    Gone,
}

/// One side.
#[derive(Clone, Debug)]
struct SideModel {
    /// Changes of the state.
    generation: u64,
    /// Messages in each of its sending chains.
    chains: Vec<usize>,
    /// Whether a new chain of the peer has come since the last sending chain began.
    turns: bool,
    /// The peer's newest chain that it has seen.
    newest: Option<usize>,
}

/// Two sessions.
#[derive(Clone, Debug)]
pub struct SessionModel {
    sides: [SideModel; 2],
    /// All messages ever sent.
    pub messages: Vec<MessageModel>,
}

impl SessionModel {
    /// The initiator, side 0, has sent its first message, and nobody has it.
    pub fn new() -> Self {
        let side = |turns| SideModel {
            generation: 0,
            chains: vec![],
            turns,
            newest: None,
        };
        let mut model = Self {
            sides: [side(true), side(false)],
            messages: vec![],
        };
        model.send(0);
        model
    }

    /// A side sends; the message's place in `messages`.
    pub fn send(&mut self, from: usize) -> usize {
        let side = &mut self.sides[from];
        if std::mem::take(&mut side.turns) {
            side.chains.push(0);
        }
        side.generation += 1;
        let chain = side.chains.len() - 1;
        let number = side.chains[chain];
        side.chains[chain] += 1;
        self.messages.push(MessageModel {
            from,
            delivered: false,
            chain,
            number,
        });
        self.messages.len() - 1
    }

    /// What must come of a message now.
    pub fn outcome(&self, id: usize) -> Outcome {
        let message = &self.messages[id];
        let newest = self.sides[1 - message.from].newest;
        match newest {
            Some(newest) if newest > message.chain + RETIRED => Outcome::Gone,
            _ if message.delivered => Outcome::Duplicate,
            _ => Outcome::Opened,
        }
    }

    /// A message arrives.
    pub fn deliver(&mut self, id: usize) {
        if self.outcome(id) != Outcome::Opened {
            return;
        }
        let message = &mut self.messages[id];
        message.delivered = true;
        let side = &mut self.sides[1 - message.from];
        side.generation += 1;
        if side.newest.is_none_or(|newest| newest < message.chain) {
            side.newest = Some(message.chain);
            side.turns = true;
        }
    }

    /// Whether this side has something to send under: a responder, once the first message is there.
    pub fn can_send(&self, side: usize) -> bool {
        side == 0 || self.sides[1].newest.is_some()
    }

    /// Changes of a side's state.
    pub fn generation(&self, side: usize) -> u64 {
        self.sides[side].generation
    }

    /// Keys that a side holds for messages that have not come: in the classical ratchet, and in the post-quantum ratchet as
    /// long as no epoch was completed.
    pub fn skipped(&self, side: usize) -> (usize, usize) {
        let Some(newest) = self.sides[side].newest else {
            return (0, 0);
        };
        let to_it = || self.messages.iter().filter(|message| message.from != side);
        let place = |message: &MessageModel| (message.chain, message.number);
        let last = to_it().filter(|message| message.delivered).map(place).max();
        let jumped = || to_it().filter(|message| !message.delivered && Some(place(message)) < last);
        // A chain's end is known as soon as the next begins, whatever of it has come.
        let kept = jumped().filter(|message| newest <= message.chain + RETIRED);
        (kept.count(), jumped().count())
    }
}
