"""Section 8.3: the encoding of an account."""

from .account import PUBLICATIONS, REPLAY, SEEN, AccountState, PrekeySecret, PublicationState
from .identity import IdentityKey, IdentitySecret
from .notation import VERSION, Reader, ascending, decode_all, list8, list16, list32, opaque8, u8, u16, u32, u64

ACCOUNT = 2  # kind


def _encode_secret(p: PrekeySecret) -> bytes:
    return u32(p.id) + p.x25519 + p.kem_seed + p.leaf


def _decode_secret(r: Reader) -> PrekeySecret:
    return PrekeySecret(r.u32(), r.bytes(32), r.bytes(64), r.bytes(32))


def _encode_publication(p: PublicationState) -> bytes:
    return (
        u64(p.created)
        + u64(p.not_after)
        + u16(p.count)
        + p.manifest_hash
        + _encode_secret(p.signed)
        + list16(p.onetime, _encode_secret)
        + list16(p.replay, bytes)
    )


def _decode_publication(r: Reader) -> PublicationState:
    p = PublicationState(
        created=r.u64(),
        not_after=r.u64(),
        count=r.u16(),
        manifest_hash=r.bytes(32),
        signed=_decode_secret(r),
        onetime=r.list16(_decode_secret),
        replay=r.list16(lambda r: r.bytes(32)),
    )
    ids = [prekey.id for prekey in p.onetime]
    r.require(1 <= p.count <= 1024 and p.signed.id + p.count < 2**32)
    r.require(ascending(ids) and all(p.signed.id < id <= p.signed.id + p.count for id in ids))
    r.require(ascending(p.replay) and len(p.replay) <= REPLAY)
    return p


def encode_account(a: AccountState) -> bytes:
    match a.signer:
        case IdentitySecret(ed25519_seed, mldsa_seed):
            signer = u8(0) + ed25519_seed + mldsa_seed
        case IdentityKey():
            signer = u8(1) + a.signer.encode()
    return (
        u8(VERSION)
        + u8(ACCOUNT)
        + u64(a.generation)
        + signer
        + opaque8(a.subject)
        + u32(a.next_id)
        + u64(a.manifest_generation)
        + list8(a.publications, _encode_publication)
        + list32(sorted(a.seen.items()), lambda item: item[0] + u64(item[1]))
    )


def decode_account(data: bytes) -> AccountState:
    def account(r: Reader) -> AccountState:
        r.version()
        r.require(r.u8() == ACCOUNT)
        generation, tag = r.u64(), r.u8()
        r.require(tag <= 1)
        signer = IdentitySecret(r.bytes(32), r.bytes(32)) if tag == 0 else IdentityKey.decode(r)
        subject, next_id, manifest_generation = r.opaque8(), r.u32(), r.u64()
        publications = r.list8(_decode_publication)
        seen = r.list32(lambda r: (r.bytes(32), r.u64()))
        r.require(len(publications) <= PUBLICATIONS)
        ends = [0, *(p.signed.id + p.count for p in publications)]
        r.require(all(end < p.signed.id for end, p in zip(ends[1:], publications[1:])) and ends[-1] < next_id)
        r.require(len(seen) <= SEEN and ascending([identity_id for identity_id, _ in seen]))
        return AccountState(
            generation, signer, subject, next_id, manifest_generation, publications, dict(seen)
        )

    return decode_all(data, account)
