//! Pseudo-random sessions between two implementations: who says what, what gets lost, late, doubled, corrupted, who
//! restarts. All randomness is data, so every answer is determined: two implementations agree exactly if their
//! transcript is the one that the Rust code has with itself.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::anatomy::SessionAnatomy;
use crate::draws::Stream;
use crate::format::Outcome;
use crate::runner::Implementation;

/// Sessions that share devices and a publication: signatures are what costs.
pub(crate) const BATCH: u64 = 16;
/// One-time prekeys of that publication; the other sessions use the last resort.
pub(crate) const ONE_TIME: usize = 11;
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;

/// What is left of an answer in a transcript.
pub type Transcript = Vec<Value>;

/// Two implementations, and what they have answered.
pub(crate) struct Sides<'a> {
    sides: [&'a mut dyn Implementation; 2],
    transcript: Transcript,
}

/// Two implementations: the first initiates, the second answers.
pub struct Pair<'a> {
    sides: Sides<'a>,
    publication: Option<Value>,
}

/// A session in the making.
struct Play {
    stream: Stream,
    flying: Flying,
    accepted: bool,
    now: u64,
}

/// Messages on their way to each side.
#[derive(Default)]
pub(crate) struct Flying([Vec<String>; 2]);

pub(crate) const NAMES: [&str; 2] = ["alice", "bob"];

impl<'a> Sides<'a> {
    pub fn new(one: &'a mut dyn Implementation, other: &'a mut dyn Implementation) -> Self {
        Self {
            sides: [one, other],
            transcript: Vec::new(),
        }
    }

    /// Asks one side; errors of the protocol are part of the play, faults are not.
    pub fn ask(&mut self, side: usize, request: Value) -> Outcome<Value> {
        let implementation = self.sides.get_mut(side).ok_or("side")?;
        let answer = implementation.call(&request)?;
        if answer.get("fault").is_some() {
            return Err(format!("{} {answer}", request.get("op").unwrap_or(&Value::Null)).into());
        }
        self.transcript.push(answer.clone());
        Ok(answer)
    }

    /// The answers since the last time.
    pub fn transcript(&mut self) -> Transcript {
        std::mem::take(&mut self.transcript)
    }
}

