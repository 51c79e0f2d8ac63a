"""Section 5.2: the classical ratchet, the Double Ratchet with header encryption.

Nothing here changes a state: every function gives a new one.
"""

from dataclasses import dataclass, replace

from . import skipped
from .errors import Authentication, Limit, TooFarAhead
from .notation import EXPAND, EXTRACT, PRF, split32
from .primitives import x25519, x25519_public
from .skipped import NUMBERS, Skipped

RETIRED = 8  # M-DR-07


@dataclass(frozen=True)
class SendingChain:
    header_key: bytes
    chain: bytes
    n: int


@dataclass(frozen=True)
class ReceivingChain:
    dh: bytes
    header_key: bytes
    chain: bytes
    n: int
    skipped: Skipped


@dataclass(frozen=True)
class RetiredChain:
    header_key: bytes
    n: int
    skipped: Skipped


@dataclass(frozen=True)
class Step:
    """Turn: the next send takes the sending step."""

    peer: bytes


@dataclass(frozen=True)
class Sending:
    """Turn: messages are sent on the chain; one under NHKr takes the receiving step."""

    secret: bytes
    public: bytes
    chain: SendingChain


@dataclass(frozen=True)
class Fresh:
    """Turn: the responder before its first message."""

    secret: bytes


@dataclass(frozen=True)
class Double:
    root: bytes  # RK
    next_send: bytes  # NHKs
    next_receive: bytes  # NHKr
    previous: int  # PN
    turn: Step | Sending | Fresh
    receiving: ReceivingChain | None
    retired: tuple[RetiredChain, ...]  # newest first


def initiator(signed_x25519: bytes, sk_ec: bytes, hk_i2r: bytes, hk_r2i: bytes) -> Double:
    """Turn Step with peer = signed.x25519, RK = SK_ec, NHKs = HK_i2r, NHKr = HK_r2i"""
    return Double(sk_ec, hk_i2r, hk_r2i, 0, Step(signed_x25519), None, ())


def responder(signed_secret: bytes, sk_ec: bytes, hk_i2r: bytes, hk_r2i: bytes) -> Double:
    """Turn Fresh, RK = SK_ec, NHKs = HK_r2i, NHKr = HK_i2r"""
    return Double(sk_ec, hk_r2i, hk_i2r, 0, Fresh(signed_secret), None, ())


def dh_step(root: bytes, secret: bytes, peer: bytes, session_id: bytes) -> tuple[bytes, bytes, bytes]:
    """prk = EXTRACT(RK, X25519(own, peer));   RK' ‖ CK ‖ NHK = EXPAND(prk, "dh root", session_id, 96)"""
    prk = EXTRACT(root, x25519(secret, peer))
    root, chain, next_header_key = split32(EXPAND(prk, "dh root", session_id, 96))
    return root, chain, next_header_key


def chain_step(chain: bytes, n: int = 0) -> tuple[bytes, bytes]:
    """CK' ‖ ec_mk = PRF("dh chain", 64; CK)"""
    chain, ec_mk = split32(PRF("dh chain", 64, chain))
    return chain, ec_mk


# Sending


def check_send(d: Double) -> None:
    """M-DR-08: a sending chain whose n is 2^31 − 1 sends no more."""
    if isinstance(d.turn, Sending) and d.turn.chain.n >= NUMBERS - 1:
        raise Limit


def sending_step(d: Double, secret: bytes, session_id: bytes) -> Double:
    """RK, CK, NHK = DH step(new secret, peer); header key = NHKs; NHKs = NHK; n = 0"""
    root, chain, next_header_key = dh_step(d.root, secret, d.turn.peer, session_id)
    turn = Sending(secret, x25519_public(secret), SendingChain(d.next_send, chain, 0))
    return replace(d, root=root, next_send=next_header_key, turn=turn)


def send(d: Double) -> tuple[Double, bytes]:
    """One chain step in turn Sending; also gives ec_mk."""
    sending = d.turn.chain
    chain, ec_mk = chain_step(sending.chain)
    turn = replace(d.turn, chain=replace(sending, chain=chain, n=sending.n + 1))
    return replace(d, turn=turn), ec_mk


