"""Section 8: the encodings of the states, fingerprint, sealing."""

from .account import PUBLICATIONS, REPLAY, SEEN, AccountState, PrekeySecret, PublicationState
from .double import RETIRED, Double, Fresh, ReceivingChain, RetiredChain, Sending, SendingChain, Step
from .draws import Draws
from .errors import Malformed, Rollback
from .handshake import MAX_SLOTS, FirstFlight
from .identity import IdentityKey, IdentitySecret
from .notation import (
    PRF,
    VERSION,
    H,
    Reader,
    decode_all,
    list8,
    list16,
    list32,
    opaque8,
    opaque16,
    optional,
    u8,
    u16,
    u32,
    u64,
)
from .primitives import KEM768, check_x25519, open_, seal
from .scka import (
    CIPHERTEXT_CODEWORDS,
    KEY_CODEWORDS,
    AwaitingKey,
    Idle,
    KeyHeld,
    ReceivingCt,
    Scka,
    SendingCt,
    SendingKey,
)
from .session import Accepted, Peer, SessionState, Unanswered
from .skipped import KEPT, NUMBERS, Skipped, SkippedKey
from .sparse import INITIATOR, RESPONDER, EpochChains, PqReceiving, PqSending, Sparse

SESSION, ACCOUNT = 1, 2  # kind


def _ascending(values) -> bool:
    return all(a < b for a, b in zip(values, values[1:]))


# 8.1 Sealing


def fingerprint(state: bytes) -> bytes:
    """fingerprint = H("fingerprint"; state)"""
    return H("fingerprint", state)


def _state_key(application_key: bytes, salt: bytes) -> bytes:
    """key = PRF("state key", 32; application key[32], salt)"""
    return PRF("state key", 32, application_key, salt)


def export_blob(kind: int, generation: int, state: bytes, application_key: bytes, draws: Draws) -> bytes:
    """blob = uint8(1) ‖ uint8(kind) ‖ uint64(generation) ‖ salt[32] ‖ AEAD(key, 12 zero bytes, the 42 bytes before, state)"""
    salt = draws.take(32)
    before = u8(VERSION) + u8(kind) + u64(generation) + salt
    return before + seal(_state_key(application_key, salt), bytes(12), before, state)


def import_blob(kind: int, blob: bytes, application_key: bytes, minimum: int):
    """M-ST-01: the state in the blob, decoded"""
    r = Reader(blob)
    r.version()
    r.require(r.u8() == kind)
    generation, salt = r.u64(), r.bytes(32)
    state = open_(_state_key(application_key, salt), bytes(12), blob[:42], r.rest())
    if generation < minimum:
        raise Rollback
    decoded = decode_session(state) if kind == SESSION else decode_account(state)
    if decoded.generation != generation:
        raise Malformed
    return decoded


def export_session(s: SessionState, application_key: bytes, draws: Draws) -> bytes:
    return export_blob(SESSION, s.generation, encode_session(s), application_key, draws)


def import_session(blob: bytes, application_key: bytes, minimum: int) -> SessionState:
    return import_blob(SESSION, blob, application_key, minimum)


def export_account(a: AccountState, application_key: bytes, draws: Draws) -> bytes:
    return export_blob(ACCOUNT, a.generation, encode_account(a), application_key, draws)


def import_account(blob: bytes, application_key: bytes, minimum: int) -> AccountState:
    return import_blob(ACCOUNT, blob, application_key, minimum)


# 8.2 Session


def encode_session(s: SessionState) -> bytes:
    match s.opening:
        case None:
            opening = u8(0)
        case Unanswered(flight):
            opening = u8(1) + opaque16(flight.encode())
        case Accepted(ephemeral, flight_hash):
            opening = u8(2) + ephemeral + flight_hash
    return (
        u8(VERSION)
        + u8(SESSION)
        + u64(s.generation)
        + u8(s.role)
        + u8(s.slots)
        + u8(s.status)
        + s.own_id
        + s.peer.identity_id
        + opaque8(s.peer.subject)
        + s.session_id
        + s.th
        + s.exporter_secret
        + u8(s.used_onetime)
        + u32(s.since_epoch)
        + opening
        + encode_double(s.double)
        + encode_sparse(s.sparse)
        + encode_scka(s.scka)
    )


