"""Sections 3.4, 4.2 and 4.3 as seen by a device: publishing, initiating, accepting."""

import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import handshake, session
from .draws import Draws
from .errors import (
    AgreementFailed,
    Authentication,
    Duplicate,
    Limit,
    OwnIdentity,
    PrekeyUsed,
    Signer,
    UnknownPrekey,
)
from .handshake import MAX_SLOTS, NO_ONETIME, FirstFlight, PrekeyIds, Sealed, split_initial_message
from .identity import IdentityKey, IdentitySecret, verify
from .prekeys import (
    ONETIME,
    SIGNED,
    LastResort,
    Manifest,
    OneTime,
    PrekeyBundle,
    SignedManifest,
    SignedPrekey,
    check_bundle,
    kem_hash,
    leaf,
    tree_path,
    tree_root,
)
from .primitives import KEM1024, x25519, x25519_public
from .session import Peer, Session, SessionState

# A signer outside: its answer to (purpose, message), None when it refuses (8.3)
External = Callable[[str, bytes], bytes | None]

HOUR, DAY = 3600, 86400
PUBLICATIONS = 64  # M-PK-10
REPLAY = 4096  # M-HS-09
SEEN = 1_048_576  # 7


@dataclass(frozen=True)
class PrekeySecret:
    """struct { uint32 id; opaque x25519[32]; opaque kem_seed[64]; opaque leaf[32]; } PrekeySecret"""

    id: int
    x25519: bytes
    kem_seed: bytes
    leaf: bytes


@dataclass(frozen=True)
class PublicationState:
    created: int
    not_after: int
    count: int
    manifest_hash: bytes
    signed: PrekeySecret
    onetime: tuple[PrekeySecret, ...]  # those that are left, ids ascending
    replay: tuple[bytes, ...]  # ascending

    @property
    def deadline(self) -> int:
        """M-PK-09"""
        return self.not_after + 7 * DAY


@dataclass(frozen=True)
class AccountState:
    """8.3"""

    generation: int
    signer: IdentitySecret | IdentityKey  # an IdentityKey: the signer is outside
    subject: bytes
    next_id: int
    manifest_generation: int
    publications: tuple[PublicationState, ...]  # oldest first
    seen: dict[bytes, int]  # identity_id -> highest generation accepted

    @property
    def identity(self) -> IdentityKey:
        return self.signer if isinstance(self.signer, IdentityKey) else self.signer.key


def generate(subject: bytes, draws: Draws) -> AccountState:
    return create(IdentitySecret.generate(draws), subject)


def create(signer: IdentitySecret | IdentityKey, subject: bytes) -> AccountState:
    if len(subject) > 255:  # 2.3
        raise Limit
    return AccountState(0, signer, subject, 1, 0, (), {})


# 3.4 Life cycle


@dataclass(frozen=True)
class Publication:
    """What goes to the directory."""

    manifest: SignedManifest
    last_resort: LastResort
    onetime: tuple[OneTime, ...]

    def bundle(self, onetime: int | None) -> PrekeyBundle:
        """The manifest and one record: the last resort, or the one-time prekey at an index"""
        return PrekeyBundle(self.manifest, self.last_resort if onetime is None else self.onetime[onetime])


@dataclass(frozen=True)
class _Prekey:
    """One prekey with both halves; draws the X25519 secret (32) and the KEM seed (64)"""

    secret: PrekeySecret
    x25519: bytes
    kem: bytes

    @staticmethod
    def generate(kind: int, id: int, draws: Draws) -> "_Prekey":
        secret, seed = draws.take(32), draws.take(64)
        public, kem = x25519_public(secret), KEM1024.public(seed)
        return _Prekey(PrekeySecret(id, secret, seed, leaf(kind, id, public, kem_hash(kem))), public, kem)


def sign(a: AccountState, purpose: str, message: bytes, draws: Draws, external: External | None) -> bytes:
    """8.3: rnd is drawn also when the signer is outside; what that one answers is verified"""
    if not isinstance(a.signer, IdentityKey):
        return a.signer.sign(purpose, message, draws)
    draws.take(32)
    signature = external(purpose, message) if external else None
    if signature is None:
        raise Signer
    try:
        verify(a.signer, purpose, message, signature)
    except Authentication:
        raise Signer from None
    return signature


