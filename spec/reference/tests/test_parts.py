"""Sections 1, 2, 3.1, 3.2, 5.4, 6.1: the parts by themselves."""

import hashlib
import itertools
import random

import pytest
from marline import erasure, message, primitives
from marline.errors import Authentication, Limit, Malformed
from marline.identity import safety_number
from marline.message import Block, Header, NoPadding, Padme, pad, unpad
from marline.notation import EXPAND, EXTRACT, LABELS, Reader, frame, H, PRF, decode_all
from marline.prekeys import node, tree_path, tree_root, tree_verify
from marline.primitives import KEM768, KEM1024, L, P


def test_no_label_is_a_prefix_of_another():
    for a, b in itertools.permutations(LABELS, 2):
        assert not b.startswith(a)


def test_functions_with_labels_written_out():
    label = b"\x11marline/1 kem key"
    assert frame("kem key") == label
    assert H("kem key", b"ab", b"") == hashlib.sha3_256(label + b"\0\0\0\2ab\0\0\0\0").digest()
    assert PRF("kem key", 5, b"k", b"x") == hashlib.shake_256(label + b"kx").digest(5)

    def hmac(key, data):
        key = key.ljust(136, b"\0")
        inner = hashlib.sha3_256(bytes(k ^ 0x36 for k in key) + data).digest()
        return hashlib.sha3_256(bytes(k ^ 0x5C for k in key) + inner).digest()

    assert EXTRACT(b"salt", b"ikm") == hmac(b"salt", b"ikm")
    t1 = hmac(b"prk", label + b"c" + b"\1")
    assert EXPAND(b"prk", "kem key", b"c", 40) == t1 + hmac(b"prk", t1 + label + b"c" + b"\2")[:8]


def test_decoder_is_strict():
    for data, decode in [
        (b"\1", Reader.u16),
        (b"\2ab\0", Reader.opaque8),
        (b"\3ab", Reader.opaque8),
        (b"\2\0", lambda r: r.optional(Reader.u8)),
        (b"\0\0", lambda r: r.optional(Reader.u8)),
        (b"\xff\xff\xff\xff", lambda r: r.list32(Reader.u8)),
    ]:
        with pytest.raises(Malformed):
            decode_all(data, decode)


def test_x25519_rules():
    good = primitives.x25519_public(bytes(31) + b"\1")
    assert primitives.check_x25519(good) == good
    primitives.check_x25519((P - 1).to_bytes(32, "little"))
    for bad in (P, P + 1, 2**255 - 1, 2**255, int.from_bytes(good, "little") | 2**255):
        with pytest.raises(Malformed):
            primitives.check_x25519(bad.to_bytes(32, "little"))
    for low_order in (0, 1, P - 1):  # M-PR-02
        with pytest.raises(Malformed):
            primitives.x25519(bytes(32), low_order.to_bytes(32, "little"))


def test_ed25519_strict():
    seed = bytes(range(32))
    public, signed = primitives.ed25519_public(seed), b"message"
    signature = primitives.ed25519_sign(seed, signed)
    assert primitives.ed25519_verify(public, signed, signature)
    assert not primitives.ed25519_verify(public, signed + b"!", signature)
    s = int.from_bytes(signature[32:], "little")
    assert not primitives.ed25519_verify(public, signed, signature[:32] + (s + L).to_bytes(32, "little"))
    for bad in small_order_and_non_canonical():
        with pytest.raises(Malformed):
            primitives.check_ed25519(bad)
        assert not primitives.ed25519_verify(bad, signed, signature)
        assert not primitives.ed25519_verify(public, signed, bad + signature[32:])
        # A of small order and S = 0 satisfy the equation with R of small order for some messages: refused all the same
        assert not primitives.ed25519_verify(bad, signed, bad + bytes(32))