def decode_session(data: bytes) -> SessionState:
    def session(r: Reader) -> SessionState:
        r.version()
        r.require(r.u8() == SESSION)
        s = SessionState(
            generation=r.u64(),
            role=r.u8(),
            slots=r.u8(),
            status=r.u8(),
            own_id=r.bytes(32),
            peer=Peer(r.bytes(32), r.opaque8()),
            session_id=r.bytes(32),
            th=r.bytes(32),
            exporter_secret=r.bytes(32),
            used_onetime=_decode_bool(r),
            since_epoch=r.u32(),
            opening=_decode_opening(r),
            double=decode_double(r),
            sparse=decode_sparse(r),
            scka=decode_scka(r),
        )
        r.require(s.role in (INITIATOR, RESPONDER) and 1 <= s.slots <= MAX_SLOTS and s.status <= 1)
        r.require((s.role == RESPONDER) == isinstance(s.opening, Accepted))
        r.require(not isinstance(s.opening, Unanswered) or s.opening.flight.slots == s.slots)
        owner = isinstance(s.scka.state, (Idle, SendingKey, ReceivingCt))
        r.require(owner == ((s.role == INITIATOR) == (s.scka.epoch % 2 == 1)))
        r.require(not isinstance(s.double.turn, Fresh))
        if isinstance(s.double.turn, Step) and s.double.receiving is not None:
            r.require(s.double.turn.peer == s.double.receiving.dh)
        r.require(s.own_id != s.peer.identity_id)
        _check_epochs(r, s)
        return s

    return decode_all(data, session)


def _check_epochs(r: Reader, s: SessionState) -> None:
    """What 5.3 and 6 imply: the sending chain of the SCKA's epoch is there; only SendingCt has given out its own epoch."""
    ahead = isinstance(s.scka.state, SendingCt)
    r.require(s.scka.epoch == s.sparse.current.epoch + (0 if ahead else 1))
    r.require((s.sparse.previous if ahead else s.sparse.current).send is not None)


def _decode_bool(r: Reader) -> bool:
    value = r.u8()
    r.require(value <= 1)
    return value == 1


def _decode_opening(r: Reader) -> Unanswered | Accepted | None:
    tag = r.u8()
    r.require(tag <= 2)
    if tag == 0:
        return None
    if tag == 1:
        return Unanswered(decode_all(r.opaque16(), FirstFlight.decode))
    return Accepted(check_x25519(r.bytes(32)), r.bytes(32))


def _encode_skipped(s: Skipped) -> bytes:
    return u32(s.floor) + list16(s.keys, lambda key: u32(key.n) + u16(key.day) + key.key)


def _decode_skipped(r: Reader, n: int) -> Skipped:
    """Numbers strictly ascending, all >= floor and below the chain's n"""
    s = Skipped(r.u32(), r.list16(lambda r: SkippedKey(r.u32(), r.u16(), r.bytes(32))))
    numbers = [key.n for key in s.keys]
    r.require(s.floor <= n and _ascending(numbers) and all(s.floor <= number < n for number in numbers))
    return s


def _decode_n(r: Reader) -> int:
    """The number that comes next in a receiving chain: at most 2^31"""
    n = r.u32()
    r.require(n <= NUMBERS)
    return n


def _decode_sending_n(r: Reader) -> int:
    """The number that comes next in a sending chain, and `previous`: below 2^31"""
    n = r.u32()
    r.require(n < NUMBERS)
    return n


def encode_double(d: Double) -> bytes:
    match d.turn:
        case Step(peer):
            turn = u8(0) + peer
        case Sending(secret, public, chain):
            turn = u8(1) + secret + public + chain.header_key + chain.chain + u32(chain.n)
        case Fresh(secret):
            turn = u8(2) + secret
    return (
        d.root
        + d.next_send
        + d.next_receive
        + u32(d.previous)
        + turn
        + optional(
            d.receiving, lambda c: c.dh + c.header_key + c.chain + u32(c.n) + _encode_skipped(c.skipped)
        )
        + list8(d.retired, lambda c: c.header_key + u32(c.n) + _encode_skipped(c.skipped))
    )


