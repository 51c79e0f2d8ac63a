//! C12: stored states.

use marline::{Account, Error, Session};

use super::common::*;
use super::notation::*;
use super::structures::*;

type Edit = fn(&mut SessionState);

/// A state of A at turn Step with skipped keys in both ratchets and a retired chain, and one of B at turn Sending.
fn rich_states() -> [SessionState; 2] {
    let rng = &mut SeededRng::new(100);
    let mut pair = answered(rng);
    for _ in 0..3 {
        let _lost = [
            pair.b.encrypt(b"", rng).unwrap(),
            pair.b.encrypt(b"", rng).unwrap(),
        ];
        deliver(&mut pair.b, &mut pair.a, b"", rng);
        deliver(&mut pair.a, &mut pair.b, b"", rng);
    }
    let _lost = [
        pair.b.encrypt(b"", rng).unwrap(),
        pair.b.encrypt(b"", rng).unwrap(),
    ];
    deliver(&mut pair.b, &mut pair.a, b"", rng);
    [&pair.a, &pair.b].map(|session| SessionState::parse(&session.to_state()))
}

fn receiving(state: &mut SessionState) -> &mut ReceivingChain {
    state.double.receiving.as_mut().unwrap()
}

fn low_skipped() -> SkippedKey {
    SkippedKey {
        n: 0,
        day: 0,
        key: [0; 32],
    }
}

/// Each breaks one rule of section 8.2 in a state of A.
const BROKEN: &[(&str, Edit)] = &[
    ("kind", |state| state.kind = 2),
    ("role", |state| state.role = 2),
    ("no slots", |state| state.slots = 0),
    ("slots", |state| state.slots = 39),
    ("status", |state| state.status = 2),
    ("own peer", |state| state.peer_id = state.own_id),
    ("used_onetime", |state| state.used_onetime = 2),
    ("opening of a responder", |state| {
        state.opening = Opening::Accepted {
            ephemeral: [9; 32],
            flight: [0; 32],
        }
    }),
    ("opening of the other role", |state| state.role = 1),
    ("flight", |state| {
        state.opening = Opening::Unanswered {
            flight: List(vec![1; 100]),
        }
    }),
    ("peer's key", |state| {
        state.double.turn = Turn::Step { peer: [0xff; 32] }
    }),
    ("turn Fresh", |state| {
        state.double.turn = Turn::Fresh { secret: [5; 32] }
    }),
    ("another peer's key", |state| {
        state.double.turn = Turn::Step {
            peer: x25519_public(&[5; 32]),
        };
    }),
    ("the peer's side of the agreement", |state| {
        state.scka.state = SckaState::AwaitingKey { held: held(0..1) };
    }),
    ("previous", |state| state.double.previous = 1 << 31),
    ("sending n", |state| {
        let chain = SendingChain {
            header_key: [0; 32],
            chain: [0; 32],
            n: 1 << 31,
        };
        state.double.turn = Turn::Sending {
            secret: [1; 32],
            public: x25519_public(&[1; 32]),
            chain,
        };
    }),
    ("receiving key", |state| receiving(state).dh = [0xff; 32]),
    ("receiving n", |state| receiving(state).n = (1 << 31) + 1),
    ("skipped order", |state| {
        receiving(state).skipped.keys.0.swap(0, 1)
    }),
    ("skipped twice", |state| {
        let keys = &mut receiving(state).skipped.keys.0;
        keys[1].n = keys[0].n;
    }),
    ("skipped at n", |state| {
        let chain = receiving(state);
        chain.skipped.keys.0.last_mut().unwrap().n = chain.n;
    }),
    ("floor above a key", |state| {
        receiving(state).skipped.floor = 2
    }),
    ("floor above n", |state| {
        let chain = receiving(state);
        chain.skipped = Skipped {
            floor: chain.n + 1,
            keys: List(vec![]),
        };
    }),
    ("retired n", |state| state.double.retired.0[0].n = 0),
    ("nine retired", |state| {
        let chain = RetiredChain {
            header_key: [0; 32],
            n: 0,
            skipped: Skipped {
                floor: 0,
                keys: List(vec![]),
            },
        };
        state.double.retired.0.resize(9, chain);
    }),
    ("retired without receiving", |state| {
        state.double.receiving = None
    }),
    ("too many skipped", |state| {
        let chain = receiving(state);
        chain.n = 3_000;
        chain.skipped.keys.0 = (0..2_001)
            .map(|n| SkippedKey { n, ..low_skipped() })
            .collect();
    }),
    ("too many skipped in two chains", |state| {
        state.double.retired.0[0].n = 3_000;
        state.double.retired.0[0].skipped.keys.0 = (0..2_000)
            .map(|n| SkippedKey { n, ..low_skipped() })
            .collect();
    }),
    ("epoch key without epoch", |state| {
        state.sparse.current.epoch += 1
    }),
    ("epochs that do not follow", |state| {
        state.sparse.previous = Some(EpochChains {
            epoch: 5,
            ..state.sparse.current.clone()
        });
    }),
    ("no sending chain", |state| state.sparse.current.send = None),
    ("post-quantum sending n", |state| {
        state.sparse.current.send.as_mut().unwrap().n = 1 << 31
    }),
    ("post-quantum receiving n", |state| {
        state.sparse.current.receive.n = 0
    }),
    ("agreement's epoch 0", |state| state.scka.epoch = 0),
    ("agreement ahead", |state| state.scka.epoch = 2),
    ("complete ciphertext held", |state| {
        state.scka.state = SckaState::ReceivingCt {
            seed: [0; 64],
            ek_hash: [0; 32],
            held: held(0..35),
        };
    }),
];

