//! Accounts: publishing, bundles, both sides of the handshake.

use std::cell::RefCell;
use std::rc::Rc;

use marline::hazmat::codec::{Decode, Encode, Reader};
use marline::hazmat::manifest::SignedManifest;
use marline::hazmat::prekey::Record;
use marline::{
    Account, Error, External, HybridSignature, IdentityKey, InitiateOptions, Peer, PrekeyBundle,
    Signer, SigningInput, Slots, StateKey, Subject, Task,
};
use serde_json::json;

use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::states::identity_key;
use super::{Driver, Operation, drawing, named};
use crate::anatomy;
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("account_generate", generate),
    ("account_external", external),
    ("publish", publish),
    ("account_maintain", maintain),
    ("verify_bundle", verify_bundle),
    ("initiate", initiate),
    ("accept", accept),
];

/// An account, whoever signs for it.
pub(super) enum Device {
    /// Its seeds are in its state.
    Own(Account),
    /// Its signer is outside: the runner plays it.
    External(Account<External<Outside>>, Rc<RefCell<Answers>>),
}

/// Does the same with either.
macro_rules! with_account {
    ($device:expr, $account:ident => $body:expr) => {
        match $device {
            $crate::driver::accounts::Device::Own($account) => $body,
            $crate::driver::accounts::Device::External($account, _) => $body,
        }
    };
}
pub(super) use with_account;

/// A signer that answers what the request says.
pub(super) struct Outside {
    identity: IdentityKey,
    answers: Rc<RefCell<Answers>>,
}

/// What an external signer answers next, none to refuse; and what it was asked last.
#[derive(Default)]
pub(super) struct Answers {
    next: Option<Vec<u8>>,
    asked: Option<Vec<u8>>,
}

impl Signer for Outside {
    fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    fn sign(&self, input: &SigningInput, _rnd: &[u8; 32]) -> marline::Result<HybridSignature> {
        let mut answers = self.answers.borrow_mut();
        answers.asked = Some(input.as_bytes().to_vec());
        let answer = answers.next.take().ok_or(Error::Signer)?;
        let (ed25519, mldsa65) = answer.split_first_chunk().ok_or(Error::Signer)?;
        let mldsa65 = mldsa65.try_into().map_err(|_| Error::Signer)?;
        Ok(HybridSignature::from_parts(*ed25519, mldsa65))
    }
}

impl Device {
    fn outside(identity: IdentityKey) -> (Outside, Rc<RefCell<Answers>>) {
        let answers = Rc::<RefCell<Answers>>::default();
        let outside = Outside {
            identity,
            answers: Rc::clone(&answers),
        };
        (outside, answers)
    }

    pub fn load(state: &[u8]) -> marline::Result<Self> {
        Account::from_state(state).map(Self::Own)
    }

    pub fn import(
        key: &StateKey,
        blob: &[u8],
        minimum: u64,
        signer: Option<IdentityKey>,
    ) -> marline::Result<Self> {
        let Some(identity) = signer else {
            return Account::import(key, blob, minimum).map(Self::Own);
        };
        let (outside, answers) = Self::outside(identity);
        let account = Account::import_with_signer(key, blob, minimum, outside)?;
        Ok(Self::External(account, answers))
    }

    pub fn to_state(&self) -> Vec<u8> {
        with_account!(self, account => account.to_state().to_vec())
    }

    /// Reads what the external signer answers to this request.
    pub fn signer_answers(&mut self, q: &Request<'_>) -> Result<(), Refusal> {
        if let Self::External(_, answers) = self {
            let signature = q.optional("signature").map(|_| q.bytes("signature"));
            let signature = signature.transpose()?;
            if signature.as_ref().is_some_and(|bytes| bytes.len() != 3373) {
                return Err(wrong("signature", "3373 bytes"));
            }
            answers.borrow_mut().next = signature;
        }
        Ok(())
    }

    pub fn asked(&self) -> Option<Vec<u8>> {
        match self {
            Self::Own(_) => None,
            Self::External(_, answers) => answers.borrow().asked.clone(),
        }
    }
}

fn generate(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, subject) = (q.text("account")?, q.bytes("subject")?);
    let account = drawing(q, |rng| Account::generate(subject, rng))?;
    let (identity, id) = (
        hexed(account.identity().to_vec()),
        hexed(account.id().as_bytes()),
    );
    driver.accounts.insert(name.into(), Device::Own(account));
    outputs! { "identity": identity, "identity_id": id }
}

fn external(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (name, identity) = (q.text("account")?, identity_key(q)?);
    let subject = Subject::new(&q.bytes("subject")?)?;
    let id = hexed(identity.id().as_bytes());
    let (outside, answers) = Device::outside(identity);
    let account = Account::with_signer(outside, subject);
    let device = Device::External(account, answers);
    driver.accounts.insert(name.into(), device);
    outputs! { "identity_id": id }
}

fn publish(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (now, count) = (q.number("now")?, q.number("onetime_count")?);
    let account = named(&mut driver.accounts, "account", q)?;
    account.signer_answers(q)?;
    let publication = drawing(
        q,
        |rng| with_account!(account, account => account.publish(count, now, rng)),
    )?;
    outputs! {
        "manifest": hexed(publication.manifest_bytes()),
        "last_resort": hexed(publication.last_resort_bytes()),
        "onetime": publication.one_time_bytes().map(hexed).collect::<Vec<_>>(),
    }
}

fn maintain(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let now = q.number("now")?;
    let account = named(&mut driver.accounts, "account", q)?;
    let deleted = with_account!(account, account => account.delete_expired(now));
    let due = with_account!(account, account => account.due(now));
    let due = due.into_iter().find_map(|task| match task {
        Task::Rotate => Some("rotate"),
        Task::Replenish { .. } => Some("replenish"),
        _ => None,
    });
    outputs! { "due": due, "deleted": deleted }
}

fn verify_bundle(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let (bytes, now) = (q.bytes("bundle")?, q.number("now")?);
    let account = named(&mut driver.accounts, "account", q)?;
    let own = with_account!(account, account => account.id());
    let bundle = PrekeyBundle::from_bytes(&bytes)?;
    let known =
        anatomy::generation_seen(&account.to_state(), bundle.unverified_identity().as_bytes());
    let known =
        known.ok_or_else(|| Refusal::Fault("the account's state has another form".into()))?;
    bundle.verify(now, known, own)?;
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
    let account = named(&mut driver.accounts, "account", q)?;
    account.signer_answers(q)?;
    let bundle = PrekeyBundle::from_bytes(&bundle)?;
    let options = InitiateOptions {
        slots,
        padding,
        ad: &ad,
    };
    let (session, message) = drawing(
        q,
        |rng| with_account!(account, account => account.initiate_with(&bundle, &plaintext, options, now, rng)),
    )?;
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
    let account = named(&mut driver.accounts, "account", q)?;
    let accepted = with_account!(account, account => account.accept_with(&message, &ad, now))?;
    let opened = accepted.opened;
    let outputs = with_peer(
        opened.peer(),
        Object::from_iter([("plaintext".into(), json!(hexed(opened.plaintext())))]),
    );
    driver.sessions.insert(name.into(), accepted.session);
    Ok(outputs)
}