def decode_double(r: Reader) -> Double:
    d = Double(
        root=r.bytes(32),
        next_send=r.bytes(32),
        next_receive=r.bytes(32),
        previous=_decode_sending_n(r),
        turn=_decode_turn(r),
        receiving=r.optional(_decode_receiving),
        retired=r.list8(_decode_retired),
    )
    r.require(len(d.retired) <= RETIRED and (d.receiving is not None or not d.retired))
    chains = [*d.retired, *([d.receiving] if d.receiving else [])]
    r.require(sum(len(chain.skipped.keys) for chain in chains) <= KEPT)
    return d


def _decode_turn(r: Reader) -> Step | Sending | Fresh:
    tag = r.u8()
    r.require(tag <= 2)
    if tag == 0:
        return Step(check_x25519(r.bytes(32)))
    if tag == 1:
        return Sending(r.bytes(32), check_x25519(r.bytes(32)), SendingChain(r.bytes(32), r.bytes(32), _decode_sending_n(r)))
    return Fresh(r.bytes(32))


def _decode_receiving(r: Reader) -> ReceivingChain:
    dh, header_key, chain, n = check_x25519(r.bytes(32)), r.bytes(32), r.bytes(32), _decode_n(r)
    return ReceivingChain(dh, header_key, chain, n, _decode_skipped(r, n))


def _decode_retired(r: Reader) -> RetiredChain:
    header_key, n = r.bytes(32), _decode_n(r)
    return RetiredChain(header_key, n, _decode_skipped(r, n))


def _encode_epoch(e: EpochChains) -> bytes:
    receive = e.receive.key + u32(e.receive.n) + _encode_skipped(e.receive.skipped)
    return u32(e.epoch) + optional(e.send, lambda c: c.key + u32(c.n)) + receive


def _decode_epoch(r: Reader) -> EpochChains:
    epoch = r.u32()
    send = r.optional(lambda r: PqSending(r.bytes(32), _decode_sending_n(r)))
    key, n = r.bytes(32), _decode_n(r)
    return EpochChains(epoch, send, PqReceiving(key, n, _decode_skipped(r, n)))


def encode_sparse(s: Sparse) -> bytes:
    return s.root + _encode_epoch(s.current) + optional(s.previous, _encode_epoch)


def decode_sparse(r: Reader) -> Sparse:
    s = Sparse(r.bytes(32), _decode_epoch(r), r.optional(_decode_epoch))
    r.require(s.current.epoch < NUMBERS)
    r.require((s.previous is None) == (s.current.epoch == 0))
    r.require(s.previous is None or s.previous.epoch == s.current.epoch - 1)
    epochs = [s.current, *([s.previous] if s.previous else [])]
    r.require(sum(len(epoch.receive.skipped.keys) for epoch in epochs) <= KEPT)
    return s


def _encode_held(held: dict[int, bytes]) -> bytes:
    return list8(sorted(held.items()), lambda item: u16(item[0]) + item[1])


def _decode_held(r: Reader, k: int) -> dict[int, bytes]:
    """Indices strictly ascending, fewer than k"""
    held = r.list8(lambda r: (r.u16(), r.bytes(32)))
    r.require(len(held) < k and _ascending([index for index, _ in held]))
    return dict(held)


def encode_scka(s: Scka) -> bytes:
    match s.state:
        case Idle():
            state = u8(0)
        case SendingKey(seed, data, index):
            state = u8(1) + seed + data + u16(index)
        case ReceivingCt(seed, ek_hash, held):
            state = u8(2) + seed + ek_hash + _encode_held(held)
        case AwaitingKey(held):
            state = u8(3) + _encode_held(held)
        case KeyHeld(ek):
            state = u8(4) + ek
        case SendingCt(data, index):
            state = u8(5) + data + u16(index)
    return u32(s.epoch) + s.auth_root + s.auth_mac + state


