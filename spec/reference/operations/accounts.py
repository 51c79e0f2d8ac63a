"""Accounts (sections 3.3, 3.4, 4)."""

from marline import account, notation, prekeys
from marline.identity import HYBRID_SIGNATURE, IdentityKey
from marline.session import Peer, Session

from .registry import Request, op, padding


@op
def account_generate(kept, q):
    draws = q.draws()
    created = account.generate(q.hex("subject"), draws)
    draws.finish()
    kept.put("account", q, created)
    return {"identity": created.identity.encode(), "identity_id": created.identity.id}


@op
def account_external(kept, q):
    """An account whose signer is outside: the runner plays it"""
    created = account.create(identity_key(q), q.hex("subject"))
    kept.put("account", q, created)
    return {"identity_id": created.identity.id}


def identity_key(q: Request) -> IdentityKey:
    return notation.decode_all(q.hex("identity"), IdentityKey.decode)


def external(q: Request, a: account.AccountState) -> account.External | None:
    """What the signer outside answers: the input `signature`; without one it refuses"""
    if not isinstance(a.signer, IdentityKey):
        return None
    signature = None if q.get("signature", None) is None else q.hex("signature", HYBRID_SIGNATURE)
    return lambda purpose, message: signature


@op
def publish(kept, q):
    account_ = kept.account(q)
    signer = external(q, account_.state)
    published = account_.publish(q.number("now"), q.number("onetime_count"), q.draws(), signer)
    return {
        "manifest": published.manifest.encode(),
        "last_resort": published.last_resort.encode(),
        "onetime": [record.encode() for record in published.onetime],
    }


@op
def account_maintain(kept, q):
    advice = kept.account(q).maintain(q.number("now"))
    due = "rotate" if advice.rotate else "replenish" if advice.replenish else None
    return {"due": due, "deleted": len(advice.deleted)}


@op
def verify_bundle(kept, q):
    bundle = account.verify_bundle(kept.account(q).state, q.hex("bundle"), q.number("now"))
    manifest = bundle.manifest.manifest
    return {
        "identity_id": manifest.identity.id,
        "subject": manifest.subject,
        "generation": manifest.generation,
        "signed_id": manifest.signed.id,
        "onetime_id": bundle.record.id if isinstance(bundle.record, prekeys.OneTime) else None,
    }


@op
def initiate(kept, q):
    """The handshake and its first message, as one: both succeed, or nothing has changed."""
    account_, draws = kept.account(q), q.draws()
    state_, created = account.initiate(
        account_.state, q.hex("bundle"), q.number("slots"), q.number("now"), draws, external(q, account_.state)
    )
    created = Session(created)
    data = created.encrypt(q.hex("plaintext"), q.hex("ad", default=""), padding(q), draws)
    account_.state = state_
    kept.put("session", q, created.state)
    return {"message": data, **peer_of(created.peer)}


def peer_of(peer: Peer) -> dict:
    return {"peer_id": peer.identity_id, "peer_subject": peer.subject}


@op
def accept(kept, q):
    created, plaintext = kept.account(q).accept(q.hex("message"), q.hex("ad", default=""), q.number("now"))
    kept.put("session", q, created.state)
    return {"plaintext": plaintext, **peer_of(created.peer)}
