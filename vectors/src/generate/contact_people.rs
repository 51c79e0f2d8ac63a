//! What scripts of contacts are made of: two devices, each with a publication and a contact of the other.

use serde_json::{Value, json};

use super::builder::{Answer, Scene};
use super::people::{INITIATE_DRAWS, NOW};
use crate::format::{Event, Outcome};

/// What both devices can be reached by.
pub struct Bundles {
    /// Alice's: with each one-time prekey, and with the last resort.
    pub alice: Vec<String>,
    /// Bob's.
    pub bob: Vec<String>,
}

/// Bytes of a first flight (4.1) with a one-time prekey, of these devices.
pub const FLIGHT: usize = 2 + 4 + 5 + 1 + 32 + 1568 + 2 + SEALED;
const SEALED: usize = 1985 + 1 + 17 + 3373 + 16;

/// Alice and Bob with a publication each, loaded from their states; contacts `a` (Alice's, of Bob) and `b`.
pub fn devices(s: &mut Scene<'_>) -> Outcome<Bundles> {
    let bundles = s.unrecorded("contact devices", |s| {
        let mut bundles = Vec::new();
        for name in ["alice", "bob"] {
            s.device(name)?;
            let published = s.publish(name, 2, NOW)?;
            let records = [Some(0), Some(1), None];
            let of = records.map(|index| s.bundle(name, &published, index));
            bundles.push(of.into_iter().collect::<Outcome<Vec<_>>>()?);
        }
        Ok(bundles)
    })?;
    s.event(Event::Setup);
    let mut ids = Vec::new();
    for name in ["alice", "bob"] {
        let state = s
            .aside(json!({ "op": "state", "account": name }))?
            .text("state")?;
        s.name(&format!("{name}'s state"), &state);
        s.ask("load", json!({ "account": name, "state": state }))?;
    }
    for bundle in bundles.iter().filter_map(|of| of.first()) {
        let request =
            json!({ "op": "verify_bundle", "account": "alice", "bundle": bundle, "now": NOW });
        // Alice's own is refused: its identity_id is Bob's to tell.
        let own = json!({ "op": "verify_bundle", "account": "bob", "bundle": bundle, "now": NOW });
        let answer = s.aside(request).or_else(|_| s.aside(own))?;
        ids.push(answer.text("identity_id")?);
    }
    let [alice, bob] = <[String; 2]>::try_from(ids).map_err(|_| "two devices")?;
    for (contact, identity) in [("a", bob), ("b", alice)] {
        s.ask(
            "contact_new",
            json!({ "contact": contact, "identity_id": identity }),
        )?;
    }
    let [alice, bob] = <[Vec<String>; 2]>::try_from(bundles).map_err(|_| "two devices")?;
    Ok(Bundles { alice, bob })
}

/// The same after Alice has started a session of these slots with Bob's first prekey and Bob has answered: two messages.
pub fn talking(s: &mut Scene<'_>, slots: u8) -> Outcome<Bundles> {
    let name = format!("contact talking {slots}");
    let bundles = s.unrecorded(&name, |s| {
        let bundles = devices(s)?;
        let first = s.contact_start("a", first(&bundles.bob)?, slots, Some("hello"), NOW)?;
        s.contact_accept("b", &first, NOW)?;
        let reply = s.contact_send("b", "hi")?;
        s.contact_receive("a", &reply)?;
        Ok(bundles)
    })?;
    s.event(Event::Setup);
    for (kind, handle) in [
        ("account", "alice"),
        ("account", "bob"),
        ("contact", "a"),
        ("contact", "b"),
    ] {
        let state = s
            .aside(json!({ "op": "state", kind: handle }))?
            .text("state")?;
        s.name(&format!("{kind} {handle}, talking, {slots} slots"), &state);
        s.ask("load", json!({ kind: handle, "state": state }))?;
    }
    Ok(bundles)
}

/// The first bundle.
pub fn first(bundles: &[String]) -> Outcome<&String> {
    bundles.first().ok_or_else(|| "no bundle".into())
}

/// The bundle of the last resort.
pub fn last(bundles: &[String]) -> Outcome<&String> {
    bundles.last().ok_or_else(|| "no bundle".into())
}

/// The account whose contact this is.
fn owner(contact: &str) -> &'static str {
    if contact == "a" { "alice" } else { "bob" }
}

