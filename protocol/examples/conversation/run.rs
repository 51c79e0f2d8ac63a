//! The conversation: pieces one way, acknowledgements the other.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use getrandom::SysRng;
use indicatif::{ProgressBar, ProgressStyle};
use marline::{Account, Error as Refusal, InitiateOptions, Session, Slots};

use crate::channel::{Channel, Rates};
use crate::thief::{Power, Thief};

/// Seconds since 1970, as an application's clock would give them.
const NOW: u64 = 1_800_000_000;
/// Pieces that the sender sends in one go.
const BURST: usize = 4;

/// What one side saw.
#[derive(Default)]
pub struct Side {
    pub sent: usize,
    pub plaintext: usize,
    /// Messages without a first flight before them, and what they are longer than their plaintext.
    pub plain: usize,
    pub overhead: usize,
    pub accepted: usize,
    pub skipped: usize,
    pub recovered: usize,
    pub duplicates: usize,
    pub encrypting: Duration,
    pub decrypting: Duration,
}

/// What came of it.
pub struct Outcome {
    pub slots: Slots,
    pub intact: bool,
    pub handshake: [Duration; 2],
    pub sides: [Side; 2],
    pub lost: [(usize, usize, usize); 2],
    pub epoch: u32,
    pub stolen_at: usize,
    pub received: usize,
    pub thieves: Vec<Thief>,
}

/// A device in the conversation.
struct Device {
    session: Session,
    side: Side,
}

impl Device {
    fn encrypt(&mut self, plaintext: &[u8]) -> marline::Result<Vec<u8>> {
        let answered = self.session.facts().peer_has_answered;
        let start = Instant::now();
        let message = self.session.encrypt(plaintext, &mut SysRng)?;
        self.side.encrypting += start.elapsed();
        self.side.sent += 1;
        self.side.plaintext += plaintext.len();
        if answered {
            self.side.plain += 1;
            self.side.overhead += message.len() - plaintext.len();
        }
        Ok(message)
    }

    /// `None` for what is delivered twice.
    fn decrypt(&mut self, message: &[u8]) -> marline::Result<Option<Vec<u8>>> {
        let held = self.session.facts().skipped.0;
        let start = Instant::now();
        let opened = self.session.decrypt(message);
        self.side.decrypting += start.elapsed();
        match opened {
            Ok(opened) => {
                self.side.accepted += 1;
                // A key that was kept for a message that came late is used up now.
                let now_held = self.session.facts().skipped.0;
                self.side.recovered += usize::from(now_held < held);
                self.side.skipped += now_held.saturating_sub(held);
                Ok(Some(opened.plaintext().to_vec()))
            }
            // Of a chain that is no longer kept: lost for this conversation, sent again by the sender.
            Err(Refusal::Duplicate | Refusal::Authentication | Refusal::TooOld) => {
                self.side.duplicates += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Sends the files in pieces until all have arrived.
pub fn run(
    files: &[(String, Vec<u8>)],
    rates: Rates,
    seed: u64,
    piece: usize,
    slots: Slots,
) -> Result<Outcome, Box<dyn Error>> {
    let stream: Vec<u8> = files
        .iter()
        .flat_map(|(_, content)| content.iter().copied())
        .collect();
    let pieces: Vec<&[u8]> = stream.chunks(piece).collect();
    let (mut sender, mut receiver, handshake) = handshake(slots)?;
    let mut forth = Channel::new(rates, seed);
    let mut back = Channel::new(rates, seed.wrapping_add(1));
    let bar = ProgressBar::new(pieces.len() as u64).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} pieces, {msg}, {elapsed}",
    )?);

    let mut arrived: Vec<Option<Vec<u8>>> = vec![None; pieces.len()];
    let mut missing: BTreeSet<usize> = (0..pieces.len()).collect();
    let (mut thieves, mut stolen_at, mut received) = (Vec::new(), 0, 0);
    while !missing.is_empty() {
        for number in missing.iter().take(BURST) {
            let numbered = [
                &(*number as u32).to_be_bytes(),
                pieces.get(*number).copied().unwrap_or_default(),
            ];
            forth.send(sender.encrypt(&numbered.concat())?);
        }
        for message in forth.deliver() {
            if thieves.is_empty() && missing.len() * 2 <= pieces.len() {
                stolen_at = received;
                let powers = [Power::None, Power::BreaksX25519, Power::BreaksMlKem];
                thieves = powers
                    .map(|power| Thief::new(power, &receiver.session))
                    .into();
            }
            for thief in &mut thieves {
                thief.listen(received - stolen_at + 1, &receiver.session, &message)?;
            }
            if let Some(plaintext) = receiver.decrypt(&message)? {
                received += 1;
                if let Some((number, content)) = plaintext.split_first_chunk() {
                    let slot = arrived.get_mut(u32::from_be_bytes(*number) as usize);
                    slot.ok_or("a piece nobody sent")?
                        .get_or_insert(content.to_vec());
                }
            }
        }
        back.send(receiver.encrypt(&acknowledgement(&arrived))?);
        for message in back.deliver() {
            if let Some(plaintext) = sender.decrypt(&message)? {
                for number in plaintext.chunks_exact(4) {
                    missing.remove(&(u32::from_be_bytes(number.try_into()?) as usize));
                }
            }
        }
        bar.set_position((pieces.len() - missing.len()) as u64);
        bar.set_message(format!("epoch {}", sender.session.facts().epoch));
    }
    bar.finish();

    let together: Vec<u8> = arrived.into_iter().flatten().flatten().collect();
    Ok(Outcome {
        slots,
        intact: together == stream,
        handshake,
        lost: [&forth, &back].map(|channel| (channel.dropped, channel.delayed, channel.duplicated)),
        epoch: sender
            .session
            .facts()
            .epoch
            .min(receiver.session.facts().epoch),
        sides: [sender.side, receiver.side],
        stolen_at,
        received,
        thieves,
    })
}

/// The last sixty-four pieces that are here.
fn acknowledgement(arrived: &[Option<Vec<u8>>]) -> Vec<u8> {
    let here = arrived
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.is_some());
    here.rev()
        .take(64)
        .flat_map(|(number, _)| (number as u32).to_be_bytes())
        .collect()
}

/// Two accounts and their session; the first message is a greeting.
fn handshake(slots: Slots) -> Result<(Device, Device, [Duration; 2]), Box<dyn Error>> {
    let rng = &mut SysRng;
    let mut bob = Account::generate("bob@example.org", rng)?;
    let mut alice = Account::generate("alice@example.org", rng)?;
    let bundle = bob.publish(1, NOW, rng)?.bundle();
    let options = InitiateOptions {
        slots,
        ..Default::default()
    };
    let start = Instant::now();
    let (session, first) = alice.initiate_with(&bundle, b"hello", options, NOW, rng)?;
    let initiating = start.elapsed();
    let start = Instant::now();
    let accepted = bob.accept(&first, NOW)?;
    let accepting = start.elapsed();
    let sender = Device {
        session,
        side: Side::default(),
    };
    let receiver = Device {
        session: accepted.session,
        side: Side::default(),
    };
    Ok((sender, receiver, [initiating, accepting]))
}
