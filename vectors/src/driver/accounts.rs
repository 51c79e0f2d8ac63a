//! Accounts: publishing, bundles, both sides of the handshake.

use marline::hazmat::codec::{Decode, Encode, Reader};
use marline::hazmat::manifest::SignedManifest;
use marline::hazmat::prekey::Record;
use marline::{Account, InitiateOptions, Peer, PrekeyBundle, Slots, Task};
use serde_json::json;

use super::request::{Refusal, Reply, Request, hexed, outputs};
use super::{Driver, Operation, drawing};
use crate::anatomy;
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("account_generate", generate),
    ("publish", publish),
    ("account_maintain", maintain),
    ("verify_bundle", verify_bundle),
    ("initiate", initiate),
    ("accept", accept),
];

fn generate(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, subject) = (q.text("account")?, q.bytes("subject")?);
    let account = drawing(q, |rng| Account::generate(subject, rng))?;
    let (identity, id) = (
        hexed(account.identity().to_vec()),
        hexed(account.id().as_bytes()),
    );
    driver.accounts.insert(name.into(), account);
    outputs! { "identity": identity, "identity_id": id }
}

fn publish(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (now, count) = (q.number("now")?, q.number("onetime_count")?);
    let account = driver.account(q)?;
    let publication = drawing(q, |rng| account.publish(count, now, rng))?;
    outputs! {
        "manifest": hexed(publication.manifest_bytes()),
        "last_resort": hexed(publication.last_resort_bytes()),
        "onetime": publication.one_time_bytes().map(hexed).collect::<Vec<_>>(),
    }
}

fn maintain(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let now = q.number("now")?;
    let account = driver.account(q)?;
    let deleted = account.delete_expired(now);
    let due = account.due(now).into_iter().find_map(|task| match task {
        Task::Rotate => Some("rotate"),
        Task::Replenish { .. } => Some("replenish"),
        _ => None,
    });
    outputs! { "due": due, "deleted": deleted }
}

fn verify_bundle(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (bytes, now) = (q.bytes("bundle")?, q.number("now")?);
    let account = driver.account(q)?;
    let bundle = PrekeyBundle::from_bytes(&bytes)?;
    let known =
        anatomy::generation_seen(&account.to_state(), bundle.unverified_identity().as_bytes());
    let known =
        known.ok_or_else(|| Refusal::Fault("the account's state has another form".into()))?;
    bundle.verify(now, known, account.id())?;
    let mut input = Reader::new(&bytes);
    let manifest = SignedManifest::decode(&mut input)?.manifest;
    let onetime = match Record::decode(&mut input)? {
        Record::OneTime { id, .. } => Some(id),
        Record::LastResort { .. } => None,
    };
    outputs! {
        "identity_id": hexed(manifest.identity.id().as_bytes()),
        "subject": hexed(manifest.subject.as_bytes()),
        "generation": manifest.generation,
        "signed_id": manifest.signed.id,
        "onetime_id": onetime,
    }
}

/// The authenticated peer, which every operation that yields a plaintext names (M-ID-03).
pub(super) fn with_peer(peer: &Peer, mut outputs: Object) -> Object {
    outputs.insert("peer_id".into(), json!(hexed(peer.identity.as_bytes())));
    outputs.insert("peer_subject".into(), json!(hexed(peer.subject.as_bytes())));
    outputs
}

fn initiate(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, now, bundle) = (q.text("session")?, q.number("now")?, q.bytes("bundle")?);
    let (plaintext, ad, padding) = (q.bytes("plaintext")?, q.bytes_or_empty("ad")?, q.padding()?);
    let slots = Slots::new(q.number("slots")?)?;
    let account = driver.account(q)?;
    let bundle = PrekeyBundle::from_bytes(&bundle)?;
    let options = InitiateOptions {
        slots,
        padding,
        ad: &ad,
    };
    let (session, message) = drawing(q, |rng| {
        account.initiate_with(&bundle, &plaintext, options, now, rng)
    })?;
    let outputs = with_peer(
        session.peer(),
        Object::from_iter([("message".into(), json!(hexed(message)))]),
    );
    driver.sessions.insert(name.into(), session);
    Ok(outputs)
}

fn accept(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, now) = (q.text("session")?, q.number("now")?);
    let (message, ad) = (q.bytes("message")?, q.bytes_or_empty("ad")?);
    let accepted = driver.account(q)?.accept_with(&message, &ad, now)?;
    let opened = accepted.opened;
    let outputs = with_peer(
        opened.peer(),
        Object::from_iter([("plaintext".into(), json!(hexed(opened.plaintext())))]),
    );
    driver.sessions.insert(name.into(), accepted.session);
    Ok(outputs)
}
