"""Section 10: frames, the session that sends, receiving, reset, identity, state."""

import itertools
from dataclasses import replace

import pytest
from marline import account, contact, frame, session, state
from marline.contact import ContactState
from marline.draws import Seeded
from marline.errors import (
    AgreementFailed,
    Authentication,
    Duplicate,
    IdentityChanged,
    Limit,
    Malformed,
    NoSession,
    PrekeyUsed,
    Rollback,
    Signer,
    Version,
)
from marline.frame import Data, Opening, Reset
from marline.message import NoPadding
from marline.session import Unanswered

from .world import NOW, accounts

HOUR = 3600


class Device:
    """An account and its contact with the other device"""

    def __init__(self, state_, publication, peer, draws):
        self.account, self.publication, self.draws = state_, publication, draws
        self.contact = contact.create(peer)

    def start(self, to, onetime, payload=b"hello", now=NOW):
        bundle = to.publication.bundle(onetime).encode()
        after = contact.initiate(self.account, self.contact, bundle, 1, payload, b"", NoPadding(), now, self.draws)
        self.account, self.contact, message = after
        return message

    def send(self, payload):
        self.contact, message = contact.send(self.contact, payload, b"", NoPadding(), self.draws)
        return message

    def take(self, message, now=NOW):
        """As an application routes what comes"""
        try:
            self.contact, received = contact.receive(self.contact, message, b"")
        except NoSession:
            self.account, self.contact, received = contact.accept(self.account, self.contact, message, b"", now)
        reload(self.contact)
        return received


def reload(c: ContactState) -> None:
    data = state.encode_contact(c)
    assert state.decode_contact(data) == c


def devices(seed=1):
    alice, bob, for_bob = accounts()
    draws = Seeded(seed)
    alice, for_alice = account.publish(alice, NOW, 5, Seeded(99))
    return Device(alice, for_alice, bob.identity.id, draws), Device(bob, for_bob, alice.identity.id, draws)


def talking():
    a, b = devices()
    assert b.take(a.start(b, 0)).payload == b"hello"
    assert a.take(b.send(b"hi")).payload == b"hi"
    return a, b


def framed(a: Device, plaintext: bytes) -> bytes:
    """A message of a's sending session with this plaintext"""
    on = contact.sending(a.contact)
    after, message = session.send(on.session, plaintext, b"", NoPadding(), a.draws)
    a.contact = contact._with(a.contact, on, after)
    return message


def test_frames():
    for one, data in (
        (Data(b""), b"\0"),
        (Data(b"x"), b"\0x"),
        (Opening(1, b"x"), b"\1" + b"\0" * 7 + b"\1x"),
        (Reset(2**64 - 1), b"\2" + b"\xff" * 8),
    ):
        assert one.encode() == data and frame.decode(data) == one
    for data in (b"", b"\3", b"\1" + b"\0" * 7, b"\2" + b"\0" * 7, b"\2" + b"\0" * 9):
        assert frame.decode(data) is None


def test_a_first_flight_carries_openings():
    a, b = devices()
    first, second = a.start(b, 0, b"1"), a.send(b"2")
    received = b.take(second)
    on = contact.sending(b.contact)
    assert received.payload == b"2" and on.rank == NOW
    assert received.events == (("NewSession", on.session.session_id, True),)
    assert b.take(first).payload == b"1"
    with pytest.raises(Duplicate):
        b.take(first)
    inner = a.send(b"3")[len(contact.sending(a.contact).session.opening.flight.encode()) :]
    assert b.take(inner).payload == b"3"  # a flight stripped off changes nothing


def test_unreadable():
    for plaintext in (b"", b"\3", b"\1" + b"\0" * 7, Opening(NOW + 1, b"").encode(), Reset(NOW - 1).encode()):
        a, b = talking()
        received = b.take(framed(a, plaintext))
        assert received.payload is None and received.events == (("Unreadable",),)
        assert b.take(a.send(b"on")).payload == b"on"


def test_a_session_that_opens_wrongly_is_not_kept():
    for rank, kept in ((NOW + contact.AHEAD, 1), (NOW + contact.AHEAD + 1, 0)):
        a, b = devices()
        a.start(b, 0)
        a.contact = replace(a.contact, sessions=(replace(a.contact.sessions[0], rank=rank),))
        message = a.send(b"far")
        assert len(b.take(message).events) == 1 and len(b.contact.sessions) == kept
    a, b = devices()
    bundle = b.publication.bundle(0).encode()
    _, created = account.initiate(a.account, bundle, 1, NOW, a.draws)
    _, message = session.send(created, Data(b"").encode(), b"", NoPadding(), a.draws)
    assert b.take(message).events == (("Unreadable",),) and b.contact.sessions == ()
    with pytest.raises(PrekeyUsed):
        b.take(message)


