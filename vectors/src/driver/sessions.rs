//! Sessions, and the states of both.

use marline::{Account, Role, Session, StateKey, fingerprint};
use serde_json::json;

use super::accounts::with_peer;
use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::{Driver, Operation, drawing};
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("encrypt", encrypt),
    ("decrypt", decrypt),
    ("maintain", maintain),
    ("export_secret", export_secret),
    ("facts", facts),
    ("state", state),
    ("load", load),
    ("fingerprint", fingerprint_),
    ("export", export),
    ("import", import),
    ("drop", drop_),
    ("reset", |driver, _| {
        *driver = Driver::default();
        outputs! {}
    }),
];

fn encrypt(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (plaintext, ad, padding) = (q.bytes("plaintext")?, q.bytes_or_empty("ad")?, q.padding()?);
    let session = driver.session(q)?;
    let message = drawing(q, |rng| session.encrypt_with(&plaintext, &ad, padding, rng))?;
    outputs! { "message": hexed(message) }
}

fn decrypt(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (message, ad) = (q.bytes("message")?, q.bytes_or_empty("ad")?);
    let opened = driver.session(q)?.decrypt_with(&message, &ad)?;
    let outputs = Object::from_iter([("plaintext".into(), json!(hexed(opened.plaintext())))]);
    Ok(with_peer(opened.peer(), outputs))
}

fn maintain(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let now = q.number("now")?;
    driver.session(q)?.maintain(now);
    outputs! {}
}

fn export_secret(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (label, context, length) = (q.bytes("label")?, q.bytes("context")?, q.number("length")?);
    outputs! { "secret": hexed(driver.session(q)?.export_secret(&label, &context, length)?) }
}

fn facts(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let facts = driver.session(q)?.facts();
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

/// Which of the two kinds of state a request is about.
enum Kind<'a> {
    Account(&'a str),
    Session(&'a str),
}

fn which<'a>(q: &Request<'a>) -> Result<Kind<'a>, Refusal> {
    match (q.optional("account"), q.optional("session")) {
        (Some(_), None) => Ok(Kind::Account(q.text("account")?)),
        (None, Some(_)) => Ok(Kind::Session(q.text("session")?)),
        _ => Err(wrong("account or session", "exactly one of them")),
    }
}

/// The state of what the request names.
fn state_bytes(driver: &mut Driver, q: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(match which(q)? {
        Kind::Account(_) => driver.account(q)?.to_state().to_vec(),
        Kind::Session(_) => driver.session(q)?.to_state().to_vec(),
    })
}

fn state(driver: &mut Driver, q: &Request<'_>) -> Reply {
    outputs! { "state": hexed(state_bytes(driver, q)?) }
}

fn fingerprint_(driver: &mut Driver, q: &Request<'_>) -> Reply {
    outputs! { "fingerprint": hexed(fingerprint(&state_bytes(driver, q)?)) }
}

fn load(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let state = q.bytes("state")?;
    match which(q)? {
        Kind::Account(name) => drop(
            driver
                .accounts
                .insert(name.into(), Account::from_state(&state)?),
        ),
        Kind::Session(name) => drop(
            driver
                .sessions
                .insert(name.into(), Session::from_state(&state)?),
        ),
    }
    outputs! {}
}

fn key(q: &Request<'_>) -> Result<StateKey, Refusal> {
    Ok(StateKey::new(&mut q.array("key")?))
}

fn export(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let key = key(q)?;
    let blob = match which(q)? {
        Kind::Account(_) => {
            let account = driver.account(q)?;
            drawing(q, |rng| account.export(&key, rng))?
        }
        Kind::Session(_) => {
            let session = driver.session(q)?;
            drawing(q, |rng| session.export(&key, rng))?
        }
    };
    outputs! { "blob": hexed(blob) }
}

fn import(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (key, blob) = (key(q)?, q.bytes("blob")?);
    let minimum = q
        .optional("minimum")
        .map_or(Ok(0), |_| q.number("minimum"))?;
    match which(q)? {
        Kind::Account(name) => drop(
            driver
                .accounts
                .insert(name.into(), Account::import(&key, &blob, minimum)?),
        ),
        Kind::Session(name) => drop(
            driver
                .sessions
                .insert(name.into(), Session::import(&key, &blob, minimum)?),
        ),
    }
    outputs! {}
}

fn drop_(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let dropped = match which(q)? {
        Kind::Account(name) => driver.accounts.remove(name).is_some(),
        Kind::Session(name) => driver.sessions.remove(name).is_some(),
    };
    if dropped {
        outputs! {}
    } else {
        Err(Refusal::Fault("nothing to drop".into()))
    }
}