/// Each breaks one rule of the agreement's encapsulator in a state of B.
const BROKEN_ENCAPSULATOR: &[(&str, Edit)] = &[
    ("the peer's side of the agreement", |state| {
        state.scka.state = SckaState::Idle {}
    }),
    ("ciphertext sent, no key", |state| {
        state.scka.state = SckaState::SendingCt {
            object: [0; 1120],
            next: 0,
        }
    }),
    ("complete object held", |state| {
        state.scka.state = SckaState::AwaitingKey { held: held(0..38) }
    }),
    ("codewords out of order", |state| {
        let mut held = held(0..3);
        held.0.swap(0, 1);
        state.scka.state = SckaState::AwaitingKey { held };
    }),
    ("codeword twice", |state| {
        let mut held = held(0..3);
        held.0[1].index = 0;
        state.scka.state = SckaState::AwaitingKey { held };
    }),
    ("held key over q", |state| {
        state.scka.state = SckaState::KeyHeld { ek: [0xff; 1184] }
    }),
];

fn held(indices: std::ops::Range<u16>) -> List<1, Held> {
    List(
        indices
            .map(|index| Held {
                index,
                codeword: [0; 32],
            })
            .collect(),
    )
}

#[test]
fn c12_states_that_break_a_rule_are_refused() {
    let [honest, sending] = rich_states();
    assert!(receiving(&mut honest.clone()).skipped.keys.0.len() >= 2);
    assert!(
        !honest.double.retired.0[0].skipped.keys.0.is_empty() && honest.sparse.current.epoch == 0
    );
    for state in [&honest, &sending] {
        assert!(Session::from_state(&state.bytes()).is_ok());
    }
    let mut most_held = sending.clone();
    most_held.scka.state = SckaState::AwaitingKey { held: held(0..37) };
    assert!(Session::from_state(&most_held.bytes()).is_ok());
    let cases = BROKEN.iter().map(|case| (&honest, case));
    for (base, (rule, edit)) in cases.chain(BROKEN_ENCAPSULATOR.iter().map(|case| (&sending, case)))
    {
        let mut state = base.clone();
        edit(&mut state);
        assert_ne!(&state, base, "{rule}");
        assert_eq!(
            Session::from_state(&state.bytes()).err(),
            Some(Error::Malformed),
            "{rule}"
        );
    }
    let version = SessionState {
        version: 2,
        ..honest
    };
    assert_eq!(
        Session::from_state(&version.bytes()).err(),
        Some(Error::Version)
    );
}

#[test]
fn c12_states_that_are_cut_or_longer_are_refused() {
    let [honest, sending] = rich_states();
    for state in [honest.bytes(), sending.bytes()] {
        for length in 0..state.len() {
            assert_eq!(
                Session::from_state(&state[..length]).err(),
                Some(Error::Malformed),
                "{length}"
            );
        }
        let longer = [state.as_slice(), &[0]].concat();
        assert_eq!(Session::from_state(&longer).err(), Some(Error::Malformed));
    }
}

#[test]
fn c12_account_states_that_break_a_rule_are_refused() {
    let rng = &mut SeededRng::new(101);
    let (mut alice, mut bob) = accounts(rng);
    let _publication = bob.publish(3, NOW, rng).unwrap();
    let bundle = bob.publish(3, NOW, rng).unwrap().last_resort_bundle();
    for _ in 0..2 {
        let (_, message) = alice.initiate(&bundle, b"", NOW, rng).unwrap();
        let _accepted = bob.accept(&message, NOW).unwrap();
    }
    let _session = bob
        .initiate(&alice.publish(1, NOW, rng).unwrap().bundle(), b"", NOW, rng)
        .unwrap();
    let honest = AccountState::parse(&bob.to_state());
    let edits: &[fn(&mut AccountState)] = &[
        |state| state.kind = 1,
        |state| {
            state.signer = Signer::External {
                identity: [1; 1985],
            }
        },
        |state| state.next_id -= 1,
        |state| state.publications.0.swap(0, 1),
        |state| state.publications.0[0].count = 0,
        |state| state.publications.0[0].count = 1_025,
        |state| state.publications.0[0].count = 2,
        |state| state.publications.0[0].onetime.0.swap(0, 1),
        |state| state.publications.0[0].onetime.0[2].id = 9,
        |state| state.publications.0[0].onetime.0[0].id = 1,
        |state| state.publications.0[1].signed.id = 4,
        |state| state.publications.0[1].replay.0.swap(0, 1),
        |state| state.publications.0[1].replay.0[1] = state.publications.0[1].replay.0[0],
        |state| state.seen.0.push(state.seen.0[0].clone()),
        |state| {
            state
                .publications
                .0
                .resize(65, state.publications.0[1].clone())
        },
    ];
    assert!(Account::from_state(&honest.bytes()).is_ok());
    for (i, edit) in edits.iter().enumerate() {
        let mut state = honest.clone();
        edit(&mut state);
        assert_eq!(
            Account::from_state(&state.bytes()).err(),
            Some(Error::Malformed),
            "edit {i}"
        );
    }
}