def test_two_at_once_converge():
    for first_to_b, first_to_a in itertools.product((True, False), repeat=2):
        a, b = devices(3)
        to_b, to_a = a.start(b, 0, b"from a", NOW + 1), b.start(a, 0, b"from b", NOW + 1)
        if first_to_b:
            b.take(to_b)
        later = b.send(b"later")
        if first_to_a:
            a.take(to_a)
        for device, message in ((a, to_a), (b, to_b)):
            try:
                device.take(message)
            except Duplicate:
                pass
        assert a.take(later).payload == b"later"
        sessions = [contact.sending(device.contact).session.session_id for device in (a, b)]
        assert sessions[0] == sessions[1] and len(a.contact.sessions) == 2
        assert b.take(a.send(b"x")).payload == b"x" and a.take(b.send(b"y")).payload == b"y"


def test_archive():
    a, b = talking()
    clock, gone = NOW, []
    for nth in range(1, 13):
        clock += HOUR
        message = a.start(b, 1 + nth % 4 if nth < 4 else None, b"again", clock)
        events = b.take(message, clock).events
        gone += [event[1] for event in events if event[0] == "SessionEvicted"]
        assert contact.sending(a.contact).session.session_id == contact.sending(b.contact).session.session_id
    assert len(a.contact.sessions) == len(b.contact.sessions) == 9 and len(gone) == 4
    assert [r.rank for r in a.contact.sessions] == [clock - HOUR * i for i in range(9)]
    old = b.contact.sessions[-1].session.session_id
    a.contact = contact.create(a.contact.identity)
    message = a.start(b, None, b"low", NOW - 5)
    events = b.take(message, clock).events
    assert events[0][2] is False and events[1][0] == "SessionEvicted" and events[1][1] == events[0][1] != old


def test_reset():
    a, b = talking()
    late = b.send(b"late")
    reset = a.start(b, 1, None, NOW - 600)
    sid = contact.sending(a.contact).session.session_id
    assert contact.sending(a.contact).rank == NOW + 1
    received = b.take(reset)
    assert received.payload is None and received.events == (("NewSession", sid, True), ("SessionReset", sid))
    assert a.take(late).payload == b"late"
    for now in (NOW - 600 - HOUR + 1, NOW - 600 + HOUR - 1):
        for payload in (None, b"again"):
            with pytest.raises(Limit):
                a.start(b, 2, payload, now)
    a.start(b, 2, None, NOW - 600 + HOUR)
    a, b = devices()
    a.start(b, 0, None)
    with pytest.raises(Limit):
        a.start(b, 1, None, NOW + 1)


def test_an_overtaken_reset_is_told():
    a, b = talking()
    reset, following = a.start(b, 1, None), a.send(b"on")
    sid = contact.sending(a.contact).session.session_id
    assert b.take(following).events == (("NewSession", sid, True),)
    assert b.take(reset).events == (("SessionReset", sid),)


def test_identity():
    a, b = talking()
    carol = Device(account.generate(b"alice", Seeded(7)), None, b.account.identity.id, a.draws)
    known, shown = a.account.identity.id, carol.account.identity.id
    b.contact = contact.set_verified(b.contact, known, True)
    with pytest.raises(IdentityChanged):
        contact.set_verified(b.contact, shown, True)
    received = b.take(carol.start(b, 1, b"it is me"))
    assert received.trust == "other" and received.payload == b"it is me"
    sid = contact.sending(carol.contact).session.session_id
    assert received.events == (("IdentityChanged", known, shown), ("NewSession", sid, False))
    with pytest.raises(IdentityChanged):
        b.send(b"to whom?")
    with pytest.raises(IdentityChanged):
        b.start(a, 0, None, NOW + HOUR)
    assert b.take(a.send(b"still here")).trust == "verified"
    with pytest.raises(IdentityChanged):
        contact.accept_identity(b.contact, known)
    refused = contact.refuse_identity(b.contact)
    assert len(refused.sessions) == 1 and refused.identity == known and refused.verified
    assert contact.refuse_identity(refused) == refused
    before = b.contact
    b.contact = contact.accept_identity(b.contact, shown)
    assert b.contact.generation == before.generation + 1 and not b.contact.verified
    assert carol.take(b.send(b"welcome")).payload == b"welcome"
    assert b.take(a.send(b"and I?")).trust == "other"
    again, events = contact.show(b.contact, known)
    assert again.changed == known and events and contact.show(again, known) == (again, events)
    assert contact.show(b.contact, shown) == (b.contact, ())
    foreign = Device(a.account, None, b"?" * 32, a.draws)
    with pytest.raises(IdentityChanged):
        foreign.start(b, 2)


