"""Two accounts, a publication and sessions, made once; states are values, so every test starts from the same ones."""

import functools

from marline import account, state
from marline.account import Account
from marline.draws import Seeded
from marline.session import Session

NOW = 1_800_000_000
DAY = 86400


@functools.cache
def accounts():
    """Alice, Bob, Bob's publication"""
    draws = Seeded(1)
    alice = account.generate(b"alice", draws)
    bob, publication = account.publish(account.generate(b"bob", draws), NOW, 5, draws)
    return alice, bob, publication


@functools.cache
def initiated(slots: int, onetime: int | None = 0):
    """Alice after initiating, and the state of her session"""
    alice, _, publication = accounts()
    return account.initiate(alice, publication.bundle(onetime).encode(), slots, NOW, Seeded(2))


def first_message(slots: int = 4, onetime: int | None = 0, seed: int = 3) -> tuple[Session, bytes]:
    alice = Session(initiated(slots, onetime)[1])
    return alice, alice.encrypt(b"first", draws=Seeded(seed))


@functools.cache
def _pair(slots: int):
    alice, data = first_message(slots)
    bob, plaintext = Account(accounts()[1]).accept(data, b"", NOW)
    assert plaintext == b"first"
    return alice.state, bob.state


def pair(slots: int = 4) -> tuple[Session, Session]:
    """Alice and Bob after Alice's first message has been accepted"""
    alice, bob = _pair(slots)
    return Session(alice), Session(bob)


def encoded(of: Session | Account) -> bytes:
    return (state.encode_session if isinstance(of, Session) else state.encode_account)(of.state)


def reload(of: Session) -> Session:
    """State round trip"""
    data = encoded(of)
    decoded = state.decode_session(data)
    assert decoded == of.state and state.encode_session(decoded) == data
    return Session(decoded)


def talk(a: Session, b: Session, draws: Seeded, plaintext: bytes = b"x") -> None:
    """One message from a to b"""
    assert b.decrypt(a.encrypt(plaintext, draws=draws)) == (b.peer, plaintext)


class unchanged:
    """The operation inside fails with the error, and the encoded state stays as it is."""

    def __init__(self, error, *objects):
        self._error, self._objects = error, objects

    def __enter__(self):
        self._before = [encoded(o) for o in self._objects]

    def __exit__(self, kind, value, trace):
        assert kind is self._error, f"{kind} instead of {self._error}"
        assert [encoded(o) for o in self._objects] == self._before
        return True
