"""Section 8: encodings, sealing."""

from dataclasses import replace

import pytest
from marline import account, state
from marline.draws import Scripted, Seeded
from marline.errors import Authentication, Malformed, MarlineError, Rollback, Version
from marline.session import Session
from marline.skipped import Skipped, SkippedKey

from .world import accounts, encoded, initiated, pair, talk

KEY = bytes(32)


def test_export_and_import():
    _, bob = pair()
    blob = state.export_blob(state.SESSION, bob.state, KEY, Scripted([bytes(32)]))
    assert len(blob) == 42 + len(encoded(bob)) + 16 and blob[:10] == b"\1\1" + bob.state.generation.to_bytes(8, "big")
    assert state.import_blob(state.SESSION, blob, KEY, 0) == bob.state
    assert state.import_blob(state.SESSION, blob, KEY, bob.state.generation) == bob.state
    for error, data, key, minimum in (
        (Rollback, blob, KEY, bob.state.generation + 1),
        (Authentication, blob, b"\1" * 32, 0),
        (Authentication, blob[:-1], KEY, 0),
        (Authentication, blob[:42], KEY, 0),
        (Malformed, blob[:41], KEY, 0),
        (Version, b"\2" + blob[1:], KEY, 0),
        (Malformed, b"\1\2" + blob[2:], KEY, 0),
        (Authentication, blob[:9] + b"\x77" + blob[10:], KEY, 0),
    ):
        with pytest.raises(error):
            state.import_blob(state.SESSION, data, key, minimum)
    garbage = state.seal_blob(1, 0, b"\1\1", KEY, Seeded(1))
    with pytest.raises(Malformed):
        state.import_blob(state.SESSION, garbage, KEY, 0)
    bob = accounts()[1]
    assert state.import_blob(state.ACCOUNT, state.export_blob(state.ACCOUNT, bob, KEY, Seeded(1)), KEY, 0) == bob


def test_account_round_trip():
    alice, bob, publication = accounts()
    alice = account.initiate(alice, publication.bundle(0).encode(), 4, 1_800_000_000, Seeded(1))[0]
    external = replace(bob, signer=bob.identity)
    for a in (alice, bob, external):
        data = state.encode_account(a)
        assert state.decode_account(data) == a
        for bad in (data[:-1], data + b"\0", b"\1\1" + data[2:]):
            with pytest.raises(Malformed):
                state.decode_account(bad)
    p = bob.publications[0]
    for wrong in (
        replace(p, onetime=p.onetime[::-1]),
        replace(p, onetime=(replace(p.onetime[0], id=p.signed.id),)),
        replace(p, onetime=(replace(p.onetime[0], id=p.signed.id + p.count + 1),)),
        replace(p, replay=(b"b" * 32, b"a" * 32)),
        replace(p, replay=(b"b" * 32, b"b" * 32)),
        replace(p, count=0),
    ):
        with pytest.raises(Malformed):
            state.decode_account(state.encode_account(replace(bob, publications=(wrong,))))


def test_session_rules():
    alice, bob = pair()
    key = SkippedKey(0, 0, bytes(32))
    d, pq, s = bob.state.double, bob.state.sparse, bob.state.scka

    def receiving(skipped):
        return replace(bob.state, double=replace(d, receiving=replace(d.receiving, skipped=skipped)))

    for wrong in (
        replace(bob.state, role=2),
        replace(bob.state, role=0),
        replace(bob.state, opening=None),
        replace(bob.state, slots=0),
        replace(bob.state, slots=39),
        replace(bob.state, status=2),
        replace(bob.state, used_onetime=2),
        replace(alice.state, slots=5),
        receiving(Skipped(0, (replace(key, n=1),))),
        receiving(Skipped(1, (key,))),
        receiving(Skipped(0, (key, key))),
        receiving(Skipped(2, ())),
        replace(bob.state, double=replace(d, previous=2**31 + 1)),
        replace(bob.state, sparse=replace(pq, current=replace(pq.current, epoch=1))),
        replace(bob.state, scka=replace(s, epoch=0)),
        replace(bob.state, scka=replace(s, state=replace(s.state, held={i: bytes(32) for i in range(38)}))),
    ):
        with pytest.raises(Malformed):
            state.decode_session(state.encode_session(wrong))
    with pytest.raises(Version):
        state.decode_session(b"\0" + encoded(bob)[1:])


def test_decoder_is_total_and_canonical():
    """What decodes from a damaged state encodes to the same bytes again; nothing but errors of section 9 comes out."""
    alice, bob = pair(1)
    draws = Seeded(2)
    for _ in range(40):
        talk(bob, alice, draws)
        talk(alice, bob, draws)
    for data in (encoded(alice), encoded(bob), encoded(Session(initiated(1)[1]))):
        for at in range(0, len(data), 3):
            for damaged in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]):
                try:
                    assert state.encode_session(state.decode_session(damaged)) == damaged
                except MarlineError:
                    pass


def test_import_in_the_middle():
    alice, bob = pair()
    draws = Seeded(3)
    for turn in range(60):
        talk(bob, alice, draws)
        talk(alice, bob, draws)
        alice = Session(state.import_blob(state.SESSION, state.export_blob(state.SESSION, alice.state, KEY, draws), KEY, alice.state.generation))
        bob = Session(state.import_blob(state.SESSION, state.export_blob(state.SESSION, bob.state, KEY, draws), KEY, bob.state.generation))
    assert alice.state.sparse.current.epoch == 3


def test_fingerprint():
    _, bob = pair()
    assert state.fingerprint(encoded(bob)) == state.fingerprint(encoded(bob)) != state.fingerprint(encoded(bob) + b"\0")
