//! Publishing, verifying, initiating, accepting.

use getrandom::SysRng;
use marline::{Account, PrekeyBundle, Slots};

use super::{Operation, olm, repeat};
use crate::cost::Cost;
use crate::primitives::Primitives;
use crate::{NOW, Outcome};

fn primitives() -> Outcome<Primitives> {
    Primitives::new(Slots::STANDARD, 100)
}

/// One-time prekeys of the publications here; the path in a bundle has seven nodes.
const COUNT: u16 = 100;

fn account(name: &str) -> Outcome<Account> {
    Ok(Account::generate(name, &mut SysRng)?)
}

fn publish() -> Outcome<Operation> {
    let (mut bob, primitives) = (account("bob")?, primitives()?);
    let run = repeat(move || Ok(bob.publish(COUNT, NOW, &mut SysRng)?));
    let limit = repeat(move || primitives.publish(COUNT.into()));
    Ok(Operation::new("publish 100 one-time prekeys", run, limit).of_many(1, 1))
}

fn bundles() -> Outcome<[Operation; 2]> {
    let bundle = account("bob")?.publish(COUNT, NOW, &mut SysRng)?.bundle();
    let (own, bytes) = (account("alice")?.id(), bundle.to_bytes());
    let (one, other) = (primitives()?, primitives()?);
    let decode = repeat(move || Ok(PrekeyBundle::from_bytes(&bytes)?));
    let verify = repeat(move || Ok(bundle.verify(NOW, None, own)?));
    Ok([
        Operation::new("decode a bundle", decode, repeat(move || one.check_keys())),
        Operation::new(
            "verify a bundle",
            verify,
            repeat(move || Ok(other.verify_bundle(7))),
        ),
    ])
}

fn initiate() -> Outcome<Operation> {
    let (mut alice, mut primitives) = (account("alice")?, primitives()?);
    let bundle = account("bob")?.publish(COUNT, NOW, &mut SysRng)?.bundle();
    let run = repeat(move || Ok(alice.initiate(&bundle, &[7; 100], NOW, &mut SysRng)?));
    let limit = repeat(move || {
        primitives.verify_bundle(7);
        primitives.initiate()
    });
    Ok(Operation::new(
        "initiate, with the first message (verifies the bundle)",
        run,
        limit,
    )
    .olm(olm::initiate()?)
    .libsignal(504.0, Some(0.8)))
}

fn accept() -> Outcome<Operation> {
    let (mut alice, mut bob, mut primitives) = (account("alice")?, account("bob")?, primitives()?);
    let run = move |n: u64| {
        let publication = bob.publish(u16::try_from(n)?, NOW, &mut SysRng)?;
        let mut first = Vec::new();
        for bundle in publication.bundles() {
            first.push(alice.initiate(&bundle, &[7; 100], NOW, &mut SysRng)?.1);
        }
        Cost::of(first, |first| Ok(bob.accept(first, NOW)?))
    };
    let limit = repeat(move || primitives.accept());
    Ok(
        Operation::new("accept, with the first message", Box::new(run), limit)
            .of_many(1, 16)
            .olm(olm::accept())
            .libsignal(447.0, Some(0.6)),
    )
}

fn safety_number() -> Outcome<Operation> {
    let (alice, bob, primitives) = (account("alice")?, account("bob")?.id(), primitives()?);
    let run = repeat(move || Ok(alice.safety_number(&bob)));
    let limit = repeat(move || Ok(primitives.safety_number()));
    Ok(Operation::new("safety number", run, limit))
}

pub(super) fn all() -> Outcome<Vec<Operation>> {
    let mut all = vec![publish()?];
    all.extend(bundles()?);
    all.extend([initiate()?, accept()?, safety_number()?]);
    Ok(all)
}
