//! Contacts (section 10).

use marline::{Contact, Event, IdentityId, InitiateOptions, PrekeyBundle, Received, Slots, Trust};
use serde_json::{Value, json};

use super::accounts::with_account;
use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::{Driver, Operation, drawing, named};
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("contact_new", new),
    ("contact_initiate", |driver, q| {
        let payload = q.bytes("plaintext")?;
        start(driver, q, Some(&payload))
    }),
    ("contact_reset", |driver, q| start(driver, q, None)),
    ("contact_send", send),
    ("contact_receive", receive),
    ("contact_accept", accept),
    ("contact_show", show),
    ("contact_accept_identity", accept_identity),
    ("contact_refuse_identity", refuse_identity),
    ("contact_verified", verified),
    ("contact_maintain", maintain),
    ("contact_facts", facts),
];

fn identity(q: &Request<'_>) -> Result<IdentityId, Refusal> {
    Ok(IdentityId::from_bytes(q.array("identity_id")?))
}

fn new(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, identity) = (q.text("contact")?, identity(q)?);
    driver.contacts.insert(name.into(), Contact::new(identity));
    outputs! {}
}

/// A new session, with an Opening or without a payload a Reset.
fn start(driver: &mut Driver, q: &Request<'_>, payload: Option<&[u8]>) -> Reply {
    let (now, bundle, ad) = (
        q.number("now")?,
        q.bytes("bundle")?,
        q.bytes_or_empty("ad")?,
    );
    let padding = q.padding()?;
    let account = named(&mut driver.accounts, "account", q)?;
    let contact = named(&mut driver.contacts, "contact", q)?;
    account.signer_answers(q)?;
    let slots = Slots::new(q.number("slots")?)?;
    let bundle = PrekeyBundle::from_bytes(&bundle)?;
    let options = InitiateOptions {
        slots,
        padding,
        ad: &ad,
    };
    let message = drawing(q, |rng| {
        with_account!(account, account => match payload {
            Some(payload) => contact.initiate(account, &bundle, payload, options, now, rng),
            None => contact.reset(account, &bundle, options, now, rng),
        })
    })?;
    outputs! { "message": hexed(message) }
}

fn send(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (payload, ad, padding) = (q.bytes("plaintext")?, q.bytes_or_empty("ad")?, q.padding()?);
    let contact = named(&mut driver.contacts, "contact", q)?;
    let message = drawing(q, |rng| contact.send_with(&payload, &ad, padding, rng))?;
    outputs! { "message": hexed(message) }
}

fn receive(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (message, ad) = (q.bytes("message")?, q.bytes_or_empty("ad")?);
    let contact = named(&mut driver.contacts, "contact", q)?;
    Ok(received(&contact.receive_with(&message, &ad)?))
}

/// Into the contact of that name, or into a new one.
fn accept(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (message, ad, now) = (
        q.bytes("message")?,
        q.bytes_or_empty("ad")?,
        q.number("now")?,
    );
    let name = q.text("contact")?;
    let account = named(&mut driver.accounts, "account", q)?;
    let accepted = with_account!(account, account => account.accept_with(&message, &ad, now))?;
    let peer = accepted.session.peer().identity;
    let contact = driver.contacts.entry(name.into());
    let contact = contact.or_insert_with(|| Contact::new(peer));
    Ok(received(&contact.adopt(accepted, now)))
}

fn received(received: &Received) -> Object {
    let opened = received.opened.as_ref();
    let peer = opened.map(|opened| opened.peer());
    let fields = [
        ("plaintext", opened.map(|opened| hexed(opened.plaintext()))),
        ("peer_id", peer.map(|peer| hexed(peer.identity.as_bytes()))),
        (
            "peer_subject",
            peer.map(|peer| hexed(peer.subject.as_bytes())),
        ),
        ("trust", Some(trust(received.trust).into())),
    ];
    let mut outputs = Object::new();
    for (name, value) in fields {
        outputs.insert(name.into(), json!(value));
    }
    let events = received.events.iter().map(event);
    outputs.insert("events".into(), events.collect());
    outputs
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Verified => "verified",
        Trust::Unverified => "unverified",
        Trust::Other => "other",
    }
}

fn event(event: &Event) -> Value {
    let about = |name: &str, id: &[u8; 32]| json!({ "event": name, "session_id": hexed(id) });
    match event {
        Event::NewSession { session_id, sends } => {
            json!({ "event": "NewSession", "session_id": hexed(session_id), "sends": sends })
        }
        Event::SessionReset { session_id } => about("SessionReset", session_id),
        Event::SessionFailed { session_id } => about("SessionFailed", session_id),
        Event::SessionEvicted { session_id } => about("SessionEvicted", session_id),
        Event::IdentityChanged { from, to } => {
            let (from, to) = (hexed(from.as_bytes()), hexed(to.as_bytes()));
            json!({ "event": "IdentityChanged", "from": from, "to": to })
        }
        Event::Unreadable => json!({ "event": "Unreadable" }),
        other => json!({ "event": format!("{other:?}") }),
    }
}

fn show(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let shown = named(&mut driver.contacts, "contact", q)?.observe(identity(q)?);
    outputs! { "events": shown.iter().map(event).collect::<Value>() }
}

fn accept_identity(driver: &mut Driver, q: &Request<'_>) -> Reply {
    named(&mut driver.contacts, "contact", q)?.acknowledge(identity(q)?)?;
    outputs! {}
}

fn refuse_identity(driver: &mut Driver, q: &Request<'_>) -> Reply {
    named(&mut driver.contacts, "contact", q)?.reject();
    outputs! {}
}

fn verified(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let verified = q.optional("verified").and_then(Value::as_bool);
    let verified = verified.ok_or_else(|| wrong("verified", "true or false"))?;
    let contact = named(&mut driver.contacts, "contact", q)?;
    contact.set_verified(contact.identity(), verified)?;
    outputs! {}
}

fn maintain(driver: &mut Driver, q: &Request<'_>) -> Reply {
    named(&mut driver.contacts, "contact", q)?.maintain(q.number("now")?);
    outputs! {}
}

fn facts(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let contact = named(&mut driver.contacts, "contact", q)?;
    let identity = contact.identity();
    let sessions = contact.sessions().map(|facts| hexed(facts.session_id));
    outputs! {
        "identity_id": hexed(identity.as_bytes()),
        "changed": contact.changed_identity().map(|changed| hexed(changed.as_bytes())),
        "trust": trust(contact.trust(&identity)),
        "sends_on": contact.sending().map(|session| hexed(session.id())),
        "sessions": sessions.collect::<Vec<_>>(),
    }
}
