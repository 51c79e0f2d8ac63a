"""Section 1.1, 1.3: encoding, labels, and the functions that take a label."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar

from .errors import Limit, Malformed, Version

T = TypeVar("T")

VERSION = 1  # M-EN-03


# 1.1 Bytes


def u8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def opaque8(data: bytes) -> bytes:
    """opaque x<0..255>"""
    if len(data) > 255:
        raise Limit
    return u8(len(data)) + data


def opaque16(data: bytes) -> bytes:
    """opaque x<0..65535>"""
    if len(data) > 65535:
        raise Limit
    return u16(len(data)) + data


def optional(value: T | None, encode: Callable[[T], bytes]) -> bytes:
    """optional<T>: the byte 0, or the byte 1 followed by T"""
    return u8(0) if value is None else u8(1) + encode(value)


def list8(values: Sequence[T], encode: Callable[[T], bytes]) -> bytes:
    return u8(len(values)) + b"".join(map(encode, values))


def list16(values: Sequence[T], encode: Callable[[T], bytes]) -> bytes:
    return u16(len(values)) + b"".join(map(encode, values))


def list32(values: Sequence[T], encode: Callable[[T], bytes]) -> bytes:
    return u32(len(values)) + b"".join(map(encode, values))


class Reader:
    """A strict decoder (M-EN-01, M-EN-02): everything that does not fit is Malformed."""

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    @property
    def at(self) -> int:
        return self._at

    def bytes(self, length: int) -> bytes:
        if len(self._data) - self._at < length:
            raise Malformed
        self._at += length
        return self._data[self._at - length : self._at]

    def _number(self, width: int) -> int:
        return int.from_bytes(self.bytes(width), "big")

    def u8(self) -> int:
        return self._number(1)

    def u16(self) -> int:
        return self._number(2)

    def u32(self) -> int:
        return self._number(4)

    def u64(self) -> int:
        return self._number(8)

    def opaque8(self) -> bytes:
        return self.bytes(self.u8())

    def opaque16(self) -> bytes:
        return self.bytes(self.u16())

    def optional(self, decode: Callable[["Reader"], T]) -> T | None:
        tag = self.u8()
        if tag > 1:
            raise Malformed
        return decode(self) if tag == 1 else None

    def bool(self) -> bool:
        value = self.u8()
        self.require(value <= 1)
        return value == 1

    def list8(self, decode: Callable[["Reader"], T]) -> tuple[T, ...]:
        return tuple(decode(self) for _ in range(self.u8()))

    def list16(self, decode: Callable[["Reader"], T]) -> tuple[T, ...]:
        return tuple(decode(self) for _ in range(self.u16()))

    def list32(self, decode: Callable[["Reader"], T]) -> tuple[T, ...]:
        return tuple(decode(self) for _ in range(self.u32()))

    def version(self) -> None:
        """M-EN-03, at the start of whatever carries a version."""
        if self.u8() != VERSION:
            raise Version

    def require(self, condition: bool) -> None:
        if not condition:
            raise Malformed

    def rest(self) -> bytes:
        return self.bytes(len(self._data) - self._at)

    def end(self) -> None:
        self.require(self._at == len(self._data))


def ascending(values: Sequence) -> bool:
    """Strictly"""
    return all(a < b for a, b in zip(values, values[1:]))


def decode_all(data: bytes, decode: Callable[[Reader], T]) -> T:
    """Decodes the whole of data; bytes left over are Malformed (M-EN-01)."""
    reader = Reader(data)
    value = decode(reader)
    reader.end()
    return value


# 1.3 Labels and hashing

LABELS = frozenset({
    "identity",
    "hybrid ed25519+ml-dsa-65",
    "sign manifest",
    "sign initiator",
    "safety number",
    "kem key",
    "prekey",
    "node",
    "manifest",
    "handshake",
    "initiator key",
    "claim",
    "sealed",
    "transcript",
    "session",
    "first flight",
    "dh root",
    "dh chain",
    "pq start",
    "pq root",
    "pq chain",
    "message",
    "encapsulate",
    "epoch key",
    "authenticator",
    "mac key",
    "mac ciphertext",
    "exporter",
    "export context",
    "state key",
    "fingerprint",
})  # fmt: skip


def frame(name: str) -> bytes:
    """frame(name) = uint8(length of label) ‖ label, where label = "marline/1 " ‖ name"""
    assert name in LABELS, name
    label = b"marline/1 " + name.encode("ascii")
    return u8(len(label)) + label


def H(name: str, *fields: bytes) -> bytes:
    """H(name; f1, ..., fn) = SHA3-256(frame(name) ‖ uint32(len f1) ‖ f1 ‖ ... ‖ uint32(len fn) ‖ fn)"""
    framed = b"".join(u32(len(field)) + field for field in fields)
    return hashlib.sha3_256(frame(name) + framed).digest()


def PRF(name: str, length: int, key: bytes, *inputs: bytes) -> bytes:
    """PRF(name, L; k, x1, ...) = first L bytes of SHAKE256(frame(name) ‖ k ‖ x1 ‖ ...)"""
    return hashlib.shake_256(frame(name) + key + b"".join(inputs)).digest(length)


def EXTRACT(salt: bytes, ikm: bytes) -> bytes:
    """EXTRACT(salt, ikm) = HKDF-Extract of RFC 5869 with HMAC-SHA3-256 (1.2)"""
    return hmac.digest(salt, ikm, "sha3_256")


def EXPAND(prk: bytes, name: str, context: bytes, length: int) -> bytes:
    """EXPAND(prk, name, c, L) = HKDF-Expand(prk, frame(name) ‖ c, L)"""
    return _hkdf_expand(prk, frame(name) + context, length)


def _hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand of RFC 5869 section 2.3: T(i) = HMAC(prk, T(i-1) ‖ info ‖ uint8(i))"""
    assert length <= 255 * 32
    output = block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(prk, block + info + u8(counter), "sha3_256")
        output += block
    return output[:length]


def split32(data: bytes) -> list[bytes]:
    """a ‖ b ‖ ... of 32 bytes each"""
    assert len(data) % 32 == 0
    return [data[at : at + 32] for at in range(0, len(data), 32)]
