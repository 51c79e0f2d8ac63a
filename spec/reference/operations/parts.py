"""Sections 2, 3.1, 3.2, 5.4 and 6: parts by themselves."""

from marline import erasure, identity, message, notation, prekeys, primitives, scka, state_session
from marline.message import Header

from .registry import Fault, Request, from_hex, op, padding

# Section 2


def _secret(q: Request) -> identity.IdentitySecret:
    return identity.IdentitySecret(q.hex("ed25519_seed", 32), q.hex("mldsa_seed", 32))


@op
def identity_from_seeds(_, q):
    key = _secret(q).key
    return {"identity": key.encode(), "identity_id": key.id}


@op
def sign(_, q):
    draws = q.draws()
    signature = _secret(q).sign(_label_purpose(q), q.hex("message"), draws)
    draws.finish()
    return {"signature": signature}


def _label_purpose(q: Request) -> str:
    if q.get("purpose") not in ("sign manifest", "sign initiator"):
        raise Fault("unknown purpose")
    return q.get("purpose")


@op
def verify(_, q):
    key = notation.decode_all(q.hex("identity"), identity.IdentityKey.decode)
    signature = q.hex("signature", identity.HYBRID_SIGNATURE)
    identity.verify(key, _label_purpose(q), q.hex("message"), signature)


@op
def safety_number(_, q):
    digits, qr = identity.safety_number(q.hex("a", 32), q.hex("b", 32))
    return {"digits": digits, "qr": qr}


# Section 3.1, 3.2


@op
def leaf(_, q):
    kem_hash = prekeys.kem_hash(q.hex("kem"))
    return {"leaf": prekeys.leaf(q.number("kind"), q.number("id"), q.hex("x25519", 32), kem_hash)}


@op
def merkle_root(_, q):
    return {"root": prekeys.tree_root(tuple(q.hexes("leaves")))}


@op
def merkle_path(_, q):
    leaves, index = tuple(q.hexes("leaves")), q.number("index")
    if index >= len(leaves):
        raise Fault("index out of range")
    return {"path": prekeys.tree_path(leaves, index)}


@op
def merkle_verify(_, q):
    valid = prekeys.tree_verify(
        q.hex("leaf", 32), q.number("index"), q.number("size"), q.hexes("path"), q.hex("root", 32)
    )
    return {"valid": valid}


# Section 5.4


@op
def pad(_, q):
    return {"padded": message.pad(q.hex("plaintext"), padding(q))}


@op
def unpad(_, q):
    return {"plaintext": message.unpad(q.hex("padded"))}


@op
def header_encode(_, q):
    numbers = {name: q.number(name) for name in ("pn", "n", "pq_n", "epoch", "kind", "index")}
    return {"header": Header(dh=q.hex("dh", 32), codewords=q.hex("codewords"), **numbers).encode()}


@op
def header_decode(_, q):
    return vars(Header.decode(q.hex("header"), q.number("slots")))


# Section 6


@op
def erasure_encode(_, q):
    data = q.hex("object")
    if not data or len(data) % 32:
        raise Fault("an object is whole codewords")
    return {"codewords": erasure.encode_run(data, q.number("index"), q.number("count"))}


@op
def erasure_decode(_, q):
    held: dict[int, bytes] = {}
    for index, codeword in q.get("codewords"):
        held = erasure.add(held, q.number("k"), index, from_hex(codeword))
    return {"object": erasure.decode(held) if len(held) == q.number("k") else None}


def _scka(q: Request) -> scka.Scka:
    return notation.decode_all(q.hex("state"), state_session.decode_scka)


def _given_out(epoch_key) -> dict | None:
    return None if epoch_key is None else {"epoch": epoch_key[0], "key": epoch_key[1]}


@op
def scka_start(_, q):
    created = scka.start(_role(q), q.hex("auth_root", 32), q.hex("auth_mac", 32))
    return {"state": state_session.encode_scka(created)}


def _role(q: Request) -> int:
    role = q.number("role")
    if role > 1:
        raise Fault("role is 0 or 1")
    return role


@op
def scka_send(_, q):
    draws, s = q.draws(), _scka(q)
    s, part, epoch_key = scka.send(s, q.hex("session_id", 32), q.number("slots"), scka.draw(s, draws))
    draws.finish()
    return {"state": state_session.encode_scka(s), **vars(part), "epoch_key": _given_out(epoch_key)}


@op
def scka_receive(_, q):
    part = scka.Part(q.number("epoch"), q.number("kind"), q.number("index"), q.hex("codewords"))
    s, epoch_key = scka.receive(_scka(q), q.hex("session_id", 32), part)
    return {"state": state_session.encode_scka(s), "epoch_key": _given_out(epoch_key)}
