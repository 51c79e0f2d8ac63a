"""Section 1."""

from marline import notation, primitives

from .registry import Fault, Request, op


@op
def labels(_, q):
    return {"names": sorted(notation.LABELS)}


@op
def h(_, q):
    return {"out": notation.H(_label(q), *q.hexes("fields"))}


@op
def prf(_, q):
    return {"out": notation.PRF(_label(q), q.number("length"), q.hex("key"), *q.hexes("inputs"))}


@op
def extract(_, q):
    return {"out": notation.EXTRACT(q.hex("salt"), q.hex("ikm"))}


@op
def expand(_, q):
    return {"out": notation.EXPAND(q.hex("prk"), _label(q), q.hex("context"), q.number("length"))}


def _label(q: Request) -> str:
    if q.get("name") not in notation.LABELS:
        raise Fault("unknown label")
    return q.get("name")


@op
def x25519_public(_, q):
    return {"public": primitives.x25519_public(q.hex("secret", 32))}


@op
def x25519(_, q):
    return {"shared": primitives.x25519(q.hex("secret", 32), primitives.check_x25519(q.hex("public")))}


def _kem(q: Request):
    return {768: primitives.KEM768, 1024: primitives.KEM1024}[q.number("kem")]


@op
def kem_public(_, q):
    return {"ek": _kem(q).public(q.hex("seed", 64))}


@op
def kem_encaps(_, q):
    ct, ss = _kem(q).encaps(_kem(q).check(q.hex("ek")), q.hex("m", 32))
    return {"ct": ct, "ss": ss}


@op
def kem_decaps(_, q):
    return {"ss": _kem(q).decaps(q.hex("seed", 64), q.hex("ct", _kem(q).ct_length))}


@op
def ed25519_public(_, q):
    return {"public": primitives.ed25519_public(q.hex("seed", 32))}


@op
def ed25519_sign(_, q):
    return {"signature": primitives.ed25519_sign(q.hex("seed", 32), q.hex("message"))}


@op
def ed25519_verify(_, q):
    public, signed, signature = primitives.check_ed25519(q.hex("public")), q.hex("message"), q.hex("signature", 64)
    return {"valid": primitives.ed25519_verify(public, signed, signature)}


@op
def mldsa65_public(_, q):
    return {"public": primitives.mldsa65_public(q.hex("seed", 32))}


@op
def mldsa65_sign(_, q):
    return {"signature": primitives.mldsa65_sign(q.hex("seed", 32), q.hex("message"), q.hex("rnd", 32))}


@op
def mldsa65_verify(_, q):
    public, signature = q.hex("public", primitives.MLDSA65_PUBLIC), q.hex("signature", primitives.MLDSA65_SIGNATURE)
    return {"valid": primitives.mldsa65_verify(public, q.hex("message"), signature)}


@op
def aead_seal(_, q):
    return {"ciphertext": primitives.seal(q.hex("key", 32), q.hex("nonce", 12), q.hex("ad"), q.hex("plaintext"))}


@op
def aead_open(_, q):
    return {"plaintext": primitives.open_(q.hex("key", 32), q.hex("nonce", 12), q.hex("ad"), q.hex("ciphertext"))}
