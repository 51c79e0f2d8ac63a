"""Skipped keys, the same in both ratchets: 5.2 (M-DR-03 to -06), 5.3 (M-SP-05), and their age (7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .errors import Duplicate, TooOld

JUMP = 25_000  # M-DR-04, in each ratchet
KEPT = 2_000  # M-DR-05, in each ratchet
DAYS = 30  # 7
NUMBERS = 2**31  # M-DR-08: every number stays below

ChainStep = Callable[[bytes, int], tuple[bytes, bytes]]  # (CK, n) -> CK', message key


@dataclass(frozen=True)
class SkippedKey:
    """struct { uint32 n; uint16 day; opaque key[32]; } SkippedKey; day 0 stands for none"""

    n: int
    day: int
    key: bytes


@dataclass(frozen=True)
class Skipped:
    """struct { uint32 floor; list16<SkippedKey> keys; } Skipped; numbers ascending"""

    floor: int = 0
    keys: tuple[SkippedKey, ...] = ()

    def take(self, n: int) -> tuple["Skipped", bytes]:
        """The key of n, which is deleted; M-DR-06: without one TooOld if n < floor, else Duplicate."""
        for skipped in self.keys:
            if skipped.n == n:
                return replace(self, keys=tuple(k for k in self.keys if k.n != n)), skipped.key
        raise TooOld if n < self.floor else Duplicate

    def jump(self, chain: bytes, start: int, end: int, step: ChainStep) -> tuple["Skipped", bytes]:
        """M-DR-03: keeps the keys start..end−1; also gives the chain key at end."""
        keys = []
        for n in range(start, end):
            chain, key = step(chain, n)
            keys.append(SkippedKey(n, 0, key))
        return replace(self, keys=self.keys + tuple(keys)), chain

    def delete_oldest(self, count: int) -> "Skipped":
        """floor is one above the highest number deleted."""
        if count == 0:
            return self
        return Skipped(self.keys[count - 1].n + 1, self.keys[count:])

    def age(self, today: int) -> "Skipped":
        """7: gives every key without a day today's; deletes up to and including the highest-numbered one of age 30 or more."""
        keys = tuple(replace(key, day=key.day or today) for key in self.keys)
        aged = [at for at, key in enumerate(keys) if DAYS <= (today - key.day) % 65536 < 32767]
        return replace(self, keys=keys).delete_oldest(aged[-1] + 1 if aged else 0)


def evict(oldest_first: Sequence[Skipped]) -> list[Skipped]:
    """M-DR-05: at most 2,000 in all chains; the lowest number of the oldest chain goes first."""
    excess = sum(len(skipped.keys) for skipped in oldest_first) - KEPT
    result = []
    for skipped in oldest_first:
        count = min(max(excess, 0), len(skipped.keys))
        excess -= count
        result.append(skipped.delete_oldest(count))
    return result


def day(now: int) -> int:
    """7: (1 + floor(now / 86400)) mod 65536; a 0 result becomes 1"""
    return (1 + now // 86400) % 65536 or 1
