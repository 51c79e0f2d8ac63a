"""Section 1.2: primitives.

Rules that decide between accept and refuse (M-PR-01, -02, -03, -05) are written out here and do not lean on a library.
"""

import functools
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from dilithium_py.ml_dsa import ML_DSA_65
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

from .errors import Authentication, Malformed

P = 2**255 - 19  # the field of both curves
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point of Ed25519


def equal(a: bytes, b: bytes) -> bool:
    """Comparison in constant time (M-PR-02, M-SC-03)."""
    return hmac.compare_digest(a, b)


# X25519 (RFC 7748)


def x25519_public(secret: bytes) -> bytes:
    """X25519(k, 9)"""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def x25519(secret: bytes, public: bytes) -> bytes:
    """X25519(k, u); M-PR-02: 32 zero bytes are Malformed."""
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # how this library reports 32 zero bytes
        shared = bytes(32)
    if equal(shared, bytes(32)):
        raise Malformed
    return shared


def check_x25519(public: bytes) -> bytes:
    """M-PR-01: bit 255 clear and the value below 2^255 − 19, else Malformed."""
    if len(public) != 32 or int.from_bytes(public, "little") >= P:
        raise Malformed
    return public


# ML-KEM (FIPS 203)


class Kem:
    """KEM768 or KEM1024: keys from the seed d ‖ z, Encaps(ek, m), Decaps(seed, ct)."""

    def __init__(self, k: int, private_key, pure_python):
        self.ek_length = 384 * k + 32
        self.ct_length = {3: 1088, 4: 1568}[k]
        self._private_key = private_key
        self._pure_python = pure_python

    def public(self, seed: bytes) -> bytes:
        """ek of KeyGen_internal(d, z)"""
        assert len(seed) == 64
        return self._private_key.from_seed_bytes(seed).public_key().public_bytes_raw()

    def encaps(self, ek: bytes, m: bytes) -> tuple[bytes, bytes]:
        """(ct, ss) = Encaps(ek, m): Encaps_internal, FIPS 203 algorithm 17"""
        assert len(ek) == self.ek_length and len(m) == 32
        ss, ct = self._pure_python._encaps_internal(ek, m)
        return ct, ss

    def decaps(self, seed: bytes, ct: bytes) -> bytes:
        """ss = Decaps(seed, ct); M-PR-04: never fails."""
        assert len(ct) == self.ct_length
        return self._private_key.from_seed_bytes(seed).decapsulate(ct)

    def check(self, ek: bytes) -> bytes:
        """M-PR-03: every coefficient below q, else Malformed (FIPS 203 section 7.2)."""
        if len(ek) != self.ek_length:
            raise Malformed
        for at in range(0, len(ek) - 32, 3):
            pair = int.from_bytes(ek[at : at + 3], "little")
            if pair & 0xFFF >= 3329 or pair >> 12 >= 3329:
                raise Malformed
        return ek


KEM768 = Kem(3, mlkem.MLKEM768PrivateKey, ML_KEM_768)
KEM1024 = Kem(4, mlkem.MLKEM1024PrivateKey, ML_KEM_1024)


# Ed25519 (RFC 8032), points in extended coordinates (X, Y, Z, T)

_D = -121665 * pow(121666, -1, P) % P
_IDENTITY = (0, 1, 1, 0)


def _add(p, q):
    """RFC 8032 section 5.1.4"""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * _D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(scalar: int, p):
    q = _IDENTITY
    while scalar:
        if scalar & 1:
            q = _add(q, p)
        p = _add(p, p)
        scalar >>= 1
    return q


def _equal_points(p, q) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def _point(encoded: bytes):
    """RFC 8032 section 5.1.3; None for what is not the canonical encoding of a point."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(_D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P != 0:
        return None
    if x == 0 and sign == 1:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _strict_point(encoded: bytes):
    """A canonical point that is not of small order, else None (M-PR-05)."""
    p = _point(encoded)
    if p is None or _equal_points(_multiply(8, p), _IDENTITY):
        return None
    return p


_BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


@functools.lru_cache(4096)
def check_ed25519(public: bytes) -> bytes:
    """M-PR-05: a key that is non-canonical or of small order is Malformed."""
    if len(public) != 32 or _strict_point(public) is None:
        raise Malformed
    return public


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """M-PR-05: S < L; A and R canonical, neither of small order; [S]B = R + [k]A."""
    s = int.from_bytes(signature[32:], "little")
    a, r = _strict_point(public), _strict_point(signature[:32])
    if len(signature) != 64 or s >= L or a is None or r is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return _equal_points(_multiply(s, _BASE), _add(r, _multiply(k, a)))


# ML-DSA-65 (FIPS 204)

MLDSA65_PUBLIC = 1952
MLDSA65_SIGNATURE = 3309


@functools.lru_cache(256)
def _mldsa_secret(seed: bytes) -> bytes:
    return ML_DSA_65.key_derive(seed)[1]


def mldsa65_public(seed: bytes) -> bytes:
    """pk of KeyGen_internal(ξ)"""
    return mldsa.MLDSA65PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def mldsa65_sign(seed: bytes, message: bytes, rnd: bytes) -> bytes:
    """Sign_internal(sk, 0 ‖ 0 ‖ message, rnd): FIPS 204 algorithm 2 with the empty context"""
    assert len(rnd) == 32
    return ML_DSA_65._sign_internal(_mldsa_secret(seed), bytes(2) + message, rnd)


def mldsa65_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """FIPS 204 algorithm 3 with the empty context"""
    try:
        mldsa.MLDSA65PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except InvalidSignature:
        return False


# AEAD (RFC 8439)

TAG = 16


def seal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """AEAD: ChaCha20-Poly1305, 16-byte tag appended to the ciphertext"""
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, ad)


def open_(key: bytes, nonce: bytes, ad: bytes, ciphertext: bytes) -> bytes:
    """The plaintext, else Authentication."""
    if len(ciphertext) < TAG:
        raise Authentication
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, ad)
    except InvalidTag:
        raise Authentication from None
