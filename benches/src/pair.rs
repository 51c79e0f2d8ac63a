//! Two devices in conversation, for the benches to measure.

use getrandom::SysRng;
use marline::{Account, InitiateOptions, Result, Session, Slots};

use crate::NOW;

/// Both sides of a session, after the handshake.
pub struct Pair {
    /// Who sent the first message.
    pub initiator: Session,
    /// Who accepted it.
    pub responder: Session,
    /// The first message.
    pub first: Vec<u8>,
}

impl Pair {
    /// A fresh session; the initiator has not been answered.
    ///
    /// # Errors
    /// Those of the handshake.
    pub fn new(slots: Slots) -> Result<Self> {
        let rng = &mut SysRng;
        let mut bob = Account::generate("bob", rng)?;
        let mut alice = Account::generate("alice", rng)?;
        let bundle = bob.publish(1, NOW, rng)?.bundle();
        let options = InitiateOptions {
            slots,
            ..Default::default()
        };
        let (initiator, first) = alice.initiate_with(&bundle, b"hello", options, NOW, rng)?;
        let responder = bob.accept(&first, NOW)?.session;
        Ok(Self {
            initiator,
            responder,
            first,
        })
    }

    /// A session after `turns` changes of speaker, each with one message.
    ///
    /// # Errors
    /// Those of the messages.
    pub fn after_turns(slots: Slots, turns: usize) -> Result<Self> {
        let mut pair = Self::new(slots)?;
        for turn in 0..turns {
            pair.turn(turn % 2 == 0, b"a message")?;
        }
        Ok(pair)
    }

    /// One message, from the responder or from the initiator.
    ///
    /// # Errors
    /// Those of the message.
    pub fn turn(&mut self, from_responder: bool, plaintext: &[u8]) -> Result<()> {
        let (from, to) = if from_responder {
            (&mut self.responder, &mut self.initiator)
        } else {
            (&mut self.initiator, &mut self.responder)
        };
        let message = from.encrypt(plaintext, &mut SysRng)?;
        let _opened = to.decrypt(&message)?;
        Ok(())
    }
}