def publish(
    a: AccountState, now: int, onetime_count: int, draws: Draws, external: External | None = None
) -> tuple[AccountState, Publication]:
    """3.4, draws by 8.3"""
    if not 1 <= onetime_count <= 1024 or a.next_id + onetime_count + 1 >= 2**32 or now + 28 * DAY >= 2**64:
        raise Limit
    s = a.next_id
    signed = _Prekey.generate(SIGNED, s, draws)
    onetime = [_Prekey.generate(ONETIME, s + 1 + i, draws) for i in range(onetime_count)]
    leaves = tuple(prekey.secret.leaf for prekey in onetime)
    manifest = Manifest(
        identity=a.identity,
        subject=a.subject,
        generation=a.manifest_generation + 1,
        not_before=max(0, now - HOUR),
        not_after=now + 28 * DAY,
        signed=SignedPrekey(s, signed.x25519, kem_hash(signed.kem)),
        onetime_count=onetime_count,
        root=tree_root(leaves),
    )
    signature = sign(a, "sign manifest", manifest.encode(), draws, external)
    secrets = PublicationState(
        created=now,
        not_after=manifest.not_after,
        count=onetime_count,
        manifest_hash=manifest.hash,
        signed=signed.secret,
        onetime=tuple(prekey.secret for prekey in onetime),
        replay=(),
    )
    a = replace(
        a,
        generation=a.generation + 1,
        next_id=s + 1 + onetime_count,  # M-PK-01
        manifest_generation=manifest.generation,
        publications=(*a.publications, secrets)[-PUBLICATIONS:],  # M-PK-10
    )
    records = (
        OneTime(prekey.secret.id, prekey.x25519, prekey.kem, index, tuple(tree_path(leaves, index)))
        for index, prekey in enumerate(onetime)
    )
    return a, Publication(SignedManifest(manifest, signature), LastResort(signed.kem), tuple(records))


@dataclass(frozen=True)
class Advice:
    rotate: bool
    replenish: bool
    deleted: tuple[int, ...]  # signed prekey ids of the publications deleted


def maintain(a: AccountState, now: int) -> tuple[AccountState, Advice]:
    """M-PK-08 and M-PK-09"""
    kept = tuple(p for p in a.publications if now < p.deadline)
    deleted = tuple(p.signed.id for p in a.publications if now >= p.deadline)
    newest = kept[-1] if kept else None
    rotate = newest is None or now >= newest.created + 7 * DAY or 4 * len(newest.replay) >= 3 * REPLAY
    replenish = not rotate and newest is not None and 4 * len(newest.onetime) < newest.count
    if deleted:
        a = replace(a, generation=a.generation + 1, publications=kept)
    return a, Advice(rotate, replenish, deleted)


# 4.2 Initiating


def verify_bundle(a: AccountState, data: bytes, now: int) -> PrekeyBundle:
    return check_bundle(data, now, a.identity.id, lambda identity_id: a.seen.get(identity_id, 0))


def check_slots(slots: int) -> None:
    if not 1 <= slots <= MAX_SLOTS:
        raise Limit


def initiate(
    a: AccountState, data: bytes, slots: int, now: int, draws: Draws, external: External | None = None
) -> tuple[AccountState, SessionState]:
    """4.2. The peer's generation is remembered (M-PK-06). Draws EK (32), m (32), ML-DSA rnd (32)."""
    check_slots(slots)
    bundle = verify_bundle(a, data, now)
    a = _remember(a, bundle.manifest.manifest)
    manifest, record = bundle.manifest.manifest, bundle.record
    onetime = record if isinstance(record, OneTime) else None
    responder_id = manifest.identity.id

    secret, m = draws.take(32), draws.take(32)
    ephemeral = x25519_public(secret)
    ct, ss = KEM1024.encaps(record.kem, m)
    d1 = x25519(secret, manifest.signed.x25519)  # M-HS-01
    d2 = x25519(secret, onetime.x25519) if onetime else NO_ONETIME
    prekeys = PrekeyIds(manifest.signed.id, onetime.id if onetime else None)
    onetime_leaf = onetime.leaf if onetime else b""
    th0 = handshake.th0(
        responder_id, manifest.hash, prekeys, manifest.signed.leaf, onetime_leaf, slots, ephemeral, ct
    )
    prk = handshake.handshake_prk(th0, ss, d1, d2)
    claim = handshake.claim_message(th0, responder_id, a.identity, a.subject)
    signature = sign(a, "sign initiator", claim, draws, external)
    sealed = handshake.seal_identity(prk, th0, Sealed(a.identity, a.subject, signature))
    keys = handshake.session_keys(prk, th0, sealed)
    flight = FirstFlight(prekeys, slots, ephemeral, ct, sealed)
    peer = Peer(responder_id, manifest.subject)
    return a, session.initiator(a.identity.id, peer, flight, keys, manifest.signed.x25519)


