"""Sections 3.3, 3.4, 4.3: bundles, publications, accepting."""

from dataclasses import replace

import pytest
from marline import account, handshake
from marline.account import Account
from marline.draws import Seeded
from marline.errors import (
    Authentication,
    Duplicate,
    Expired,
    Limit,
    Malformed,
    OwnIdentity,
    PrekeyUsed,
    Rollback,
    UnknownPrekey,
    Version,
)
from marline.identity import IdentityKey
from marline.prekeys import LastResort, PrekeyBundle

from .world import DAY, NOW, accounts, encoded, first_message, unchanged


def check(error, data, now=NOW, of=None):
    alice = Account(of or accounts()[0])
    with unchanged(error, alice):
        alice.initiate(data, 4, now, Seeded(1))


def resigned(**changes) -> PrekeyBundle:
    """Bob's bundle with another manifest, signed by Bob"""
    _, bob, publication = accounts()
    manifest = replace(publication.manifest.manifest, **changes)
    signature = bob.signer.sign("sign manifest", manifest.encode(), Seeded(1))
    return PrekeyBundle(replace(publication.manifest, manifest=manifest, signature=signature), publication.onetime[0])


def test_bundles():
    _, _, publication = accounts()
    for onetime in (None, 0, 4):
        bundle = publication.bundle(onetime)
        assert PrekeyBundle.decode(bundle.encode()) == bundle
        account.verify_bundle(accounts()[0], bundle.encode(), NOW)


def test_malformed_bundles():
    data = accounts()[2].bundle(0).encode()
    check(Version, b"\2" + data[1:])
    check(Malformed, data[:-1])
    check(Malformed, data + b"\0")
    check(Malformed, b"")
    check(Version, b"\1\2" + data[2:])  # version of the identity key
    check(Malformed, b"\1\1" + bytes(32) + data[34:])  # Ed25519 key of small order
    _, _, publication = accounts()
    for record in (
        replace(publication.onetime[0], x25519=b"\xff" * 32),
        replace(publication.onetime[0], kem=b"\xff" * 1568),
        replace(publication.onetime[0], index=5),
        replace(publication.onetime[0], path=(bytes(32),) * 11),
        LastResort(b"\xff" * 1568),
    ):
        check(Malformed, PrekeyBundle(publication.manifest, record).encode())
    check(Malformed, publication.manifest.encode() + b"\3")
    manifest = publication.manifest.manifest
    for changes in (
        dict(not_before=NOW, not_after=NOW),
        dict(onetime_count=0),
        dict(onetime_count=1025),
        dict(signed=replace(manifest.signed, x25519=b"\xff" * 32)),
    ):
        check(Malformed, resigned(**changes).encode())


def test_forged_bundles():
    _, _, publication = accounts()
    signed = publication.manifest
    for at in (0, 63, 64, 3372):  # either half of the signature
        signature = bytearray(signed.signature)
        signature[at] ^= 1
        check(Authentication, PrekeyBundle(replace(signed, signature=bytes(signature)), publication.onetime[0]).encode())
    forged = replace(signed, manifest=replace(signed.manifest, generation=9))
    check(Authentication, PrekeyBundle(forged, publication.onetime[0]).encode())
    check(Authentication, PrekeyBundle(signed, LastResort(publication.onetime[0].kem)).encode())
    one = publication.onetime[0]
    for record in (replace(one, id=7), replace(one, index=1), replace(one, path=one.path[:-1]), replace(one, path=())):
        check(Authentication, PrekeyBundle(signed, record).encode())


def test_time_generation_own_identity():
    alice, bob, publication = accounts()
    manifest = publication.manifest.manifest
    data = publication.bundle(0).encode()
    check(Expired, data, now=manifest.not_before - 1)
    check(Expired, data, now=manifest.not_after)
    account.verify_bundle(alice, data, manifest.not_before)
    account.verify_bundle(alice, data, manifest.not_after - 1)
    check(OwnIdentity, data, of=bob)
    seen = Account(alice)
    seen.initiate(data, 4, NOW, Seeded(1))
    assert seen.state.seen == {bob.identity.id: 1} and seen.state.generation == alice.generation + 1
    seen.initiate(data, 4, NOW, Seeded(1))
    assert seen.state.generation == alice.generation + 2
    seen.initiate(resigned(generation=5).encode(), 4, NOW, Seeded(1))
    check(Rollback, data, of=seen.state)
    for slots in (0, 39):
        with unchanged(Limit, seen):
            seen.initiate(data, slots, NOW, Seeded(1))


def test_accepting_once():
    bob = Account(accounts()[1])
    alice, data = first_message(4, 0)
    bob.accept(data, b"", NOW)
    with unchanged(PrekeyUsed, bob):
        bob.accept(data, b"", NOW)
    alice, data = first_message(4, None)
    bob.accept(data, b"", NOW)
    with unchanged(Duplicate, bob):
        bob.accept(data, b"", NOW)
    with unchanged(Duplicate, bob):
        bob.accept(alice.encrypt(b"later", draws=Seeded(1)), b"", NOW)
    publication = bob.state.publications[0]
    assert [p.id for p in publication.onetime] == [3, 4, 5, 6] and len(publication.replay) == 1
    bob.state = accounts()[1]
    publication = replace(bob.state.publications[0], replay=tuple(i.to_bytes(32, "big") for i in range(4096)))
    bob.state = replace(bob.state, publications=(publication,))
    with unchanged(Limit, bob):
        bob.accept(data, b"", NOW)


