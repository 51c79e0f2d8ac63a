"""Section 5.3: the sparse post-quantum ratchet. Nothing here changes a state: every function gives a new one."""

from dataclasses import dataclass, replace

from . import skipped
from .errors import Authentication, Limit, TooFarAhead, TooOld
from .notation import EXPAND, EXTRACT, PRF, split32, u32
from .skipped import NUMBERS, Skipped

INITIATOR, RESPONDER = 0, 1


@dataclass(frozen=True)
class PqSending:
    key: bytes
    n: int


@dataclass(frozen=True)
class PqReceiving:
    key: bytes
    n: int
    skipped: Skipped


@dataclass(frozen=True)
class EpochChains:
    epoch: int
    send: PqSending | None
    receive: PqReceiving


@dataclass(frozen=True)
class Sparse:
    root: bytes
    current: EpochChains
    previous: EpochChains | None


def _chains(role: int, epoch: int, chain_i2r: bytes, chain_r2i: bytes) -> EpochChains:
    send, receive = (chain_i2r, chain_r2i) if role == INITIATOR else (chain_r2i, chain_i2r)
    return EpochChains(epoch, PqSending(send, 0), PqReceiving(receive, 0, Skipped()))


def start(role: int, sk_pq: bytes, th: bytes) -> tuple[Sparse, bytes, bytes]:
    """root ‖ chain_i2r ‖ chain_r2i ‖ auth_root ‖ auth_mac = EXPAND(SK_pq, "pq start", th, 160)"""
    root, chain_i2r, chain_r2i, auth_root, auth_mac = split32(EXPAND(sk_pq, "pq start", th, 160))
    return Sparse(root, _chains(role, 0, chain_i2r, chain_r2i), None), auth_root, auth_mac


def add_epoch(s: Sparse, role: int, epoch: int, epoch_key: bytes) -> Sparse:
    """prk = EXTRACT(root, epoch_key);  root' ‖ chain_i2r ‖ chain_r2i = EXPAND(prk, "pq root", uint32(e), 96)"""
    assert epoch == s.current.epoch + 1  # M-SP-01
    prk = EXTRACT(s.root, epoch_key)
    root, chain_i2r, chain_r2i = split32(EXPAND(prk, "pq root", u32(epoch), 96))
    return Sparse(root, _chains(role, epoch, chain_i2r, chain_r2i), s.current)  # M-SP-03


def chain_step(chain: bytes, n: int) -> tuple[bytes, bytes]:
    """CK' ‖ pq_mk = PRF("pq chain", 64; CK, uint32(n))"""
    chain, pq_mk = split32(PRF("pq chain", 64, chain, u32(n)))
    return chain, pq_mk


def _sending(s: Sparse, epoch: int) -> PqSending:
    chains = s.current if epoch == s.current.epoch else s.previous
    return chains.send


def check_send(s: Sparse, epoch: int) -> None:
    """M-DR-08: a sending chain whose n is 2^31 − 1 sends no more."""
    if _sending(s, epoch).n >= NUMBERS - 1:
        raise Limit


def send(s: Sparse, epoch: int) -> tuple[Sparse, int, bytes]:
    """One step of the sending chain of epoch (M-SP-02); also gives pq_n and pq_mk."""
    sending = _sending(s, epoch)
    chain, pq_mk = chain_step(sending.key, sending.n)
    stepped = PqSending(chain, sending.n + 1)
    if epoch == s.current.epoch:
        previous = None if s.previous is None else replace(s.previous, send=None)  # M-SP-03
        return replace(s, current=replace(s.current, send=stepped), previous=previous), sending.n, pq_mk
    return replace(s, previous=replace(s.previous, send=stepped)), sending.n, pq_mk


def receive(s: Sparse, epoch: int, n: int) -> tuple[Sparse, bytes]:
    """M-RX-05: the state after the message, and its pq_mk"""
    if epoch > s.current.epoch:  # M-SP-04
        raise Authentication
    if epoch == s.current.epoch:
        receiving, pq_mk = _receive(s.current.receive, n)
        s = replace(s, current=replace(s.current, receive=receiving))
    elif s.previous is not None and epoch == s.previous.epoch:
        receiving, pq_mk = _receive(s.previous.receive, n)
        s = replace(s, previous=replace(s.previous, receive=receiving))
    else:
        raise TooOld
    return map_skipped(s, skipped.evict), pq_mk


def _receive(chain: PqReceiving, n: int) -> tuple[PqReceiving, bytes]:
    if n < chain.n:
        kept, pq_mk = chain.skipped.take(n)
        return replace(chain, skipped=kept), pq_mk
    if n - chain.n > skipped.JUMP:  # M-DR-04
        raise TooFarAhead
    kept, key = chain.skipped.jump(chain.key, chain.n, n, chain_step)
    key, pq_mk = chain_step(key, n)
    return PqReceiving(key, n + 1, kept), pq_mk


def map_skipped(s: Sparse, change) -> Sparse:
    """Replaces the skipped keys of all receiving chains by change(those, oldest epoch first) (M-SP-05)."""
    epochs = [*([s.previous] if s.previous is not None else []), s.current]
    changed = [
        replace(epoch, receive=replace(epoch.receive, skipped=kept))
        for epoch, kept in zip(epochs, change([epoch.receive.skipped for epoch in epochs]))
    ]
    return replace(s, current=changed[-1], previous=changed[0] if s.previous is not None else None)