def small_order_and_non_canonical():
    eight = primitives._point(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
    points = []
    for k in range(8):
        x, y, z, _ = primitives._multiply(k, eight)
        x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
        points.append((y | (x & 1) << 255).to_bytes(32, "little"))
    assert len(set(points)) == 8
    sign = 1 << 255
    others = [1 | sign, P - 1 | sign, P, P + 1, P | sign, P + 1 | sign, P + 3, 2]  # the last is not on the curve
    return points + [value.to_bytes(32, "little") for value in others]


def test_ed25519_accepts_a_key_with_a_torsion_part_only_by_the_cofactorless_equation():
    """M-PR-05 refuses small order, not mixed order; the cofactorless equation then decides."""
    seed = bytes(32)
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    a = int.from_bytes(scalar, "little")
    torsion = primitives._point((P - 1).to_bytes(32, "little"))  # order 2
    x, y, z, _ = primitives._add(primitives._multiply(a, primitives._BASE), torsion)
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    public = (y | (x & 1) << 255).to_bytes(32, "little")
    assert primitives.check_ed25519(public) == public
    results = set()
    for r in range(1, 20):
        rx, ry, rz, _ = primitives._multiply(r, primitives._BASE)
        rx, ry = rx * pow(rz, -1, P) % P, ry * pow(rz, -1, P) % P
        big_r = (ry | (rx & 1) << 255).to_bytes(32, "little")
        k = int.from_bytes(hashlib.sha512(big_r + public + b"m").digest(), "little") % L
        signature = big_r + ((r + k * a) % L).to_bytes(32, "little")
        assert primitives.ed25519_verify(public, b"m", signature) == (k % 2 == 0)
        results.add(k % 2)
    assert results == {0, 1}


@pytest.mark.parametrize("kem", [KEM768, KEM1024])
def test_kem(kem):
    seed, m = bytes(range(64)), bytes(32)
    ek = kem.check(kem.public(seed))
    ct, ss = kem.encaps(ek, m)
    assert kem.decaps(seed, ct) == ss
    assert kem.decaps(seed, bytes(len(ct))) != ss  # M-PR-04
    for bad in (b"\x01\x0d\x00" + ek[3:], b"\x00\x10\xd0" + ek[3:], ek[:-1]):  # 3329 in either place
        with pytest.raises(Malformed):
            kem.check(bad)


def test_kem_and_mldsa_agree_with_the_pure_python_packages():
    from dilithium_py.ml_dsa import ML_DSA_65
    from kyber_py.ml_kem import ML_KEM_1024

    seed = bytes(range(64))
    ek, dk = ML_KEM_1024.key_derive(seed)
    ct, _ = KEM1024.encaps(ek, bytes(32))
    assert KEM1024.public(seed) == ek and KEM1024.decaps(seed, ct) == ML_KEM_1024.decaps(dk, ct)
    public = primitives.mldsa65_public(seed[:32])
    assert public == ML_DSA_65.key_derive(seed[:32])[0]
    signature = primitives.mldsa65_sign(seed[:32], b"m", bytes(32))
    assert signature == ML_DSA_65.sign(ML_DSA_65.key_derive(seed[:32])[1], b"m", deterministic=True)
    assert primitives.mldsa65_verify(public, b"m", signature)
    assert not primitives.mldsa65_verify(public, b"n", signature)


def test_safety_number():
    a, b = bytes(32), bytes([1]) * 32
    digits, qr = safety_number(a, b)
    assert safety_number(b, a) == (digits, qr) and len(digits) == 60 and digits.isdigit() and qr == b"\1" + a + b


def test_tree():
    leaves = tuple(H("prekey", bytes([i])) for i in range(40))
    assert tree_root(leaves[:3]) == node(node(leaves[0], leaves[1]), leaves[2])
    for n in range(1, 41):
        root = tree_root(leaves[:n])
        for i in range(n):
            path = tree_path(leaves[:n], i)
            assert tree_verify(leaves[i], i, n, path, root)
            assert not tree_verify(leaves[i], i + 1, n, path, root)
            assert not tree_verify(leaves[i], i, n, path + [root], root)
            assert not path or not tree_verify(leaves[i], i, n, path[:-1], root)
    many = tuple(H("prekey", i.to_bytes(2, "big")) for i in range(1024))
    assert len(tree_path(many, 1000)) == 10


def test_padding():
    for length in [*range(0, 300), 1000, 4095, 65536]:
        plaintext = b"\x80" * length
        for padding in (NoPadding(), Block(1), Block(100), Padme(0), Padme(64), Padme(1000)):
            padded = pad(plaintext, padding)
            assert unpad(padded) == plaintext and len(padded) > length
        assert len(pad(plaintext, NoPadding())) == length + 1
        assert len(pad(plaintext, Block(100))) == (length // 100 + 1) * 100
    assert [len(pad(bytes(n - 1), Padme(0))) for n in (1, 2, 3, 9, 100, 1000, 1025)] == [1, 2, 3, 10, 104, 1024, 1088]
    assert len(pad(b"", Padme())) == 64
    for bad in (b"", b"\0\0", b"a", b"\x80a"):
        with pytest.raises(Authentication):
            unpad(bad)
    assert len(pad(b"abc", Block(0))) == 4
    for bad in (Block(65536), Padme(2**26)):
        with pytest.raises(Limit):
            pad(b"", bad)
    with pytest.raises(Limit):
        pad(bytes(message.MAX_PLAINTEXT + 1), NoPadding())
    assert len(unpad(pad(bytes(message.MAX_PLAINTEXT), Padme()))) == message.MAX_PLAINTEXT


def test_header():
    header = Header(bytes(32), 1, 2, 3, 4, 1, 65535, b"c" * 64)
    data = header.encode()
    assert len(data) == 51 + 64 and Header.decode(data, 2) == header
    none = Header(bytes(32), 1, 2, 3, 4, 0, 0, bytes(64)).encode()
    assert Header.decode(none, 2).kind == 0
    for bad in (
        data[:-1],
        data + b"\0",
        b"\xff" * 32 + data[32:],  # dh
        data[:32] + b"\x80" + data[33:],  # pn
        data[:36] + b"\x80" + data[37:],  # n
        data[:40] + b"\x80" + data[41:],  # pq_n
        data[:44] + bytes(4) + data[48:],  # epoch 0
        data[:48] + b"\3" + data[49:],  # kind
        none[:50] + b"\1" + none[51:],  # index with kind 0
        none[:-1] + b"\1",  # codewords with kind 0
    ):
        with pytest.raises(Malformed):
            Header.decode(bad, 2)


def test_field():
    assert erasure.multiply(2, 0x8000) == 0x100B
    assert sorted(erasure._EXP[:65535]) == list(range(1, 65536))  # x generates
    values = random.Random(1).sample(range(1, 65536), 30)
    for a, b in itertools.pairwise(values):
        slow = 0
        for bit in range(16):  # schoolbook
            slow ^= (b << bit) if a >> bit & 1 else 0
        for bit in range(30, 15, -1):
            slow ^= 0x1100B << (bit - 16) if slow >> bit & 1 else 0
        assert erasure.multiply(a, b) == slow and erasure.divide(slow, b) == a


@pytest.mark.parametrize("k", [1, 2, 35, 38])
def test_any_k_codewords_give_the_object_back(k):
    rng = random.Random(k)
    data = rng.randbytes(32 * k)
    assert erasure.encode_run(data, 0, k) == data
    for _ in range(10):
        indices = rng.sample(range(65536), k)
        assert erasure.decode({i: erasure.encode(data, i) for i in indices}) == data
    assert erasure.encode_run(data, 65535, 2) == erasure.encode(data, 65535) + data[:32]


def test_first_codeword_of_an_index_stays():
    held = erasure.add({}, 3, 65535, b"a" * 32 + b"b" * 32)
    held = erasure.add(held, 3, 0, b"c" * 32)
    assert held == {65535: b"a" * 32, 0: b"b" * 32} and list(held) == [0, 65535]
    assert erasure.add(held, 3, 7, b"d" * 96) == {0: b"b" * 32, 7: b"d" * 32, 65535: b"a" * 32}