# Receiving

CURRENT, NEXT = "current", "next"  # where a header opened; else the place of a retired chain


def header_keys(d: Double) -> list[tuple[str | int, bytes]]:
    """M-RX-02: the current receiving chain's, NHKr (turns Sending and Fresh), the retired chains' from the newest"""
    keys: list[tuple[str | int, bytes]] = []
    if d.receiving is not None:
        keys.append((CURRENT, d.receiving.header_key))
    if isinstance(d.turn, (Sending, Fresh)):
        keys.append((NEXT, d.next_receive))
    return keys + [(place, chain.header_key) for place, chain in enumerate(d.retired)]


def receive(d: Double, where: str | int, dh: bytes, pn: int, n: int, session_id: bytes) -> tuple[Double, bytes]:
    """M-RX-04: the state after the message, and its ec_mk"""
    if where == CURRENT:
        return _receive_current(d, dh, n)
    if where == NEXT:
        return _receive_next(d, dh, pn, n, session_id)
    return _receive_retired(d, where, n)


def _receive_current(d: Double, dh: bytes, n: int) -> tuple[Double, bytes]:
    if dh != d.receiving.dh:  # M-DR-02
        raise Authentication
    if n < d.receiving.n:
        kept, ec_mk = d.receiving.skipped.take(n)
        return replace(d, receiving=replace(d.receiving, skipped=kept)), ec_mk
    if n - d.receiving.n > skipped.JUMP:  # M-DR-04
        raise TooFarAhead
    return _advance(d, n)


def _receive_retired(d: Double, place: int, n: int) -> tuple[Double, bytes]:
    chain = d.retired[place]
    if n >= chain.n:  # M-RX-04
        raise Authentication
    kept, ec_mk = chain.skipped.take(n)
    retired = list(d.retired)
    retired[place] = replace(chain, skipped=kept)
    return replace(d, retired=tuple(retired)), ec_mk


def _receive_next(d: Double, dh: bytes, pn: int, n: int, session_id: bytes) -> tuple[Double, bytes]:
    jump = n if d.receiving is None else n + max(0, pn - d.receiving.n)
    if jump > skipped.JUMP:  # M-DR-04
        raise TooFarAhead
    return _advance(_receiving_step(d, dh, pn, session_id), n)


def _receiving_step(d: Double, dh: bytes, pn: int, session_id: bytes) -> Double:
    """RK, CK, NHK = DH step(own secret, header.dh); the receiving chain retires; header key = NHKr; NHKr = NHK"""
    root, chain, next_header_key = dh_step(d.root, d.turn.secret, dh, session_id)
    retired = d.retired
    if d.receiving is not None:
        old = d.receiving
        kept, _ = old.skipped.jump(old.chain, old.n, pn, chain_step)  # M-DR-03
        retired = (RetiredChain(old.header_key, max(old.n, pn), kept), *retired)[:RETIRED]  # M-DR-07
    return replace(
        d,
        root=root,
        next_receive=next_header_key,
        previous=d.turn.chain.n if isinstance(d.turn, Sending) else d.previous,
        turn=Step(dh),
        receiving=ReceivingChain(dh, d.next_receive, chain, 0, Skipped()),
        retired=retired,
    )


def _advance(d: Double, n: int) -> tuple[Double, bytes]:
    """Jumps to n on the current receiving chain and takes the key of n; then M-DR-05."""
    current = d.receiving
    kept, chain = current.skipped.jump(current.chain, current.n, n, chain_step)
    chain, ec_mk = chain_step(chain)
    d = replace(d, receiving=replace(current, chain=chain, n=n + 1, skipped=kept))
    return map_skipped(d, skipped.evict), ec_mk


def map_skipped(d: Double, change) -> Double:
    """Replaces the skipped keys of all receiving chains by change(those, oldest chain first)."""
    chains = [*reversed(d.retired), *([d.receiving] if d.receiving is not None else [])]
    changed = [replace(chain, skipped=kept) for chain, kept in zip(chains, change([c.skipped for c in chains]))]
    receiving = changed.pop() if d.receiving is not None else None
    return replace(d, receiving=receiving, retired=tuple(reversed(changed)))
