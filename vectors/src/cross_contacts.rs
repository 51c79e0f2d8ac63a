//! Pseudo-random contacts between two implementations: both sides start, reset, send, restart, change their minds about
//! identities; messages get lost, late, doubled, corrupted. As in `cross`, all randomness is data.

use serde_json::{Value, json};

use crate::anatomy::ContactAnatomy;
use crate::cross::{
    BATCH, DAY, Flying, Game, NAMES, NOW, ONE_TIME, Sides, Transcript, bundle, corrupted, draws,
    padding, publish, slots, text,
};
use crate::draws::Stream;
use crate::format::Outcome;
use crate::runner::Implementation;

/// Two implementations with a contact of each other.
pub struct Contacts<'a> {
    sides: Sides<'a>,
    ids: [String; 2],
    publications: [Value; 2],
}

/// Two contacts in the making.
struct Play {
    stream: Stream,
    flying: Flying,
    now: u64,
}

impl<'a> Contacts<'a> {
    /// Two that have done nothing yet.
    pub fn new(one: &'a mut dyn Implementation, other: &'a mut dyn Implementation) -> Self {
        Self {
            sides: Sides::new(one, other),
            ids: Default::default(),
            publications: Default::default(),
        }
    }

    /// New devices, and a publication of each.
    fn begin(&mut self, batch: u64) -> Outcome<()> {
        let mut stream = Stream::new(&format!("marline contact batch {batch}"));
        for (side, name) in NAMES.into_iter().enumerate() {
            self.sides.ask(side, json!({ "op": "reset" }))?;
            let draws = draws(&mut stream, &[32, 32]);
            let subject = hex::encode(name);
            let request = json!({ "op": "account_generate", "account": name, "subject": subject, "draws": draws });
            let answer = self.sides.ask(side, request)?;
            let id = answer.pointer("/ok/identity_id").and_then(Value::as_str);
            let published = self.sides.ask(side, publish(&mut stream, name))?;
            let (ids, publications) = (&mut self.ids, &mut self.publications);
            *ids.get_mut(side).ok_or("side")? = id.ok_or("no identity")?.into();
            *publications.get_mut(side).ok_or("side")? =
                published.get("ok").cloned().ok_or("publish")?;
        }
        Ok(())
    }

    fn event(&mut self, play: &mut Play) -> Outcome<()> {
        let side = play.stream.below(2) as usize;
        match play.stream.below(24) {
            0 => self.start(play, side, "contact_initiate"),
            1 => self.start(play, side, "contact_reset"),
            2..10 => self.send(play, side),
            10 => self.restart(play, side),
            11 => self.maintain(play, side),
            12 => self.identity(play, side),
            13 => {
                // Lost.
                play.flying.pick(&mut play.stream, side, true);
                Ok(())
            }
            kind => {
                let Some(message) = play.flying.pick(&mut play.stream, side, kind > 15) else {
                    return self.send(play, side);
                };
                let message = if kind == 14 {
                    corrupted(&mut play.stream, &message)
                } else {
                    message
                };
                self.deliver(play, side, &message)
            }
        }
    }

    fn start(&mut self, play: &mut Play, side: usize, op: &str) -> Outcome<()> {
        play.now += u64::from(play.stream.below(4000));
        let publication = self.publications.get(1 - side).ok_or("side")?;
        // Some one-time prekeys are drawn twice: the second session is refused.
        let index = play.stream.below(ONE_TIME as u32 + 6) as usize;
        let mut request = json!({
            "op": op, "account": NAMES.get(side), "contact": "c", "bundle": bundle(publication, index).ok_or("bundle")?,
            "slots": slots(&mut play.stream), "now": play.now, "padding": padding(&mut play.stream),
            "draws": draws(&mut play.stream, &[32, 32, 32, 12, 32, 64]),
        });
        if let (Some(fields), "contact_initiate") = (request.as_object_mut(), op) {
            fields.insert("plaintext".into(), json!(text(&mut play.stream)));
        }
        let answer = self.sides.ask(side, request)?;
        play.flying.sent(side, &answer)
    }

