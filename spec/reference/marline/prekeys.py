"""Section 3: prekeys, the tree over them, manifest and bundle.

The life cycle (3.4) is in account.py.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import Authentication, Expired, OwnIdentity, Rollback
from .identity import HYBRID_SIGNATURE, IdentityKey, verify
from .notation import VERSION, H, Reader, decode_all, list8, opaque8, u8, u16, u32, u64
from .primitives import KEM1024, check_x25519, equal

SIGNED, ONETIME = 1, 2  # kind of a prekey
LAST_RESORT = 1  # kind of a record; the other is ONETIME


# 3.1 Prekey


def kem_hash(ek: bytes) -> bytes:
    """kem_hash = H("kem key"; ek)"""
    return H("kem key", ek)


def leaf(kind: int, id: int, x25519: bytes, kem_hash: bytes) -> bytes:
    """leaf = H("prekey"; uint8(kind), uint32(id), x25519, kem_hash)"""
    return H("prekey", u8(kind), u32(id), x25519, kem_hash)


# 3.2 Tree


def node(left: bytes, right: bytes) -> bytes:
    """H("node"; left, right)"""
    return H("node", left, right)


def _split(n: int) -> int:
    """k, the largest power of two below n"""
    return 1 << ((n - 1).bit_length() - 1)


@functools.lru_cache(8192)
def tree_root(leaves: tuple[bytes, ...]) -> bytes:
    """One leaf is the root; else H("node"; root of the first k, root of the others)."""
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node(tree_root(leaves[:k]), tree_root(leaves[k:]))


def tree_path(leaves: tuple[bytes, ...], index: int) -> list[bytes]:
    """RFC 9162 section 2.1.3.1: the sibling hashes from the leaf to the root"""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return tree_path(leaves[:k], index) + [tree_root(leaves[k:])]
    return tree_path(leaves[k:], index - k) + [tree_root(leaves[:k])]


def tree_verify(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2 with tree_size = size"""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and equal(r, root)


# 3.3 Manifest and bundle


@dataclass(frozen=True)
class SignedPrekey:
    """struct { uint32 id; opaque x25519[32]; opaque kem_hash[32]; } SignedPrekey"""

    id: int
    x25519: bytes
    kem_hash: bytes

    def encode(self) -> bytes:
        return u32(self.id) + self.x25519 + self.kem_hash

    @staticmethod
    def decode(r: Reader) -> "SignedPrekey":
        return SignedPrekey(r.u32(), check_x25519(r.bytes(32)), r.bytes(32))

    @property
    def leaf(self) -> bytes:
        return leaf(SIGNED, self.id, self.x25519, self.kem_hash)


@dataclass(frozen=True)
class Manifest:
    identity: IdentityKey
    subject: bytes
    generation: int
    not_before: int
    not_after: int
    signed: SignedPrekey
    onetime_count: int
    root: bytes

    def encode(self) -> bytes:
        return (
            u8(VERSION)
            + self.identity.encode()
            + opaque8(self.subject)
            + u64(self.generation)
            + u64(self.not_before)
            + u64(self.not_after)
            + self.signed.encode()
            + u16(self.onetime_count)
            + self.root
        )

    @staticmethod
    def decode(r: Reader) -> "Manifest":
        """M-PK-02, as far as it is about the manifest"""
        r.version()
        manifest = Manifest(
            identity=IdentityKey.decode(r),
            subject=r.opaque8(),
            generation=r.u64(),
            not_before=r.u64(),
            not_after=r.u64(),
            signed=SignedPrekey.decode(r),
            onetime_count=r.u16(),
            root=r.bytes(32),
        )
        r.require(manifest.not_before < manifest.not_after)
        r.require(1 <= manifest.onetime_count <= 1024)
        return manifest

    @property
    def hash(self) -> bytes:
        """manifest_hash = H("manifest"; Manifest)"""
        return H("manifest", self.encode())


@dataclass(frozen=True)
class SignedManifest:
    """struct { Manifest manifest; HybridSignature signature; } SignedManifest"""

    manifest: Manifest
    signature: bytes

    def encode(self) -> bytes:
        return self.manifest.encode() + self.signature

    @staticmethod
    def decode(r: Reader) -> "SignedManifest":
        return SignedManifest(Manifest.decode(r), r.bytes(HYBRID_SIGNATURE))


@dataclass(frozen=True)
class LastResort:
    """struct { uint8 kind = 1; opaque kem[1568]; } LastResort"""

    kem: bytes

    def encode(self) -> bytes:
        return u8(LAST_RESORT) + self.kem


@dataclass(frozen=True)
class OneTime:
    """struct { uint8 kind = 2; uint32 id; opaque x25519[32]; opaque kem[1568]; uint16 index; list8<opaque[32]> path; }"""

    id: int
    x25519: bytes
    kem: bytes
    index: int
    path: tuple[bytes, ...]

    def encode(self) -> bytes:
        return u8(ONETIME) + u32(self.id) + self.x25519 + self.kem + u16(self.index) + list8(self.path, bytes)

    @property
    def leaf(self) -> bytes:
        return leaf(ONETIME, self.id, self.x25519, kem_hash(self.kem))


def decode_record(r: Reader) -> LastResort | OneTime:
    kind = r.u8()
    r.require(kind in (LAST_RESORT, ONETIME))
    if kind == LAST_RESORT:
        return LastResort(KEM1024.check(r.bytes(1568)))
    id, x25519 = r.u32(), check_x25519(r.bytes(32))
    kem, index = KEM1024.check(r.bytes(1568)), r.u16()
    path = r.list8(lambda r: r.bytes(32))
    r.require(len(path) <= 10)
    return OneTime(id, x25519, kem, index, path)


@dataclass(frozen=True)
class PrekeyBundle:
    """struct { SignedManifest manifest; LastResort or OneTime record; } PrekeyBundle"""

    manifest: SignedManifest
    record: LastResort | OneTime

    def encode(self) -> bytes:
        return self.manifest.encode() + self.record.encode()

    @staticmethod
    def decode(data: bytes) -> "PrekeyBundle":
        """M-PK-02"""

        def bundle(r: Reader) -> PrekeyBundle:
            manifest, record = SignedManifest.decode(r), decode_record(r)
            r.require(isinstance(record, LastResort) or record.index < manifest.manifest.onetime_count)
            return PrekeyBundle(manifest, record)

        return decode_all(data, bundle)


def check_bundle(data: bytes, now: int, own_id: bytes, highest_generation: Callable[[bytes], int]) -> PrekeyBundle:
    """M-PK-02 to M-PK-07, in this order. highest_generation(id) is the highest one accepted from that identity."""
    bundle = PrekeyBundle.decode(data)  # M-PK-02
    manifest, record = bundle.manifest.manifest, bundle.record
    verify(manifest.identity, "sign manifest", manifest.encode(), bundle.manifest.signature)  # M-PK-03
    if isinstance(record, LastResort):  # M-PK-04
        genuine = equal(kem_hash(record.kem), manifest.signed.kem_hash)
    else:
        genuine = tree_verify(record.leaf, record.index, manifest.onetime_count, record.path, manifest.root)
    if not genuine:
        raise Authentication
    if not manifest.not_before <= now < manifest.not_after:  # M-PK-05
        raise Expired
    if manifest.generation < highest_generation(manifest.identity.id):  # M-PK-06
        raise Rollback
    if manifest.identity.id == own_id:  # M-PK-07
        raise OwnIdentity
    return bundle
