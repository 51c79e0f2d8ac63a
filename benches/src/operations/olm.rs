//! The peer: Olm by vodozemac, messages as bytes.

use vodozemac::Curve25519PublicKey;
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig};

use super::{Run, repeat};
use crate::Outcome;
use crate::cost::Cost;

fn config() -> SessionConfig {
    SessionConfig::version_1()
}

fn one_time_key(account: &mut Account) -> Outcome<Curve25519PublicKey> {
    account.generate_one_time_keys(1);
    let key = account.one_time_keys().into_values().next();
    account.mark_keys_as_published();
    key.ok_or_else(|| "no one-time key".into())
}

fn seal(session: &mut Session, plaintext: &[u8]) -> Outcome<(usize, Vec<u8>)> {
    Ok(session.encrypt(plaintext)?.to_parts())
}

fn open(session: &mut Session, message: &(usize, Vec<u8>)) -> Outcome<Vec<u8>> {
    Ok(session.decrypt(&OlmMessage::from_parts(message.0, &message.1)?)?)
}

fn accept_first(
    bob: &mut Account,
    alice: Curve25519PublicKey,
    first: &(usize, Vec<u8>),
) -> Outcome<Session> {
    match OlmMessage::from_parts(first.0, &first.1)? {
        OlmMessage::PreKey(first) => {
            Ok(bob.create_inbound_session(config(), alice, &first)?.session)
        }
        OlmMessage::Normal(_) => Err("not a first message".into()),
    }
}

/// Both sides of an answered session.
pub(super) fn pair() -> Outcome<[Session; 2]> {
    let (alice, mut bob) = (Account::new(), Account::new());
    let key = one_time_key(&mut bob)?;
    let mut initiator = alice.create_outbound_session(config(), bob.curve25519_key(), key)?;
    let first = seal(&mut initiator, b"hello")?;
    let mut responder = accept_first(&mut bob, alice.curve25519_key(), &first)?;
    let answer = seal(&mut responder, b"hi")?;
    open(&mut initiator, &answer)?;
    Ok([initiator, responder])
}

pub(super) fn initiate() -> Outcome<Run> {
    let (alice, mut bob) = (Account::new(), Account::new());
    let (identity, key) = (bob.curve25519_key(), one_time_key(&mut bob)?);
    Ok(repeat(move || {
        seal(
            &mut alice.create_outbound_session(config(), identity, key)?,
            &[7; 100],
        )
    }))
}

pub(super) fn accept() -> Run {
    Box::new(|n| {
        let (alice, mut bob) = (Account::new(), Account::new());
        let mut firsts = Vec::new();
        for _ in 0..n {
            let key = one_time_key(&mut bob)?;
            let mut session = alice.create_outbound_session(config(), bob.curve25519_key(), key)?;
            firsts.push(seal(&mut session, &[7; 100])?);
        }
        Cost::of(firsts, |first| {
            accept_first(&mut bob, alice.curve25519_key(), first)
        })
    })
}

pub(super) fn encrypt(size: usize) -> Outcome<Run> {
    let ([mut initiator, _], plaintext) = (pair()?, vec![7; size]);
    Ok(repeat(move || seal(&mut initiator, &plaintext)))
}

pub(super) fn decrypt(size: usize) -> Outcome<Run> {
    let ([mut initiator, mut responder], plaintext) = (pair()?, vec![7; size]);
    Ok(Box::new(move |n| {
        let messages: Outcome<Vec<_>> = (0..n).map(|_| seal(&mut initiator, &plaintext)).collect();
        Cost::of(messages?, |message| open(&mut responder, message))
    }))
}

pub(super) fn ping_pong(messages: u64) -> Outcome<Run> {
    let [mut from, mut to] = pair()?;
    Ok(repeat(move || {
        for _ in 0..messages {
            std::mem::swap(&mut from, &mut to);
            let message = seal(&mut from, &[7; 100])?;
            open(&mut to, &message)?;
        }
        Ok(())
    }))
}

/// Pickling and encrypting a session, and back.
pub(super) fn states() -> Outcome<[Run; 2]> {
    let ([one, _], key) = (pair()?, [7; 32]);
    let sealed = one.pickle().encrypt(&key);
    Ok([
        repeat(move || Ok(one.pickle().encrypt(&key))),
        repeat(move || {
            Ok(Session::from_pickle(
                vodozemac::olm::SessionPickle::from_encrypted(&sealed, &key)?,
            ))
        }),
    ])
}
