//! Marline behind the driver protocol (`vectors/README.md`): accounts, sessions and contacts under names, one request at a
//! time. Where the library has no door for an intermediate value, `schedule` derives it from the primitives: a check of
//! its own.

mod accounts;
mod contacts;
mod parts;
mod primitives;
mod request;
mod schedule;
pub(crate) use schedule::Sealing;
mod sessions;
mod states;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use marline::{Contact, Session, fingerprint};
use serde_json::{Value, json};

use crate::draws::Script;
use crate::format::{Object, Outcome};
use crate::runner::Implementation;
use accounts::Device;
use request::{Refusal, Reply, Request};

/// The Rust implementation, with what it keeps under names.
#[derive(Default)]
pub struct Driver {
    accounts: BTreeMap<String, Device>,
    sessions: BTreeMap<String, Session>,
    contacts: BTreeMap<String, Contact>,
}

type Operation = fn(&mut Driver, &Request<'_>) -> Reply;

impl Driver {
    /// Answers one request.
    pub fn handle(&mut self, request: &Value) -> Value {
        let Some(inputs) = request.as_object() else {
            return fault("not an object");
        };
        let name = inputs.get("op").and_then(Value::as_str).unwrap_or_default();
        let tables: [&[(&str, Operation)]; 7] = [
            primitives::OPS,
            parts::OPS,
            schedule::OPS,
            accounts::OPS,
            sessions::OPS,
            contacts::OPS,
            states::OPS,
        ];
        let Some((_, operation)) = tables
            .into_iter()
            .flatten()
            .find(|(known, _)| *known == name)
        else {
            return fault(&format!("unknown op {name}"));
        };
        let request = Request::new(inputs);
        let reply =
            operation(self, &request).and_then(|outputs| request.finish().map(|()| outputs));
        let mut answer = match reply {
            Ok(outputs) => json!({ "ok": outputs }),
            Err(Refusal::Error(error)) => json!({ "error": format!("{error:?}") }),
            Err(Refusal::Fault(text)) => return fault(&text),
        };
        self.fingerprints(inputs, &mut answer);
        answer
    }

    /// The fingerprint of a session's state.
    pub fn session_fingerprint(&self, name: &str) -> Option<String> {
        self.sessions
            .get(name)
            .map(|session| hex::encode(fingerprint(&session.to_state())))
    }

    /// What the external signer of an account was asked to sign last.
    pub fn asked(&self, account: &str) -> Option<Vec<u8>> {
        self.accounts.get(account)?.asked()
    }

    /// Adds the fingerprints of the states that the request names.
    fn fingerprints(&self, inputs: &Object, answer: &mut Value) {
        let handle = |kind: &str| inputs.get(kind).and_then(Value::as_str);
        let account = handle("account").and_then(|name| self.accounts.get(name));
        let session = handle("session").and_then(|name| self.sessions.get(name));
        let contact = handle("contact").and_then(|name| self.contacts.get(name));
        let states = [
            ("account", account.map(Device::to_state)),
            (
                "session",
                session.map(|session| session.to_state().to_vec()),
            ),
            (
                "contact",
                contact.map(|contact| contact.to_state().to_vec()),
            ),
        ];
        for (kind, state) in states {
            if let (Some(state), Some(answer)) = (state, answer.as_object_mut()) {
                answer.insert(kind.into(), json!(hex::encode(fingerprint(&state))));
            }
        }
    }
}

/// What is kept under the name in a request.
fn named<'a, T>(
    kept: &'a mut BTreeMap<String, T>,
    kind: &str,
    q: &Request<'_>,
) -> Result<&'a mut T, Refusal> {
    let name = q.text(kind)?;
    let missing = || Refusal::Fault(format!("no {kind} {name}"));
    kept.get_mut(name).ok_or_else(missing)
}

impl Implementation for Driver {
    fn call(&mut self, request: &Value) -> Outcome<Value> {
        Ok(self.handle(request))
    }
}

fn fault(text: &str) -> Value {
    json!({ "fault": text })
}

/// Runs `operation` with the request's draws; a success must have used them all.
fn drawing<T>(
    request: &Request<'_>,
    operation: impl FnOnce(&mut Script) -> marline::Result<T>,
) -> Result<T, Refusal> {
    let mut script = Script::new(request.list("draws")?);
    let result = operation(&mut script);
    if let Some(text) = script.fault() {
        return Err(Refusal::Fault(text.into()));
    }
    let output = result?;
    match script.left_over() {
        0 => Ok(output),
        count => Err(Refusal::Fault(format!("{count} draws left over"))),
    }
}

/// Answers requests, one JSON object a line, until the input ends.
///
/// # Errors
/// When input or output fails.
pub fn serve(input: impl BufRead, mut output: impl Write) -> Outcome<()> {
    let mut driver = Driver::default();
    for line in input.lines() {
        let request = serde_json::from_str(&line?).unwrap_or(Value::Null);
        serde_json::to_writer(&mut output, &driver.handle(&request))?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}
