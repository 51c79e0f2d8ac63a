"""Section 6.1: the erasure code. Objects of k codewords; any k codewords with distinct indices give the object back."""

import functools
from collections.abc import Mapping

CODEWORD = 32

# The field GF(2)[x] / (x^16 + x^12 + x^3 + x + 1); x generates its multiplicative group.

_POLYNOMIAL = (1 << 16) | (1 << 12) | (1 << 3) | (1 << 1) | 1
_EXP = [1] * (2 * 65535)
for _i in range(1, 2 * 65535):
    _x = _EXP[_i - 1] << 1
    _EXP[_i] = _x ^ _POLYNOMIAL if _x >> 16 else _x
_LOG = {value: power for power, value in enumerate(_EXP[:65535])}
assert len(_LOG) == 65535


def multiply(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def divide(a: int, b: int) -> int:
    return _EXP[_LOG[a] + 65535 - _LOG[b]] if a else 0


@functools.lru_cache(4096)
def _lagrange(points: tuple[int, ...], x: int) -> tuple[int, ...]:
    """The weights w with f(x) = sum of w[j] f(points[j]) for every polynomial f of degree below len(points)."""
    weights = []
    for j in points:
        above = below = 1
        for l in points:
            if l != j:
                above = multiply(above, x ^ l)
                below = multiply(below, j ^ l)
        weights.append(divide(above, below))
    return tuple(weights)


def _elements(codeword: bytes) -> list[int]:
    """Sixteen elements, each two bytes big endian"""
    return [int.from_bytes(codeword[at : at + 2], "big") for at in range(0, CODEWORD, 2)]


def _value_at(x: int, codewords: Mapping[int, bytes]) -> bytes:
    """The codeword at the point x of the polynomials through the codewords given"""
    if x in codewords:
        return codewords[x]
    result = [0] * 16
    for weight, codeword in zip(_lagrange(tuple(codewords), x), codewords.values()):
        for position, element in enumerate(_elements(codeword)):
            result[position] ^= multiply(weight, element)
    return b"".join(element.to_bytes(2, "big") for element in result)


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
