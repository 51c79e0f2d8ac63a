"""Randomness, passed in. The text gives, for each operation, its draws and their order (4.2, 5.5, 8.1, 8.3)."""

import os
from collections.abc import Sequence


class ScriptError(Exception):
    """A script of draws does not fit the operation. Not an error of the protocol: a mistake of a test."""


class Draws:
    """Fresh bytes from the operating system."""

    def take(self, length: int) -> bytes:
        return os.urandom(length)

    def finish(self) -> None:
        """Called by whoever made the draws, after the operation."""


class Scripted(Draws):
    """Given bytes, in order; every draw must have the length that is asked for, and none may be left over."""

    def __init__(self, draws: Sequence[bytes]):
        self._left = list(draws)

    def take(self, length: int) -> bytes:
        if not self._left:
            raise ScriptError(f"out of draws, {length} bytes wanted")
        draw = self._left.pop(0)
        if len(draw) != length:
            raise ScriptError(f"a draw has {len(draw)} bytes, {length} wanted")
        return draw

    def finish(self) -> None:
        if self._left:
            raise ScriptError(f"{len(self._left)} draws left over")


class Seeded(Draws):
    """For tests: a reproducible stream, which remembers what it gave out."""

    def __init__(self, seed: int):
        import random

        self._random = random.Random(seed)
        self.taken: list[bytes] = []

    def take(self, length: int) -> bytes:
        draw = self._random.randbytes(length)
        self.taken.append(draw)
        return draw
