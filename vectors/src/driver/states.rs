//! States (section 8) of accounts, sessions and contacts.

use marline::hazmat::codec::Decode;
use marline::{Contact, Error, IdentityKey, Session, StateKey, fingerprint};

use super::accounts::{Device, with_account};
use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::{Driver, Operation, drawing, named};

pub(super) const OPS: &[(&str, Operation)] = &[
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

/// Which kind of state a request is about.
enum Kind {
    Account,
    Session,
    Contact,
}

/// The kind, and the name.
fn which<'a>(q: &Request<'a>) -> Result<(Kind, &'a str), Refusal> {
    let kinds = [
        ("account", Kind::Account),
        ("session", Kind::Session),
        ("contact", Kind::Contact),
    ];
    let mut given = kinds
        .into_iter()
        .filter(|(name, _)| q.optional(name).is_some());
    match (given.next(), given.next()) {
        (Some((name, kind)), None) => Ok((kind, q.text(name)?)),
        _ => Err(wrong("account, session or contact", "exactly one of them")),
    }
}

/// The state of what the request names.
fn state_bytes(driver: &mut Driver, q: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(match which(q)?.0 {
        Kind::Account => named(&mut driver.accounts, "account", q)?.to_state(),
        Kind::Session => named(&mut driver.sessions, "session", q)?
            .to_state()
            .to_vec(),
        Kind::Contact => named(&mut driver.contacts, "contact", q)?
            .to_state()
            .to_vec(),
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
        (Kind::Account, name) => drop(driver.accounts.insert(name.into(), Device::load(&state)?)),
        (Kind::Session, name) => {
            let session = Session::from_state(&state)?;
            driver.sessions.insert(name.into(), session);
        }
        (Kind::Contact, name) => {
            let contact = Contact::from_state(&state)?;
            driver.contacts.insert(name.into(), contact);
        }
    }
    outputs! {}
}

fn key(q: &Request<'_>) -> Result<StateKey, Refusal> {
    Ok(StateKey::new(&mut q.array("key")?))
}

fn export(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let key = key(q)?;
    let blob = match which(q)?.0 {
        Kind::Account => {
            let account = named(&mut driver.accounts, "account", q)?;
            drawing(
                q,
                |rng| with_account!(account, account => account.export(&key, rng)),
            )?
        }
        Kind::Session => {
            let session = named(&mut driver.sessions, "session", q)?;
            drawing(q, |rng| session.export(&key, rng))?
        }
        Kind::Contact => {
            let contact = named(&mut driver.contacts, "contact", q)?;
            drawing(q, |rng| contact.export(&key, rng))?
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
        (Kind::Account, name) => {
            let signer = q
                .optional("identity")
                .map(|_| identity_key(q))
                .transpose()?;
            let account = Device::import(&key, &blob, minimum, signer)?;
            driver.accounts.insert(name.into(), account);
        }
        (Kind::Session, name) => {
            let session = Session::import(&key, &blob, minimum)?;
            driver.sessions.insert(name.into(), session);
        }
        (Kind::Contact, name) => {
            let contact = Contact::import(&key, &blob, minimum)?;
            driver.contacts.insert(name.into(), contact);
        }
    }
    outputs! {}
}

/// The identity of a signer outside.
pub(super) fn identity_key(q: &Request<'_>) -> Result<IdentityKey, Refusal> {
    IdentityKey::from_bytes(&q.bytes("identity")?).map_err(|error: Error| error.into())
}

fn drop_(driver: &mut Driver, q: &Request<'_>) -> Reply {
    let dropped = match which(q)? {
        (Kind::Account, name) => driver.accounts.remove(name).is_some(),
        (Kind::Session, name) => driver.sessions.remove(name).is_some(),
        (Kind::Contact, name) => driver.contacts.remove(name).is_some(),
    };
    if dropped {
        outputs! {}
    } else {
        Err(Refusal::Fault("nothing to drop".into()))
    }
}
