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
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, List, Optional, Tuple, Type, TypeVar, Union

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
    "AcceptedFirst", "Account", "Added", "AuthenticationError", "CallerError", "Contact", "ContactInfo", "DataError", "Device",
    "DeviceOptions", "DeviceStatus", "DuplicateError", "EnvironmentFailure", "Error", "Event", "EventKind", "Facts", "Incoming",
    "InternalError", "LAST_RESORT", "Maintenance", "Opened", "Options", "Outgoing", "Pending", "PrekeyError", "Publication",
    "Received", "RollbackError", "Sealed", "Session", "Signing", "StorageError", "Trust", "safety_number", "verify_bundle",
    "version",
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


class Pending(_Handle):
    """A change of a session that is not made yet: store `state`, then give it to `Session.commit_…`."""

    _free = lib.marline_pending_free

    def state(self, key: bytes) -> Sealed:
        """The state to store before the commit."""
        return _sealed(lib.marline_pending_state, self._raw, key)

    def output(self) -> bytes:
        """The message or the plaintext, for an outbox or inbox written together with `state`; nothing else before the commit."""
        return _buffer(lib.marline_pending_output, self._raw)


class Signing(_Handle):
    """Bytes that both keys sign of an identity that is kept elsewhere: see `Account.external`."""

    _free = lib.marline_signing_free

    @property
    def input(self) -> bytes:
        """What to sign: with Ed25519, and with ML-DSA-65 and an empty context."""
        return _copy(lib.marline_signing_input(self._raw), lib.marline_signing_input_len(self._raw))


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

    @classmethod
    def external(cls, ed25519: bytes, mldsa65: bytes, subject: bytes) -> Account:
        """A new device whose identity signs elsewhere, by its public keys: `prepare_…`, have it signed, `finish_…`."""
        out = ffi.new("marline_account **")
        _call(lib.marline_account_external, ed25519, len(ed25519), mldsa65, len(mldsa65), subject, len(subject), out)
        return cls(out[0])

    @classmethod
    def import_external(cls, key: bytes, ed25519: bytes, mldsa65: bytes, sealed: bytes, minimum_generation: int) -> Account:
        """Restores a stored state of a device whose identity signs elsewhere."""
        out = ffi.new("marline_account **")
        _call(lib.marline_account_import_external, key, len(key), ed25519, len(ed25519), mldsa65, len(mldsa65), sealed,
              len(sealed), minimum_generation, out)
        return cls(out[0])

    def prepare_publish(self, count: int, now: int) -> Signing:
        """As `publish`, up to the signature."""
        out = ffi.new("marline_signing **")
        _call(lib.marline_account_prepare_publish, self._raw, count, now, out)
        return Signing(out[0])

    def prepare_initiate(self, bundle: bytes, plaintext: bytes, now: int, ad: bytes = b"",
                         options: Optional[Options] = None) -> Signing:
        """As `initiate`, up to the signature."""
        out = ffi.new("marline_signing **")
        _call(lib.marline_account_prepare_initiate, self._raw, bundle, len(bundle), plaintext, len(plaintext), ad, len(ad),
              _options(options), now, out)
        return Signing(out[0])

    def finish_publish(self, signing: Signing, ed25519: bytes, mldsa65: bytes) -> Publication:
        """Makes a prepared publication, with the two signatures."""
        out = ffi.new("marline_publication **")
        _call(lib.marline_account_finish_publish, self._raw, signing._raw, ed25519, len(ed25519), mldsa65, len(mldsa65), out)
        return Publication(out[0])

    def finish_initiate(self, signing: Signing, ed25519: bytes, mldsa65: bytes) -> Tuple[Session, bytes]:
        """Starts a prepared session, with the two signatures."""
        session, message = ffi.new("marline_session **"), ffi.new("marline_buffer **")
        _call(lib.marline_account_finish_initiate, self._raw, signing._raw, ed25519, len(ed25519), mldsa65, len(mldsa65),
              session, message)
        return Session(session[0]), _take_buffer(message[0])


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

    def export_secret(self, label: bytes, context: bytes, length: int) -> bytes:
        """As `Session.export_secret`, of the session that messages are sent on."""
        return _buffer(lib.marline_contact_export_secret, self._raw, label, len(label), context, len(context), length)

    def prepare_initiate(self, account: Account, bundle: bytes, plaintext: bytes, now: int, ad: bytes = b"",
                         options: Optional[Options] = None) -> Signing:
        """As `initiate`, up to the signature of an account whose identity signs elsewhere."""
        out = ffi.new("marline_signing **")
        _call(lib.marline_contact_prepare_initiate, self._raw, account._raw, bundle, len(bundle), plaintext, len(plaintext),
              ad, len(ad), _options(options), now, out)
        return Signing(out[0])

    def prepare_reset(self, account: Account, bundle: bytes, now: int, ad: bytes = b"",
                      options: Optional[Options] = None) -> Signing:
        """As `reset`, up to the signature of an account whose identity signs elsewhere."""
        out = ffi.new("marline_signing **")
        _call(lib.marline_contact_prepare_reset, self._raw, account._raw, bundle, len(bundle), ad, len(ad),
              _options(options), now, out)
        return Signing(out[0])

    def finish(self, account: Account, signing: Signing, ed25519: bytes, mldsa65: bytes) -> bytes:
        """The message of what was prepared, with the two signatures."""
        return _buffer(lib.marline_contact_finish, self._raw, account._raw, signing._raw, ed25519, len(ed25519), mldsa65,
                       len(mldsa65))


