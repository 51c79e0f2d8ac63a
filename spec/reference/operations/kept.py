"""What the driver keeps under names: accounts, sessions and contacts."""

from marline import state
from marline.account import Account
from marline.contact import ContactState
from marline.session import Session

from .registry import Fault, Request


class Contact:
    """A contact that changes."""

    def __init__(self, state: ContactState):
        self.state = state


HANDLES = {"account": (state.ACCOUNT, Account), "session": (state.SESSION, Session), "contact": (state.CONTACT, Contact)}


class Kept:
    def __init__(self):
        self.forget()

    def forget(self) -> None:
        self._kept = {handle: {} for handle in HANDLES}

    def account(self, q: Request) -> Account:
        return self.existing("account", q)

    def session(self, q: Request) -> Session:
        return self.existing("session", q)

    def contact(self, q: Request) -> Contact:
        return self.existing("contact", q)

    def existing(self, handle: str, q: Request):
        found = self.perhaps(handle, q)
        if found is None:
            raise Fault(f"no {handle} {q.get(handle)}")
        return found

    def perhaps(self, handle: str, q: Request):
        return self._kept[handle].get(q.get(handle))

    def put(self, handle: str, q: Request, created) -> None:
        """created is a state; the name is overwritten"""
        _, changing = HANDLES[handle]
        self._kept[handle][q.get(handle)] = changing(created)

    def drop(self, handle: str, q: Request) -> None:
        self.existing(handle, q)
        del self._kept[handle][q.get(handle)]

    def fingerprints(self, inputs: dict) -> dict[str, bytes]:
        """Those of the states that the request names, as far as they exist"""
        named = ((handle, self._kept[handle].get(inputs.get(handle))) for handle in HANDLES)
        return {handle: state.fingerprint(encoded(handle, found)) for handle, found in named if found is not None}


def encoded(handle: str, found) -> bytes:
    kind, _ = HANDLES[handle]
    return state.KINDS[kind].encode(found.state)