def decode_scka(r: Reader) -> Scka:
    epoch, auth_root, auth_mac, tag = r.u32(), r.bytes(32), r.bytes(32), r.u8()
    r.require(1 <= epoch < NUMBERS and tag <= 5)
    match tag:
        case 0:
            state = Idle()
        case 1:
            state = SendingKey(r.bytes(64), r.bytes(32 * KEY_CODEWORDS), r.u16())
        case 2:
            state = ReceivingCt(r.bytes(64), r.bytes(32), _decode_held(r, CIPHERTEXT_CODEWORDS))
        case 3:
            state = AwaitingKey(_decode_held(r, KEY_CODEWORDS))
        case 4:
            state = KeyHeld(KEM768.check(r.bytes(KEM768.ek_length)))
        case 5:
            state = SendingCt(r.bytes(32 * CIPHERTEXT_CODEWORDS), r.u16())
    return Scka(epoch, auth_root, auth_mac, state)


# 8.3 Account


def _encode_secret(p: PrekeySecret) -> bytes:
    return u32(p.id) + p.x25519 + p.kem_seed + p.leaf


def _decode_secret(r: Reader) -> PrekeySecret:
    return PrekeySecret(r.u32(), r.bytes(32), r.bytes(64), r.bytes(32))


def _encode_publication(p: PublicationState) -> bytes:
    return (
        u64(p.created)
        + u64(p.not_after)
        + u16(p.count)
        + p.manifest_hash
        + _encode_secret(p.signed)
        + list16(p.onetime, _encode_secret)
        + list16(p.replay, bytes)
    )


def _decode_publication(r: Reader) -> PublicationState:
    p = PublicationState(
        created=r.u64(),
        not_after=r.u64(),
        count=r.u16(),
        manifest_hash=r.bytes(32),
        signed=_decode_secret(r),
        onetime=r.list16(_decode_secret),
        replay=r.list16(lambda r: r.bytes(32)),
    )
    ids = [prekey.id for prekey in p.onetime]
    r.require(1 <= p.count <= 1024 and p.signed.id + p.count < 2**32)
    r.require(_ascending(ids) and all(p.signed.id < id <= p.signed.id + p.count for id in ids))
    r.require(_ascending(p.replay) and len(p.replay) <= REPLAY)
    return p


def encode_account(a: AccountState) -> bytes:
    match a.signer:
        case IdentitySecret(ed25519_seed, mldsa_seed):
            signer = u8(0) + ed25519_seed + mldsa_seed
        case IdentityKey():
            signer = u8(1) + a.signer.encode()
    return (
        u8(VERSION)
        + u8(ACCOUNT)
        + u64(a.generation)
        + signer
        + opaque8(a.subject)
        + u32(a.next_id)
        + u64(a.manifest_generation)
        + list8(a.publications, _encode_publication)
        + list32(sorted(a.seen.items()), lambda item: item[0] + u64(item[1]))
    )


def decode_account(data: bytes) -> AccountState:
    def account(r: Reader) -> AccountState:
        r.version()
        r.require(r.u8() == ACCOUNT)
        generation, tag = r.u64(), r.u8()
        r.require(tag <= 1)
        signer = IdentitySecret(r.bytes(32), r.bytes(32)) if tag == 0 else IdentityKey.decode(r)
        subject, next_id, manifest_generation = r.opaque8(), r.u32(), r.u64()
        publications = r.list8(_decode_publication)
        seen = r.list32(lambda r: (r.bytes(32), r.u64()))
        r.require(len(publications) <= PUBLICATIONS)
        ends = [0, *(p.signed.id + p.count for p in publications)]
        r.require(all(end < p.signed.id for end, p in zip(ends[1:], publications[1:])) and ends[-1] < next_id)
        r.require(len(seen) <= SEEN and _ascending([identity_id for identity_id, _ in seen]))
        return AccountState(
            generation, signer, subject, next_id, manifest_generation, publications, dict(seen)
        )

    return decode_all(data, account)
