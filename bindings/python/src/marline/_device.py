"""A device that keeps its state in an encrypted file."""
from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple, Union

from ._account import Publication
from ._calls import _Handle, _buffer, _call, _copy, _facts, _identity, _number, _options, _record, _take_buffer, _take_events
from ._native import ffi, lib
from ._values import Event, Facts, Options, Trust


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

    def set_verified(self, name: str, identity: bytes, verified: bool) -> None:
        """Records whether the user has compared the safety number of an identity, which must be the contact's."""
        called = name.encode()
        _call(lib.marline_device_set_verified, self._raw, called, len(called), identity, len(identity), int(bool(verified)))

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
