"""Sections 4, 5, 6, 7: two accounts talk."""

import random
from dataclasses import replace

import pytest
from marline import account, double, session, sparse, state
from marline.account import Account
from marline.draws import Scripted, ScriptError, Seeded
from marline.errors import (
    AgreementFailed,
    Authentication,
    Duplicate,
    Limit,
    Malformed,
    TooFarAhead,
    TooOld,
    Version,
)
from marline.scka import AwaitingKey, Idle, KeyHeld, ReceivingCt, SendingCt, SendingKey
from marline.session import Session

from .world import DAY, NOW, accounts, encoded, first_message, initiated, pair, reload, talk, unchanged


@pytest.mark.parametrize("slots", [1, 4, 38])
@pytest.mark.parametrize("onetime", [0, None])
def test_first_messages(slots, onetime):
    alice, data = first_message(slots, onetime)
    bob_account = Account(accounts()[1])
    bob, plaintext = bob_account.accept(data, b"", NOW)
    assert plaintext == b"first" and bob.peer.subject == b"alice" and alice.peer.subject == b"bob"
    assert bob.peer.identity_id == accounts()[0].identity.id and bob.state.used_onetime == (onetime == 0)
    assert alice.state.session_id == bob.state.session_id and alice.state.th == bob.state.th
    draws = Seeded(5)
    assert bob.decrypt(alice.encrypt(b"second", b"ad", draws=draws), b"ad")[1] == b"second"  # again an InitialMessage
    assert alice.state.opening is not None
    talk(bob, alice, draws)
    assert alice.state.opening is None
    data = alice.encrypt(b"third", draws=draws)
    assert data[1] == 2 and bob.decrypt(data)[1] == b"third"
    assert alice.export_secret(b"l", b"c", 99) == bob.export_secret(b"l", b"c", 99) != bob.export_secret(b"l", b"d", 99)


@pytest.mark.parametrize("slots, expected", [(1, 145), (4, 37), (38, 3)])
def test_messages_per_epoch_in_lossless_ping_pong(slots, expected):
    alice, bob = pair(slots)
    draws = Seeded(6)
    sender, receiver = bob, alice
    count, counts, epoch = 0, [], 0
    while len(counts) < 4:
        talk(sender, receiver, draws)
        sender, receiver = receiver, sender
        count += 1
        completed = min(alice.state.sparse.current.epoch, bob.state.sparse.current.epoch)  # both sides have the key
        if completed > epoch:
            counts.append(count)
            count, epoch = 0, completed
    assert counts[1:] == [expected] * 3
    assert alice.state.sparse.root == bob.state.sparse.root and alice.state.scka.auth_root == bob.state.scka.auth_root


def test_since_epoch():
    alice, bob = pair(38)
    draws = Seeded(6)
    assert (alice.state.since_epoch, bob.state.since_epoch) == (1, 1)
    talk(bob, alice, draws)  # gives the key of epoch 1 to both
    assert alice.state.sparse.current.epoch == bob.state.sparse.current.epoch == 1
    assert (alice.state.since_epoch, bob.state.since_epoch) == (0, 1)
    talk(alice, bob, draws)
    assert (alice.state.since_epoch, bob.state.since_epoch) == (1, 2)
    alice.state = replace(alice.state, since_epoch=2**32 - 1)
    talk(alice, bob, draws)
    assert alice.state.since_epoch == 2**32 - 1


def test_all_scka_states_are_passed_through():
    alice, bob = pair(4)
    seen = set()
    draws = Seeded(7)
    for _ in range(90):
        for sender, receiver in ((bob, alice), (alice, bob)):
            talk(sender, receiver, draws)
            seen |= {type(reload(s).state.scka.state) for s in (alice, bob)}
    assert seen == {Idle, SendingKey, ReceivingCt, AwaitingKey, KeyHeld, SendingCt}


