"""Sections 6.2 to 6.5: the SCKA, chunked ML-KEM-768. Nothing here changes a state: every function gives a new one."""

from dataclasses import dataclass, replace

from . import erasure
from .draws import Draws
from .errors import AgreementFailed, Malformed
from .message import CIPHERTEXT, KEY, NONE
from .notation import EXPAND, EXTRACT, PRF, split32, u32
from .prekeys import kem_hash
from .primitives import KEM768, equal
from .sparse import INITIATOR

KEY_CODEWORDS = 38  # 1216 bytes
CIPHERTEXT_CODEWORDS = 35  # 1120 bytes


# 6.2 States


@dataclass(frozen=True)
class Idle:
    """Key owner."""


@dataclass(frozen=True)
class SendingKey:
    """Key owner."""

    seed: bytes
    object: bytes
    next: int


@dataclass(frozen=True)
class ReceivingCt:
    """Key owner."""

    seed: bytes
    ek_hash: bytes
    held: dict[int, bytes]


@dataclass(frozen=True)
class AwaitingKey:
    """Encapsulator."""

    held: dict[int, bytes]


@dataclass(frozen=True)
class KeyHeld:
    """Encapsulator."""

    ek: bytes


@dataclass(frozen=True)
class SendingCt:
    """Encapsulator."""

    object: bytes
    next: int


@dataclass(frozen=True)
class Scka:
    epoch: int
    auth_root: bytes
    auth_mac: bytes
    state: Idle | SendingKey | ReceivingCt | AwaitingKey | KeyHeld | SendingCt


EpochKey = tuple[int, bytes]  # (epoch, epoch_key), given out


def start(role: int, auth_root: bytes, auth_mac: bytes) -> Scka:
    """epoch starts at 1. The initiator starts in Idle, the responder in AwaitingKey."""
    return Scka(1, auth_root, auth_mac, Idle() if role == INITIATOR else AwaitingKey({}))


# 6.3 Keys


def key_object(s: Scka, ek: bytes) -> bytes:
    """key object = ek ‖ PRF("mac key", 32; auth_mac, uint32(epoch), ek)"""
    return ek + PRF("mac key", 32, s.auth_mac, u32(s.epoch), ek)


def encapsulation_input(s: Scka, fresh: bytes, ek: bytes) -> bytes:
    """m = PRF("encapsulate", 32; auth_root, fresh[32], uint32(epoch), H("kem key"; ek))    (M-SC-01)"""
    return PRF("encapsulate", 32, s.auth_root, fresh, u32(s.epoch), kem_hash(ek))


def epoch_key(s: Scka, session_id: bytes, ss: bytes, ek_hash: bytes) -> bytes:
    """epoch_key = EXPAND(EXTRACT(session_id, ss), "epoch key", uint32(epoch) ‖ H("kem key"; ek), 32)"""
    return EXPAND(EXTRACT(session_id, ss), "epoch key", u32(s.epoch) + ek_hash, 32)


def authenticator(s: Scka, epoch_key: bytes) -> Scka:
    """auth_root' ‖ auth_mac' = EXPAND(EXTRACT(auth_root, epoch_key), "authenticator", uint32(epoch), 64)"""
    auth_root, auth_mac = split32(EXPAND(EXTRACT(s.auth_root, epoch_key), "authenticator", u32(s.epoch), 64))
    return replace(s, auth_root=auth_root, auth_mac=auth_mac)


def ciphertext_mac(s: Scka, ct: bytes) -> bytes:
    """PRF("mac ciphertext", 32; auth_mac', uint32(epoch), ct); s is already updated"""
    return PRF("mac ciphertext", 32, s.auth_mac, u32(s.epoch), ct)


# 6.4 Send


@dataclass(frozen=True)
class Part:
    """What a message carries of the SCKA."""

    epoch: int
    kind: int
    index: int
    codewords: bytes


def draw(s: Scka, draws: Draws) -> bytes:
    """5.5: in Idle the KEM seed (64), in KeyHeld the fresh encapsulation input (32)"""
    match s.state:
        case Idle():
            return draws.take(64)
        case KeyHeld():
            return draws.take(32)
    return b""


def send(s: Scka, session_id: bytes, slots: int, drawn: bytes) -> tuple[Scka, Part, EpochKey | None]:
    given_out = None
    match s.state:
        case Idle():
            s = replace(s, state=SendingKey(drawn, key_object(s, KEM768.public(drawn)), 0))
        case KeyHeld(ek):
            ct, ss = KEM768.encaps(ek, encapsulation_input(s, drawn, ek))
            given_out = (s.epoch, epoch_key(s, session_id, ss, kem_hash(ek)))
            s = authenticator(s, given_out[1])  # M-SC-02
            s = replace(s, state=SendingCt(ct + ciphertext_mac(s, ct), 0))
    match s.state:
        case SendingKey(_, data, index):
            kind = KEY
        case SendingCt(data, index):
            kind = CIPHERTEXT
        case _:
            return s, Part(s.epoch, NONE, 0, bytes(32 * slots)), given_out
    part = Part(s.epoch, kind, index, erasure.encode_run(data, index, slots))
    return replace(s, state=replace(s.state, next=(index + slots) % 65536)), part, given_out


# 6.5 Receive


def receive(s: Scka, session_id: bytes, part: Part) -> tuple[Scka, EpochKey | None]:
    """The table of 6.5; AgreementFailed is for good (M-RX-08)."""
    own = part.epoch == s.epoch
    match s.state:
        case SendingCt() if part.epoch == s.epoch + 1:
            return replace(s, epoch=s.epoch + 1, state=Idle()), None
        case SendingKey(seed, data, _) if own and part.kind == CIPHERTEXT:
            ek_hash = kem_hash(data[: KEM768.ek_length])
            return _receive_ciphertext(replace(s, state=ReceivingCt(seed, ek_hash, {})), session_id, part)
        case ReceivingCt() if own and part.kind == CIPHERTEXT:
            return _receive_ciphertext(s, session_id, part)
        case AwaitingKey() if own and part.kind == KEY:
            return _receive_key(s, part), None
    return s, None


def _receive_ciphertext(s: Scka, session_id: bytes, part: Part) -> tuple[Scka, EpochKey | None]:
    held = erasure.add(s.state.held, CIPHERTEXT_CODEWORDS, part.index, part.codewords)
    if len(held) < CIPHERTEXT_CODEWORDS:
        return replace(s, state=replace(s.state, held=held)), None
    data = erasure.decode(held)
    ct, mac = data[: KEM768.ct_length], data[KEM768.ct_length :]
    key = epoch_key(s, session_id, KEM768.decaps(s.state.seed, ct), s.state.ek_hash)
    updated = authenticator(s, key)  # M-SC-02: aside until the MAC has verified
    if not equal(mac, ciphertext_mac(updated, ct)):  # M-SC-03
        raise AgreementFailed
    return replace(updated, epoch=s.epoch + 1, state=AwaitingKey({})), (s.epoch, key)


def _receive_key(s: Scka, part: Part) -> Scka:
    held = erasure.add(s.state.held, KEY_CODEWORDS, part.index, part.codewords)
    if len(held) < KEY_CODEWORDS:
        return replace(s, state=AwaitingKey(held))
    data = erasure.decode(held)
    ek = data[: KEM768.ek_length]
    if not equal(data, key_object(s, ek)):  # M-SC-03
        raise AgreementFailed
    try:
        KEM768.check(ek)  # M-PR-03
    except Malformed:
        raise AgreementFailed from None
    return replace(s, state=KeyHeld(ek))
