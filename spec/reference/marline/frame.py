"""Section 10.1: what a contact puts before the application's bytes, inside the encryption."""

from dataclasses import dataclass

from .errors import Malformed
from .message import MAX_PLAINTEXT
from .notation import Reader, decode_all, u8, u64

MAX_PAYLOAD = MAX_PLAINTEXT - 9  # 16 MiB less the longest frame


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


def decode(plaintext: bytes) -> Frame | None:
    """None for another form: that is no error but Unreadable (M-CT-02)"""
    try:
        return decode_all(plaintext, _frame)
    except Malformed:
        return None


def _frame(r: Reader) -> Frame:
    match r.u8():
        case 0:
            return Data(r.rest())
        case 1:
            return Opening(r.u64(), r.rest())
        case 2:
            return Reset(r.u64())
    raise Malformed