@dataclass(frozen=True)
class DeviceOptions:
    """How a device is kept; 0 is the default. `anchor` is a path for the anchor, on another disk."""

    batched: bool = False
    no_anchor: bool = False
    anchor: Union[str, bytes, "os.PathLike[str]"] = b""
    argon2_memory_kib: int = 0
    argon2_passes: int = 0
    argon2_lanes: int = 0
    minimum_generation: int = 0
    max_bytes: int = 0


class Added(enum.IntEnum):
    """What adding a contact did. After CHANGED nothing is sent before the user has decided."""

    NEW = 1
    KNOWN = 2
    CHANGED = 3


@dataclass(frozen=True)
class Outgoing:
    """A ciphertext that is to be sent; it waits in the outbox until `Device.mark_sent`."""

    id: bytes
    contact: str
    message: bytes


@dataclass(frozen=True)
class Incoming:
    """A message that was opened; its plaintext waits in the inbox until `Device.acknowledge`. None after a reset, or when an
    event says why."""

    id: bytes
    contact: str
    author: bytes
    subject: bytes
    trust: Trust
    plaintext: Optional[bytes]
    events: List[Event]


@dataclass(frozen=True)
class ContactInfo:
    """What a device knows of a contact."""

    name: str
    identity: bytes
    verified: bool
    changed_identity: Optional[bytes]
    has_bundle: bool
    sessions: List[Facts]


@dataclass(frozen=True)
class DeviceStatus:
    """The state of things; `due` are bits as of `Account.due`."""

    one_time_left: int
    due: int
    contacts: int
    outbox: int
    inbox: int
    unpublished: bool


@dataclass(frozen=True)
class Maintenance:
    """What `Device.maintain` did, and the publication for the directory if one was due."""

    reason: int
    deleted: int
    contacts: int
    publication: Optional[Publication]


_Path = Union[str, bytes, "os.PathLike[str]"]


