"""Section 8.1: fingerprint and sealing, of every kind of state."""

from collections.abc import Callable
from dataclasses import dataclass

from .draws import Draws
from .errors import Malformed, Rollback
from .notation import PRF, VERSION, H, Reader, u8, u64
from .primitives import open_, seal
from .state_account import ACCOUNT, decode_account, encode_account
from .state_contact import CONTACT, decode_contact, encode_contact
from .state_session import SESSION, decode_session, encode_session


@dataclass(frozen=True)
class Kind:
    encode: Callable
    decode: Callable


KINDS = {
    SESSION: Kind(encode_session, decode_session),
    ACCOUNT: Kind(encode_account, decode_account),
    CONTACT: Kind(encode_contact, decode_contact),
}


def fingerprint(state: bytes) -> bytes:
    """fingerprint = H("fingerprint"; state)"""
    return H("fingerprint", state)


def _state_key(application_key: bytes, salt: bytes) -> bytes:
    """key = PRF("state key", 32; application key[32], salt)"""
    return PRF("state key", 32, application_key, salt)


def export_blob(kind: int, state, application_key: bytes, draws: Draws) -> bytes:
    return seal_blob(kind, state.generation, KINDS[kind].encode(state), application_key, draws)


def seal_blob(kind: int, generation: int, state: bytes, application_key: bytes, draws: Draws) -> bytes:
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
    opened = open_(_state_key(application_key, salt), bytes(12), blob[:42], r.rest())
    if generation < minimum:
        raise Rollback
    decoded = KINDS[kind].decode(opened)
    if decoded.generation != generation:
        raise Malformed
    return decoded