impl<'a> Pair<'a> {
    /// A pair that has done nothing yet.
    pub fn new(
        initiator: &'a mut dyn Implementation,
        responder: &'a mut dyn Implementation,
    ) -> Self {
        Self {
            sides: Sides::new(initiator, responder),
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
            flying: Flying::default(),
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
        Ok(self.sides.transcript())
    }

    fn ask(&mut self, side: usize, request: Value) -> Outcome<Value> {
        self.sides.ask(side, request)
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
        let request = publish(&mut stream, "bob");
        self.publication = self.ask(1, request)?.get("ok").cloned();
        Ok(())
    }

    fn bundle(&self, number: u64) -> Option<String> {
        bundle(
            self.publication.as_ref()?,
            usize::try_from(number % BATCH).ok()?,
        )
    }

    fn initiate(&mut self, play: &mut Play, number: u64) -> Outcome<()> {
        let slots = slots(&mut play.stream);
        let bundle = self.bundle(number).ok_or("no publication")?;
        let request = json!({
            "op": "initiate", "account": "alice", "session": "s", "bundle": bundle, "slots": slots, "now": NOW,
            "plaintext": text(&mut play.stream), "padding": padding(&mut play.stream),
            "draws": draws(&mut play.stream, &[32, 32, 32, 12, 32, 64]),
        });
        let answer = self.ask(0, request)?;
        play.flying.sent(0, &answer)
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
                play.flying.pick(&mut play.stream, to, true);
                Ok(())
            }
            kind => {
                let to = if play.accepted {
                    play.stream.below(2) as usize
                } else {
                    1
                };
                let Some(message) = play.flying.pick(&mut play.stream, to, kind > 10) else {
                    return self.send(play, side);
                };
                let message = if kind == 9 {
                    corrupted(&mut play.stream, &message)
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
        let lengths: Vec<usize> = anatomy.draws().iter().map(|(_, length)| *length).collect();
        let request = json!({
            "op": "encrypt", "session": "s", "plaintext": text(&mut play.stream), "padding": padding(&mut play.stream),
            "draws": draws(&mut play.stream, &lengths),
        });
        let answer = self.ask(side, request)?;
        play.flying.sent(side, &answer)
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

pub(crate) fn draws(stream: &mut Stream, lengths: &[usize]) -> Vec<String> {
    lengths
        .iter()
        .map(|length| hex::encode(stream.take(*length)))
        .collect()
}

/// A publication's request.
pub(crate) fn publish(stream: &mut Stream, account: &str) -> Value {
    let lengths: Vec<usize> = [32, 64]
        .repeat(ONE_TIME + 1)
        .into_iter()
        .chain([32])
        .collect();
    let draws = draws(stream, &lengths);
    json!({ "op": "publish", "account": account, "now": NOW, "onetime_count": ONE_TIME, "draws": draws })
}

/// The bundle of a one-time prekey, or beyond the last one of the last resort.
pub(crate) fn bundle(publication: &Value, index: usize) -> Option<String> {
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

pub(crate) fn slots(stream: &mut Stream) -> u8 {
    let slots = [1, 4, 4, 20, 38];
    slots.get(stream.below(5) as usize).copied().unwrap_or(4)
}

pub(crate) fn text(stream: &mut Stream) -> String {
    let length = stream.below(90) as usize;
    hex::encode(stream.take(length))
}

pub(crate) fn padding(stream: &mut Stream) -> Value {
    match stream.below(4) {
        0 => json!("none"),
        1 => json!({ "block": stream.below(100) }),
        2 => json!({ "padme": stream.below(100) }),
        _ => Value::Null,
    }
}

/// One bit of a message is another.
pub(crate) fn corrupted(stream: &mut Stream, message: &str) -> String {
    let mut bytes = hex::decode(message).unwrap_or_default();
    let at = stream.below(bytes.len() as u32) as usize;
    let bit = stream.below(8);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
    hex::encode(bytes)
}

impl Flying {
    /// A message goes to the other side.
    pub fn sent(&mut self, from: usize, answer: &Value) -> Outcome<()> {
        // A session that has failed sends nothing: part of the play.
        if let Some(message) = answer.pointer("/ok/message").and_then(Value::as_str) {
            let flying = self.0.get_mut(1 - from).ok_or("side")?;
            flying.push(message.into());
        }
        Ok(())
    }

    /// Some message on its way; it stays there if it is to come again.
    pub fn pick(&mut self, stream: &mut Stream, to: usize, once: bool) -> Option<String> {
        let flying = self.0.get_mut(to)?;
        if flying.is_empty() {
            return None;
        }
        let at = stream.below(u32::try_from(flying.len()).ok()?) as usize;
        if once {
            Some(flying.remove(at))
        } else {
            flying.get(at).cloned()
        }
    }
}

/// What is played: the answers of play `number`, in order from the first of a batch on.
pub trait Game {
    /// Plays it.
    ///
    /// # Errors
    /// A fault, or no answer.
    fn play(&mut self, number: u64) -> Outcome<Transcript>;
}

impl Game for Pair<'_> {
    fn play(&mut self, number: u64) -> Outcome<Transcript> {
        self.session(number)
    }
}

/// SHA-256 over the transcripts of the first `count` plays.
///
/// # Errors
/// A fault.
pub fn accumulate(game: &mut impl Game, count: u64) -> Outcome<String> {
    let mut sum = Sha256::new();
    for number in 0..count {
        for answer in game.play(number)? {
            sum.update(serde_json::to_vec(&answer)?);
            sum.update(b"\n");
        }
    }
    Ok(hex::encode(sum.finalize()))
}

/// Plays `count` times between two implementations and compares every answer with what the Rust code answers in
/// the place of both. The number of answers compared.
///
/// # Errors
/// The first difference, a fault, or no answer.
pub fn cross(ours: &mut impl Game, theirs: &mut impl Game, count: u64) -> Outcome<usize> {
    let mut compared = 0;
    for number in 0..count {
        let expected = ours.play(number)?;
        let have = theirs
            .play(number)
            .map_err(|reason| format!("play {number}: {reason}"))?;
        if let Some(at) = expected
            .iter()
            .zip(&have)
            .position(|(want, have)| want != have)
        {
            let (want, have) = (expected.get(at), have.get(at));
            return Err(
                format!("play {number}, answer {at}: expected {want:?}, got {have:?}").into(),
            );
        }
        if expected.len() != have.len() {
            return Err(format!("play {number}: answers are missing").into());
        }
        compared += have.len();
    }
    Ok(compared)
}