impl Scene<'_> {
    /// A new session with an Opening, or without a text a Reset.
    ///
    /// # Errors
    /// It is refused.
    pub fn contact_start(
        &mut self,
        contact: &str,
        bundle: &str,
        slots: u8,
        text: Option<&str>,
        now: u64,
    ) -> Outcome<String> {
        self.event(Event::Send);
        let (op, inputs) = start(contact, bundle, slots, text, now);
        self.draw(op, inputs, &INITIATE_DRAWS)?.text("message")
    }

    /// The same, refused.
    ///
    /// # Errors
    /// It is not, or with another error.
    pub fn contact_start_refused(
        &mut self,
        contact: &str,
        bundle: &str,
        text: Option<&str>,
        now: u64,
        error: &str,
    ) -> Outcome<()> {
        self.event(Event::Send);
        let (op, inputs) = start(contact, bundle, 1, text, now);
        self.refuse_drawing(op, inputs, &INITIATE_DRAWS, error)
    }

    /// Sends on the session that sends.
    ///
    /// # Errors
    /// It is refused.
    pub fn contact_send(&mut self, contact: &str, text: &str) -> Outcome<String> {
        self.event(Event::Send);
        let anatomy = self.contact_anatomy(contact)?;
        let draws = anatomy.sending().ok_or("no session sends")?.draws();
        let inputs =
            json!({ "contact": contact, "plaintext": hex::encode(text), "padding": "none" });
        self.draw("contact_send", inputs, &draws)?.text("message")
    }

    /// The same, refused.
    ///
    /// # Errors
    /// It is not, or with another error.
    pub fn contact_send_refused(&mut self, contact: &str, error: &str) -> Outcome<()> {
        self.event(Event::Send);
        let inputs = json!({ "contact": contact, "plaintext": "", "padding": "none" });
        self.refuse_drawing("contact_send", inputs, &[("nonce", 12)], error)
    }

    /// Delivers a message of a session that is there.
    ///
    /// # Errors
    /// It is refused.
    pub fn contact_receive(&mut self, contact: &str, message: &str) -> Outcome<Answer> {
        self.event(Event::Deliver);
        self.ask(
            "contact_receive",
            json!({ "contact": contact, "message": message }),
        )
    }

    /// The same, refused.
    ///
    /// # Errors
    /// It is not, or with another error.
    pub fn contact_bounce(
        &mut self,
        event: Event,
        contact: &str,
        message: &str,
        error: &str,
    ) -> Outcome<()> {
        self.event(event);
        self.refuse(
            "contact_receive",
            json!({ "contact": contact, "message": message }),
            error,
        )
    }

    /// Delivers an InitialMessage of a session that is not there yet.
    ///
    /// # Errors
    /// It is refused.
    pub fn contact_accept(&mut self, contact: &str, message: &str, now: u64) -> Outcome<Answer> {
        self.event(Event::Deliver);
        let inputs = json!({ "account": owner(contact), "contact": contact, "message": message, "now": now });
        self.ask("contact_accept", inputs)
    }

    /// Sends and delivers.
    ///
    /// # Errors
    /// Either is refused.
    pub fn contact_pass(&mut self, from: &str, to: &str, text: &str) -> Outcome<()> {
        let message = self.contact_send(from, text)?;
        expect(
            &self.contact_receive(to, &message)?,
            "plaintext",
            &json!(hex::encode(text)),
        )
    }

    /// Both sides send on the same session.
    ///
    /// # Errors
    /// They do not.
    pub fn converged(&mut self) -> Outcome<()> {
        let mut sends_on = Vec::new();
        for contact in ["a", "b"] {
            let facts = self.ask("contact_facts", json!({ "contact": contact }))?;
            sends_on.push(facts.text("sends_on")?);
        }
        sends_on.dedup();
        if sends_on.len() == 1 {
            Ok(())
        } else {
            Err(format!("they send on {sends_on:?}").into())
        }
    }

    /// Ends the process and starts it again.
    ///
    /// # Errors
    /// Any of it is refused.
    pub fn contact_restart(&mut self, contact: &str) -> Outcome<()> {
        self.event(Event::Restart);
        let key = self.fresh(32);
        let export = json!({ "contact": contact, "key": key });
        let blob = self.draw("export", export, &[("salt", 32)])?.text("blob")?;
        self.ask("drop", json!({ "contact": contact }))?;
        self.ask(
            "import",
            json!({ "contact": contact, "key": key, "blob": blob }),
        )
        .map(drop)
    }

    /// The state of a contact, which is not part of the case.
    ///
    /// # Errors
    /// There is no such contact.
    pub fn contact_state(&mut self, contact: &str) -> Outcome<String> {
        self.aside(json!({ "op": "state", "contact": contact }))?
            .text("state")
    }
}

fn start(
    contact: &str,
    bundle: &str,
    slots: u8,
    text: Option<&str>,
    now: u64,
) -> (&'static str, Value) {
    let mut inputs = json!({
        "account": owner(contact), "contact": contact, "bundle": bundle, "slots": slots, "now": now, "padding": "none",
    });
    let (Some(text), Some(fields)) = (text, inputs.as_object_mut()) else {
        return ("contact_reset", inputs);
    };
    fields.insert("plaintext".into(), json!(hex::encode(text)));
    ("contact_initiate", inputs)
}

/// An output is what the generator says.
pub fn expect(answer: &Answer, name: &str, value: &Value) -> Outcome<()> {
    let have = answer.get(name)?;
    if have == value {
        Ok(())
    } else {
        Err(format!("{name} must be {value}, is {have}").into())
    }
}

/// The events are these, by name.
pub fn expect_events(answer: &Answer, names: &[&str]) -> Outcome<()> {
    let events = answer.get("events")?.as_array().ok_or("no list")?;
    let have: Vec<_> = events
        .iter()
        .map(|event| event.get("event").and_then(Value::as_str))
        .collect();
    if have == names.iter().map(|name| Some(*name)).collect::<Vec<_>>() {
        Ok(())
    } else {
        Err(format!("events must be {names:?}, are {have:?}").into())
    }
}
