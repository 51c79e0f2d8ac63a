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

from ._account import LAST_RESORT, Account, Publication, Signing
from ._calls import _call
from ._contact import AcceptedFirst, Contact
from ._device import Added, ContactInfo, Device, DeviceOptions, DeviceStatus, Incoming, Maintenance, Outgoing
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
    ffi,
    lib,
)
from ._session import Pending, Session
from ._values import Event, EventKind, Facts, Opened, Options, Received, Sealed, Trust

__all__ = [
    "AcceptedFirst", "Account", "Added", "AuthenticationError", "CallerError", "Contact", "ContactInfo", "DataError", "Device",
    "DeviceOptions", "DeviceStatus", "DuplicateError", "EnvironmentFailure", "Error", "Event", "EventKind", "Facts", "Incoming",
    "InternalError", "LAST_RESORT", "Maintenance", "Opened", "Options", "Outgoing", "Pending", "PrekeyError", "Publication",
    "Received", "RollbackError", "Sealed", "Session", "Signing", "StorageError", "Trust", "safety_number", "verify_bundle",
    "version",
]


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
