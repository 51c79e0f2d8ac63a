//! Pseudo-random sessions between two implementations: who says what, what gets lost, late, doubled, corrupted, who
//! restarts. All randomness is data, so every answer is determined: two implementations agree exactly if their
//! transcript is the one that the Rust code has with itself.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::anatomy::{SessionAnatomy, TurnAnatomy};
use crate::draws::Stream;
use crate::driver::Driver;
use crate::format::Outcome;
use crate::runner::Implementation;

/// Sessions that share devices and a publication: signatures are what costs.
const BATCH: u64 = 16;
/// One-time prekeys of that publication; the other sessions use the last resort.
const ONE_TIME: usize = 11;
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// What is left of an answer in a transcript.
pub type Transcript = Vec<Value>;

/// Two implementations: the first initiates, the second answers.
pub struct Pair<'a> {
    sides: [&'a mut dyn Implementation; 2],
    transcript: Transcript,
    publication: Option<Value>,
}

/// A session in the making.
struct Play {
    stream: Stream,
    /// Messages on their way to each side.
    flying: [Vec<String>; 2],
    accepted: bool,
    now: u64,
}

const NAMES: [&str; 2] = ["alice", "bob"];

impl<'a> Pair<'a> {
    /// A pair that has done nothing yet.
    pub fn new(
        initiator: &'a mut dyn Implementation,
        responder: &'a mut dyn Implementation,
    ) -> Self {
        Self {
            sides: [initiator, responder],
            transcript: Vec::new(),
            publication: None,
        }
    }

    /// Plays session `number`; sessions must be played from the first of a batch on, in order.
    ///
    /// # Errors
    /// A fault, or no answer.
    pub fn session(&mut self, number: u64) -> Outcome<Transcript> {
        if number.is_multiple_of(BATCH) {
            self.begin(number / BATCH)?;
        }
        let mut play = Play {
            stream: Stream::new(&format!("marline session {number}")),
            flying: [Vec::new(), Vec::new()],
            accepted: false,
            now: NOW,
        };
        self.initiate(&mut play, number)?;
        let events = 6 + play.stream.below(22);
        for _ in 0..events {
            self.event(&mut play)?;
        }
        for side in [0, 1] {
            self.ask(side, json!({ "op": "drop", "session": "s" })).ok();
        }
        Ok(std::mem::take(&mut self.transcript))
    }

    /// Asks one side; errors of the protocol are part of the play, faults are not.
    fn ask(&mut self, side: usize, request: Value) -> Outcome<Value> {
        let implementation = self.sides.get_mut(side).ok_or("side")?;
        let answer = implementation.call(&request)?;
        if answer.get("fault").is_some() {
            return Err(format!("{} {answer}", request.get("op").unwrap_or(&Value::Null)).into());
        }
        self.transcript.push(answer.clone());
        Ok(answer)
    }

    /// New devices and a publication.
    fn begin(&mut self, batch: u64) -> Outcome<()> {
        let mut stream = Stream::new(&format!("marline batch {batch}"));
        for (side, name) in NAMES.into_iter().enumerate() {
            self.ask(side, json!({ "op": "reset" }))?;
            let draws = draws(&mut stream, &[32, 32]);
            let subject = hex::encode(name);
            self.ask(side, json!({ "op": "account_generate", "account": name, "subject": subject, "draws": draws }))?;
        }
        let lengths: Vec<usize> = [32, 64]
            .repeat(ONE_TIME + 1)
            .into_iter()
            .chain([32])
            .collect();
        let draws = draws(&mut stream, &lengths);
        let request = json!({ "op": "publish", "account": "bob", "now": NOW, "onetime_count": ONE_TIME, "draws": draws });
        self.publication = self.ask(1, request)?.get("ok").cloned();
        Ok(())
    }

    fn bundle(&self, number: u64) -> Option<String> {
        let publication = self.publication.as_ref()?;
        let index = usize::try_from(number % BATCH).ok()?;
        let record = publication
            .get("onetime")?
            .get(index)
            .or_else(|| publication.get("last_resort"))?;
        Some(format!(
            "{}{}",
            publication.get("manifest")?.as_str()?,
            record.as_str()?
        ))
    }

    fn initiate(&mut self, play: &mut Play, number: u64) -> Outcome<()> {
        let slots = [1, 4, 4, 20, 38];
        let slots = slots
            .get(play.stream.below(5) as usize)
            .copied()
            .unwrap_or(4);
        let bundle = self.bundle(number).ok_or("no publication")?;
        let request = json!({
            "op": "initiate", "account": "alice", "session": "s", "bundle": bundle, "slots": slots, "now": NOW,
            "plaintext": play.text(), "padding": play.padding(),
            "draws": draws(&mut play.stream, &[32, 32, 32, 12, 32, 64]),
        });
        let answer = self.ask(0, request)?;
        play.sent(0, &answer)
    }

    fn event(&mut self, play: &mut Play) -> Outcome<()> {
        let side = if play.accepted {
            play.stream.below(2) as usize
        } else {
            0
        };
        match play.stream.below(16) {
            0..6 => self.send(play, side),
            6 => self.restart(play, side),
            7 => self.maintain(play, side),
            8 => {
                // Lost.
                let to = play.stream.below(2) as usize;
                play.pick(to, true);
                Ok(())
            }
            kind => {
                let to = if play.accepted {
                    play.stream.below(2) as usize
                } else {
                    1
                };
                let Some(message) = play.pick(to, kind > 10) else {
                    return self.send(play, side);
                };
                let message = if kind == 9 {
                    play.corrupted(&message)
                } else {
                    message
                };
                self.deliver(play, to, &message)
            }
        }
    }

