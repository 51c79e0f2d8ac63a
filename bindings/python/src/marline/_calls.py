"""How the C functions are called: handles, buffers, structures."""
from __future__ import annotations

from types import TracebackType
from typing import Any, List, Optional, Type, TypeVar

from ._native import check, ffi, lib
from ._values import Event, EventKind, Facts, Opened, Options, Received, Sealed, Trust

_Self = TypeVar("_Self", bound="_Handle")


class _Handle:
    """Owns a C handle."""

    _free: Any = None

    def __init__(self, handle: Any) -> None:
        self._handle = ffi.gc(handle, self._free)

    def close(self) -> None:
        """Wipes and frees it now; later use is an error."""
        if self._handle is not None:
            ffi.release(self._handle)
            self._handle = None

    @property
    def _raw(self) -> Any:
        if self._handle is None:
            raise ValueError(f"{type(self).__name__} is closed")
        return self._handle

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


def _call(function: Any, *arguments: Any) -> None:
    check(function(*arguments, ffi.NULL))


def _buffer(function: Any, *arguments: Any) -> bytes:
    out = ffi.new("marline_buffer **")
    _call(function, *arguments, out)
    try:
        return _copy(lib.marline_buffer_data(out[0]), lib.marline_buffer_len(out[0]))
    finally:
        lib.marline_buffer_free(out[0])


def _copy(data: Any, length: int) -> bytes:
    return bytes(ffi.buffer(data, length))


def _number(kind: str, function: Any, *arguments: Any) -> int:
    out = ffi.new(kind + " *")
    _call(function, *arguments, out)
    return int(out[0])


def _sealed(function: Any, handle: Any, key: bytes) -> Sealed:
    out, generation = ffi.new("marline_buffer **"), ffi.new("uint64_t *")
    _call(function, handle, key, len(key), out, generation)
    try:
        return Sealed(_copy(lib.marline_buffer_data(out[0]), lib.marline_buffer_len(out[0])), int(generation[0]))
    finally:
        lib.marline_buffer_free(out[0])


def _take_opened(opened: Any) -> Opened:
    try:
        return Opened(
            _copy(lib.marline_opened_plaintext(opened), lib.marline_opened_plaintext_len(opened)),
            _copy(lib.marline_opened_identity(opened), lib.MARLINE_ID_SIZE),
            _copy(lib.marline_opened_subject(opened), lib.marline_opened_subject_len(opened)),
        )
    finally:
        lib.marline_opened_free(opened)


def _facts(function: Any, *arguments: Any) -> Facts:
    f = _record("marline_facts", function, *arguments)
    return Facts(f.role, f.slots, f.epoch, f.messages_since_epoch, bool(f.used_one_time_prekey),
                 bool(f.peer_has_answered), bool(f.failed), f.skipped_classical, f.skipped_post_quantum,
                 f.generation, bytes(f.session_id), bytes(f.peer_identity))


def _identity(function: Any, *arguments: Any) -> bytes:
    out = ffi.new("uint8_t[]", lib.MARLINE_ID_SIZE)
    _call(function, *arguments, out, len(out))
    return bytes(out)


def _received(function: Any, *arguments: Any) -> Received:
    opened, trust, events = ffi.new("marline_opened **"), ffi.new("uint32_t *"), ffi.new("marline_events **")
    _call(function, *arguments, opened, trust, events)
    listed = _take_events(events[0])
    return Received(_take_opened(opened[0]) if opened[0] else None, Trust(trust[0]), listed)


def _take_events(events: Any) -> List[Event]:
    listed = []
    try:
        for index in range(lib.marline_events_count(events)):
            event = _record("marline_event", lib.marline_events_get, events, index)
            listed.append(Event(EventKind(event.kind), bool(event.sends), bytes(event.session_id), bytes(getattr(event, "from")),
                                bytes(event.to)))
    finally:
        lib.marline_events_free(events)
    return listed


def _record(kind: str, function: Any, *arguments: Any) -> Any:
    """A structure that begins with its size, filled by a function."""
    record = ffi.new(kind + " *", [ffi.sizeof(kind)])
    _call(function, *arguments, record)
    return record


def _take_buffer(buffer: Any) -> bytes:
    try:
        return _copy(lib.marline_buffer_data(buffer), lib.marline_buffer_len(buffer))
    finally:
        lib.marline_buffer_free(buffer)


def _options(options: Optional[Options]) -> Any:
    if options is None:
        return ffi.NULL
    return ffi.new("marline_options *", [ffi.sizeof("marline_options"), options.padding, options.padding_size,
                                         options.slots])