class Device(_Handle):
    """A device that keeps its state in an encrypted file: what a call returns is on disk already.

    >>> import tempfile, os
    >>> home = tempfile.TemporaryDirectory()
    >>> bob = Device.create(os.path.join(home.name, "bob"), b"bob", key=bytes(32))
    >>> alice = Device.create(os.path.join(home.name, "alice"), b"alice", key=bytes(32))
    >>> alice.add_contact("bob", bob.publish(10, 1_800_000_000).bundle(0), 1_800_000_000)[0].name
    'NEW'
    >>> sent = alice.send("bob", b"hello", 1_800_000_000)
    >>> got = bob.receive(sent.message, 1_800_000_000)
    >>> got.contact, got.plaintext
    ('alice', b'hello')
    >>> alice.mark_sent(sent.id); bob.acknowledge(got.id)
    >>> alice.close(); bob.close(); home.cleanup()
    """

    _free = lib.marline_device_free

    @classmethod
    def create(cls, path: _Path, subject: bytes, *, key: Optional[bytes] = None, passphrase: Optional[bytes] = None,
               options: DeviceOptions = DeviceOptions()) -> Device:
        """Makes a device with a fresh identity in a new file, opened by 32 bytes of yours or by a passphrase."""
        file, anchor, unlock, secret, raw = cls._opening(path, key, passphrase, options)
        out = ffi.new("marline_device **")
        _call(lib.marline_device_create, file, len(file), anchor, len(anchor), unlock, secret, len(secret), subject,
              len(subject), raw, out)
        return cls(out[0])

    @classmethod
    def open(cls, path: _Path, *, key: Optional[bytes] = None, passphrase: Optional[bytes] = None,
             options: DeviceOptions = DeviceOptions()) -> Device:
        """Opens a device. `RollbackError`: the file is older than one that was used here; see `open_restored`."""
        file, anchor, unlock, secret, raw = cls._opening(path, key, passphrase, options)
        out = ffi.new("marline_device **")
        _call(lib.marline_device_open, file, len(file), anchor, len(anchor), unlock, secret, len(secret), raw, out)
        return cls(out[0])

    @classmethod
    def open_restored(cls, path: _Path, now: int, *, key: Optional[bytes] = None, passphrase: Optional[bytes] = None,
                      options: DeviceOptions = DeviceOptions()) -> Device:
        """Opens an older copy and makes it safe: its sessions and prekeys are deleted; identity and contacts stay."""
        file, anchor, unlock, secret, raw = cls._opening(path, key, passphrase, options)
        out = ffi.new("marline_device **")
        _call(lib.marline_device_open_restored, file, len(file), anchor, len(anchor), unlock, secret, len(secret), raw, now,
              out)
        return cls(out[0])

    @staticmethod
    def _opening(path: _Path, key: Optional[bytes], passphrase: Optional[bytes],
                 options: DeviceOptions) -> Tuple[bytes, bytes, int, bytes, Any]:
        if (key is None) == (passphrase is None):
            raise ValueError("a device is opened by a key or by a passphrase")
        secret, unlock = (key, lib.MARLINE_UNLOCK_KEY) if key is not None else (passphrase, lib.MARLINE_UNLOCK_PASSPHRASE)
        raw = ffi.new("marline_device_options *", [
            ffi.sizeof("marline_device_options"), int(options.batched), int(options.no_anchor), options.argon2_memory_kib,
            options.argon2_passes, options.argon2_lanes, options.minimum_generation, options.max_bytes])
        return os.fsencode(path), os.fsencode(options.anchor), unlock, secret or b"", raw

    @property
    def identity(self) -> bytes:
        """The identity's id, 32 bytes."""
        return _identity(lib.marline_device_identity, self._raw)

    @property
    def subject(self) -> bytes:
        """The name the device claims."""
        return _buffer(lib.marline_device_subject, self._raw)

    @property
    def generation(self) -> int:
        """Grows with every change; kept elsewhere, it shows that the machine was rolled back."""
        return _number("uint64_t", lib.marline_device_generation, self._raw)

    def flush(self) -> None:
        """Puts everything on disk: also what was marked as sent or acknowledged."""
        _call(lib.marline_device_flush, self._raw)

    def backup(self, path: _Path) -> None:
        """Writes an encrypted copy to a new file, for `open_restored`."""
        file = os.fsencode(path)
        _call(lib.marline_device_backup, self._raw, file, len(file))

    def publish(self, count: int, now: int) -> Publication:
        """Fresh prekeys for a directory; they wait in `unpublished` until `mark_published`."""
        out = ffi.new("marline_publication **")
        _call(lib.marline_device_publish, self._raw, count, now, out)
        return Publication(out[0])

    def unpublished(self) -> Optional[Publication]:
        """The publication that no directory has yet."""
        out = ffi.new("marline_publication **")
        _call(lib.marline_device_unpublished, self._raw, out)
        return Publication(out[0]) if out[0] else None

    def mark_published(self) -> None:
        """The directory has the publication."""
        _call(lib.marline_device_mark_published, self._raw)

    def maintain(self, now: int) -> Maintenance:
        """Does what is due and reports it; call it about every hour."""
        report = ffi.new("marline_maintenance *", [ffi.sizeof("marline_maintenance")])
        out = ffi.new("marline_publication **")
        _call(lib.marline_device_maintain, self._raw, now, report, out)
        made = Publication(out[0]) if out[0] else None
        return Maintenance(report.reason, report.deleted, report.contacts, made)

    def status(self, now: int) -> DeviceStatus:
        """The state of things."""
        f = _record("marline_device_facts", lib.marline_device_status, self._raw, now)
        return DeviceStatus(f.one_time_left, f.due, f.contacts, f.outbox, f.inbox, bool(f.unpublished))

    def add_contact(self, name: str, bundle: bytes, now: int) -> Tuple[Added, bytes]:
        """Adds a contact from its bundle, or gives it a fresh one: what happened, and the bundle's identity."""
        called, added = name.encode(), ffi.new("uint32_t *")
        identity = _identity(lib.marline_device_add_contact, self._raw, called, len(called), bundle, len(bundle), now, added)
        return Added(added[0]), identity

    def contacts(self) -> List[ContactInfo]:
        """All contacts, in no order."""
        return self._contacts(lib.marline_device_contacts)

    def contact(self, name: str) -> ContactInfo:
        """One contact."""
        called = name.encode()
        return self._contacts(lib.marline_device_contact, called, len(called))[0]

    def _contacts(self, function: Any, *arguments: Any) -> List[ContactInfo]:
        out = ffi.new("marline_contacts **")
        _call(function, self._raw, *arguments, out)
        listed = []
        try:
            for i in range(lib.marline_contacts_count(out[0])):
                info = _record("marline_contact_info", lib.marline_contacts_get, out[0], i)
                name = _copy(lib.marline_contacts_name(out[0], i), lib.marline_contacts_name_len(out[0], i)).decode()
                sessions = [_facts(lib.marline_contacts_session, out[0], i, number) for number in range(info.sessions)]
                listed.append(ContactInfo(name, bytes(info.identity), bool(info.verified),
                                          bytes(info.changed) if info.has_changed else None, bool(info.has_bundle), sessions))
        finally:
            lib.marline_contacts_free(out[0])
        return listed

    def set_verified(self, name: str, verified: bool) -> None:
        """Records whether the user has compared the safety number."""
        called = name.encode()
        _call(lib.marline_device_set_verified, self._raw, called, len(called), int(bool(verified)))

    def acknowledge_identity(self, name: str, identity: bytes) -> None:
        """The user accepts a contact's changed identity."""
        called = name.encode()
        _call(lib.marline_device_acknowledge_identity, self._raw, called, len(called), identity, len(identity))

    def reject_identity(self, name: str) -> None:
        """The user refuses a contact's changed identity."""
        called = name.encode()
        _call(lib.marline_device_reject_identity, self._raw, called, len(called))

    def send(self, contact: str, plaintext: bytes, now: int, ad: bytes = b"", options: Optional[Options] = None) -> Outgoing:
        """Encrypts for a contact. State and ciphertext are on disk when it returns."""
        called, message = contact.encode(), ffi.new("marline_buffer **")
        out = ffi.new("uint8_t[]", lib.MARLINE_ID_SIZE)
        _call(lib.marline_device_send, self._raw, called, len(called), plaintext, len(plaintext), ad, len(ad),
              _options(options), now, out, len(out), message)
        return Outgoing(bytes(out), contact, _take_buffer(message[0]))

    def reset(self, contact: str, now: int) -> Outgoing:
        """Gives up the session with a contact and starts another; the peer is told. At most once in an hour."""
        called, message = contact.encode(), ffi.new("marline_buffer **")
        out = ffi.new("uint8_t[]", lib.MARLINE_ID_SIZE)
        _call(lib.marline_device_reset, self._raw, called, len(called), now, out, len(out), message)
        return Outgoing(bytes(out), contact, _take_buffer(message[0]))

    def mark_sent(self, id: bytes) -> None:
        """The message is with the transport: it leaves the outbox."""
        _call(lib.marline_device_mark_sent, self._raw, id, len(id))

    def receive(self, message: bytes, now: int, sender: str = "", ad: bytes = b"") -> Incoming:
        """Opens a message. State, plaintext and events are on disk when it returns. `sender` is the contact that the transport says."""
        out, called = ffi.new("marline_inbox **"), sender.encode()
        _call(lib.marline_device_receive, self._raw, message, len(message), called, len(called), ad, len(ad), now, out)
        return _take_inbox(out[0])[0]

    def acknowledge(self, id: bytes) -> None:
        """The application has what it needs of a message, its plaintext and its events: it leaves the inbox."""
        _call(lib.marline_device_acknowledge, self._raw, id, len(id))

    def inbox(self) -> List[Incoming]:
        """Messages not acknowledged, oldest first, also those that only bring events."""
        out = ffi.new("marline_inbox **")
        _call(lib.marline_device_inbox, self._raw, out)
        return _take_inbox(out[0])

    def outbox(self) -> List[Outgoing]:
        """Ciphertexts not marked as sent, oldest first."""
        out = ffi.new("marline_outbox **")
        _call(lib.marline_device_outbox, self._raw, out)
        listed = []
        try:
            for i in range(lib.marline_outbox_count(out[0])):
                name, message = ffi.new("marline_buffer **"), ffi.new("marline_buffer **")
                id = ffi.new("uint8_t[]", lib.MARLINE_ID_SIZE)
                _call(lib.marline_outbox_get, out[0], i, id, len(id), name, message)
                listed.append(Outgoing(bytes(id), _take_buffer(name[0]).decode(), _take_buffer(message[0])))
        finally:
            lib.marline_outbox_free(out[0])
        return listed