def test_refusals_in_order():
    bob = Account(accounts()[1])
    alice, data = first_message(4, 0)
    flight = alice.state.opening.flight
    inner = data[len(flight.encode()) :]

    def refused(error, now=NOW, inner=inner, **changes):
        with unchanged(error, bob):
            bob.accept(replace(flight, **changes).encode() + inner, b"", now)

    with unchanged(Version, bob):
        bob.accept(b"\0" + data[1:], b"", NOW)
    with unchanged(Malformed, bob):
        bob.accept(inner, b"", NOW)
    with unchanged(Malformed, bob):
        bob.accept(data[: len(flight.encode()) - 1], b"", NOW)
    refused(Malformed, slots=0)
    refused(Malformed, slots=39)
    refused(Malformed, ephemeral=b"\xff" * 32)
    refused(Malformed, ephemeral=bytes(32))  # M-HS-01
    refused(UnknownPrekey, prekeys=replace(flight.prekeys, signed_id=9))
    refused(UnknownPrekey, prekeys=replace(flight.prekeys, onetime_id=1))
    refused(UnknownPrekey, prekeys=replace(flight.prekeys, onetime_id=7))
    refused(UnknownPrekey, now=NOW + 35 * DAY)
    refused(Authentication, prekeys=replace(flight.prekeys, onetime_id=3))
    refused(Authentication, prekeys=replace(flight.prekeys, onetime_id=None))
    refused(Authentication, slots=5)
    refused(Authentication, ciphertext=bytes(1568))
    refused(Authentication, sealed=flight.sealed[:-1] + bytes([flight.sealed[-1] ^ 1]))
    refused(Authentication, sealed=b"")
    refused(Authentication, inner=inner[:-1] + bytes([inner[-1] ^ 1]))
    refused(Malformed, inner=b"\1\2")
    refused(Version, inner=b"\2" + inner[1:])
    with unchanged(Authentication, bob):
        bob.accept(data, b"other ad", NOW)
    bob.accept(data, b"", NOW + 35 * DAY - 1)


def test_sealed_by_somebody_else(monkeypatch):
    alice, bob, publication = accounts()
    data = publication.bundle(0).encode()

    def first(of, now=NOW):
        return Account(of).initiate(data, 4, now, Seeded(1)).encrypt(b"", draws=Seeded(2))

    mallory = account.generate(b"mallory", Seeded(77))

    class Impostor(type(mallory.signer)):
        @property
        def key(self) -> IdentityKey:
            return alice.signer.key

    impostor = replace(mallory, signer=Impostor(mallory.signer.ed25519_seed, mallory.signer.mldsa_seed))
    acceptor = Account(bob)
    with unchanged(Authentication, acceptor):
        acceptor.accept(first(impostor), b"", NOW)
    monkeypatch.setattr(account, "verify_bundle", lambda a, d, now: PrekeyBundle.decode(d))
    reflected = first(bob)
    with unchanged(OwnIdentity, acceptor):
        acceptor.accept(reflected, b"", NOW)
    monkeypatch.setattr(handshake.Sealed, "encode", lambda self: b"\1not an identity")
    garbage = first(alice)
    with unchanged(Malformed, acceptor):
        acceptor.accept(garbage, b"", NOW)


def test_life_cycle():
    bob = Account(accounts()[1])
    assert bob.maintain(NOW + 7 * DAY - 1) == account.Advice(False, False, ())
    assert bob.maintain(NOW + 7 * DAY).rotate
    publication = bob.state.publications[0]
    left = replace(bob.state, publications=(replace(publication, onetime=publication.onetime[:2]),))
    assert not account.maintain(left, NOW)[1].replenish
    left = replace(bob.state, publications=(replace(publication, onetime=publication.onetime[:1]),))
    assert account.maintain(left, NOW)[1].replenish
    second = bob.publish(NOW + 7 * DAY, 3, Seeded(3)).manifest.manifest
    assert (second.generation, second.signed.id, bob.state.next_id) == (2, 7, 11)
    assert second.not_before == NOW + 7 * DAY - 3600 and second.not_after == NOW + 35 * DAY
    assert bob.maintain(NOW + 35 * DAY - 1).deleted == ()
    assert bob.maintain(NOW + 35 * DAY).deleted == (1,)
    assert bob.maintain(NOW + 42 * DAY).deleted == (7,) and bob.state.publications == ()
    assert bob.publish(5, 1, Seeded(4)).manifest.manifest.not_before == 0
    for now, count in ((NOW, 0), (NOW, 1025), (2**64 - 1, 1)):
        with unchanged(Limit, bob):
            bob.publish(now, count, Seeded(5))
    bob.state = replace(bob.state, next_id=2**32 - 2)
    with unchanged(Limit, bob):
        bob.publish(NOW, 1, Seeded(5))


def test_at_most_64_publications():
    bob = accounts()[1]
    publication = bob.publications[0]
    many = tuple(replace(publication, signed=replace(publication.signed, id=i * 100)) for i in range(64))
    bob = Account(replace(bob, publications=many, next_id=6500))
    bob.publish(NOW, 1, Seeded(6))
    assert len(bob.state.publications) == 64 and bob.state.publications[0].signed.id == 100


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_onetime_prekey_works(count):
    bob = Account(accounts()[1])
    alice = Account(accounts()[0])
    publication = bob.publish(NOW, count, Seeded(count))
    for onetime in {0, count - 1}:
        created = alice.initiate(publication.bundle(onetime).encode(), 1, NOW, Seeded(8))
        bob.accept(created.encrypt(b"", draws=Seeded(9)), b"", NOW)
    assert encoded(bob)
