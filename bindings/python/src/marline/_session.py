"""Sessions."""
from __future__ import annotations

from typing import Optional

from ._calls import _Handle, _buffer, _call, _facts, _number, _options, _sealed, _take_opened
from ._native import ffi, lib
from ._values import Facts, Opened, Options, Sealed


class Pending(_Handle):
    """A change of a session that is not made yet: store `state`, then give it to `Session.commit_…`."""

    _free = lib.marline_pending_free

    def state(self, key: bytes) -> Sealed:
        """The state to store before the commit."""
        return _sealed(lib.marline_pending_state, self._raw, key)

    def output(self) -> bytes:
        """The message or the plaintext, for an outbox or inbox written together with `state`; nothing else before the commit."""
        return _buffer(lib.marline_pending_output, self._raw)


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
