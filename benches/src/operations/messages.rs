//! Messages: in order, ping-pong, out of order, after a gap, forged; epochs.

use getrandom::SysRng;
use marline::{Session, Slots};

use super::{Operation, Run, olm, repeat};
use crate::cost::Cost;
use crate::primitives::Primitives;
use crate::{Outcome, Pair};

/// One direction. The initiator, once answered, sends its key for as long as nobody answers again, so there is parity of the
/// erasure code in every message: the dear case. The responder waits for that key and sends none.
fn encrypt(name: &'static str, size: usize, initiator: bool) -> Outcome<Operation> {
    let mut pair = Pair::after_turns(Slots::STANDARD, 1)?;
    // Past the key itself, as in a long conversation.
    for _ in 0..20 {
        pair.turn(!initiator, &[7; 100])?;
    }
    let mut from = if initiator {
        pair.initiator
    } else {
        pair.responder
    };
    let plaintext = vec![7; size];
    let run = repeat(move || Ok(from.encrypt(&plaintext, &mut SysRng)?));
    let mut primitives = Primitives::new(Slots::STANDARD, size)?;
    let limit = repeat(move || primitives.send());
    Ok(Operation::new(name, run, limit)
        .bound(1.5)
        .olm(olm::encrypt(size)?))
}

fn decrypt(name: &'static str, size: usize) -> Outcome<Operation> {
    let mut pair = Pair::after_turns(Slots::STANDARD, 1)?;
    let plaintext = vec![7; size];
    let run = move |n: u64| {
        let messages: Result<Vec<_>, _> = (0..n)
            .map(|_| pair.initiator.encrypt(&plaintext, &mut SysRng))
            .collect();
        Cost::of(messages?, |message| Ok(pair.responder.decrypt(message)?))
    };
    let mut primitives = Primitives::new(Slots::STANDARD, size)?;
    let limit = repeat(move || primitives.receive());
    Ok(Operation::new(name, Box::new(run), limit)
        .bound(1.5)
        .olm(olm::decrypt(size)?))
}

/// Encrypting and decrypting with a change of speaker before each of `messages`, over whole epochs.
fn alternating(name: &'static str, slots: Slots, messages: u64, epochs: u64) -> Outcome<Operation> {
    let mut pair = Pair::after_turns(slots, 2)?;
    let run = repeat(move || {
        (0..messages).try_for_each(|i| pair.turn(i % 2 == 0, &[7; 100]))?;
        Ok(())
    });
    let mut primitives = Primitives::new(slots, 100)?;
    let limit = repeat(move || {
        for _ in 0..messages {
            primitives.dh_pair()?;
            primitives.root_step()?;
            primitives.send()?;
            primitives.root_step()?;
            primitives.receive()?;
        }
        (0..epochs).try_for_each(|_| primitives.epoch())
    });
    Ok(Operation::new(name, run, limit))
}

/// Blocks of twenty messages, the last one first.
fn out_of_order() -> Outcome<Operation> {
    const BLOCK: u64 = 20;
    let mut pair = Pair::after_turns(Slots::STANDARD, 1)?;
    let run = move |n: u64| {
        let mut blocks = Vec::new();
        for _ in 0..n {
            let block: Result<Vec<_>, _> = (0..BLOCK)
                .map(|_| pair.initiator.encrypt(&[7; 100], &mut SysRng))
                .collect();
            blocks.push(block?);
        }
        Cost::of(blocks, |block| {
            for message in block.iter().rev() {
                let _opened = pair.responder.decrypt(message)?;
            }
            Ok(())
        })
    };
    let mut primitives = Primitives::new(Slots::STANDARD, 100)?;
    let limit = repeat(move || (0..BLOCK).try_for_each(|_| primitives.receive().map(drop)));
    Ok(Operation::new(
        "decrypt 100 B, blocks of 20 in reverse order",
        Box::new(run),
        limit,
    )
    .of_many(BLOCK, 40))
}

/// Decrypting the first message that arrives after `lost` ones.
///
/// # Errors
/// Those of the messages.
pub fn after_gap(lost: usize) -> Outcome<Run> {
    let mut pair = Pair::after_turns(Slots::STANDARD, 2)?;
    pair.turn(false, &[7; 100])?;
    let state = pair.responder.to_state();
    for _ in 0..lost {
        pair.initiator.encrypt(&[7; 100], &mut SysRng)?;
    }
    let message = pair.initiator.encrypt(&[7; 100], &mut SysRng)?;
    Ok(Box::new(move |n| {
        let sessions: Result<Vec<_>, _> = (0..n).map(|_| Session::from_state(&state)).collect();
        Cost::of(sessions?, |session| Ok(session.decrypt(&message)?))
    }))
}

fn gap() -> Outcome<Operation> {
    let mut primitives = Primitives::new(Slots::STANDARD, 100)?;
    let limit = repeat(move || {
        (0..2_000).for_each(|_| drop(primitives.chain_steps()));
        primitives.receive()
    });
    Ok(Operation::new(
        "decrypt after 2,000 lost messages",
        after_gap(2_000)?,
        limit,
    )
    .of_many(1, 8)
    .libsignal(5_600.0, None))
}

/// What nobody sent, to a session with as many header keys as there can be: current, next, eight retired.
fn forged() -> Outcome<Operation> {
    let mut pair = Pair::after_turns(Slots::STANDARD, 20)?;
    let mut message = pair.responder.encrypt(&[0; 100], &mut SysRng)?;
    message.iter_mut().skip(2).for_each(|byte| *byte ^= 0x5a);
    let run = repeat(move || match pair.initiator.decrypt(&message) {
        Err(error) => Ok(error),
        Ok(_) => Err("a forged message was accepted".into()),
    });
    let mut primitives = Primitives::new(Slots::STANDARD, 100)?;
    let limit = repeat(move || Ok((0..10).filter(|_| primitives.opens_forged_header()).count()));
    Ok(Operation::new(
        "refuse a forged message, 10 header keys",
        run,
        limit,
    ))
}

pub(super) fn all() -> Outcome<Vec<Operation>> {
    Ok(vec![
        encrypt("encrypt 100 B, in order", 100, true)?.libsignal(10.4, Some(0.35)),
        encrypt("encrypt 100 B, in order, no codewords due", 100, false)?
            .libsignal(8.1, Some(0.35)),
        decrypt("decrypt 100 B, in order", 100)?.libsignal(8.8, Some(0.35)),
        encrypt("encrypt 10 kB, in order", 10_000, true)?.libsignal(32.2, None),
        decrypt("decrypt 10 kB, in order", 10_000)?.libsignal(17.2, None),
        alternating("ping-pong 100 B, encrypt + decrypt", Slots::STANDARD, 74, 2)?
            .of_many(74, 4)
            .olm(olm::ping_pong(74)?)
            .libsignal(160.0, Some(0.45)),
        alternating("one epoch at 38 slots (3 messages)", Slots::IMMEDIATE, 6, 2)?.of_many(2, 20),
        out_of_order()?,
        gap()?,
        forged()?,
    ])
}
