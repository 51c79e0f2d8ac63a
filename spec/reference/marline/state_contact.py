"""Section 10.4: the encoding of a contact."""

from .contact import KEPT, ContactState, Ranked
from .notation import VERSION, Reader, ascending, decode_all, list8, optional, u8, u64
from .state_session import encode_session, read_session

CONTACT = 3  # kind


def encode_contact(c: ContactState) -> bytes:
    return (
        u8(VERSION)
        + u8(CONTACT)
        + u64(c.generation)
        + c.identity
        + optional(c.changed, bytes)
        + u8(c.verified)
        + u64(c.last_reset)
        + list8(c.sessions, lambda ranked: u64(ranked.rank) + encode_session(ranked.session))
    )


def decode_contact(data: bytes) -> ContactState:
    """M-CT-08"""
    return decode_all(data, _read_contact)


def _read_contact(r: Reader) -> ContactState:
    r.version()
    r.require(r.u8() == CONTACT)
    c = ContactState(
        generation=r.u64(),
        identity=r.bytes(32),
        changed=r.optional(lambda r: r.bytes(32)),
        verified=r.bool(),
        last_reset=r.u64(),
        sessions=r.list8(lambda r: Ranked(r.u64(), read_session(r))),
    )
    r.require(len(c.sessions) <= KEPT and ascending([ranked.order for ranked in c.sessions]))
    r.require(c.changed != c.identity)
    return c
