"""A conversation between this process and one written in C, over pipes. MARLINE_C_PEER is ffi/tests/c/peer.c, built."""
import os
import struct
import subprocess

import marline
import pytest

NOW = 1_800_000_000


@pytest.mark.skipif("MARLINE_C_PEER" not in os.environ, reason="MARLINE_C_PEER is not set")
def test_python_and_c_talk():
    with subprocess.Popen([os.environ["MARLINE_C_PEER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        talk(peer)
    assert peer.returncode == 0


def talk(peer):
    def get():
        (length,) = struct.unpack(">I", peer.stdout.read(4))
        return peer.stdout.read(length)

    def put(message):
        peer.stdin.write(struct.pack(">I", len(message)) + message)
        peer.stdin.flush()

    alice = marline.Account.generate(b"alice, in Python")
    session, message = alice.initiate(get(), b"0", NOW)
    for i in range(1, 120):
        put(message)
        opened = session.decrypt(get())
        assert opened.plaintext == f"you said: {i - 1}".encode() and opened.subject == b"bob, in C"
        message = session.encrypt(str(i).encode())
    assert session.facts().epoch >= 4
