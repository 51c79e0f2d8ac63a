"""Section 10: contacts. Everything a device holds about one peer device: its identity, and all sessions with it.

A step takes states and gives new ones, so one that fails has changed nothing.
"""

from dataclasses import dataclass, replace

from . import account, frame, session
from .account import DAY, AccountState
from .draws import Draws
from .errors import AgreementFailed, Authentication, IdentityChanged, Limit, MarlineError, Malformed, NoSession
from .frame import Data, Opening, Reset
from .handshake import split_initial_message
from .message import INITIAL, Padding
from .prekeys import PrekeyBundle
from .session import Accepted, Peer, SessionState, Unanswered

MAX_RANK = 2**64 - 1
KEPT = 9  # M-CT-05
RESET_PAUSE = 3600  # M-CT-06
AHEAD = 28 * DAY  # M-CT-02


@dataclass(frozen=True)
class Ranked:
    """A session and the place that its initiator gave it"""

    rank: int
    session: SessionState

    @property
    def order(self) -> tuple[int, bytes]:
        """M-CT-03: the higher rank first, of equal ranks the lower session_id first"""
        return -self.rank, self.session.session_id


@dataclass(frozen=True)
class ContactState:
    """10.4"""

    generation: int
    identity: bytes
    changed: bytes | None  # an identity that awaits the user's decision
    verified: bool
    last_reset: int  # Unix seconds; 0: never
    sessions: tuple[Ranked, ...]  # in their order


def create(identity: bytes) -> ContactState:
    return ContactState(0, identity, None, False, 0, ())


def _grown(c: ContactState, **changes) -> ContactState:
    """10.4: generation grows by one"""
    return replace(c, generation=c.generation + 1, **changes)


# 10.2 Which session sends


def sending(c: ContactState) -> Ranked | None:
    """M-CT-03: the first session in the order whose peer is the contact's identity"""
    return next((ranked for ranked in c.sessions if ranked.session.peer.identity_id == c.identity), None)


def next_rank(c: ContactState, now: int) -> int:
    """max(now, 1 + the highest rank in the contact)"""
    highest = max((ranked.rank for ranked in c.sessions), default=0)
    return max(now, min(highest + 1, MAX_RANK))


def insert(c: ContactState, new: Ranked) -> tuple[ContactState, bytes | None]:
    """The session in its place, and the session_id of the one that went (M-CT-05)"""
    c = replace(c, sessions=tuple(sorted((*c.sessions, new), key=lambda ranked: ranked.order)))
    if len(c.sessions) <= KEPT:
        return c, None
    gone = next(ranked for ranked in reversed(c.sessions) if ranked is not sending(c))
    kept = tuple(ranked for ranked in c.sessions if ranked is not gone)
    return replace(c, sessions=kept), gone.session.session_id


# 10.3 Starting, sending


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
    external: account.External | None = None,
) -> tuple[AccountState, ContactState, bytes]:
    """A new session and its first message: an Opening, or without a payload a Reset"""
    account.check_slots(slots)
    shown = PrekeyBundle.decode(bundle).manifest.manifest.identity.id
    if c.changed is not None or shown != c.identity:  # M-CT-07
        raise IdentityChanged
    is_reset = payload is None or sending(c) is not None  # M-CT-06
    if is_reset and c.last_reset != 0 and abs(now - c.last_reset) < RESET_PAUSE:
        raise Limit
    rank = next_rank(c, now)
    opening = Reset(rank) if payload is None else Opening(rank, payload)
    a, created = account.initiate(a, bundle, slots, now, draws, external)
    created, message = session.send(created, opening.encode(), ad, padding, draws)
    c, _ = insert(replace(c, last_reset=now if is_reset else c.last_reset), Ranked(rank, created))
    return a, _grown(c), message


def send(c: ContactState, payload: bytes, ad: bytes, padding: Padding, draws: Draws) -> tuple[ContactState, bytes]:
    if c.changed is not None:  # M-CT-07
        raise IdentityChanged
    if len(payload) > frame.MAX_PAYLOAD:
        raise Limit
    on = sending(c)
    if on is None:
        raise NoSession
    carries_flight = isinstance(on.session.opening, Unanswered)  # M-CT-01
    framed = Opening(on.rank, payload) if carries_flight else Data(payload)
    after, message = session.send(on.session, framed.encode(), ad, padding, draws)
    return _grown(_with(c, on, after)), message


def _with(c: ContactState, old: Ranked, after: SessionState) -> ContactState:
    """The contact with one session in its next state"""
    return replace(c, sessions=tuple(replace(r, session=after) if r is old else r for r in c.sessions))


# 10.3 Receiving

Event = tuple  # ("NewSession", session_id, sends) and so on, as in the table of 10.3


@dataclass(frozen=True)
class Received:
    peer: Peer  # the author
    payload: bytes | None  # None: a Reset, or an event says why
    trust: str
    events: tuple[Event, ...]


def trust(c: ContactState, identity: bytes) -> str:
    if identity != c.identity:
        return "other"
    return "verified" if c.verified else "unverified"


