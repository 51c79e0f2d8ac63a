"""Marline: post-quantum hybrid end-to-end encryption.

>>> import marline, time
>>> now = int(time.time())
>>> alice, bob = marline.Account.generate(b"alice"), marline.Account.generate(b"bob")
>>> bundle = bob.publish(10, now).bundle(0)
>>> to_bob, first = alice.initiate(bundle, b"hello", now)
>>> to_alice, opened = bob.accept(first, now)
>>> opened.plaintext, opened.subject
(b'hello', b'alice')
>>> to_bob.decrypt(to_alice.encrypt(b"hi")).plaintext
b'hi'

Bytes in, bytes out. Objects are context managers, wiped when closed or collected. States leave the library
sealed under a key of yours. Python cannot wipe `bytes`: plaintexts and exported secrets live until they are
collected. An object is for one thread at a time; a second gets `CallerError` (MARLINE_ERR_BUSY).
"""
from __future__ import annotations

import enum
from dataclasses import dataclass
from types import TracebackType
from typing import Any, List, Optional, Tuple, Type, TypeVar

from ._native import (
    AuthenticationError,
    CallerError,
    DataError,
    DuplicateError,
    EnvironmentFailure,
    Error,
    InternalError,
    PrekeyError,
    RollbackError,
    StorageError,
    check,
    ffi,
    lib,
)

__all__ = [
    "AcceptedFirst", "Account", "AuthenticationError", "CallerError", "Contact", "DataError", "DuplicateError",
    "EnvironmentFailure", "Error", "Event", "EventKind", "Facts", "InternalError", "LAST_RESORT", "Opened", "Options",
    "Pending", "PrekeyError", "Publication", "Received", "RollbackError", "Sealed", "Session", "StorageError", "Trust",
    "safety_number", "version",
]

LAST_RESORT: int = 0xFFFFFFFF
"""Index of a publication's bundle without a one-time prekey."""

_Self = TypeVar("_Self", bound="_Handle")


@dataclass(frozen=True)
class Options:
    """Choices of a sender; 0 is the default."""

    padding: int = 0
    padding_size: int = 0
    slots: int = 0

    NONE = 1
    PADME = 2
    BLOCK = 3


@dataclass(frozen=True)
class Opened:
    """A plaintext with its authenticated sender: `identity`, and the name it claims, `subject`."""

    plaintext: bytes
    identity: bytes
    subject: bytes


@dataclass(frozen=True)
class Sealed:
    """A state to store, and the generation to remember: import refuses older ones."""

    sealed: bytes
    generation: int


@dataclass(frozen=True)
class Facts:
    """What there is to know about a session; see marline_facts in marline.h."""

    role: int
    slots: int
    epoch: int
    messages_since_epoch: int
    used_one_time_prekey: bool
    peer_has_answered: bool
    failed: bool
    skipped_classical: int
    skipped_post_quantum: int
    generation: int
    session_id: bytes
    peer_identity: bytes


class Trust(enum.IntEnum):
    """How far an author is trusted as a contact."""

    OTHER = 0
    UNVERIFIED = 1
    VERIFIED = 2


class EventKind(enum.IntEnum):
    """See MARLINE_EVENT_... in marline.h."""

    OTHER = 0
    NEW_SESSION = 1
    SESSION_RESET = 2
    SESSION_FAILED = 3
    SESSION_EVICTED = 4
    IDENTITY_CHANGED = 5
    UNREADABLE = 6


@dataclass(frozen=True)
class Event:
    """Something that the application, and mostly its user, is to be told."""

    kind: EventKind
    sends: bool
    session_id: bytes
    former_identity: bytes
    identity: bytes


@dataclass(frozen=True)
class Received:
    """What came out of a message to a contact; `opened` is None after a reset, or when an event says why."""

    opened: Optional[Opened]
    trust: Trust
    events: List[Event]


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
    f = ffi.new("marline_facts *", [ffi.sizeof("marline_facts")])
    _call(function, *arguments, f)
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
    try:
        listed = []
        for index in range(lib.marline_events_count(events[0])):
            event = ffi.new("marline_event *", [ffi.sizeof("marline_event")])
            _call(lib.marline_events_get, events[0], index, event)
            listed.append(Event(EventKind(event.kind), bool(event.sends), bytes(event.session_id), bytes(getattr(event, "from")),
                                bytes(event.to)))
    finally:
        lib.marline_events_free(events[0])
    return Received(_take_opened(opened[0]) if opened[0] else None, Trust(trust[0]), listed)