def _take_inbox(inbox: Any) -> List[Incoming]:
    listed = []
    try:
        for i in range(lib.marline_inbox_count(inbox)):
            incoming = _record("marline_incoming", lib.marline_inbox_get, inbox, i)
            events = ffi.new("marline_events **")
            _call(lib.marline_inbox_events, inbox, i, events)
            plaintext = _copy(lib.marline_inbox_plaintext(inbox, i), lib.marline_inbox_plaintext_len(inbox, i)) \
                if incoming.has_plaintext else None
            listed.append(Incoming(
                bytes(incoming.id), _copy(lib.marline_inbox_contact(inbox, i), lib.marline_inbox_contact_len(inbox, i)).decode(),
                bytes(incoming.author), _copy(lib.marline_inbox_subject(inbox, i), lib.marline_inbox_subject_len(inbox, i)),
                Trust(incoming.trust), plaintext, _take_events(events[0])))
    finally:
        lib.marline_inbox_free(inbox)
    return listed


def safety_number(one: bytes, other: bytes) -> str:
    """60 digits of two identities, in either order, for two people to compare."""
    out = ffi.new("char[]", lib.MARLINE_SAFETY_NUMBER_SIZE)
    _call(lib.marline_safety_number, one, len(one), other, len(other), out, len(out))
    return str(ffi.string(out).decode())


def verify_bundle(bundle: bytes, own: bytes, now: int) -> None:
    """Raises unless a bundle's signatures, prekey and time are good, for the identity `own`."""
    _call(lib.marline_bundle_verify, bundle, len(bundle), own, len(own), now)


def version() -> str:
    """The library's version."""
    return str(ffi.string(lib.marline_version_string()).decode())
