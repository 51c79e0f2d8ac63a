"""Section 2: identity keys, hybrid signatures, safety numbers."""

from dataclasses import dataclass

from .draws import Draws
from .errors import Authentication
from .notation import H, PRF, VERSION, Reader, frame, u8
from .primitives import (
    MLDSA65_PUBLIC,
    MLDSA65_SIGNATURE,
    check_ed25519,
    ed25519_public,
    ed25519_sign,
    ed25519_verify,
    mldsa65_public,
    mldsa65_sign,
    mldsa65_verify,
)


@dataclass(frozen=True)
class IdentityKey:
    """struct { uint8 version = 1; opaque ed25519[32]; opaque mldsa65[1952]; } IdentityKey    (2.1)"""

    ed25519: bytes
    mldsa65: bytes

    def encode(self) -> bytes:
        return u8(VERSION) + self.ed25519 + self.mldsa65

    @staticmethod
    def decode(r: Reader) -> "IdentityKey":
        r.version()
        return IdentityKey(check_ed25519(r.bytes(32)), r.bytes(MLDSA65_PUBLIC))

    @property
    def id(self) -> bytes:
        """identity_id = H("identity"; IdentityKey)"""
        return H("identity", self.encode())


@dataclass(frozen=True)
class IdentitySecret:
    """The Ed25519 seed and the ML-DSA seed ξ (2.1)."""

    ed25519_seed: bytes
    mldsa_seed: bytes

    @staticmethod
    def generate(draws: Draws) -> "IdentitySecret":
        """8.3: draws the Ed25519 seed (32) and the ML-DSA seed (32)"""
        return IdentitySecret(draws.take(32), draws.take(32))

    @property
    def key(self) -> IdentityKey:
        return IdentityKey(ed25519_public(self.ed25519_seed), mldsa65_public(self.mldsa_seed))

    def sign(self, purpose: str, message: bytes, draws: Draws) -> bytes:
        """struct { opaque ed25519[64]; opaque mldsa65[3309]; } HybridSignature    (2.2); draws rnd (32)"""
        signed = signed_input(purpose, message)
        return ed25519_sign(self.ed25519_seed, signed) + mldsa65_sign(self.mldsa_seed, signed, draws.take(32))


HYBRID_SIGNATURE = 64 + MLDSA65_SIGNATURE


def signed_input(purpose: str, message: bytes) -> bytes:
    """signed input = frame("hybrid ed25519+ml-dsa-65") ‖ frame(purpose) ‖ message    (2.2)"""
    return frame("hybrid ed25519+ml-dsa-65") + frame(purpose) + message


def verify(key: IdentityKey, purpose: str, message: bytes, signature: bytes) -> None:
    """M-ID-02: valid only if both halves verify, else Authentication."""
    signed = signed_input(purpose, message)
    ed25519_valid = ed25519_verify(key.ed25519, signed, signature[:64])
    mldsa65_valid = mldsa65_verify(key.mldsa65, signed, signature[64:])
    if not (ed25519_valid and mldsa65_valid):
        raise Authentication


def safety_number(a: bytes, b: bytes) -> tuple[str, bytes]:
    """digits = PRF("safety number", 60; uint8(1), lo, hi), qr = uint8(1) ‖ lo ‖ hi    (2.4, M-ID-04)"""
    lo, hi = sorted((a, b))
    output = PRF("safety number", 60, u8(1), lo, hi)
    groups = (int.from_bytes(output[at : at + 5], "big") % 100000 for at in range(0, 60, 5))
    return "".join(f"{group:05}" for group in groups), u8(1) + lo + hi
