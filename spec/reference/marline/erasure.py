"""Section 6.1: the erasure code. Objects of k codewords; any k codewords with distinct indices give the object back."""

import functools
from collections.abc import Iterable, Mapping

CODEWORD = 32

# The field GF(2)[x] / (x^16 + x^12 + x^3 + x + 1); x generates its multiplicative group.

_POLYNOMIAL = (1 << 16) | (1 << 12) | (1 << 3) | (1 << 1) | 1
_EXP = [1] * (2 * 65535)
for _i in range(1, 2 * 65535):
    _x = _EXP[_i - 1] << 1
    _EXP[_i] = _x ^ _POLYNOMIAL if _x >> 16 else _x
_LOG = [0] * 65536
for _i in range(65535):
    _LOG[_EXP[_i]] = _i


def multiply(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def divide(a: int, b: int) -> int:
    return _EXP[_LOG[a] + 65535 - _LOG[b]] if a else 0


@functools.lru_cache(64)
def _denominators(points: tuple[int, ...]) -> tuple[int, ...]:
    """For each point j: the product of (j − l) over the other points l"""
    return tuple(_product(j ^ l for l in points if l != j) for j in points)


def _product(values: Iterable[int]) -> int:
    return functools.reduce(multiply, values, 1)


@functools.lru_cache(8192)
def _lagrange(points: tuple[int, ...], x: int) -> tuple[int, ...]:
    """
    The weights w with f(x) = sum of w[j] f(j) over the points j, for every polynomial f of degree below their number:
    w[j] = product of (x − l) over the other points l / product of (j − l) over the other points l;  x is no point
    """
    above = _product(x ^ l for l in points)
    return tuple(divide(above, multiply(x ^ j, below)) for j, below in zip(points, _denominators(points)))


# A codeword as one number: sixteen elements of sixteen bits side by side, each two bytes big endian.

_TOPS = int.from_bytes(b"\x80\x00" * 16, "big")  # the bit of x^15 in every element


def _times_x(elements: int) -> int:
    """Every element times x"""
    tops = elements & _TOPS
    return (elements ^ tops) << 1 ^ (tops >> 15) * (_POLYNOMIAL ^ 1 << 16)


def _sum(weights: Iterable[int], codewords: Iterable[bytes]) -> bytes:
    """The sum of weight times codeword, by Horner's rule over the sixteen bits of the weights"""
    pairs = [(weight, int.from_bytes(codeword, "big")) for weight, codeword in zip(weights, codewords)]
    result = 0
    for bit in range(15, -1, -1):
        result = _times_x(result)
        for weight, elements in pairs:
            if weight >> bit & 1:
                result ^= elements
    return result.to_bytes(CODEWORD, "big")


def _value_at(x: int, codewords: Mapping[int, bytes]) -> bytes:
    """The codeword at the point x of the polynomials through the codewords given"""
    if x in codewords:
        return codewords[x]
    return _sum(_lagrange(tuple(codewords), x), codewords.values())


def encode(data: bytes, index: int) -> bytes:
    """Codeword index of the object data: codewords 0..k−1 are the object itself."""
    assert len(data) % CODEWORD == 0 and 0 <= index <= 65535
    return _value_at(index, {j: data[CODEWORD * j : CODEWORD * (j + 1)] for j in range(len(data) // CODEWORD)})


def encode_run(data: bytes, index: int, slots: int) -> bytes:
    """The codewords index, index+1, ..., index+slots−1, modulo 65536, one after the other"""
    return b"".join(encode(data, (index + i) % 65536) for i in range(slots))


def decode(codewords: Mapping[int, bytes]) -> bytes:
    """The object of k codewords from exactly k of them"""
    return b"".join(_value_at(j, codewords) for j in range(len(codewords)))


def add(held: dict[int, bytes], k: int, index: int, codewords: bytes) -> dict[int, bytes]:
    """M-EC-01: the first codeword for an index stays; codewords beyond the k-th are ignored."""
    held = dict(held)
    for i in range(len(codewords) // CODEWORD):
        at = (index + i) % 65536
        if len(held) < k and at not in held:
            held[at] = codewords[CODEWORD * i : CODEWORD * (i + 1)]
    return dict(sorted(held.items()))
