"""Devices in files."""
import signal
import subprocess
import sys

import marline
import pytest

NOW = 1_800_000_000
KEY = bytes(range(32))
BATCHED = marline.DeviceOptions(batched=True)


@pytest.fixture
def pair(tmp_path):
    with marline.Device.create(tmp_path / "alice", b"alice", key=KEY, options=BATCHED) as alice, \
            marline.Device.create(tmp_path / "bob", b"bob", key=KEY, options=BATCHED) as bob:
        assert alice.add_contact("bob", bob.publish(2, NOW).bundle(0), NOW) == (marline.Added.NEW, bob.identity)
        yield alice, bob


def test_what_waits_survives_a_restart(pair, tmp_path):
    alice, bob = pair
    sent = alice.send("bob", b"hello", NOW, b"ad")
    assert alice.outbox() == [sent]
    alice.mark_sent(sent.id)
    assert alice.outbox() == []
    got = bob.receive(sent.message, NOW, ad=b"ad")
    assert (got.contact, got.subject, got.author) == ("alice", b"alice", alice.identity)
    assert got.plaintext == b"hello" and [event.kind for event in got.events] == [marline.EventKind.NEW_SESSION]
    bob.close()
    with marline.Device.open(tmp_path / "bob", key=KEY) as bob:
        assert [waiting.plaintext for waiting in bob.inbox()] == [b"hello"]
        assert bob.receive(sent.message, NOW, ad=b"ad").plaintext == b"hello"
        bob.acknowledge(got.id)
        bob.flush()
        with pytest.raises(marline.DuplicateError):
            bob.receive(sent.message, NOW, "alice", b"ad")
        assert alice.receive(bob.send("alice", b"hi", NOW).message, NOW, "bob").plaintext == b"hi"
    assert alice.contact("bob").sessions[0].peer_has_answered


def test_a_changed_identity_awaits_the_user(pair, tmp_path):
    alice, _ = pair
    with marline.Device.create(tmp_path / "other", b"bob", key=KEY, options=BATCHED) as other:
        assert alice.add_contact("bob", other.publish(1, NOW).bundle(0), NOW)[0] == marline.Added.CHANGED
        with pytest.raises(marline.DataError):
            alice.send("bob", b"x", NOW)
        (info,) = alice.contacts()
        assert info.name == "bob" and info.changed_identity == other.identity and not info.verified
        alice.acknowledge_identity("bob", info.changed_identity)
        with pytest.raises(marline.DataError) as caught:
            alice.set_verified("bob", info.identity, True)  # the number that was shown before the change
        assert caught.value.name == "MARLINE_ERR_IDENTITY_CHANGED"
        alice.set_verified("bob", other.identity, True)
        assert alice.contact("bob").verified and alice.contact("bob").identity == other.identity


def test_errors_of_files_have_classes(pair, tmp_path):
    alice, bob = pair
    with pytest.raises(marline.StorageError) as caught:
        marline.Device.open(tmp_path / "bob", key=bytes(32))
    assert caught.value.name == "MARLINE_ERR_WRONG_KEY"
    with pytest.raises(marline.CallerError):
        marline.Device.create(tmp_path / "bob", b"bob", key=KEY)
    with pytest.raises(marline.CallerError):
        alice.send("nobody", b"x", NOW)
    with pytest.raises(ValueError):
        marline.Device.open(tmp_path / "bob")
    alice.backup(tmp_path / "copy")
    alice.send("bob", b"later", NOW)
    with pytest.raises(marline.RollbackError):
        marline.Device.open(tmp_path / "copy", key=KEY, options=marline.DeviceOptions(minimum_generation=alice.generation))
    with marline.Device.open_restored(tmp_path / "copy", NOW, key=KEY) as restored:
        assert restored.identity == alice.identity and restored.subject == b"alice"


def test_another_process_in_a_checkpoint_keeps_commits_from_the_disk(pair, tmp_path):
    alice, _ = pair
    # Byte 121 of the file beside the log: sqlite.org/walformat.html. SQLite does not wait for it.
    code = f"""
import fcntl, sys
shared = open({str(tmp_path / 'alice-shm')!r}, "r+b")
fcntl.lockf(shared, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 121)
print("locked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(marline.StorageError) as caught:
            alice.flush()
        assert caught.value.name == "MARLINE_ERR_IN_USE"
        other.stdin.close()
    assert other.returncode == 0
    alice.flush()


def test_a_passphrase_and_an_anchor_elsewhere(tmp_path):
    cheap = marline.DeviceOptions(argon2_memory_kib=19_456, argon2_passes=2, anchor=tmp_path / "anchor")
    marline.Device.create(tmp_path / "d", b"", passphrase=b"correct horse", options=cheap).close()
    assert (tmp_path / "anchor").exists() and not (tmp_path / "d.anchor").exists()
    marline.Device.open(tmp_path / "d", passphrase=b"correct horse", options=cheap).close()
    with pytest.raises(marline.StorageError):
        marline.Device.open(tmp_path / "d", passphrase=b"battery", options=cheap)


def test_upkeep(pair):
    alice, _ = pair
    done = alice.maintain(NOW)
    assert done.reason == marline.Account.ROTATE and done.publication is not None and len(done.publication) == 100
    status = alice.status(NOW)
    assert status.unpublished and status.one_time_left == 100 and status.contacts == 1 and status.due == 0
    assert alice.unpublished() is not None
    alice.mark_published()
    assert alice.unpublished() is None and alice.maintain(NOW).publication is None


def test_a_killed_process_has_released_nothing_that_is_not_on_disk(pair, tmp_path):
    alice, bob = pair
    alice.close()
    code = f"""
import marline, os, signal, sys
device = marline.Device.open({str(tmp_path / 'alice')!r}, key=bytes(range(32)))
sys.stdout.buffer.write(device.send("bob", b"last words", {NOW}).message)
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert died.returncode == -signal.SIGKILL and died.stdout
    with marline.Device.open(tmp_path / "alice", key=KEY) as alice:
        assert [waiting.message for waiting in alice.outbox()] == [died.stdout]
        assert bob.receive(alice.send("bob", b"reborn", NOW).message, NOW).plaintext == b"reborn"
        assert bob.receive(died.stdout, NOW).plaintext == b"last words"
