"""The driver by its own protocol (DRIVER.md)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import driver
from marline.draws import Seeded
from operations.registry import OPS

HERE = Path(__file__).parent.parent


class Runner:
    def __init__(self):
        self.driver = driver.Driver()
        self.random = Seeded(1)

    def raw(self, op, **inputs):
        return json.loads(json.dumps(self.driver.handle({"op": op, **inputs})))

    def ok(self, op, **inputs):
        answer = self.raw(op, **inputs)
        assert "ok" in answer, answer
        return answer["ok"]

    def draws(self, *lengths):
        return [self.random.take(length).hex() for length in lengths]


def test_a_conversation():
    r = Runner()
    for name in ("a", "b"):
        r.ok("account_generate", account=name, subject=name.encode().hex(), draws=r.draws(32, 32))
    published = r.ok("publish", account="b", now=10**9, onetime_count=2, draws=r.draws(*[32, 64] * 3, 32))
    bundle = published["manifest"] + published["onetime"][1]
    assert r.ok("verify_bundle", account="a", bundle=bundle, now=10**9)["onetime_id"] == 3
    first = dict(plaintext="00ff", ad="01", padding={"block": 7}, draws=r.draws(32, 32, 32, 12, 32, 64))
    sent = r.raw("initiate", account="a", session="sa", bundle=bundle, slots=4, now=10**9, **first)
    assert sent["ok"]["peer_subject"] == b"b".hex()
    answer = r.raw("accept", account="b", session="sb", message=sent["ok"]["message"], ad="01", now=10**9)
    assert answer["ok"]["plaintext"] == "00ff" and set(answer) == {"ok", "account", "session"}
    assert answer["session"] == r.ok("fingerprint", session="sb")["fingerprint"] != sent["session"]
    again = r.raw("accept", account="b", session="sc", message=sent["ok"]["message"], ad="01", now=10**9)
    assert again == {"error": "PrekeyUsed", "account": answer["account"]}
    blob = r.ok("export", session="sb", key="00" * 32, draws=r.draws(32))["blob"]
    reply = r.ok("encrypt", session="sb", plaintext="", draws=r.draws(12, 32))["message"]
    assert r.ok("decrypt", session="sa", message=reply)["plaintext"] == ""
    assert r.raw("decrypt", session="sa", message=reply)["error"] == "Duplicate"
    assert r.ok("import", session="sd", blob=blob, key="00" * 32) == {}
    assert r.raw("import", session="sd", blob=blob, key="00" * 32, minimum=99)["error"] == "Rollback"
    assert r.ok("load", session="se", state=r.ok("state", session="sd")["state"]) == {}
    assert r.ok("facts", session="sa")["unanswered"] is False
    secret = r.ok("export_secret", session="sa", label="00", context="", length=40)
    assert secret == r.ok("export_secret", session="sb", label="00", context="", length=40)
    assert r.ok("maintain", session="sa", now=10**9) == {}
    assert r.ok("account_maintain", account="b", now=10**9) == {"due": None, "deleted": 0}
    assert r.raw("drop", session="sa") == {"ok": {}}
    assert r.raw("reset") == {"ok": {}}
    assert "fault" in r.raw("facts", session="sb")


def test_scka_by_state_bytes():
    r = Runner()
    keys = dict(auth_root="01" * 32, auth_mac="02" * 32)
    a, b = (r.ok("scka_start", role=role, **keys)["state"] for role in (0, 1))
    common = dict(session_id="03" * 32)
    sent = r.ok("scka_send", state=a, slots=38, draws=r.draws(64), **common)
    part = {name: sent[name] for name in ("epoch", "kind", "index", "codewords")}
    b = r.ok("scka_receive", state=b, **part, **common)["state"]
    back = r.ok("scka_send", state=b, slots=38, draws=r.draws(32), **common)
    part = {name: back[name] for name in ("epoch", "kind", "index", "codewords")}
    received = r.ok("scka_receive", state=sent["state"], **part, **common)
    assert received["epoch_key"] == back["epoch_key"] != None  # noqa: E711


def test_parts():
    r = Runner()
    seeds = dict(ed25519_seed="01" * 32, mldsa_seed="02" * 32)
    made = r.ok("identity_from_seeds", **seeds)
    signed = dict(purpose="sign manifest", message="aa")
    signature = r.ok("sign", **seeds, **signed, draws=r.draws(32))["signature"]
    assert r.ok("verify", identity=made["identity"], **signed, signature=signature) == {}
    wrong = dict(signed, purpose="sign initiator")
    assert r.raw("verify", identity=made["identity"], **wrong, signature=signature) == {"error": "Authentication"}
    assert r.ok("pad", plaintext="", padding="none")["padded"] == "80"
    codewords = r.ok("erasure_encode", object="ab" * 64, index=7, count=2)["codewords"]
    pairs = [[7, codewords[:64]], [8, codewords[64:]]]
    assert r.ok("erasure_decode", k=2, codewords=pairs)["object"] == "ab" * 64
    assert r.ok("erasure_decode", k=2, codewords=pairs[:1])["object"] is None
    numbers = dict(pn=1, n=2, pq_n=3, epoch=4, kind=1, index=5)
    header = r.ok("header_encode", dh="09" + "00" * 31, codewords="cc" * 32, **numbers)["header"]
    assert r.ok("header_decode", header=header, slots=1)["pq_n"] == 3
    leaves = ["00" * 32, "11" * 32, "22" * 32]
    root, path = r.ok("merkle_root", leaves=leaves)["root"], r.ok("merkle_path", leaves=leaves, index=2)["path"]
    assert r.ok("merkle_verify", leaf=leaves[2], index=2, size=3, path=path, root=root)["valid"]


def test_faults():
    r = Runner()
    for request in (
        dict(op="nothing"),
        dict(op="h", name="kem key"),
        dict(op="h", name="no label", fields=[]),
        dict(op="h", name="kem key", fields=["0g"]),
        dict(op="h", name="kem key", fields=[], more=1),
        dict(op="encrypt", session="none", plaintext="", draws=[]),
        dict(op="account_generate", account="a", subject="", draws=["00" * 32]),
        dict(op="sign", ed25519_seed="00", mldsa_seed="", purpose="", message="", draws=[]),
    ):
        assert set(r.raw(**request)) == {"fault"}
    assert set(r.driver.handle(None)) == {"fault"}


def test_every_op_is_documented():
    documented = set(re.findall(r"^\| `(\w+)` \|", (HERE / "DRIVER.md").read_text(), re.MULTILINE))
    assert documented == set(OPS)


def test_the_process():
    lines = '{"op": "h", "name": "kem key", "fields": ["00ff", ""]}\nno json\n'
    run = subprocess.run(
        [sys.executable, HERE / "driver.py"], input=lines, capture_output=True, text=True, check=True, timeout=60
    )
    first, second = map(json.loads, run.stdout.splitlines())
    assert len(first["ok"]["out"]) == 64 and "fault" in second
