"""Section 8.2: the encoding of a session."""

from .double import RETIRED, Double, Fresh, ReceivingChain, RetiredChain, Sending, SendingChain, Step
from .handshake import MAX_SLOTS, FirstFlight
from .notation import (
    VERSION,
    Reader,
    ascending,
    decode_all,
    list8,
    list16,
    opaque8,
    opaque16,
    optional,
    u8,
    u16,
    u32,
    u64,
)
from .primitives import KEM768, check_x25519
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

SESSION = 1  # kind


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
    return decode_all(data, read_session)


def read_session(r: Reader) -> SessionState:
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
        used_onetime=r.bool(),
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


def _check_epochs(r: Reader, s: SessionState) -> None:
    """What 5.3 and 6 imply: the sending chain of the SCKA's epoch is there; only SendingCt has given out its own epoch."""
    ahead = isinstance(s.scka.state, SendingCt)
    r.require(s.scka.epoch == s.sparse.current.epoch + (0 if ahead else 1))
    r.require((s.sparse.previous if ahead else s.sparse.current).send is not None)


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
    r.require(s.floor <= n and ascending(numbers) and all(s.floor <= number < n for number in numbers))
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
    r.require(len(held) < k and ascending([index for index, _ in held]))
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