def test_a_failed_session():
    a, b = talking()
    broken = contact.sending(b.contact)
    failed = replace(broken.session, status=session.FAILED)
    b.contact = contact._with(b.contact, broken, failed)
    with pytest.raises(AgreementFailed):
        b.send(b"")
    with pytest.raises(AgreementFailed):
        b.take(a.send(b""))
    b.take(a.start(b, 1, None))
    assert b.take(a.send(b"on")).payload == b"on"
    with pytest.raises(Authentication):
        b.take(a.send(b"x")[:-1])


def test_what_no_session_opens():
    a, b = devices()
    for error, message in (
        (NoSession, b""),
        (NoSession, b"\1\2" + bytes(200)),
        (Malformed, b"\1\1"),
        (Version, b"\2\1"),
    ):
        with pytest.raises(error):
            contact.receive(b.contact, message, b"")
    with pytest.raises(NoSession):
        b.send(b"")
    a, b = talking()
    for error, message in ((Malformed, b""), (Version, b"\2\2"), (Authentication, b"\1\2" + bytes(200))):
        with pytest.raises(error):
            contact.receive(b.contact, message, b"")
    with pytest.raises(Limit):
        b.send(bytes(frame.MAX_PAYLOAD + 1))


def test_rank_ends_at_its_largest():
    c = replace(contact.create(bytes(32)), sessions=(contact.Ranked(2**64 - 1, None),))
    assert contact.next_rank(c, NOW) == 2**64 - 1
    assert contact.next_rank(contact.create(bytes(32)), 0) == 1


def test_state():
    a, b = talking()
    a.start(b, 1, b"two", NOW + 5)
    good = a.contact
    key = bytes(32)
    blob = state.export_blob(state.CONTACT, good, key, Seeded(1))
    assert state.import_blob(state.CONTACT, blob, key, good.generation) == good
    with pytest.raises(Rollback):
        state.import_blob(state.CONTACT, blob, key, good.generation + 1)
    with pytest.raises(Malformed):
        state.import_blob(state.SESSION, blob, key, 0)
    first, second = good.sessions
    for wrong in (
        replace(good, sessions=(second, first)),
        replace(good, sessions=(first, first)),
        replace(good, changed=good.identity),
        replace(good, verified=2),
        replace(good, sessions=tuple(replace(first, rank=100 - i) for i in range(10))),
    ):
        with pytest.raises(Malformed):
            state.decode_contact(state.encode_contact(wrong))
    state.decode_contact(state.encode_contact(replace(good, sessions=good.sessions[:1])))
    older = contact.maintain(good, NOW)
    assert older.generation == good.generation + 1
    assert all(r.session.generation == s.session.generation + 1 for r, s in zip(older.sessions, good.sessions))


def test_a_signer_outside():
    alice, bob, publication = accounts()
    outside = replace(alice, signer=alice.identity)
    bundle = publication.bundle(0).encode()

    def ask(answer):
        return account.initiate(outside, bundle, 1, NOW, Seeded(4), answer)

    made = ask(lambda purpose, message: alice.signer.sign(purpose, message, Seeded(5)))[1]
    assert isinstance(made.opening, Unanswered)
    for answer in (None, lambda *_: None, lambda *_: bytes(3373), lambda _, m: alice.signer.sign("sign manifest", m, Seeded(5))):
        with pytest.raises(Signer):
            ask(answer)


def test_a_session_that_is_held_already_stays_as_it_is():
    a, b = devices()
    before = b.account
    first, second = a.start(b, 0, b"1"), a.send(b"2")
    assert b.take(first).payload == b"1"
    assert b.take(second).payload == b"2"
    _, b.contact, again = contact.accept(before, b.contact, first, b"", NOW)
    assert again.payload == b"1" and len(b.contact.sessions) == 1
    reload(b.contact)
    with pytest.raises(Duplicate):
        contact.receive(b.contact, second, b"")