def _options(options: Optional[Options]) -> Any:
    if options is None:
        return ffi.NULL
    return ffi.new("marline_options *", [ffi.sizeof("marline_options"), options.padding, options.padding_size,
                                         options.slots])


class Pending(_Handle):
    """A change of a session that is not made yet: store `state`, then give it to `Session.commit_…`."""

    _free = lib.marline_pending_free

    def state(self, key: bytes) -> Sealed:
        """The state to store before the commit."""
        return _sealed(lib.marline_pending_state, self._raw, key)


class Session(_Handle):
    """A conversation with one peer device."""

    _free = lib.marline_session_free

    @classmethod
    def import_state(cls, key: bytes, sealed: bytes, minimum_generation: int) -> Session:
        """Restores a stored state that is not older than `minimum_generation`."""
        out = ffi.new("marline_session **")
        _call(lib.marline_session_import, key, len(key), sealed, len(sealed), minimum_generation, out)
        return cls(out[0])

    def export_state(self, key: bytes) -> Sealed:
        """The state, sealed under 32 bytes of yours."""
        return _sealed(lib.marline_session_export, self._raw, key)

    def encrypt(self, plaintext: bytes, ad: bytes = b"", options: Optional[Options] = None) -> bytes:
        """Encrypts. Store the state before the message leaves, or use `prepare_encrypt`."""
        return _buffer(lib.marline_session_encrypt, self._raw, plaintext, len(plaintext), ad, len(ad),
                       _options(options))

    def decrypt(self, message: bytes, ad: bytes = b"") -> Opened:
        """Decrypts. Store the state before acting on the plaintext, or use `prepare_decrypt`."""
        out = ffi.new("marline_opened **")
        _call(lib.marline_session_decrypt, self._raw, message, len(message), ad, len(ad), out)
        return _take_opened(out[0])

    def prepare_encrypt(self, plaintext: bytes, ad: bytes = b"", options: Optional[Options] = None) -> Pending:
        """Computes an encryption without making it."""
        out = ffi.new("marline_pending **")
        _call(lib.marline_session_prepare_encrypt, self._raw, plaintext, len(plaintext), ad, len(ad),
              _options(options), out)
        return Pending(out[0])

    def prepare_decrypt(self, message: bytes, ad: bytes = b"") -> Pending:
        """Computes a decryption without making it."""
        out = ffi.new("marline_pending **")
        _call(lib.marline_session_prepare_decrypt, self._raw, message, len(message), ad, len(ad), out)
        return Pending(out[0])

    def commit_encrypt(self, pending: Pending) -> bytes:
        """Makes a prepared encryption and releases its message."""
        return _buffer(lib.marline_session_commit_encrypt, self._raw, pending._raw)

    def commit_decrypt(self, pending: Pending) -> Opened:
        """Makes a prepared decryption and releases its plaintext."""
        out = ffi.new("marline_opened **")
        _call(lib.marline_session_commit_decrypt, self._raw, pending._raw, out)
        return _take_opened(out[0])

    def message_len(self, plaintext_len: int, options: Optional[Options] = None) -> int:
        """The exact length of the next message."""
        return _number("size_t", lib.marline_session_message_len, self._raw, plaintext_len, _options(options))

    def maintain(self, now: int) -> None:
        """Deletes keys of lost messages after 30 days; call it about once a day, with Unix seconds."""
        _call(lib.marline_session_maintain, self._raw, now)

    def facts(self) -> Facts:
        """What there is to know."""
        return _facts(lib.marline_session_facts, self._raw)

    def peer_subject(self) -> bytes:
        """The name that the peer claims."""
        return _buffer(lib.marline_session_peer_subject, self._raw)

    def export_secret(self, label: bytes, context: bytes, length: int) -> bytes:
        """A secret for another protocol, the same on both sides."""
        return _buffer(lib.marline_session_export_secret, self._raw, label, len(label), context, len(context), length)


class Publication(_Handle):
    """What a device gives to a directory."""

    _free = lib.marline_publication_free

    def __len__(self) -> int:
        return _number("uint32_t", lib.marline_publication_count, self._raw)

    def manifest(self) -> bytes:
        """What every bundle begins with."""
        return _buffer(lib.marline_publication_manifest, self._raw)

    def record(self, index: int) -> bytes:
        """One record: manifest + record is a bundle."""
        return _buffer(lib.marline_publication_record, self._raw, index)

    def bundle(self, index: int) -> bytes:
        """What a directory hands out for one handshake; each index once, `LAST_RESORT` after that."""
        return _buffer(lib.marline_publication_bundle, self._raw, index)


