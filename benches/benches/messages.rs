//! Messages: in order, ping-pong, and forged.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use getrandom::SysRng;
use marline::Slots;
use marline_benches::Pair;

/// Refusing what nobody sent: every header key is tried (current, next and eight retired chains), no chain
/// step is taken. The counters a forger claims are inside the encrypted header and never read.
fn forged(c: &mut Criterion) {
    let mut group = c.benchmark_group("forged");
    for (name, slots) in [
        ("constrained", Slots::CONSTRAINED),
        ("standard", Slots::STANDARD),
    ] {
        // Nine chains received, and it is the peer's turn: as many keys as there can be.
        let mut pair = Pair::after_turns(slots, 20).unwrap();
        let mut message = pair.responder.encrypt(&[0; 100], &mut SysRng).unwrap();
        message.iter_mut().skip(2).for_each(|byte| *byte ^= 0x5a);
        group.bench_function(name, |b| {
            b.iter(|| pair.initiator.decrypt(&message).unwrap_err())
        });
    }
    let mut pair = Pair::after_turns(Slots::STANDARD, 20).unwrap();
    let mut first = pair.first.clone();
    *first.last_mut().unwrap() ^= 1;
    group.bench_function("copied first flight", |b| {
        b.iter(|| pair.responder.decrypt(&first).unwrap_err());
    });
    group.finish();
}

fn in_order(c: &mut Criterion) {
    let mut group = c.benchmark_group("in order");
    for size in [100, 10_000] {
        let plaintext = vec![7; size];
        let mut pair = Pair::after_turns(Slots::STANDARD, 1).unwrap();
        group.bench_function(format!("encrypt {size} B"), |b| {
            b.iter(|| pair.initiator.encrypt(&plaintext, &mut SysRng).unwrap());
        });
        let mut pair = Pair::after_turns(Slots::STANDARD, 2).unwrap();
        group.bench_function(format!("decrypt {size} B"), |b| {
            b.iter_batched(
                || pair.initiator.encrypt(&plaintext, &mut SysRng).unwrap(),
                |message| pair.responder.decrypt(&message).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn ping_pong(c: &mut Criterion) {
    let mut pair = Pair::after_turns(Slots::STANDARD, 1).unwrap();
    let mut from_responder = false;
    c.bench_function("ping-pong encrypt and decrypt 100 B", |b| {
        b.iter(|| {
            pair.turn(from_responder, &[7; 100]).unwrap();
            from_responder = !from_responder;
        });
    });
}

criterion_group!(benches, forged, in_order, ping_pong);
criterion_main!(benches);
