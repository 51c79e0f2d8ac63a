"""A request, and the table of operations."""

from marline import message
from marline.draws import Scripted


class Fault(Exception):
    """The request itself is wrong: a mistake of the runner."""


_REQUIRED = object()


class Request:
    """The inputs of one request, by type. An input that is not used by the operation is a fault."""

    def __init__(self, inputs: dict):
        self._inputs = inputs
        self._used = {"op"}

    def get(self, name: str, default=_REQUIRED):
        self._used.add(name)
        if name not in self._inputs and default is _REQUIRED:
            raise Fault(f"input {name} missing")
        return self._inputs.get(name, default)

    def has(self, name: str) -> bool:
        return name in self._inputs

    def hex(self, name: str, length: int | None = None, default=_REQUIRED) -> bytes:
        value = from_hex(self.get(name, default))
        if length is not None and len(value) != length:
            raise Fault(f"input {name} must have {length} bytes")
        return value

    def hexes(self, name: str) -> list[bytes]:
        return [from_hex(value) for value in self.get(name)]

    def number(self, name: str, default=_REQUIRED) -> int:
        value = self.get(name, default)
        if type(value) is not int or value < 0:
            raise Fault(f"input {name} must be a number")
        return value

    def draws(self) -> Scripted:
        return Scripted(self.hexes("draws"))

    def finish(self) -> None:
        unknown = set(self._inputs) - self._used
        if unknown:
            raise Fault(f"unknown input {sorted(unknown)}")


def from_hex(value) -> bytes:
    if not isinstance(value, str):
        raise Fault("hex must be a string")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise Fault("not hex") from None


OPS = {}


def op(function):
    """Enters an operation under the function's name."""
    OPS[function.__name__.removesuffix("_")] = function
    return function


def by_name(*names: str):
    return lambda values: dict(zip(names, values, strict=True))


def padding(q: Request) -> message.Padding:
    """null or absent: the default; "none"; {"block": n}; {"padme": floor}"""
    match q.get("padding", None):
        case None:
            return message.Padme(64)
        case "none":
            return message.NoPadding()
        case {"block": int(n)}:
            return message.Block(n)
        case {"padme": int(floor)}:
            return message.Padme(floor)
    raise Fault("unknown padding")