class Account(_Handle):
    """One device's identity and prekeys."""

    _free = lib.marline_account_free

    ROTATE, REPLENISH, DELETE = 1, 2, 4

    @classmethod
    def generate(cls, subject: bytes) -> Account:
        """A new device with a fresh identity that claims a name."""
        out = ffi.new("marline_account **")
        _call(lib.marline_account_generate, subject, len(subject), out)
        return cls(out[0])

    @classmethod
    def import_state(cls, key: bytes, sealed: bytes, minimum_generation: int) -> Account:
        """Restores a stored state that is not older than `minimum_generation`."""
        out = ffi.new("marline_account **")
        _call(lib.marline_account_import, key, len(key), sealed, len(sealed), minimum_generation, out)
        return cls(out[0])

    def export_state(self, key: bytes) -> Sealed:
        """The state, sealed under 32 bytes of yours."""
        return _sealed(lib.marline_account_export, self._raw, key)

    @property
    def identity(self) -> bytes:
        """The identity's id, 32 bytes."""
        return _identity(lib.marline_account_identity, self._raw)

    @property
    def subject(self) -> bytes:
        """The name the device claims."""
        return _buffer(lib.marline_account_subject, self._raw)

    @property
    def generation(self) -> int:
        """Grows with every change."""
        return _number("uint64_t", lib.marline_account_generation, self._raw)

    def publish(self, count: int, now: int) -> Publication:
        """Fresh prekeys for a directory. Store the state before they leave."""
        out = ffi.new("marline_publication **")
        _call(lib.marline_account_publish, self._raw, count, now, out)
        return Publication(out[0])

    def due(self, now: int) -> int:
        """What the prekeys' life cycle wants: bits ROTATE, REPLENISH, DELETE."""
        return _number("uint32_t", lib.marline_account_due, self._raw, now)

    def delete_expired(self, now: int) -> int:
        """Deletes private prekeys past their deadline; the number of publications."""
        return _number("uint32_t", lib.marline_account_delete_expired, self._raw, now)

    def one_time_left(self) -> int:
        """Unused one-time prekeys of the newest publication."""
        return _number("uint32_t", lib.marline_account_one_time_left, self._raw)

    def initiate(self, bundle: bytes, plaintext: bytes, now: int, ad: bytes = b"",
                 options: Optional[Options] = None) -> Tuple[Session, bytes]:
        """Starts a session with a bundle's owner: the session and its first message."""
        session, message = ffi.new("marline_session **"), ffi.new("marline_buffer **")
        _call(lib.marline_account_initiate, self._raw, bundle, len(bundle), plaintext, len(plaintext), ad, len(ad),
              _options(options), now, session, message)
        try:
            return Session(session[0]), _copy(lib.marline_buffer_data(message[0]), lib.marline_buffer_len(message[0]))
        finally:
            lib.marline_buffer_free(message[0])

    def accept(self, message: bytes, now: int, ad: bytes = b"") -> Tuple[Session, Opened]:
        """Accepts a first message: the session and the first plaintext."""
        session, opened = ffi.new("marline_session **"), ffi.new("marline_opened **")
        _call(lib.marline_account_accept, self._raw, message, len(message), ad, len(ad), now, session, opened)
        return Session(session[0]), _take_opened(opened[0])


class AcceptedFirst(_Handle):
    """A first message that was accepted and awaits its contact: see whose it is, then `Contact.adopt`."""

    _free = lib.marline_accepted_free

    @classmethod
    def accept(cls, account: Account, message: bytes, now: int, ad: bytes = b"") -> AcceptedFirst:
        """Accepts a first message. Store the states of the account and of the contact before acting on it."""
        out = ffi.new("marline_accepted **")
        _call(lib.marline_account_accept_first, account._raw, message, len(message), ad, len(ad), now, out)
        return cls(out[0])

    @property
    def identity(self) -> bytes:
        """The authenticated identity it is from."""
        return _identity(lib.marline_accepted_identity, self._raw)


