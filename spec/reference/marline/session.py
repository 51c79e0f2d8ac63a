"""Section 5: the conversation. Creating a session, sending (5.5), receiving (5.6), the exporter (5.7)."""

from dataclasses import dataclass, replace

from . import double, message, scka, skipped, sparse
from .draws import Draws
from .errors import AgreementFailed, Authentication, Limit
from .handshake import FirstFlight, SessionKeys, split_initial_message
from .message import Header, Message, Padding, Padme
from .notation import EXPAND, H, Reader
from .sparse import INITIATOR, RESPONDER

ACTIVE, FAILED = 0, 1  # status


@dataclass(frozen=True)
class Unanswered:
    """Opening of an initiator that has accepted no message yet (M-HS-03)."""

    flight: FirstFlight


@dataclass(frozen=True)
class Accepted:
    """Opening of a responder (4.3): EK and H("first flight"; FirstFlight)"""

    ephemeral: bytes
    flight_hash: bytes


@dataclass(frozen=True)
class Peer:
    """The authenticated peer (M-ID-03)."""

    identity_id: bytes
    subject: bytes


@dataclass(frozen=True)
class SessionState:
    """5.1 and 8.2"""

    generation: int
    role: int
    slots: int
    status: int
    own_id: bytes
    peer: Peer
    session_id: bytes
    th: bytes
    exporter_secret: bytes
    used_onetime: bool
    since_epoch: int
    opening: Unanswered | Accepted | None
    double: double.Double
    sparse: sparse.Sparse
    scka: scka.Scka

    @property
    def sending_direction(self) -> int:
        """The byte 0 for messages from the initiator to the responder and 1 for the others (5.1)"""
        return 0 if self.role == INITIATOR else 1


# Creating


def _create(role: int, own_id: bytes, peer: Peer, flight: FirstFlight, keys: SessionKeys, opening, ratchet) -> SessionState:
    pq, auth_root, auth_mac = sparse.start(role, keys.sk_pq, keys.th)
    return SessionState(
        generation=0,
        role=role,
        slots=flight.slots,
        status=ACTIVE,
        own_id=own_id,
        peer=peer,
        session_id=keys.session_id,
        th=keys.th,
        exporter_secret=keys.exporter_secret,
        used_onetime=flight.prekeys.onetime_id is not None,
        since_epoch=0,
        opening=opening,
        double=ratchet,
        sparse=pq,
        scka=scka.start(role, auth_root, auth_mac),
    )


def initiator(own_id: bytes, peer: Peer, flight: FirstFlight, keys: SessionKeys, signed_x25519: bytes) -> SessionState:
    ratchet = double.initiator(signed_x25519, keys.sk_ec, keys.hk_i2r, keys.hk_r2i)
    return _create(INITIATOR, own_id, peer, flight, keys, Unanswered(flight), ratchet)


def responder(own_id: bytes, peer: Peer, flight: FirstFlight, keys: SessionKeys, signed_secret: bytes) -> SessionState:
    ratchet = double.responder(signed_secret, keys.sk_ec, keys.hk_i2r, keys.hk_r2i)
    return _create(RESPONDER, own_id, peer, flight, keys, Accepted(flight.ephemeral, flight.hash), ratchet)


# 5.5 Sending


def send(s: SessionState, plaintext: bytes, ad: bytes, padding: Padding, draws: Draws) -> tuple[SessionState, bytes]:
    """The state after the message, and the message: an InitialMessage while the first flight is unanswered"""
    # 1
    if s.status == FAILED:
        raise AgreementFailed
    padded = message.pad(plaintext, padding)
    double.check_send(s.double)
    sparse.check_send(s.sparse, s.scka.epoch - 1)
    nonce = draws.take(12)
    ratchet_secret = draws.take(32) if isinstance(s.double.turn, double.Step) else None
    drawn = scka.draw(s.scka, draws)
    # 2
    d = s.double
    if ratchet_secret is not None:
        d = double.sending_step(d, ratchet_secret, s.session_id)
    # 3
    agreement, part, epoch_key = scka.send(s.scka, s.session_id, s.slots, drawn)
    pq = s.sparse if epoch_key is None else sparse.add_epoch(s.sparse, s.role, *epoch_key)
    # 4
    turn = d.turn
    d, ec_mk = double.send(d)
    pq, pq_n, pq_mk = sparse.send(pq, part.epoch - 1)
    header = Header(turn.public, d.previous, turn.chain.n, pq_n, part.epoch, part.kind, part.index, part.codewords)
    header_ct = message.seal_header(turn.chain.header_key, nonce, s.session_id, header)
    result = Message(nonce, header_ct, b"")
    mk = message.message_key(pq_mk, ec_mk, s.session_id, s.sending_direction)
    body_ad = message.body_ad(result.before_body(), s.th, s.sending_direction, ad)
    result = replace(result, body_ct=message.seal(mk, nonce, body_ad, padded))

    prefix = s.opening.flight.encode() if isinstance(s.opening, Unanswered) else b""  # M-HS-03
    s = replace(
        s,
        generation=s.generation + 1,
        since_epoch=_one_more(0 if epoch_key else s.since_epoch),
        double=d,
        sparse=pq,
        scka=agreement,
    )
    return s, prefix + result.encode()