def _remember(a: AccountState, manifest: Manifest) -> AccountState:
    """M-PK-06, last sentence"""
    peer = manifest.identity.id
    if peer not in a.seen and len(a.seen) >= SEEN:
        raise Limit
    seen = dict(sorted({**a.seen, peer: manifest.generation}.items()))
    return replace(a, generation=a.generation + 1, seen=seen)


# 4.3 Accepting


def accept(a: AccountState, data: bytes, ad: bytes, now: int) -> tuple[AccountState, SessionState, bytes]:
    """The account and the new session after an InitialMessage, and its plaintext"""
    flight, inner = split_initial_message(data)  # M-HS-04
    publication, onetime = _find_prekeys(a, flight.prekeys, now)  # M-HS-05
    signed, own_id = publication.signed, a.identity.id
    onetime_leaf = onetime.leaf if onetime else b""
    th0 = handshake.th0(  # M-HS-06
        own_id,
        publication.manifest_hash,
        flight.prekeys,
        signed.leaf,
        onetime_leaf,
        flight.slots,
        flight.ephemeral,
        flight.ciphertext,
    )
    d1 = x25519(signed.x25519, flight.ephemeral)  # M-HS-01
    d2 = x25519(onetime.x25519, flight.ephemeral) if onetime else NO_ONETIME
    ss = KEM1024.decaps((onetime or signed).kem_seed, flight.ciphertext)
    prk = handshake.handshake_prk(th0, ss, d1, d2)
    sealed = handshake.open_identity(prk, th0, flight.sealed)
    if sealed.identity.id == own_id:  # M-HS-07
        raise OwnIdentity
    claim = handshake.claim_message(th0, own_id, sealed.identity, sealed.subject)
    verify(sealed.identity, "sign initiator", claim, sealed.signature)  # M-HS-08
    keys = handshake.session_keys(prk, th0, flight.sealed)
    if onetime is None:  # M-HS-09
        if th0 in publication.replay:
            raise Duplicate
        if len(publication.replay) >= REPLAY:
            raise Limit
    peer = Peer(sealed.identity.id, sealed.subject)
    created = session.responder(own_id, peer, flight, keys, signed.x25519)
    created, plaintext = session.receive_message(created, inner, ad)  # M-HS-10
    if plaintext is None:
        raise AgreementFailed
    a = _use_up(a, publication, onetime, th0)  # M-HS-11
    return a, created, plaintext


def _find_prekeys(a: AccountState, ids: PrekeyIds, now: int) -> tuple[PublicationState, PrekeySecret | None]:
    """M-HS-05"""
    publication = next((p for p in a.publications if p.signed.id == ids.signed_id), None)
    if publication is None or now >= publication.deadline:
        raise UnknownPrekey
    if ids.onetime_id is None:
        return publication, None
    if not publication.signed.id < ids.onetime_id <= publication.signed.id + publication.count:
        raise UnknownPrekey
    onetime = next((prekey for prekey in publication.onetime if prekey.id == ids.onetime_id), None)
    if onetime is None:
        raise PrekeyUsed
    return publication, onetime


def _use_up(a: AccountState, publication: PublicationState, onetime: PrekeySecret | None, th0: bytes) -> AccountState:
    """M-HS-11: delete the one-time prekey, or remember th0"""
    if onetime is not None:
        used = replace(publication, onetime=tuple(p for p in publication.onetime if p != onetime))
    else:
        replay = list(publication.replay)
        bisect.insort(replay, th0)
        used = replace(publication, replay=tuple(replay))
    publications = tuple(used if p is publication else p for p in a.publications)
    return replace(a, generation=a.generation + 1, publications=publications)


class Account:
    """An account that changes: every method works on the state aside and commits at its end."""

    def __init__(self, state: AccountState):
        self.state = state

    @staticmethod
    def generate(subject: bytes, draws: Draws) -> "Account":
        return Account(generate(subject, draws))

    def publish(self, now: int, onetime_count: int, draws: Draws, external: External | None = None) -> Publication:
        state, publication = publish(self.state, now, onetime_count, draws, external)
        draws.finish()
        self.state = state
        return publication

    def maintain(self, now: int) -> Advice:
        self.state, advice = maintain(self.state, now)
        return advice

    def initiate(self, bundle: bytes, slots: int, now: int, draws: Draws) -> Session:
        state, created = initiate(self.state, bundle, slots, now, draws)
        draws.finish()
        self.state = state
        return Session(created)

    def accept(self, data: bytes, ad: bytes, now: int) -> tuple[Session, bytes]:
        self.state, created, plaintext = accept(self.state, data, ad, now)
        return Session(created), plaintext