@pytest.mark.parametrize("slots", [1, 4, 38])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loss_reordering_duplicates(slots, seed):
    """Every message arrives once as it was sent or is lost; a second arrival is Duplicate, or TooOld when the epoch is gone."""
    rng, draws = random.Random(seed), Seeded(seed)
    sessions = list(pair(slots))
    network: list[list[tuple[bytes, bytes]]] = [[], []]  # to each side
    delivered: list[set[bytes]] = [set(), set()]
    for number in range(900):
        side = rng.randrange(2)
        if rng.random() < 0.5:
            plaintext = b"%d" % number
            data = sessions[side].encrypt(plaintext, draws=draws)
            if rng.random() < 0.85:
                network[1 - side].append((plaintext, data))
        elif network[side]:
            at = 0 if rng.random() < 0.7 else rng.randrange(len(network[side]))
            plaintext, data = network[side][at]
            if rng.random() < 0.8:
                del network[side][at]
            before = encoded(sessions[side])
            try:
                assert sessions[side].decrypt(data)[1] == plaintext and plaintext not in delivered[side]
                delivered[side].add(plaintext)
            except (Duplicate, TooOld) as error:
                assert encoded(sessions[side]) == before
                assert isinstance(error, TooOld) or plaintext in delivered[side]
        sessions[side] = reload(sessions[side])
    assert min(map(len, delivered)) > 100
    assert sessions[0].state.sparse.current.epoch >= {1: 1, 4: 3, 38: 8}[slots]
    assert abs(sessions[0].state.sparse.current.epoch - sessions[1].state.sparse.current.epoch) <= 1


def test_out_of_order_in_one_chain_and_across_a_step():
    alice, bob = pair()
    draws = Seeded(8)
    old = [alice.encrypt(b"%d" % i, draws=draws) for i in range(5)]
    talk(bob, alice, draws)
    new = [alice.encrypt(b"n%d" % i, draws=draws) for i in range(3)]
    assert bob.decrypt(new[2])[1] == b"n2"
    assert len(bob.state.double.retired) == 1 and len(bob.state.double.retired[0].skipped.keys) == 5
    for i in (3, 0, 4, 1, 2):
        assert bob.decrypt(old[i])[1] == b"%d" % i
        with unchanged(Duplicate, bob):
            bob.decrypt(old[i])
    for i in (1, 0):
        assert bob.decrypt(new[i])[1] == b"n%d" % i


def test_retired_chains_are_bounded():
    alice, bob = pair()
    draws = Seeded(9)
    late = []
    for _ in range(10):
        late.append(alice.encrypt(b"late", draws=draws))
        talk(alice, bob, draws)
        talk(bob, alice, draws)
    talk(alice, bob, draws)
    assert len(bob.state.double.retired) == 8
    with unchanged(Authentication, bob):  # its header key is gone
        bob.decrypt(late[1])
    assert bob.decrypt(late[2])[1] == b"late"


# Limits


def skip_ahead(s: Session, count: int, classical: bool) -> Session:
    """The sender loses count messages; only one of the ratchets moves, so that each limit shows by itself"""
    d, pq = s.state.double, s.state.sparse
    for _ in range(count):
        if classical:
            d, _ = double.send(d)
        else:
            pq, _, _ = sparse.send(pq, s.state.scka.epoch - 1)
    return Session(replace(s.state, double=d, sparse=pq))


@pytest.mark.parametrize("classical", [True, False])
def test_jump_limit_and_eviction(classical):
    alice, bob = pair()
    draws = Seeded(10)
    early = alice.encrypt(b"early", draws=draws)
    with unchanged(TooFarAhead, bob):
        bob.decrypt(skip_ahead(alice, 25_000, classical).encrypt(b"x", draws=draws))
    alice = skip_ahead(alice, 24_999, classical)
    talk(alice, bob, draws)
    d, pq = bob.state.double.receiving, bob.state.sparse.current.receive
    kept, chain = (d.skipped, d) if classical else (pq.skipped, pq)
    assert len(kept.keys) == 2000 and kept.floor == chain.n - 1 - 2000 == kept.keys[0].n
    with unchanged(TooOld, bob):
        bob.decrypt(early)
    reload(bob)


def test_eviction_takes_the_oldest_chain_first():
    alice, bob = pair()
    draws = Seeded(11)
    lost = [alice.encrypt(b"l%d" % i, draws=draws) for i in range(3)]
    talk(bob, alice, draws)
    alice = skip_ahead(Session(session.send(alice.state, b"", b"", session.Padme(), draws)[0]), 1997, True)
    talk(alice, bob, draws)
    assert [k.n for k in bob.state.double.retired[0].skipped.keys] == [2, 3]  # 3 + 1998 keys, one too many
    assert bob.state.double.retired[0].skipped.floor == 2
    with unchanged(TooOld, bob):
        bob.decrypt(lost[0])
    assert bob.decrypt(lost[1])[1] == b"l1"


def test_jump_counts_both_chains():
    alice, bob = pair()
    draws = Seeded(12)
    alice = skip_ahead(alice, 12_500, True)
    talk(bob, alice, draws)
    alice = Session(session.send(alice.state, b"", b"", session.Padme(), draws)[0])
    with unchanged(TooFarAhead, bob):
        bob.decrypt(skip_ahead(alice, 12_500, True).encrypt(b"x", draws=draws))
    talk(skip_ahead(alice, 12_499, True), bob, draws)


