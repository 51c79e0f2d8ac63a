"""Sessions (section 5)."""

from marline import session

from .accounts import peer_of
from .registry import op, padding


@op
def encrypt(kept, q):
    s, plaintext, ad = kept.session(q), q.hex("plaintext"), q.hex("ad", default="")
    return {"message": s.encrypt(plaintext, ad, padding(q), q.draws())}


@op
def decrypt(kept, q):
    peer, plaintext = kept.session(q).decrypt(q.hex("message"), q.hex("ad", default=""))
    return {"plaintext": plaintext, **peer_of(peer)}


@op
def maintain(kept, q):
    kept.session(q).maintain(q.number("now"))


@op
def export_secret(kept, q):
    return {"secret": kept.session(q).export_secret(q.hex("label"), q.hex("context"), q.number("length"))}


@op
def facts(kept, q):
    s = kept.session(q).state
    return {
        **peer_of(s.peer),
        "session_id": s.session_id,
        "role": s.role,
        "slots": s.slots,
        "failed": s.status == session.FAILED,
        "epoch": s.sparse.current.epoch,
        "since_epoch": s.since_epoch,
        "used_onetime": s.used_onetime,
        "unanswered": isinstance(s.opening, session.Unanswered),
    }
