"""The vectors through the package, byte for byte. Only where the package was built with the testing library, whose randomness
can be given; .ci/parts/85-bindings.sh does so."""
import pathlib
import subprocess
import sys

import marline
import pytest
from marline import _native

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "ffi" / "tests" / "vectors.py"
lib, ffi = _native.lib, _native.ffi

pytestmark = pytest.mark.skipif(not hasattr(lib, "marline_testing_script"), reason="not the testing library")


def given(word):
    return b"" if word == "-" else bytes.fromhex(word)


def load(kind, function, state):
    out = ffi.new(f"marline_{kind} **")
    _native.check(function(state, len(state), out, ffi.NULL))
    return out[0]


def fingerprint(function, handle):
    out = ffi.new("uint8_t[]", 32)
    _native.check(function(handle._raw, out, len(out), ffi.NULL))
    return bytes(out)


def run(op, words, accounts, sessions, account, session):
    """What an operation puts out, or None."""
    def data(i):
        return given(words[i])

    def number(i):
        return int(words[i])

    if op == "account_generate":
        accounts[account] = marline.Account.generate(data(0))
        return accounts[account].identity
    if op == "publish":
        return accounts[account].publish(number(0), number(1)).manifest()
    if op == "initiate":
        options = marline.Options(padding=marline.Options.NONE, slots=number(2))
        sessions[session], message = accounts[account].initiate(data(0), data(1), number(3), options=options)
        return message
    if op == "accept":
        sessions[session], opened = accounts[account].accept(data(0), number(2), data(1))
        return opened.plaintext
    if op == "load_session":
        sessions[session] = marline.Session(load("session", lib.marline_testing_load_session, data(0)))
    elif op == "load_account":
        accounts[account] = marline.Account(load("account", lib.marline_testing_load_account, data(0)))
    elif op == "encrypt":
        options = marline.Options(padding=number(2))
        expected = sessions[session].message_len(len(data(0)), options)
        message = sessions[session].encrypt(data(0), data(1), options)
        assert len(message) == expected
        return message
    elif op == "decrypt":
        return sessions[session].decrypt(data(0), data(1)).plaintext
    elif op == "export_session":
        return sessions[session].export_state(data(0)).sealed
    elif op == "export_account":
        return accounts[account].export_state(data(0)).sealed
    elif op == "import_session":
        sessions[session] = marline.Session.import_state(data(0), data(1), number(2))
    elif op == "import_account":
        accounts[account] = marline.Account.import_state(data(0), data(1), number(2))
    elif op == "drop":
        sessions.pop(session).close()
    elif op == "maintain":
        sessions[session].maintain(number(0))
    elif op == "account_maintain":
        accounts[account].delete_expired(number(0))
    elif op == "facts":
        return sessions[session].facts().session_id
    elif op == "export_secret":
        return sessions[session].export_secret(data(0), data(1), number(2))
    else:
        raise AssertionError(op)
    return None


def replay(lines):
    """Steps taken; raises AssertionError at the first that is not as the vectors say."""
    steps, accounts, sessions, case = 0, {}, {}, ""
    for line in lines:
        op, *words = line.split(" ")
        if op == "case":
            accounts, sessions, case = {}, {}, words[0]
            continue
        account, session, draws, statuses, account_print, session_print, expected, *inputs = words
        draws = given(draws)
        lib.marline_testing_script(draws, len(draws))
        try:
            output, status = run(op, inputs, accounts, sessions, account, session), "OK"
        except marline.Error as error:
            output, status = None, error.name.replace("MARLINE_ERR_", "")
        left = lib.marline_testing_script(ffi.NULL, 0)
        assert status in statuses.split(","), f"{case}: {op}: {status}, not {statuses}"
        assert status != "OK" or left == 0, f"{case}: {op}: randomness is left over"
        if output is not None and expected != "*":
            assert output == given(expected), f"{case}: {op}"
        if account_print != "*":
            assert fingerprint(lib.marline_testing_account_fingerprint, accounts[account]) == given(account_print), case
        if session_print != "*":
            assert fingerprint(lib.marline_testing_session_fingerprint, sessions[session]) == given(session_print), case
        steps += 1
    return steps


@pytest.fixture(scope="module")
def lines():
    script = subprocess.run([sys.executable, SCRIPT], stdout=subprocess.PIPE, check=True, text=True)
    return script.stdout.splitlines()


def test_every_step_of_the_vectors(lines):
    assert replay(lines) > 500


def test_a_wrong_byte_is_noticed(lines):
    at = next(i for i, line in enumerate(lines) if line.startswith("encrypt ") and line.split(" ")[7] != "*")
    words = lines[at].split(" ")
    words[7] = ("0" if words[7][0] != "0" else "1") + words[7][1:]
    with pytest.raises(AssertionError):
        replay(lines[:at] + [" ".join(words)] + lines[at + 1:])
