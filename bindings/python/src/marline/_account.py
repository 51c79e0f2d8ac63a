"""Accounts: an identity and its prekeys, in memory."""
from __future__ import annotations

from typing import Optional, Tuple

from ._calls import _Handle, _buffer, _call, _copy, _identity, _number, _options, _sealed, _take_buffer, _take_opened
from ._native import ffi, lib
from ._session import Session
from ._values import Opened, Options, Sealed

LAST_RESORT: int = 0xFFFFFFFF
"""Index of a publication's bundle without a one-time prekey."""


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


class Signing(_Handle):
    """Bytes that both keys sign of an identity that is kept elsewhere: see `Account.external`."""

    _free = lib.marline_signing_free

    @property
    def input(self) -> bytes:
        """What to sign: with Ed25519, and with ML-DSA-65 and an empty context."""
        return _copy(lib.marline_signing_input(self._raw), lib.marline_signing_input_len(self._raw))


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
