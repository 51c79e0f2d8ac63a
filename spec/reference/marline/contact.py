"""Section 10: contacts. Everything a device holds about one peer device: its identity, and all sessions with it."""

from dataclasses import dataclass, replace

from . import account, session
from .account import AccountState
from .draws import Draws
from .errors import AgreementFailed, Authentication, IdentityChanged, Limit, Malformed, NoSession
from .handshake import split_initial_message
from .message import INITIAL, Padding
from .notation import VERSION, Reader, decode_all, u8, u64
from .session import Accepted, Peer, SessionState, Unanswered

DAY = 86400
RESET_PAUSE = 3600  # M-CT-06
RANK_AHEAD = 28 * DAY  # M-CT-02
OTHERS = 8  # M-CT-05


# 10.1 Frames


@dataclass(frozen=True)
class Data:
    """struct { uint8 kind = 0; opaque payload[rest]; } Data"""

    payload: bytes

    def encode(self) -> bytes:
        return u8(0) + self.payload


@dataclass(frozen=True)
class Opening:
    """struct { uint8 kind = 1; uint64 rank; opaque payload[rest]; } Opening"""

    rank: int
    payload: bytes

    def encode(self) -> bytes:
        return u8(1) + u64(self.rank) + self.payload


@dataclass(frozen=True)
class Reset:
    """struct { uint8 kind = 2; uint64 rank; } Reset"""

    rank: int

    def encode(self) -> bytes:
        return u8(2) + u64(self.rank)


Frame = Data | Opening | Reset


def decode_frame(plaintext: bytes) -> Frame | None:
    """None: another form (M-CT-02)"""

    def frame(r: Reader) -> Frame:
        kind = r.u8()
        r.require(kind <= 2)
        match kind:
            case 0:
                return Data(r.rest())
            case 1:
                return Opening(r.u64(), r.rest())
            case _:
                return Reset(r.u64())

    try:
        return decode_all(plaintext, frame)
    except Malformed:
        return None


# 10.4 State


@dataclass(frozen=True)
class Ranked:
    rank: int
    session: SessionState

    @property
    def order(self) -> tuple[int, bytes]:
        """M-CT-03: the higher rank first, of equal ranks the lower session_id"""
        return -self.rank, self.session.session_id


@dataclass(frozen=True)
class ContactState:
    generation: int
    identity: bytes
    changed: bytes | None
    verified: bool
    last_reset: int  # Unix seconds; 0: never
    sessions: tuple[Ranked, ...]  # in the order of M-CT-03


def create(identity: bytes) -> ContactState:
    return ContactState(0, identity, None, False, 0, ())


# 10.2 Which session sends


def sending(c: ContactState) -> Ranked | None:
    """M-CT-03: the first session in the order whose peer is the contact's identity"""
    return next((r for r in c.sessions if r.session.peer.identity_id == c.identity), None)


def next_rank(c: ContactState, now: int) -> int:
    """max(now, 1 + the highest rank in the contact); not above 2^64 − 1"""
    rank = max([now, *(1 + r.rank for r in c.sessions)])
    if rank >= 2**64:
        raise Limit
    return rank


def join(c: ContactState, new: Ranked) -> tuple[ContactState, tuple[bytes, ...]]:
    """The contact with one session more, and the session_ids of those that went for it (M-CT-05)"""
    sessions = sorted((*c.sessions, new), key=lambda r: r.order)
    c = replace(c, sessions=tuple(sessions))
    if len(c.sessions) <= OTHERS + 1:
        return c, ()
    gone = [r for r in c.sessions if r is not sending(c)][-1]
    return replace(c, sessions=tuple(r for r in c.sessions if r is not gone)), (gone.session.session_id,)


def initiate(
    a: AccountState,
    c: ContactState,
    bundle: bytes,
    slots: int,
    payload: bytes | None,
    ad: bytes,
    padding: Padding,
    now: int,
    draws: Draws,
) -> tuple[AccountState, ContactState, bytes, tuple[bytes, ...]]:
    """A new session and its first message: an Opening, or without a payload a Reset (M-CT-06)"""
    if c.changed is not None:  # M-CT-07
        raise IdentityChanged
    is_reset = payload is None or sending(c) is not None
    if is_reset and c.last_reset != 0 and abs(now - c.last_reset) < RESET_PAUSE:
        raise Limit
    rank = next_rank(c, now)
    shown = account.verify_bundle(a, bundle, now).manifest.manifest.identity.id
    if shown != c.identity:
        raise IdentityChanged  # the caller tells the application: see show
    a, created = account.initiate(a, bundle, slots, now, draws)
    frame = Reset(rank) if payload is None else Opening(rank, payload)
    created, message = session.send(created, frame.encode(), ad, padding, draws)
    c, gone = join(replace(c, last_reset=now if is_reset else c.last_reset), Ranked(rank, created))
    return a, _grown(c), message, gone


