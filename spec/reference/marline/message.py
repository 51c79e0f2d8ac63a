"""Section 5.4: header, message, padding."""

from dataclasses import dataclass

from .errors import Authentication, Limit
from .notation import PRF, VERSION, Reader, decode_all, u8, u16, u32
from .primitives import TAG, check_x25519, open_, seal
from .skipped import NUMBERS

INITIAL, MESSAGE = 1, 2  # type
NONE, KEY, CIPHERTEXT = 0, 1, 2  # kind

MAX_PLAINTEXT = 16_777_216  # M-MS-02
MAX_PADDED = 33_554_432


@dataclass(frozen=True)
class Header:
    dh: bytes
    pn: int
    n: int
    pq_n: int
    epoch: int
    kind: int
    index: int
    codewords: bytes

    def encode(self) -> bytes:
        numbers = u32(self.pn) + u32(self.n) + u32(self.pq_n) + u32(self.epoch)
        return self.dh + numbers + u8(self.kind) + u16(self.index) + self.codewords

    @staticmethod
    def decode(data: bytes, slots: int) -> "Header":
        """M-RX-03: dh by M-PR-01, numbers by M-DR-08, kind at most 2, the zero rule for kind 0; else Malformed"""

        def header(r: Reader) -> Header:
            h = Header(
                dh=check_x25519(r.bytes(32)),
                pn=r.u32(),
                n=r.u32(),
                pq_n=r.u32(),
                epoch=r.u32(),
                kind=r.u8(),
                index=r.u16(),
                codewords=r.bytes(32 * slots),
            )
            r.require(max(h.pn, h.n, h.pq_n, h.epoch) < NUMBERS)
            r.require(h.epoch != 0)  # M-SP-04
            r.require(h.kind <= CIPHERTEXT)
            r.require(h.kind != NONE or (h.index == 0 and not any(h.codewords)))
            return h

        return decode_all(data, header)


def header_ct_length(slots: int) -> int:
    """51 + 32 slots, and the tag"""
    return 67 + 32 * slots


@dataclass(frozen=True)
class Message:
    """struct { uint8 version = 1; uint8 type = 2; opaque nonce[12]; header_ct[67 + 32 * slots]; body_ct[rest]; }"""

    nonce: bytes
    header_ct: bytes
    body_ct: bytes

    def before_body(self) -> bytes:
        return u8(VERSION) + u8(MESSAGE) + self.nonce + self.header_ct

    def encode(self) -> bytes:
        return self.before_body() + self.body_ct

    @staticmethod
    def decode(data: bytes, slots: int) -> "Message":
        """M-RX-01: version, type, length at least 14 + 67 + 32 slots + 17 and at most M-MS-02"""
        r = Reader(data)
        r.version()
        r.require(r.u8() == MESSAGE)
        fixed = 14 + header_ct_length(slots) + TAG
        r.require(fixed + 1 <= len(data) <= fixed + MAX_PADDED)
        return Message(r.bytes(12), r.bytes(header_ct_length(slots)), r.rest())


def seal_header(key: bytes, nonce: bytes, session_id: bytes, header: Header) -> bytes:
    """header_ct = AEAD(header key, nonce, AD = version ‖ type ‖ session_id, Header)"""
    return seal(key, nonce, u8(VERSION) + u8(MESSAGE) + session_id, header.encode())


def open_header(key: bytes, nonce: bytes, session_id: bytes, header_ct: bytes) -> bytes:
    return open_(key, nonce, u8(VERSION) + u8(MESSAGE) + session_id, header_ct)


def message_key(pq_mk: bytes, ec_mk: bytes, session_id: bytes, direction: int) -> bytes:
    """mk = PRF("message", 32; pq_mk, ec_mk, session_id, direction)"""
    return PRF("message", 32, pq_mk, ec_mk, session_id, u8(direction))


def body_ad(before_body: bytes, th: bytes, direction: int, ad: bytes) -> bytes:
    """AD = every byte of the Message before body_ct ‖ th ‖ direction ‖ application AD"""
    return before_body + th + u8(direction) + ad


# Padding


@dataclass(frozen=True)
class NoPadding:
    """None: L"""

    def length(self, l: int) -> int:
        return l


@dataclass(frozen=True)
class Block:
    """Block(n), 0 <= n <= 65535: L rounded up to a multiple of n (0 counts as 1)"""

    n: int

    def length(self, l: int) -> int:
        if not 0 <= self.n <= 65535:
            raise Limit
        n = max(1, self.n)
        return -(-l // n) * n


@dataclass(frozen=True)
class Padme:
    """L' = max(L, floor), E = floor(log2 L'), S = floor(log2 E) + 1; L' rounded up to a multiple of 2^(E−S)"""

    floor: int = 64

    def length(self, l: int) -> int:
        l = max(l, self.floor)
        if l < 2:
            return l
        e = l.bit_length() - 1
        s = e.bit_length()  # floor(log2 E) + 1
        unit = 1 << (e - s)
        return -(-l // unit) * unit


Padding = NoPadding | Block | Padme


def pad(plaintext: bytes, padding: Padding) -> bytes:
    """plaintext ‖ 0x80 ‖ zeros; with L = length of plaintext + 1"""
    if len(plaintext) > MAX_PLAINTEXT:  # M-MS-02
        raise Limit
    length = padding.length(len(plaintext) + 1)
    if length > MAX_PADDED:
        raise Limit
    return (plaintext + b"\x80").ljust(length, b"\0")


def unpad(padded: bytes) -> bytes:
    """M-MS-04: ends before the last 0x80 that only zeros follow; without one Authentication. (Constant time is not shown here.)"""
    stripped = padded.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise Authentication
    return stripped[:-1]
