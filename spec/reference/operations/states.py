"""States (section 8). Each operation takes one of account, session and contact."""

from marline import state
from marline.identity import IdentityKey
from marline.errors import IdentityChanged, Malformed

from .accounts import identity_key
from .kept import HANDLES, Kept, encoded
from .registry import Fault, Request, op


def _handle(q: Request) -> str:
    given = [handle for handle in HANDLES if q.has(handle)]
    if len(given) != 1:
        raise Fault("one of account, session and contact")
    return given[0]


def _existing(kept: Kept, q: Request):
    handle = _handle(q)
    return handle, kept.existing(handle, q)


def _check_signer(q: Request, handle: str, decoded) -> None:
    """8.3: an account whose signer is outside is restored with that signer's identity, others without"""
    outside = identity_key(q) if handle == "account" and q.has("identity") else None
    stored = decoded.signer if handle == "account" and isinstance(decoded.signer, IdentityKey) else None
    if (outside is None) != (stored is None):
        raise Malformed
    if outside != stored:
        raise IdentityChanged


@op
def state_(kept, q):
    return {"state": encoded(*_existing(kept, q))}


@op
def load(kept, q):
    handle = _handle(q)
    decoded = state.KINDS[HANDLES[handle][0]].decode(q.hex("state"))
    _check_signer(q, handle, decoded)
    kept.put(handle, q, decoded)


@op
def fingerprint(kept, q):
    return {"fingerprint": state.fingerprint(encoded(*_existing(kept, q)))}


@op
def export(kept, q):
    handle, found = _existing(kept, q)
    draws = q.draws()
    blob = state.export_blob(HANDLES[handle][0], found.state, q.hex("key", 32), draws)
    draws.finish()
    return {"blob": blob}


@op
def import_(kept, q):
    handle = _handle(q)
    decoded = state.import_blob(HANDLES[handle][0], q.hex("blob"), q.hex("key", 32), q.number("minimum", 0))
    _check_signer(q, handle, decoded)
    kept.put(handle, q, decoded)


@op
def drop(kept, q):
    kept.drop(_handle(q), q)


@op
def reset(kept, _):
    kept.forget()
