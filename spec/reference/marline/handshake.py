"""Section 4.1, 4.2: the initial message and the key schedule. Who does what in which order is in account.py and session.py."""

from dataclasses import dataclass

from .identity import HYBRID_SIGNATURE, IdentityKey
from .message import INITIAL
from .notation import EXPAND, EXTRACT, H, VERSION, Reader, decode_all, opaque8, opaque16, optional, split32, u8, u32
from .primitives import KEM1024, check_x25519, open_, seal

MAX_SLOTS = 38
NO_ONETIME = bytes(32)  # d2 without a one-time prekey


# 4.1 Initial message


@dataclass(frozen=True)
class PrekeyIds:
    """struct { uint32 signed_id; optional<uint32> onetime_id; } PrekeyIds"""

    signed_id: int
    onetime_id: int | None

    def encode(self) -> bytes:
        return u32(self.signed_id) + optional(self.onetime_id, u32)

    @staticmethod
    def decode(r: Reader) -> "PrekeyIds":
        return PrekeyIds(r.u32(), r.optional(Reader.u32))


@dataclass(frozen=True)
class FirstFlight:
    prekeys: PrekeyIds
    slots: int
    ephemeral: bytes
    ciphertext: bytes
    sealed: bytes

    def encode(self) -> bytes:
        return (
            u8(VERSION)
            + u8(INITIAL)
            + self.prekeys.encode()
            + u8(self.slots)
            + self.ephemeral
            + self.ciphertext
            + opaque16(self.sealed)
        )

    @staticmethod
    def decode(r: Reader) -> "FirstFlight":
        """M-HS-04"""
        r.version()
        r.require(r.u8() == INITIAL)
        flight = FirstFlight(
            prekeys=PrekeyIds.decode(r),
            slots=r.u8(),
            ephemeral=check_x25519(r.bytes(32)),
            ciphertext=r.bytes(KEM1024.ct_length),
            sealed=r.opaque16(),
        )
        r.require(1 <= flight.slots <= MAX_SLOTS)
        return flight

    @property
    def hash(self) -> bytes:
        """H("first flight"; FirstFlight)    (4.3)"""
        return H("first flight", self.encode())


def split_initial_message(data: bytes) -> tuple[FirstFlight, bytes]:
    """struct { FirstFlight flight; Message message; } InitialMessage; the message takes the rest"""
    r = Reader(data)
    return FirstFlight.decode(r), r.rest()


@dataclass(frozen=True)
class Sealed:
    """struct { IdentityKey identity; opaque subject<0..255>; HybridSignature signature; } Sealed    (4.2)"""

    identity: IdentityKey
    subject: bytes
    signature: bytes

    def encode(self) -> bytes:
        return self.identity.encode() + opaque8(self.subject) + self.signature

    @staticmethod
    def decode(data: bytes) -> "Sealed":
        return decode_all(data, lambda r: Sealed(IdentityKey.decode(r), r.opaque8(), r.bytes(HYBRID_SIGNATURE)))


# 4.2 Key schedule


def th0(
    responder_id: bytes,
    manifest_hash: bytes,
    prekeys: PrekeyIds,
    signed_leaf: bytes,
    onetime_leaf: bytes,
    slots: int,
    ephemeral: bytes,
    ct: bytes,
) -> bytes:
    """
    th0 = H("handshake"; uint8(1), responder identity_id, manifest_hash, PrekeyIds,
            leaf(signed), leaf(onetime) or the empty string, uint8(slots), EK public, ct)
    """
    return H(
        "handshake",
        u8(1),
        responder_id,
        manifest_hash,
        prekeys.encode(),
        signed_leaf,
        onetime_leaf,
        u8(slots),
        ephemeral,
        ct,
    )


def handshake_prk(th0: bytes, ss: bytes, d1: bytes, d2: bytes) -> bytes:
    """prk = EXTRACT(th0, ss ‖ d1 ‖ d2)"""
    return EXTRACT(th0, ss + d1 + d2)


def claim_message(th0: bytes, responder_id: bytes, identity: IdentityKey, subject: bytes) -> bytes:
    """
    claim = H("claim"; initiator IdentityKey, initiator subject)
    message of the signature = th0 ‖ responder identity_id ‖ claim
    """
    return th0 + responder_id + H("claim", identity.encode(), subject)


def initiator_key(prk: bytes, th0: bytes) -> bytes:
    """k_id = EXPAND(prk, "initiator key", th0, 32)"""
    return EXPAND(prk, "initiator key", th0, 32)


def seal_identity(prk: bytes, th0: bytes, sealed: Sealed) -> bytes:
    """sealed = AEAD(k_id, nonce = 12 zero bytes, AD = th0, plaintext = Sealed)"""
    return seal(initiator_key(prk, th0), bytes(12), th0, sealed.encode())


def open_identity(prk: bytes, th0: bytes, sealed: bytes) -> Sealed:
    """M-HS-06: open, else Authentication; decode, else Malformed"""
    return Sealed.decode(open_(initiator_key(prk, th0), bytes(12), th0, sealed))


@dataclass(frozen=True)
class SessionKeys:
    th: bytes
    sk_ec: bytes
    sk_pq: bytes
    hk_i2r: bytes
    hk_r2i: bytes
    exporter_secret: bytes
    session_id: bytes


def session_keys(prk: bytes, th0: bytes, sealed: bytes) -> SessionKeys:
    """
    th = H("transcript"; th0, H("sealed"; sealed))
    SK_ec ‖ SK_pq ‖ HK_i2r ‖ HK_r2i ‖ exporter_secret ‖ session_id = EXPAND(prk, "session", th, 192)
    """
    th = H("transcript", th0, H("sealed", sealed))
    return SessionKeys(th, *split32(EXPAND(prk, "session", th, 192)))