    fn send(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        let answer = self
            .sides
            .ask(side, json!({ "op": "state", "contact": "c" }))?;
        let state = answer.pointer("/ok/state").and_then(Value::as_str);
        let anatomy = ContactAnatomy::read(&hex::decode(state.ok_or("no state")?)?)?;
        let Some(sending) = anatomy.sending() else {
            return self.start(play, side, "contact_initiate");
        };
        let lengths: Vec<usize> = sending.draws().iter().map(|(_, length)| *length).collect();
        let request = json!({
            "op": "contact_send", "contact": "c", "plaintext": text(&mut play.stream), "padding": padding(&mut play.stream),
            "draws": draws(&mut play.stream, &lengths),
        });
        let answer = self.sides.ask(side, request)?;
        play.flying.sent(side, &answer)
    }

    /// As an application routes what comes.
    fn deliver(&mut self, play: &mut Play, to: usize, message: &str) -> Outcome<()> {
        let request = json!({ "op": "contact_receive", "contact": "c", "message": message });
        let answer = self.sides.ask(to, request)?;
        if answer.get("error") != Some(&json!("NoSession")) {
            return Ok(());
        }
        let request = json!({
            "op": "contact_accept", "account": NAMES.get(to), "contact": "c", "message": message, "now": play.now,
        });
        self.sides.ask(to, request).map(drop)
    }

    fn restart(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        let key = hex::encode(play.stream.take(32));
        let draws = draws(&mut play.stream, &[32]);
        let request = json!({ "op": "export", "contact": "c", "key": key, "draws": draws });
        let answer = self.sides.ask(side, request)?;
        let blob = answer.pointer("/ok/blob").ok_or("no blob")?;
        let request = json!({ "op": "import", "contact": "c", "key": key, "blob": blob });
        self.sides.ask(side, request).map(drop)
    }

    fn maintain(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        play.now += u64::from(play.stream.below(3)) * DAY;
        let request = json!({ "op": "contact_maintain", "contact": "c", "now": play.now });
        self.sides.ask(side, request).map(drop)
    }

    /// The user looks at the identity; one that was shown is mostly refused, or nothing would be left to play.
    fn identity(&mut self, play: &mut Play, side: usize) -> Outcome<()> {
        let facts = self
            .sides
            .ask(side, json!({ "op": "contact_facts", "contact": "c" }))?;
        let changed = facts
            .pointer("/ok/changed")
            .filter(|changed| !changed.is_null());
        let request = match (changed, play.stream.below(6)) {
            (Some(shown), 0) => {
                json!({ "op": "contact_accept_identity", "contact": "c", "identity_id": shown })
            }
            (Some(_), _) => json!({ "op": "contact_refuse_identity", "contact": "c" }),
            (None, 0) => {
                let shown = hex::encode(play.stream.take(32));
                json!({ "op": "contact_show", "contact": "c", "identity_id": shown })
            }
            (None, verified) => {
                json!({ "op": "contact_verified", "contact": "c", "verified": verified > 2 })
            }
        };
        self.sides.ask(side, request).map(drop)
    }
}

impl Game for Contacts<'_> {
    fn play(&mut self, number: u64) -> Outcome<Transcript> {
        if number.is_multiple_of(BATCH) {
            self.begin(number / BATCH)?;
        }
        let mut play = Play {
            stream: Stream::new(&format!("marline contact {number}")),
            flying: Flying::default(),
            now: NOW,
        };
        for side in [0, 1] {
            let peer = self.ids.get(1 - side).ok_or("side")?;
            let request = json!({ "op": "contact_new", "contact": "c", "identity_id": peer });
            self.sides.ask(side, request)?;
        }
        // One side starts, or both at once.
        let both = play.stream.below(2) == 0;
        let starting = play.stream.below(2) as usize;
        self.start(&mut play, starting, "contact_initiate")?;
        if both {
            self.start(&mut play, 1 - starting, "contact_initiate")?;
        }
        for _ in 0..8 + play.stream.below(24) {
            self.event(&mut play)?;
        }
        for side in [0, 1] {
            self.sides
                .ask(side, json!({ "op": "contact_facts", "contact": "c" }))?;
        }
        Ok(self.sides.transcript())
    }
}