    fn send(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        let state = self.ask(side, json!({ "op": "state", "session": "s" }))?;
        let state = state
            .pointer("/ok/state")
            .and_then(Value::as_str)
            .ok_or("no state")?;
        let anatomy = SessionAnatomy::read(&hex::decode(state)?)?;
        let mut lengths = vec![12];
        lengths.extend(matches!(anatomy.turn, TurnAnatomy::Step(_)).then_some(32));
        lengths.extend(match anatomy.scka.get(68) {
            Some(0) => Some(64),
            Some(4) => Some(32),
            _ => None,
        });
        let request = json!({
            "op": "encrypt", "session": "s", "plaintext": play.text(), "padding": play.padding(),
            "draws": draws(&mut play.stream, &lengths),
        });
        let answer = self.ask(side, request)?;
        play.sent(side, &answer)
    }

    fn deliver(&mut self, play: &mut Play, to: usize, message: &str) -> Outcome<()> {
        if to == 0 || play.accepted {
            return self
                .ask(
                    to,
                    json!({ "op": "decrypt", "session": "s", "message": message }),
                )
                .map(drop);
        }
        let request = json!({ "op": "accept", "account": "bob", "session": "s", "message": message, "now": NOW });
        play.accepted = self.ask(1, request)?.get("ok").is_some();
        Ok(())
    }

    fn restart(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        let key = hex::encode(play.stream.take(32));
        let draws = draws(&mut play.stream, &[32]);
        let answer = self.ask(
            side,
            json!({ "op": "export", "session": "s", "key": key, "draws": draws }),
        )?;
        let blob = answer.pointer("/ok/blob").ok_or("no blob")?;
        self.ask(
            side,
            json!({ "op": "import", "session": "s", "key": key, "blob": blob }),
        )
        .map(drop)
    }

    fn maintain(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        play.now += u64::from(play.stream.below(20)) * DAY;
        self.ask(
            side,
            json!({ "op": "maintain", "session": "s", "now": play.now }),
        )
        .map(drop)
    }
}

fn draws(stream: &mut Stream, lengths: &[usize]) -> Vec<String> {
    lengths
        .iter()
        .map(|length| hex::encode(stream.take(*length)))
        .collect()
}

impl Play {
    fn text(&mut self) -> String {
        let length = self.stream.below(90) as usize;
        hex::encode(self.stream.take(length))
    }

    fn padding(&mut self) -> Value {
        match self.stream.below(4) {
            0 => json!("none"),
            1 => json!({ "block": self.stream.below(100) }),
            2 => json!({ "padme": self.stream.below(100) }),
            _ => Value::Null,
        }
    }

    /// A message goes to the other side.
    fn sent(&mut self, from: usize, answer: &Value) -> Outcome<()> {
        // A session that has failed sends nothing: part of the play.
        if let Some(message) = answer.pointer("/ok/message").and_then(Value::as_str) {
            self.flying
                .get_mut(1 - from)
                .ok_or("side")?
                .push(message.into());
        }
        Ok(())
    }

    /// Some message on its way; it stays there if it is to come again.
    fn pick(&mut self, to: usize, once: bool) -> Option<String> {
        let count = self.flying.get(to)?.len();
        if count == 0 {
            return None;
        }
        let at = self.stream.below(u32::try_from(count).ok()?) as usize;
        let flying = self.flying.get_mut(to)?;
        if once {
            Some(flying.remove(at))
        } else {
            flying.get(at).cloned()
        }
    }

    /// One bit of a message is another.
    fn corrupted(&mut self, message: &str) -> String {
        let mut bytes = hex::decode(message).unwrap_or_default();
        let at = self.stream.below(bytes.len() as u32) as usize;
        let bit = self.stream.below(8);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        hex::encode(bytes)
    }
}

/// SHA-256 over the transcripts of the first `count` sessions of the Rust code with itself.
///
/// # Errors
/// A fault.
pub fn accumulate(count: u64) -> Outcome<String> {
    let (mut a, mut b) = (Driver::default(), Driver::default());
    let mut pair = Pair::new(&mut a, &mut b);
    let mut sum = Sha256::new();
    for number in 0..count {
        for answer in pair.session(number)? {
            sum.update(serde_json::to_vec(&answer)?);
            sum.update(b"\n");
        }
    }
    Ok(hex::encode(sum.finalize()))
}

/// Plays `count` sessions between two implementations and compares every answer with what the Rust code answers in
/// the place of both. The number of answers compared.
///
/// # Errors
/// The first difference, a fault, or no answer.
pub fn cross(
    initiator: &mut dyn Implementation,
    responder: &mut dyn Implementation,
    count: u64,
) -> Outcome<usize> {
    let (mut a, mut b) = (Driver::default(), Driver::default());
    let (mut ours, mut theirs) = (Pair::new(&mut a, &mut b), Pair::new(initiator, responder));
    let mut compared = 0;
    for number in 0..count {
        let expected = ours.session(number)?;
        let have = theirs
            .session(number)
            .map_err(|reason| format!("session {number}: {reason}"))?;
        if let Some(at) = expected
            .iter()
            .zip(&have)
            .position(|(want, have)| want != have)
        {
            let (want, have) = (expected.get(at), have.get(at));
            return Err(
                format!("session {number}, answer {at}: expected {want:?}, got {have:?}").into(),
            );
        }
        if expected.len() != have.len() {
            return Err(format!("session {number}: answers are missing").into());
        }
        compared += have.len();
    }
    Ok(compared)
}
