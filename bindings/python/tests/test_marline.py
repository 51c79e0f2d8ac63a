"""The package as installed from its wheel."""
import doctest
import pathlib
import re
import threading

import marline
import pytest

NOW = 1_800_000_000
KEY = bytes(range(32))


@pytest.fixture
def pair():
    alice, bob = marline.Account.generate(b"alice"), marline.Account.generate("bob".encode())
    to_bob, first = alice.initiate(bob.publish(2, NOW).bundle(0), b"hello", NOW, b"ad")
    to_alice, opened = bob.accept(first, NOW, b"ad")
    assert opened == marline.Opened(b"hello", alice.identity, b"alice")
    return alice, bob, to_bob, to_alice


def test_a_conversation_heals_through_epochs(pair):
    _, _, to_bob, to_alice = pair
    for i in range(80):
        sender, receiver = (to_alice, to_bob) if i % 2 == 0 else (to_bob, to_alice)
        text = f"message {i}".encode()
        message = sender.encrypt(text)
        assert receiver.decrypt(message).plaintext == text
    facts = to_bob.facts()
    assert facts.epoch >= 2 and facts.peer_has_answered and not facts.failed
    assert to_bob.facts().session_id == to_alice.facts().session_id
    assert to_bob.peer_subject() == b"bob"


def test_bytes_with_zeros_and_empty_ones_travel(pair):
    _, _, to_bob, to_alice = pair
    for plaintext in (b"", b"\0", b"a\0b", bytes(range(256)) * 100):
        assert to_bob.decrypt(to_alice.encrypt(plaintext, b"\0ad"), b"\0ad").plaintext == plaintext


def test_errors_have_classes(pair):
    alice, bob, to_bob, to_alice = pair
    message = to_alice.encrypt(b"once")
    with pytest.raises(marline.AuthenticationError) as caught:
        to_bob.decrypt(message[:-1] + bytes([message[-1] ^ 1]))
    assert caught.value.name == "MARLINE_ERR_AUTHENTICATION" and isinstance(caught.value, marline.DataError)
    to_bob.decrypt(message)
    with pytest.raises(marline.DuplicateError):
        to_bob.decrypt(message)
    with pytest.raises(marline.CallerError):
        bob.publish(0, NOW)
    with pytest.raises(marline.CallerError):
        to_bob.encrypt(b"", options=marline.Options(padding=9))
    with pytest.raises(marline.DataError):
        alice.initiate(bob.publish(1, NOW).bundle(0), b"", NOW + 10**8)


def test_states_do_not_roll_back(pair):
    _, bob, to_bob, to_alice = pair
    old = to_alice.export_state(KEY)
    to_alice.encrypt(b"x")
    new = to_alice.export_state(KEY)
    assert new.generation > old.generation
    with pytest.raises(marline.RollbackError):
        marline.Session.import_state(KEY, old.sealed, new.generation)
    with marline.Session.import_state(KEY, new.sealed, new.generation) as restored:
        assert to_bob.decrypt(restored.encrypt(b"on")).plaintext == b"on"
    account = bob.export_state(KEY)
    assert marline.Account.import_state(KEY, account.sealed, account.generation).subject == b"bob"


def test_prepare_and_commit(pair):
    _, _, to_bob, to_alice = pair
    with to_alice.prepare_encrypt(b"kept") as pending:
        state = pending.state(KEY)
        message = to_alice.commit_encrypt(pending)
        with pytest.raises(marline.CallerError):
            to_alice.commit_encrypt(pending)
    assert to_alice.facts().generation == state.generation
    with to_bob.prepare_decrypt(message) as pending:
        assert to_bob.commit_decrypt(pending).plaintext == b"kept"


def test_closed_objects_say_so(pair):
    to_bob = pair[2]
    to_bob.close()
    to_bob.close()
    with pytest.raises(ValueError):
        to_bob.encrypt(b"x")


def test_threads_never_corrupt_a_session(pair):
    _, _, to_bob, to_alice = pair
    messages, refused = [], []

    def work():
        for _ in range(100):
            try:
                messages.append(to_alice.encrypt(b"m"))
            except marline.CallerError as error:
                refused.append(error.name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(messages) + len(refused) == 400 and set(refused) <= {"MARLINE_ERR_BUSY"}
    assert all(to_bob.decrypt(message).plaintext == b"m" for message in messages)


def test_safety_numbers_and_exports_agree(pair):
    alice, bob, to_bob, to_alice = pair
    number = marline.safety_number(alice.identity, bob.identity)
    assert re.fullmatch(r"\d{60}", number) and number == marline.safety_number(bob.identity, alice.identity)
    assert to_bob.export_secret(b"call", b"1", 32) == to_alice.export_secret(b"call", b"1", 32)


def test_contacts_stop_at_a_changed_identity():
    alice, bob, other = (marline.Account.generate(name) for name in (b"alice", b"bob", b"bob"))
    to_bob, to_alice = marline.Contact.of(bob.identity), marline.Contact.of(alice.identity)
    first = to_bob.initiate(alice, bob.publish(1, NOW).bundle(0), b"hello", NOW)
    with marline.AcceptedFirst.accept(bob, first, NOW) as accepted:
        assert accepted.identity == alice.identity
        received = to_alice.adopt(accepted, NOW)
    assert received.opened.plaintext == b"hello" and received.trust == marline.Trust.UNVERIFIED
    assert [event.kind for event in received.events] == [marline.EventKind.NEW_SESSION]
    assert to_alice.owns(first) and received.events[0].session_id == to_alice.sessions()[0].session_id
    with pytest.raises(marline.DataError) as caught:
        to_bob.set_verified(alice.identity, True)
    assert caught.value.name == "MARLINE_ERR_IDENTITY_CHANGED"
    to_bob.set_verified(bob.identity, True)
    state = to_bob.export_state(KEY)
    to_bob = marline.Contact.import_state(KEY, state.sealed, state.generation)
    received = to_bob.receive(to_alice.send(b"hi"))
    assert received.opened.plaintext == b"hi" and received.trust == marline.Trust.VERIFIED and not received.events
    assert to_bob.changed_identity is None and to_bob.observe(other.identity)
    with pytest.raises(marline.DataError) as caught:
        to_bob.send(b"x")
    assert caught.value.name == "MARLINE_ERR_IDENTITY_CHANGED" and to_bob.changed_identity == other.identity
    to_bob.acknowledge(other.identity)
    assert to_bob.identity == other.identity and to_bob.trust(bob.identity) == marline.Trust.OTHER
    with pytest.raises(marline.DataError):
        to_bob.send(b"x")


def test_the_documentation_runs():
    assert doctest.testmod(marline).failed == 0 < doctest.testmod(marline).attempted
    readme = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```", readme, re.S)[1]
    printed = []
    exec(example, {"print": lambda *parts: printed.append(" ".join(map(str, parts)))})
    assert printed == re.findall(r"#  ?(b'.*)$", example, re.M)