class Contact(_Handle):
    """All sessions with one peer device."""

    _free = lib.marline_contact_free

    @classmethod
    def of(cls, identity: bytes) -> Contact:
        """A contact without sessions, for the peer device of an identity."""
        out = ffi.new("marline_contact **")
        _call(lib.marline_contact_new, identity, len(identity), out)
        return cls(out[0])

    @classmethod
    def import_state(cls, key: bytes, sealed: bytes, minimum_generation: int) -> Contact:
        """Restores a stored state that is not older than `minimum_generation`."""
        out = ffi.new("marline_contact **")
        _call(lib.marline_contact_import, key, len(key), sealed, len(sealed), minimum_generation, out)
        return cls(out[0])

    def export_state(self, key: bytes) -> Sealed:
        """The state with all sessions, sealed under 32 bytes of yours."""
        return _sealed(lib.marline_contact_export, self._raw, key)

    def initiate(self, account: Account, bundle: bytes, plaintext: bytes, now: int, ad: bytes = b"",
                 options: Optional[Options] = None) -> bytes:
        """Starts a session and encrypts its first message."""
        return _buffer(lib.marline_contact_initiate, self._raw, account._raw, bundle, len(bundle), plaintext,
                       len(plaintext), ad, len(ad), _options(options), now)

    def reset(self, account: Account, bundle: bytes, now: int, ad: bytes = b"",
              options: Optional[Options] = None) -> bytes:
        """Gives up the session and starts another; the peer is told. At most once in an hour."""
        return _buffer(lib.marline_contact_reset, self._raw, account._raw, bundle, len(bundle), ad, len(ad),
                       _options(options), now)

    def send(self, plaintext: bytes, ad: bytes = b"", options: Optional[Options] = None) -> bytes:
        """Encrypts on the session both sides prefer. Store the state before the message leaves."""
        return _buffer(lib.marline_contact_send, self._raw, plaintext, len(plaintext), ad, len(ad), _options(options))

    def owns(self, message: bytes) -> bool:
        """Whether a first message belongs to a session here."""
        return _number("uint32_t", lib.marline_contact_owns, self._raw, message, len(message)) == 1

    def receive(self, message: bytes, ad: bytes = b"") -> Received:
        """Opens a message of any session with the contact."""
        return _received(lib.marline_contact_receive, self._raw, message, len(message), ad, len(ad))

    def adopt(self, accepted: AcceptedFirst, now: int) -> Received:
        """Takes an accepted first message with its session; it is spent then."""
        return _received(lib.marline_contact_adopt, self._raw, accepted._raw, now)

    def observe(self, identity: bytes) -> bool:
        """Says which identity the peer shows now; True if it is another one, and sending stops until a decision."""
        return _number("uint32_t", lib.marline_contact_observe, self._raw, identity, len(identity)) == 1

    def acknowledge(self, identity: bytes) -> None:
        """The user accepts the changed identity."""
        _call(lib.marline_contact_acknowledge, self._raw, identity, len(identity))

    def reject(self) -> None:
        """The user refuses the changed identity."""
        _call(lib.marline_contact_reject, self._raw)

    def set_verified(self, verified: bool) -> None:
        """Records whether the user has compared the safety number."""
        _call(lib.marline_contact_set_verified, self._raw, int(bool(verified)))

    def trust(self, identity: bytes) -> Trust:
        """How far an author is trusted as this contact."""
        return Trust(_number("uint32_t", lib.marline_contact_trust, self._raw, identity, len(identity)))

    @property
    def identity(self) -> bytes:
        """The identity that messages are sent to."""
        return _identity(lib.marline_contact_identity, self._raw)

    @property
    def changed_identity(self) -> Optional[bytes]:
        """The identity that awaits the user's decision, if there is one."""
        has = ffi.new("uint32_t *")
        changed = _identity(lib.marline_contact_changed_identity, self._raw, has)
        return changed if has[0] else None

    def sessions(self) -> List[Facts]:
        """The facts of all sessions, best first."""
        count = _number("uint32_t", lib.marline_contact_session_count, self._raw)
        return [_facts(lib.marline_contact_session_facts, self._raw, index) for index in range(count)]

    def maintain(self, now: int) -> None:
        """As `Session.maintain`, in all sessions."""
        _call(lib.marline_contact_maintain, self._raw, now)


def safety_number(one: bytes, other: bytes) -> str:
    """60 digits of two identities, in either order, for two people to compare."""
    out = ffi.new("char[]", lib.MARLINE_SAFETY_NUMBER_SIZE)
    _call(lib.marline_safety_number, one, len(one), other, len(other), out, len(out))
    return str(ffi.string(out).decode())


def version() -> str:
    """The library's version."""
    return str(ffi.string(lib.marline_version_string()).decode())
