#!/usr/bin/env python3
"""Turns the vectors into lines for ffi/tests/c/vectors.c:  vectors.py > script.txt

Every case whose steps change states by calls that the C ABI has. A line is a step: words of hexadecimal ("-" is empty, "*"
is "not looked at"). Words: case or op, account, session, script of randomness, statuses allowed, inputs…, output, fingerprint.
"""
import json
import pathlib
import re

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "v1"
FILES = ["b2-handshake", "b5-account", "b6-state", "c1-conversation", "c2-loss", "c3-hostile", "c4-agreement"]
# Operations on parts that the ABI does not have; they touch no account and no session.
PARTS = {"h", "handshake_keys", "handshake_transcript", "identity_from_seeds", "kem_encaps", "leaf", "pq_start", "sign",
         "x25519", "x25519_public", "aead_seal", "prf", "fingerprint", "state"}
# What the library refuses as a limit, the ABI refuses by its own rules where they are the narrower.
ALSO = {"LIMIT": ["LENGTH", "ARGUMENT"]}


def value(values, name):
    v = values[name]
    if isinstance(v, str):
        return v
    if "join" in v:
        return "".join(value(values, part) for part in v["join"])
    if "repeat" in v:
        return v["repeat"] * v["times"]
    whole = value(values, v["of"])
    at, end = 2 * v["at"], 2 * (v["at"] + v["remove"])
    return whole[:at] + v["insert"] + whole[end:]


def line(values, step):
    op, given, ok = step["op"], step["in"], step.get("ok", {})

    def hexed(text):
        text = value(values, text[1:]) if text.startswith("@") else text
        return text or "-"

    error = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", step["error"]).upper() if "error" in step else None
    statuses = "OK" if error is None else ",".join([error, *ALSO.get(error, [])])
    draws = "".join(draw["bytes"] for draw in step.get("draws", [])) or "-"
    on = "account" if "account" in given and op not in ("initiate", "accept") else "session"
    name = op if op not in ("load", "export", "import") else f"{op}_{on}"
    inputs = {
        "account_generate": lambda: [hexed(given["subject"])],
        "publish": lambda: [str(given["onetime_count"]), str(given["now"])],
        "initiate": lambda: [hexed(given["bundle"]), hexed(given["plaintext"]), str(given["slots"]), str(given["now"])],
        "accept": lambda: [hexed(given["message"]), hexed(given.get("ad", "")), str(given["now"])],
        "load": lambda: [hexed(given["state"])],
        "encrypt": lambda: [hexed(given["plaintext"]), hexed(given.get("ad", "")), {"none": "1"}[given["padding"]] if "padding" in given else "0"],
        "decrypt": lambda: [hexed(given["message"]), hexed(given.get("ad", ""))],
        "export": lambda: [hexed(given["key"])],
        "import": lambda: [hexed(given["key"]), hexed(given["blob"]), str(given.get("minimum", 0))],
        "drop": lambda: [],
        "maintain": lambda: [str(given["now"])],
        "account_maintain": lambda: [str(given["now"])],
        "facts": lambda: [],
        "export_secret": lambda: [hexed(given["label"]), hexed(given["context"]), str(given["length"])],
    }[op]()
    output = {"account_generate": "identity_id", "publish": "manifest", "initiate": "message", "accept": "plaintext",
              "encrypt": "message", "decrypt": "plaintext", "export": "blob", "facts": "session_id", "export_secret": "secret"}
    expected = hexed(ok[output[op]]) if op in output and ok else "*"
    prints = [step.get("account") or "*", step.get("session") or "*"]
    return " ".join([name, given.get("account", "-"), given.get("session", "-"), draws, statuses, *prints, expected, *inputs])


def main():
    for file in FILES:
        document = json.loads((VECTORS / f"{file}.json").read_text())
        for case in document["cases"]:
            steps = [s for s in case["steps"] if "op" in s and s["op"] not in PARTS]
            if not steps or any(s["op"] == "verify_bundle" for s in steps):
                continue
            print(f"case {case['id']}")
            for step in steps:
                print(line(document["values"], step))


main()