def _one_more(since_epoch: int) -> int:
    """8.2: saturating; a message sent counts after the reset by an epoch key, a message received before it"""
    return min(since_epoch + 1, 2**32 - 1)


# 5.6 Receiving


def receive(s: SessionState, data: bytes, ad: bytes) -> tuple[SessionState, bytes | None]:
    """The state after the message, and the plaintext: None when the agreement has failed (M-RX-08)."""
    if s.status == FAILED:  # M-RX-01
        raise AgreementFailed
    return receive_message(s, _inner_message(s, data), ad)


def _inner_message(s: SessionState, data: bytes) -> bytes:
    """4.3, last paragraph: what an InitialMessage is to an existing session"""
    r = Reader(data)
    r.version()
    if r.u8() != message.INITIAL:
        return data
    if s.role == INITIATOR:
        raise Authentication
    flight, inner = split_initial_message(data)
    if s.opening != Accepted(flight.ephemeral, flight.hash):
        raise Authentication
    return inner


def receive_message(s: SessionState, data: bytes, ad: bytes) -> tuple[SessionState, bytes | None]:
    received = Message.decode(data, s.slots)  # M-RX-01
    where, header_bytes = _open_header(s, received)  # M-RX-02
    header = Header.decode(header_bytes, s.slots)  # M-RX-03
    d, ec_mk = double.receive(s.double, where, header.dh, header.pn, header.n, s.session_id)  # M-RX-04
    pq, pq_mk = sparse.receive(s.sparse, header.epoch - 1, header.pq_n)  # M-RX-05
    direction = 1 - s.sending_direction
    mk = message.message_key(pq_mk, ec_mk, s.session_id, direction)  # M-RX-06
    body_ad = message.body_ad(received.before_body(), s.th, direction, ad)
    plaintext = message.unpad(message.open_(mk, received.nonce, body_ad, received.body_ct))

    s = replace(s, generation=s.generation + 1, double=d, sparse=pq)  # M-RX-07
    part = scka.Part(header.epoch, header.kind, header.index, header.codewords)
    try:
        agreement, epoch_key = scka.receive(s.scka, s.session_id, part)  # M-RX-08
    except AgreementFailed:
        return replace(s, status=FAILED), None
    if epoch_key is not None:
        pq = sparse.add_epoch(pq, s.role, *epoch_key)
    opening = None if isinstance(s.opening, Unanswered) else s.opening  # M-HS-03
    since_epoch = 0 if epoch_key else _one_more(s.since_epoch)
    return replace(s, opening=opening, since_epoch=since_epoch, sparse=pq, scka=agreement), plaintext


def _open_header(s: SessionState, received: Message) -> tuple[str | int, bytes]:
    for where, key in double.header_keys(s.double):
        try:
            return where, message.open_header(key, received.nonce, s.session_id, received.header_ct)
        except Authentication:
            continue
    raise Authentication


# 7 Age


def maintain(s: SessionState, now: int) -> SessionState:
    today = skipped.day(now)

    def age(chains):
        return [chain.age(today) for chain in chains]

    return replace(
        s,
        generation=s.generation + 1,
        double=double.map_skipped(s.double, age),
        sparse=sparse.map_skipped(s.sparse, age),
    )


# 5.7 Exporter


def export_secret(s: SessionState, label: bytes, context: bytes, length: int) -> bytes:
    """export(label, context, L) = EXPAND(exporter_secret, "exporter", H("export context"; label, context), L)"""
    if not 1 <= length <= 8160:
        raise Limit
    return EXPAND(s.exporter_secret, "exporter", H("export context", label, context), length)


class Session:
    """A session that changes: every method works on the state aside and commits at its end."""

    def __init__(self, state: SessionState):
        self.state = state

    @property
    def peer(self) -> Peer:
        return self.state.peer

    def encrypt(self, plaintext: bytes, ad: bytes = b"", padding: Padding = Padme(64), draws: Draws = Draws()) -> bytes:
        state, data = send(self.state, plaintext, ad, padding, draws)
        draws.finish()
        self.state = state
        return data

    def decrypt(self, data: bytes, ad: bytes = b"") -> tuple[Peer, bytes]:
        self.state, plaintext = receive(self.state, data, ad)
        if plaintext is None:
            raise AgreementFailed
        return self.peer, plaintext

    def maintain(self, now: int) -> None:
        self.state = maintain(self.state, now)

    def export_secret(self, label: bytes, context: bytes, length: int) -> bytes:
        return export_secret(self.state, label, context, length)