def test_message_number_limit():
    alice, bob = pair()

    def at(s, n=None, pq_n=None):
        d, pq = s.state.double, s.state.sparse
        if n is not None:
            d = replace(d, turn=replace(d.turn, chain=replace(d.turn.chain, n=n)))
        if pq_n is not None:
            pq = replace(pq, current=replace(pq.current, send=replace(pq.current.send, n=pq_n)))
        return Session(replace(s.state, double=d, sparse=pq))

    for limited in (at(alice, n=2**31 - 1), at(alice, pq_n=2**31 - 1)):
        with unchanged(Limit, limited):
            limited.encrypt(b"")
    with unchanged(TooFarAhead, bob):
        bob.decrypt(at(alice, n=2**31 - 2).encrypt(b""))


def test_age():
    alice, bob = pair()
    draws = Seeded(13)
    lost = alice.encrypt(b"lost", draws=draws)
    talk(alice, bob, draws)
    bob.maintain(NOW)
    assert bob.state.double.receiving.skipped.keys[0].day == 1 + NOW // DAY
    assert bob.state.sparse.current.receive.skipped.keys[0].day == 1 + NOW // DAY
    generation = bob.state.generation
    bob.maintain(NOW + 29 * DAY)
    assert bob.state.generation == generation + 1
    assert Session(bob.state).decrypt(lost)[1] == b"lost"
    bob.maintain(NOW + 30 * DAY)
    assert bob.state.generation == generation + 2 and bob.state.double.receiving.skipped.keys == ()
    with unchanged(TooOld, bob):
        bob.decrypt(lost)
    reload(bob)


def test_epochs_that_are_gone_or_to_come():
    alice, bob = pair(38)
    draws = Seeded(14)
    lost = alice.encrypt(b"lost", draws=draws)
    talk(alice, bob, draws)  # the classical chain keeps its skipped key throughout: Bob's replies retire chains
    for _ in range(4):
        talk(bob, alice, draws)
        talk(alice, bob, draws)
    assert bob.state.sparse.current.epoch >= 2
    with unchanged(TooOld, bob):
        bob.decrypt(lost)
    ahead = replace(alice.state.scka, epoch=alice.state.scka.epoch + 5)
    part_of_future = Session(replace(alice.state, scka=ahead))
    pq = alice.state.sparse
    for epoch in range(pq.current.epoch + 1, ahead.epoch):
        pq = sparse.add_epoch(pq, 0, epoch, bytes(32))
    part_of_future.state = replace(part_of_future.state, sparse=pq)
    with unchanged(Authentication, bob):
        bob.decrypt(part_of_future.encrypt(b"x", draws=draws))


# Refusals


def test_any_changed_byte_of_a_message_is_refused():
    alice, bob = pair()
    data = alice.encrypt(b"x", draws=Seeded(15))
    bob_inner = data[len(alice.state.opening.flight.encode()) :]
    for at in range(len(bob_inner)):
        error = {0: Version, 1: Malformed}.get(at, Authentication)
        with unchanged(error, bob):
            bob.decrypt(bob_inner[:at] + bytes([bob_inner[at] ^ 4]) + bob_inner[at + 1 :])
    with unchanged(Malformed, bob):
        bob.decrypt(b"")
    with unchanged(Malformed, bob):
        bob.decrypt(bob_inner[: 14 + 67 + 128 + 16])
    with unchanged(Authentication, bob):
        bob.decrypt(bob_inner, b"other ad")
    assert bob.decrypt(bob_inner)[1] == b"x"  # the message by itself, without the first flight


def test_initial_messages_in_a_session():
    alice, bob = pair()
    flight = initiated(4)[1].opening.flight
    other = first_message(4, 1, seed=99)[1]
    data = alice.encrypt(b"x", draws=Seeded(16))
    with unchanged(Authentication, bob):  # same EK, other first flight
        bob.decrypt(replace(flight, sealed=b"").encode() + data[len(flight.encode()) :])
    with unchanged(Authentication, bob):
        bob.decrypt(other)
    with unchanged(Authentication, alice):
        alice.decrypt(data)
    with unchanged(Malformed, bob):
        bob.decrypt(flight.encode()[:-1])