def send(c: ContactState, payload: bytes, ad: bytes, padding: Padding, draws: Draws) -> tuple[ContactState, bytes]:
    """On the session that sends (M-CT-03)"""
    if c.changed is not None:  # M-CT-07
        raise IdentityChanged
    on = sending(c)
    if on is None:
        raise NoSession
    carries_flight = isinstance(on.session.opening, Unanswered)  # M-CT-01
    frame = Opening(on.rank, payload) if carries_flight else Data(payload)
    after, message = session.send(on.session, frame.encode(), ad, padding, draws)
    return _grown(_with(c, on, after)), message


def _grown(c: ContactState) -> ContactState:
    return replace(c, generation=c.generation + 1)


def _with(c: ContactState, old: Ranked, after: SessionState) -> ContactState:
    """The contact with one session in its next state"""
    return replace(c, sessions=tuple(replace(r, session=after) if r is old else r for r in c.sessions))


# 10.3 Receiving


@dataclass(frozen=True)
class Received:
    """From whom, in which session, and what: a Data or Opening's payload, a Reset (None), or Unreadable (M-CT-02)"""

    peer: Peer
    session_id: bytes
    payload: bytes | None
    unreadable: bool = False


def receive(c: ContactState, data: bytes, ad: bytes) -> tuple[ContactState, Received | None]:
    """The contact after a message, and what it held: None when the agreement has failed (M-RX-08)"""
    for ranked in _candidates(c, data):
        try:
            after, plaintext = session.receive(ranked.session, data, ad)
        except (Authentication, Malformed):
            continue
        c = _grown(_with(c, ranked, after))
        return c, None if plaintext is None else _read(ranked, after, plaintext)
    on = sending(c)
    if on is not None and on.session.status == session.FAILED:
        raise AgreementFailed
    raise Authentication


def _candidates(c: ContactState, data: bytes) -> list[Ranked]:
    """The sessions to try: of an InitialMessage the one that its EK names, else all that have not failed"""
    if data[:2] == u8(VERSION) + u8(INITIAL):
        flight, _ = split_initial_message(data)
        named = [r for r in c.sessions if _accepted_ephemeral(r.session) == flight.ephemeral]
        if not named:
            raise NoSession
        return named
    return [r for r in c.sessions if r.session.status != session.FAILED]


def _accepted_ephemeral(s: SessionState) -> bytes | None:
    return s.opening.ephemeral if isinstance(s.opening, Accepted) else None


def _read(ranked: Ranked, s: SessionState, plaintext: bytes) -> Received:
    frame = decode_frame(plaintext)
    received = Received(s.peer, s.session_id, None)
    match frame:
        case Data(payload):
            return replace(received, payload=payload)
        case Opening(ranked.rank, payload):
            return replace(received, payload=payload)
        case Reset(ranked.rank):
            return received
    return replace(received, unreadable=True)


def accept(
    a: AccountState, c: ContactState | None, data: bytes, ad: bytes, now: int
) -> tuple[AccountState, ContactState, Received, tuple[bytes, ...]]:
    """An InitialMessage of no session here (4.3); the session joins the contact of its peer"""
    a, created, plaintext = account.accept(a, data, ad, now)
    peer = created.peer
    if c is None:
        c = create(peer.identity_id)
    elif peer.identity_id not in (c.identity, c.changed):
        raise IdentityChanged
    frame = decode_frame(plaintext)
    received = Received(peer, created.session_id, None)
    if not isinstance(frame, (Opening, Reset)) or frame.rank > now + RANK_AHEAD:
        return a, c, replace(received, unreadable=True), ()
    if isinstance(frame, Opening):
        received = replace(received, payload=frame.payload)
    c, gone = join(c, Ranked(frame.rank, created))
    return a, _grown(c), received, gone


# 10.3 Identity (M-CT-07)


def show(c: ContactState, identity: bytes) -> ContactState:
    """The peer shows an identity; another one awaits the user's decision"""
    return c if identity == c.identity else _grown(replace(c, changed=identity))


def take_over(c: ContactState, other: ContactState) -> tuple[ContactState, tuple[bytes, ...]]:
    """The application takes the peer of another contact to be this one: its sessions come here"""
    c = show(c, other.identity)
    gone: tuple[bytes, ...] = ()
    for ranked in other.sessions:
        c, went = join(c, ranked)
        gone += went
    return c, gone


def accept_identity(c: ContactState) -> ContactState:
    """The new identity is not verified, and sessions with the former one only receive."""
    if c.changed is None:
        return c
    return _grown(replace(c, identity=c.changed, changed=None, verified=False))


def refuse_identity(c: ContactState) -> ContactState:
    """The sessions with the new identity are deleted."""
    if c.changed is None:
        return c
    kept = tuple(r for r in c.sessions if r.session.peer.identity_id != c.changed)
    return _grown(replace(c, changed=None, sessions=kept))
