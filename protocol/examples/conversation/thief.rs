//! Somebody who copied a device's state, alone or with one of the two problems solved.

use marline::Session;

/// What the thief can do besides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Nothing: has the copy and hears the channel.
    None,
    /// Breaks X25519: knows the classical part at any time.
    BreaksX25519,
    /// Breaks ML-KEM: knows the post-quantum part at any time.
    BreaksMlKem,
}

/// A thief of the receiver's state.
pub struct Thief {
    pub power: Power,
    /// The copy, as far as the thief could follow; encoded, like on a stolen disk.
    copy: Vec<u8>,
    /// Message numbers at the receiver, from the theft on, that the thief could read.
    pub read: Vec<usize>,
}

impl Thief {
    pub fn new(power: Power, stolen: &Session) -> Self {
        Self {
            power,
            copy: stolen.to_state().to_vec(),
            read: Vec::new(),
        }
    }

    /// Tries message `number` (since the theft), which the receiver will get in the state `live`.
    pub fn listen(&mut self, number: usize, live: &Session, message: &[u8]) -> marline::Result<()> {
        let copy = || Session::from_state(&self.copy);
        let live = || Session::from_state(&live.to_state());
        let mut session = match self.power {
            Power::None => copy()?,
            Power::BreaksX25519 => copy()?.with_classical_part_of(live()?),
            Power::BreaksMlKem => live()?.with_classical_part_of(copy()?),
        };
        if session.decrypt(message).is_ok() {
            self.read.push(number);
            self.copy = session.to_state().to_vec();
        }
        Ok(())
    }
}
