//! What scripts are made of: devices, sessions, messages on their way.

use serde_json::{Value, json};

use super::builder::{Answer, Scene};
use crate::format::{Event, Outcome};

/// Unix seconds of the vectors.
pub const NOW: u64 = 1_800_000_000;
/// Seconds in a day.
pub const DAY: u64 = 86_400;

/// A bundle and its parts.
pub struct Published {
    /// SignedManifest.
    pub manifest: String,
    /// LastResort.
    pub last_resort: String,
    /// OneTime records.
    pub onetime: Vec<String>,
}

impl Scene<'_> {
    /// A new device.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn device(&mut self, name: &str) -> Outcome<Answer> {
        self.event(Event::Setup);
        let subject = hex::encode(format!("{name}@example.org"));
        let seeds = [("Ed25519 seed", 32), ("ML-DSA seed", 32)];
        self.draw(
            "account_generate",
            json!({ "account": name, "subject": subject }),
            &seeds,
        )
    }

    /// A publication of a device.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn publish(&mut self, account: &str, count: usize, now: u64) -> Outcome<Published> {
        self.event(Event::Setup);
        let mut draws = Vec::new();
        for _ in 0..=count {
            draws.extend([("X25519 secret", 32), ("KEM seed", 64)]);
        }
        draws.push(("ML-DSA rnd", 32));
        let answer = self.draw(
            "publish",
            json!({ "account": account, "now": now, "onetime_count": count }),
            &draws,
        )?;
        let onetime = answer.get("onetime")?.as_array().ok_or("no list")?;
        let onetime = onetime
            .iter()
            .filter_map(Value::as_str)
            .map(Into::into)
            .collect();
        Ok(Published {
            manifest: answer.text("manifest")?,
            last_resort: answer.text("last_resort")?,
            onetime,
        })
    }

    /// Names a publication's bundle with its one-time prekey of this index, or with the last resort.
    ///
    /// # Errors
    /// There is no such prekey.
    pub fn bundle(
        &mut self,
        owner: &str,
        published: &Published,
        index: Option<usize>,
    ) -> Outcome<String> {
        let (record_name, record) = match index {
            Some(index) => (
                format!("{owner}.onetime {index}"),
                published.onetime.get(index).ok_or("no such prekey")?,
            ),
            None => (format!("{owner}.last resort"), &published.last_resort),
        };
        let manifest_name = format!("{owner}.manifest");
        self.name(&manifest_name, &published.manifest);
        self.name(&record_name, record);
        let name = format!(
            "{owner}.bundle{}",
            index.map(|i| format!(" {i}")).unwrap_or_default()
        );
        Ok(self.join(
            &name,
            &[
                (&manifest_name, &published.manifest),
                (&record_name, record),
            ],
        ))
    }

    /// Starts a session; gives the InitialMessage.
    ///
    /// # Errors
    /// It is refused.
    pub fn initiate(
        &mut self,
        account: &str,
        session: &str,
        bundle: &str,
        slots: u8,
        plaintext: &str,
    ) -> Outcome<String> {
        let inputs = json!({
            "account": account, "session": session, "bundle": bundle, "slots": slots, "now": NOW,
            "plaintext": hex::encode(plaintext), "padding": "none",
        });
        self.draw("initiate", inputs, &INITIATE_DRAWS)?
            .text("message")
    }

    /// Accepts an InitialMessage.
    ///
    /// # Errors
    /// It is refused.
    pub fn accept(&mut self, account: &str, session: &str, message: &str) -> Outcome<Answer> {
        self.ask(
            "accept",
            json!({ "account": account, "session": session, "message": message, "now": NOW }),
        )
    }

    /// Loads a session's state under a name.
    ///
    /// # Errors
    /// It is refused.
    pub fn load(&mut self, session: &str, state: &str) -> Outcome<()> {
        self.event(Event::Setup);
        self.ask("load", json!({ "session": session, "state": state }))
            .map(drop)
    }

    /// The draws that the next `encrypt` of a session makes (5.5).
    ///
    /// # Errors
    /// There is no such session.
    pub fn encrypt_draws(&mut self, session: &str) -> Outcome<Vec<(&'static str, usize)>> {
        Ok(self.anatomy(session)?.draws())
    }

    /// Encrypts without padding; gives the message.
    ///
    /// # Errors
    /// It is refused.
    pub fn send(&mut self, session: &str, plaintext: &str) -> Outcome<String> {
        self.event(Event::Send);
        let draws = self.encrypt_draws(session)?;
        let inputs =
            json!({ "session": session, "plaintext": hex::encode(plaintext), "padding": "none" });
        self.draw("encrypt", inputs, &draws)?.text("message")
    }

    /// Delivers a message that is accepted.
    ///
    /// # Errors
    /// It is refused.
    pub fn deliver(&mut self, session: &str, message: &str) -> Outcome<Answer> {
        self.event(Event::Deliver);
        self.ask("decrypt", json!({ "session": session, "message": message }))
    }

    /// Delivers a message that is refused.
    ///
    /// # Errors
    /// It is not, or with another error.
    pub fn bounce(
        &mut self,
        event: Event,
        session: &str,
        message: &str,
        error: &str,
    ) -> Outcome<()> {
        self.event(event);
        self.refuse(
            "decrypt",
            json!({ "session": session, "message": message }),
            error,
        )
    }

    /// Sends and delivers.
    ///
    /// # Errors
    /// Either is refused.
    pub fn pass(&mut self, from: &str, to: &str, plaintext: &str) -> Outcome<()> {
        let message = self.send(from, plaintext)?;
        self.deliver(to, &message).map(drop)
    }

    /// Ends the process and starts it again: export, forget, import.
    ///
    /// # Errors
    /// Any of it is refused.
    pub fn restart(&mut self, session: &str) -> Outcome<()> {
        self.event(Event::Restart);
        let key = self.fresh(32);
        let blob = self
            .draw(
                "export",
                json!({ "session": session, "key": key }),
                &[("salt", 32)],
            )?
            .text("blob")?;
        self.ask("drop", json!({ "session": session }))?;
        self.ask(
            "import",
            json!({ "session": session, "key": key, "blob": blob }),
        )
        .map(drop)
    }
}

/// Draws of an initiator (4.2, then 5.5).
pub const INITIATE_DRAWS: [(&str, usize); 6] = [
    ("EK", 32),
    ("m", 32),
    ("ML-DSA rnd", 32),
    ("nonce", 12),
    ("ratchet secret", 32),
    ("KEM seed", 64),
];
