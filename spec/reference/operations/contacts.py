"""Contacts (section 10)."""

from marline import contact
from marline.contact import ContactState, Received

from .accounts import external, peer_of
from .kept import Kept
from .registry import Fault, Request, op, padding


@op
def contact_new(kept, q):
    kept.put("contact", q, contact.create(q.hex("identity_id", 32)))


@op
def contact_initiate(kept, q):
    return _start(kept, q, q.hex("plaintext"))


@op
def contact_reset(kept, q):
    return _start(kept, q, None)


def _start(kept: Kept, q: Request, payload: bytes | None) -> dict:
    account, c, draws = kept.account(q), kept.contact(q), q.draws()
    after = contact.initiate(
        account.state,
        c.state,
        q.hex("bundle"),
        q.number("slots"),
        payload,
        q.hex("ad", default=""),
        padding(q),
        q.number("now"),
        draws,
        external(q, account.state),
    )
    draws.finish()
    account.state, c.state, message = after
    return {"message": message}


@op
def contact_send(kept, q):
    c, draws = kept.contact(q), q.draws()
    after = contact.send(c.state, q.hex("plaintext"), q.hex("ad", default=""), padding(q), draws)
    draws.finish()
    c.state, message = after
    return {"message": message}


@op
def contact_receive(kept, q):
    c = kept.contact(q)
    c.state, received = contact.receive(c.state, q.hex("message"), q.hex("ad", default=""))
    return _received(received)


@op
def contact_accept(kept, q):
    """Into the contact of that name, or into a new one"""
    account, c = kept.account(q), kept.perhaps("contact", q)
    account.state, joined, received = contact.accept(
        account.state, c and c.state, q.hex("message"), q.hex("ad", default=""), q.number("now")
    )
    kept.put("contact", q, joined)
    return _received(received)


def _received(received: Received) -> dict:
    events = [_event(*event) for event in received.events]
    peer = peer_of(received.peer) if received.payload is not None else {"peer_id": None, "peer_subject": None}
    return {"plaintext": received.payload, **peer, "trust": received.trust, "events": events}


def _event(name: str, *values) -> dict:
    fields = {"IdentityChanged": ("from", "to"), "NewSession": ("session_id", "sends"), "Unreadable": ()}
    return {"event": name, **dict(zip(fields.get(name, ("session_id",)), values, strict=True))}


@op
def contact_show(kept, q):
    c = kept.contact(q)
    c.state, events = contact.show(c.state, q.hex("identity_id", 32))
    return {"events": [_event(*event) for event in events]}


@op
def contact_accept_identity(kept, q):
    c = kept.contact(q)
    c.state = contact.accept_identity(c.state, q.hex("identity_id", 32))


@op
def contact_refuse_identity(kept, q):
    c = kept.contact(q)
    c.state = contact.refuse_identity(c.state)


@op
def contact_verified(kept, q):
    c, verified = kept.contact(q), q.get("verified")
    if not isinstance(verified, bool):
        raise Fault("input verified must be true or false")
    c.state = contact.set_verified(c.state, c.state.identity, verified)


@op
def contact_maintain(kept, q):
    c = kept.contact(q)
    c.state = contact.maintain(c.state, q.number("now"))


@op
def contact_facts(kept, q):
    c: ContactState = kept.contact(q).state
    on = contact.sending(c)
    return {
        "identity_id": c.identity,
        "changed": c.changed,
        "trust": contact.trust(c, c.identity),
        "sends_on": on and on.session.session_id,
        "sessions": [ranked.session.session_id for ranked in c.sessions],
    }