def test_dh_rules_while_receiving():
    alice, bob = pair()
    draws = Seeded(17)
    turn = alice.state.double.turn
    forged = replace(turn, public=accounts()[2].onetime[1].x25519)
    with unchanged(Authentication, bob):  # M-DR-02
        bob.decrypt(Session(replace(alice.state, double=replace(alice.state.double, turn=forged))).encrypt(b"", draws=draws))
    forged = replace(turn, public=b"\xff" * 32)
    with unchanged(Malformed, bob):  # M-PR-01
        bob.decrypt(Session(replace(alice.state, double=replace(alice.state.double, turn=forged))).encrypt(b"", draws=draws))
    stepped = session.send(bob.state, b"", b"", session.Padme(), draws)[0]
    forged = replace(stepped.double.turn, public=bytes(32))
    sender = Session(replace(stepped, double=replace(stepped.double, turn=forged)))
    with unchanged(Malformed, alice):  # M-PR-02
        alice.decrypt(sender.encrypt(b"", draws=draws))


def test_agreement_failed_by_a_key_and_by_a_ciphertext():
    draws = Seeded(18)
    alice, data = first_message(1)
    bob, _ = Account(accounts()[1]).accept(data, b"", NOW)
    scka = alice.state.scka
    wrong = replace(scka.state, object=scka.state.object[:-1] + bytes([scka.state.object[-1] ^ 1]))
    alice.state = replace(alice.state, scka=replace(scka, state=wrong))
    for _ in range(36):
        talk(alice, bob, draws)
    final = alice.encrypt(b"not released", draws=draws)
    with pytest.raises(AgreementFailed):
        bob.decrypt(final)
    failed(reload(bob), alice, draws)

    alice, bob = pair(38)
    stepped = session.send(bob.state, b"", b"", session.Padme(), draws)[0]  # now in SendingCt
    wrong = replace(stepped.scka.state, object=bytes(1120), next=0)
    bob = Session(replace(stepped, scka=replace(stepped.scka, state=wrong)))
    with pytest.raises(AgreementFailed):
        alice.decrypt(bob.encrypt(b"not released", draws=draws))
    failed(reload(alice), bob, draws)


def failed(broken: Session, peer: Session, draws: Seeded):
    assert broken.state.status == session.FAILED
    with unchanged(AgreementFailed, broken):
        broken.encrypt(b"", draws=draws)
    with unchanged(AgreementFailed, broken):
        broken.decrypt(peer.encrypt(b"", draws=draws))
    with unchanged(AgreementFailed, broken):
        broken.decrypt(b"")


def test_agreement_failed_in_the_first_message_changes_nothing():
    alice = Session(initiated(38)[1])
    alice.state = session.send(alice.state, b"", b"", session.Padme(), Seeded(19))[0]
    wrong = replace(alice.state.scka.state, object=bytes(1216))
    alice.state = replace(alice.state, scka=replace(alice.state.scka, state=wrong))
    bob = Account(accounts()[1])
    with unchanged(AgreementFailed, bob):
        bob.accept(alice.encrypt(b"", draws=Seeded(20)), b"", NOW)


def test_a_key_that_fails_the_modulus_check_fails_the_agreement():
    from marline import scka
    from marline.primitives import KEM768

    alice = Session(initiated(38)[1])
    s = alice.state.scka
    ek = b"\xff" * 3 + KEM768.public(bytes(64))[3:]
    part = scka.Part(1, 1, 0, scka.key_object(s, ek))
    with pytest.raises(AgreementFailed):
        scka.receive(replace(s, state=AwaitingKey({})), bytes(32), part)


def test_restored_copies_do_not_repeat():
    """M-MS-01, M-SC-01: two copies of one state send different messages, and never the same encapsulation."""
    alice, bob = pair(38)
    one, two = Session(bob.state), Session(bob.state)
    assert isinstance(bob.state.scka.state, KeyHeld)
    a, b = one.encrypt(b"x", draws=Seeded(1)), two.encrypt(b"x", draws=Seeded(2))
    assert a != b and one.state.scka.state.object != two.state.scka.state.object


def test_scripted_draws():
    alice, _ = pair()
    with unchanged(ScriptError, alice):
        alice.encrypt(b"", draws=Scripted([]))
    with unchanged(ScriptError, alice):
        alice.encrypt(b"", draws=Scripted([bytes(11)]))
    with unchanged(ScriptError, alice):
        alice.encrypt(b"", draws=Scripted([bytes(12), bytes(1)]))
    alice.encrypt(b"", draws=Scripted([bytes(12)]))
    with unchanged(Limit, alice):
        alice.encrypt(bytes(16_777_217))


def test_exporter_limits():
    alice, _ = pair()
    assert len(alice.export_secret(b"", b"", 8160)) == 8160
    for length in (0, 8161):
        with unchanged(Limit, alice):
            alice.export_secret(b"", b"", length)
