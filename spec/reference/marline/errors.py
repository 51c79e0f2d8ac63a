"""Section 9: one exception per error name.

M-ER-01: no error carries a secret or text from the peer; here an error carries nothing at all.
"""


class MarlineError(Exception):
    """An operation of the protocol failed; the name of the class is the name of the error."""

    @property
    def name(self) -> str:
        return type(self).__name__


class Authentication(MarlineError):
    """Forged, corrupt, or for somebody else."""


class Duplicate(MarlineError):
    """Delivered before."""


class TooOld(MarlineError):
    """Its key is gone."""


class TooFarAhead(MarlineError):
    """Jump limit."""


class UnknownPrekey(MarlineError):
    """Prekeys not here (any more)."""


class PrekeyUsed(MarlineError):
    """One-time prekey used before."""


class Expired(MarlineError):
    """Bundle outside its validity window."""


class Rollback(MarlineError):
    """Older than something seen before."""


class IdentityChanged(MarlineError):
    """A peer shows another identity."""


class OwnIdentity(MarlineError):
    """Talking to oneself."""


class NoSession(MarlineError):
    """No session for this."""


class AgreementFailed(MarlineError):
    """The post-quantum agreement broke; the session has ended."""


class Version(MarlineError):
    """Another protocol version."""


class Malformed(MarlineError):
    """Not a valid encoding."""


class Limit(MarlineError):
    """A stated limit is reached."""


class Randomness(MarlineError):
    """The generator failed."""


class Signer(MarlineError):
    """An external signer cannot or will not sign."""


class Stale(MarlineError):
    """A prepared change belongs to an older state."""


ALL = {error.__name__: error for error in MarlineError.__subclasses__()}
