//! Sessions (section 5).

use marline::Role;
use serde_json::json;

use super::accounts::with_peer;
use super::request::{Reply, Request, hexed, outputs};
use super::{Driver, Operation, drawing, named};
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("encrypt", encrypt),
    ("decrypt", decrypt),
    ("maintain", maintain),
    ("export_secret", export_secret),
    ("facts", facts),
];

fn encrypt(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (plaintext, ad, padding) = (q.bytes("plaintext")?, q.bytes_or_empty("ad")?, q.padding()?);
    let session = named(&mut driver.sessions, "session", q)?;
    let message = drawing(q, |rng| session.encrypt_with(&plaintext, &ad, padding, rng))?;
    outputs! { "message": hexed(message) }
}

fn decrypt(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (message, ad) = (q.bytes("message")?, q.bytes_or_empty("ad")?);
    let opened = named(&mut driver.sessions, "session", q)?.decrypt_with(&message, &ad)?;
    let outputs = Object::from_iter([("plaintext".into(), json!(hexed(opened.plaintext())))]);
    Ok(with_peer(opened.peer(), outputs))
}

fn maintain(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let now = q.number("now")?;
    named(&mut driver.sessions, "session", q)?.maintain(now);
    outputs! {}
}

fn export_secret(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (label, context, length) = (q.bytes("label")?, q.bytes("context")?, q.number("length")?);
    outputs! { "secret": hexed(named(&mut driver.sessions, "session", q)?.export_secret(&label, &context, length)?) }
}

fn facts(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let facts = named(&mut driver.sessions, "session", q)?.facts();
    let outputs: Reply = outputs! {
        "session_id": hexed(facts.session_id),
        "role": u8::from(facts.role == Role::Responder),
        "slots": facts.slots.get(),
        "failed": facts.failed,
        "epoch": facts.epoch,
        "since_epoch": facts.messages_since_epoch,
        "used_onetime": facts.used_one_time_prekey,
        "unanswered": !facts.peer_has_answered,
    };
    outputs.map(|outputs| with_peer(&facts.peer, outputs))
}
