"""Contacts: all sessions with one peer device."""
from __future__ import annotations

from typing import List, Optional

from ._account import Account, Signing
from ._calls import _Handle, _buffer, _call, _facts, _identity, _number, _options, _received, _sealed
from ._native import ffi, lib
from ._values import Facts, Options, Received, Sealed, Trust


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

    def set_verified(self, identity: bytes, verified: bool) -> None:
        """Records whether the user has compared the safety number of an identity, which must be this contact's."""
        _call(lib.marline_contact_set_verified, self._raw, identity, len(identity), int(bool(verified)))

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
