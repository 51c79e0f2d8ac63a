"""An identity whose secret is not in the library: the signatures are made by `cryptography` and `dilithium-py`."""
import marline
import pytest

NOW = 1_800_000_000
KEY = bytes(range(32))

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
ml_dsa = pytest.importorskip("dilithium_py.ml_dsa")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")


class Hsm:
    def __init__(self):
        self.ed25519 = ed25519.Ed25519PrivateKey.generate()
        self.public, self.secret = ml_dsa.ML_DSA_65.keygen()

    def keys(self):
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return self.ed25519.public_key().public_bytes(*raw), self.public

    def sign(self, signing):
        return self.ed25519.sign(signing.input), ml_dsa.ML_DSA_65.sign(self.secret, signing.input)


def test_an_identity_that_signs_elsewhere_publishes_and_initiates():
    hsm = Hsm()
    alice, bob = marline.Account.external(*hsm.keys(), b"alice"), marline.Account.generate(b"bob")
    with pytest.raises(marline.EnvironmentFailure) as caught:
        alice.publish(1, NOW)
    assert caught.value.name == "MARLINE_ERR_SIGNER"

    before = alice.generation
    signing, overtaken = alice.prepare_publish(2, NOW), alice.prepare_publish(2, NOW)
    assert signing.input != overtaken.input and alice.generation == before
    ed, ml = hsm.sign(signing)
    with pytest.raises(marline.EnvironmentFailure):
        alice.finish_publish(signing, ed, ml[:-1] + bytes([ml[-1] ^ 1]))
    assert alice.generation == before
    publication = alice.finish_publish(signing, ed, ml)
    with pytest.raises(marline.CallerError) as caught:
        alice.finish_publish(signing, ed, ml)
    assert caught.value.name == "MARLINE_ERR_SPENT"
    with pytest.raises(marline.CallerError) as caught:
        alice.finish_publish(overtaken, *hsm.sign(overtaken))
    assert caught.value.name == "MARLINE_ERR_STALE"

    # The publication was signed over the prekeys that the account holds.
    marline.verify_bundle(publication.bundle(1), bob.identity, NOW)
    to_alice, first = bob.initiate(publication.bundle(0), b"to alice", NOW)
    # What arrives meanwhile does not disturb what waits for a signature.
    signing = alice.prepare_initiate(bob.publish(1, NOW).bundle(0), b"to bob", NOW, b"ad")
    to_bob_2, opened = alice.accept(first, NOW)
    assert opened.plaintext == b"to alice" and to_alice.decrypt(to_bob_2.encrypt(b"x")).plaintext == b"x"
    to_bob, first = alice.finish_initiate(signing, *hsm.sign(signing))
    session, opened = bob.accept(first, NOW, b"ad")
    assert opened == marline.Opened(b"to bob", alice.identity, b"alice")
    assert to_bob.decrypt(session.encrypt(b"answer")).plaintext == b"answer"

    state = alice.export_state(KEY)
    restored = marline.Account.import_external(KEY, *hsm.keys(), state.sealed, state.generation)
    assert restored.identity == alice.identity
    with pytest.raises(marline.DataError):
        marline.Account.import_external(KEY, *Hsm().keys(), state.sealed, 0)


def test_contacts_of_an_identity_that_signs_elsewhere():
    hsm = Hsm()
    alice, bob = marline.Account.external(*hsm.keys(), b"alice"), marline.Account.generate(b"bob")
    publication = bob.publish(3, NOW)
    to_bob, to_alice = marline.Contact.of(bob.identity), marline.Contact.of(alice.identity)
    signing = to_bob.prepare_initiate(alice, publication.bundle(0), b"hello", NOW)
    with pytest.raises(marline.CallerError):
        alice.finish_initiate(signing, *hsm.sign(signing))
    first = to_bob.finish(alice, signing, *hsm.sign(signing))
    assert to_alice.adopt(marline.AcceptedFirst.accept(bob, first, NOW), NOW).opened.plaintext == b"hello"
    signing = to_bob.prepare_reset(alice, publication.bundle(1), NOW + 7200)
    reset = to_bob.finish(alice, signing, *hsm.sign(signing))
    received = to_alice.adopt(marline.AcceptedFirst.accept(bob, reset, NOW + 7200), NOW + 7200)
    assert marline.EventKind.SESSION_RESET in [event.kind for event in received.events]
    assert to_bob.export_secret(b"call", b"", 32) == to_alice.export_secret(b"call", b"", 32)