def receive(c: ContactState, data: bytes, ad: bytes) -> tuple[ContactState, Received]:
    passed_over, answers = [], set()
    for ranked in _addressed(c, data):
        if ranked.session.status == session.FAILED:
            passed_over.append(ranked)
            continue
        try:
            after, plaintext = session.receive(ranked.session, data, ad)
        except (Authentication, Malformed) as refusal:
            answers.add(type(refusal))
            continue
        c = _grown(_with(c, ranked, after))
        return c, _received(c, ranked.rank, after, plaintext)
    raise _unopened(c, passed_over, answers)


def _addressed(c: ContactState, data: bytes) -> tuple[Ranked, ...]:
    """All sessions; for an InitialMessage only the one that was accepted with its EK"""
    if data[1:2] != bytes([INITIAL]):
        return c.sessions
    flight, _ = split_initial_message(data)

    def accepted_with_it(s: SessionState) -> bool:
        return isinstance(s.opening, Accepted) and s.opening.ephemeral == flight.ephemeral

    return tuple(ranked for ranked in c.sessions if accepted_with_it(ranked.session))


def _unopened(c: ContactState, passed_over: list[Ranked], answers: set[type]) -> MarlineError:
    """The four cases of 10.3, in their order"""
    if any(ranked is sending(c) for ranked in passed_over):
        return AgreementFailed()
    for answer in (Authentication, Malformed):
        if answer in answers:
            return answer()
    return NoSession()


def _received(c: ContactState, rank: int, s: SessionState, plaintext: bytes | None) -> Received:
    """What a message to a known session says, by the form and the rank of its frame (M-CT-01, M-CT-02)"""
    nothing = Received(s.peer, None, trust(c, s.peer.identity_id), ())
    if plaintext is None:  # M-RX-08
        return replace(nothing, events=(("SessionFailed", s.session_id),))
    match frame.decode(plaintext):
        case Data(payload):
            return replace(nothing, payload=payload)
        case Opening(announced, payload) if announced == rank:
            return replace(nothing, payload=payload)
        case Reset(announced) if announced == rank:
            return replace(nothing, events=(("SessionReset", s.session_id),))
    return replace(nothing, events=(("Unreadable",),))


def accept(
    a: AccountState, c: ContactState | None, data: bytes, ad: bytes, now: int
) -> tuple[AccountState, ContactState, Received]:
    """An InitialMessage of no session here (4.3); its session joins the contact, by default a new one of its peer.

    Naming the contact of another identity says that the peer shows another identity (M-CT-07).
    """
    a, created, plaintext = account.accept(a, data, ad, now)
    c = create(created.peer.identity_id) if c is None else c
    c, received = join(c, created, plaintext, now)
    return a, c, received


def join(c: ContactState, created: SessionState, plaintext: bytes, now: int) -> tuple[ContactState, Received]:
    peer, first, latest = created.peer, frame.decode(plaintext), min(now + AHEAD, MAX_RANK)
    held = {ranked.session.session_id: ranked.rank for ranked in c.sessions}
    if (
        not isinstance(first, Opening | Reset)
        or first.rank > latest
        or held.get(created.session_id, first.rank) != first.rank
    ):  # M-CT-02
        return _grown(c), Received(peer, None, trust(c, peer.identity_id), (("Unreadable",),))
    c, events = show(c, peer.identity_id)
    c, gone = (c, None) if created.session_id in held else insert(c, Ranked(first.rank, created))
    on = sending(c)
    events += (("NewSession", created.session_id, on is not None and on.session.session_id == created.session_id),)
    if isinstance(first, Reset):
        events += (("SessionReset", created.session_id),)
    if gone is not None:
        events += (("SessionEvicted", gone),)
    payload = first.payload if isinstance(first, Opening) else None
    return _grown(c), Received(peer, payload, trust(c, peer.identity_id), events)


# 10.3 Identity (M-CT-07)


def show(c: ContactState, identity: bytes) -> tuple[ContactState, tuple[Event, ...]]:
    """An identity that is shown; another than the contact's awaits the user's decision"""
    if identity == c.identity:
        return c, ()
    if identity != c.changed:
        c = _grown(c, changed=identity)
    return c, (("IdentityChanged", c.identity, identity),)


def accept_identity(c: ContactState, identity: bytes) -> ContactState:
    if identity != c.changed:
        raise IdentityChanged
    return _grown(c, identity=identity, changed=None, verified=False)


def refuse_identity(c: ContactState) -> ContactState:
    if c.changed is None:
        return c
    kept = tuple(ranked for ranked in c.sessions if ranked.session.peer.identity_id != c.changed)
    return _grown(c, changed=None, sessions=kept)


def set_verified(c: ContactState, identity: bytes, verified: bool) -> ContactState:
    if identity != c.identity:
        raise IdentityChanged
    return _grown(c, verified=verified)


# 10.4, with 7


def maintain(c: ContactState, now: int) -> ContactState:
    return _grown(c, sessions=tuple(replace(r, session=session.maintain(r.session, now)) for r in c.sessions))
