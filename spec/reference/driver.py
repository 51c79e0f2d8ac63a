"""JSON lines over stdin and stdout: one request per line, one answer per line. The protocol is in DRIVER.md."""

import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from marline import (
    account,
    double,
    erasure,
    handshake,
    identity,
    message,
    notation,
    prekeys,
    primitives,
    scka,
    session,
    skipped,
    sparse,
    state,
)
from marline.account import Account
from marline.draws import Scripted, ScriptError
from marline.errors import MarlineError
from marline.message import Header
from marline.session import Peer, Session


class Fault(Exception):
    """The request itself is wrong: a mistake of the runner."""


_REQUIRED = object()


class Request:
    """The inputs of one request, by type. An input that is not used by the operation is a fault."""

    def __init__(self, inputs: dict):
        self._inputs = inputs
        self._used = {"op"}

    def get(self, name: str, default=_REQUIRED):
        self._used.add(name)
        if name not in self._inputs and default is _REQUIRED:
            raise Fault(f"input {name} missing")
        return self._inputs.get(name, default)

    def has(self, name: str) -> bool:
        return name in self._inputs

    def hex(self, name: str, length: int | None = None, default=_REQUIRED) -> bytes:
        value = _from_hex(self.get(name, default))
        if length is not None and len(value) != length:
            raise Fault(f"input {name} must have {length} bytes")
        return value

    def hexes(self, name: str) -> list[bytes]:
        return [_from_hex(value) for value in self.get(name)]

    def number(self, name: str, default=_REQUIRED) -> int:
        value = self.get(name, default)
        if type(value) is not int or value < 0:
            raise Fault(f"input {name} must be a number")
        return value

    def draws(self) -> Scripted:
        return Scripted(self.hexes("draws"))

    def finish(self) -> None:
        unknown = set(self._inputs) - self._used
        if unknown:
            raise Fault(f"unknown input {sorted(unknown)}")


def _from_hex(value) -> bytes:
    if not isinstance(value, str):
        raise Fault("hex must be a string")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise Fault("not hex") from None


OPS = {}


def op(function):
    OPS[function.__name__.removesuffix("_")] = function
    return function


class Driver:
    """The objects that the driver keeps under handles."""

    def __init__(self):
        self.accounts: dict[str, Account] = {}
        self.sessions: dict[str, Session] = {}

    def account(self, q: Request) -> Account:
        return self._existing(self.accounts, q, "account")

    def session(self, q: Request) -> Session:
        return self._existing(self.sessions, q, "session")

    def _existing(self, kept: dict, q: Request, name: str):
        handle = q.get(name)
        if handle not in kept:
            raise Fault(f"no {name} {handle}")
        return kept[handle]

    def new_account(self, q: Request, created) -> None:
        """created is an AccountState; the handle is overwritten"""
        self.accounts[q.get("account")] = Account(created)

    def new_session(self, q: Request, created) -> None:
        self.sessions[q.get("session")] = Session(created)

    def bytes_of(self, kept: dict, handle: str) -> bytes:
        encode = state.encode_account if kept is self.accounts else state.encode_session
        return encode(kept[handle].state)

    def handle(self, inputs) -> dict:
        try:
            if not isinstance(inputs, dict) or inputs.get("op") not in OPS:
                raise Fault("unknown op")
            q = Request(inputs)
            answer = {"ok": _to_json(OPS[inputs["op"]](self, q) or {})}
            q.finish()
        except MarlineError as error:
            answer = {"error": error.name}
        except (Fault, ScriptError) as fault:
            return {"fault": str(fault)}
        except Exception as bug:  # of the request or of the reference: never an answer to compare
            traceback.print_exc()
            return {"fault": repr(bug)}
        for name, kept in (("account", self.accounts), ("session", self.sessions)):
            if inputs.get(name) in kept:
                answer[name] = state.fingerprint(self.bytes_of(kept, inputs[name])).hex()
        return answer


def _to_json(value):
    """bytes as hex, at any depth"""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _to_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(inner) for inner in value]
    return value


# Section 1


@op
def labels(_, q):
    return {"names": sorted(notation.LABELS)}


@op
def h(_, q):
    return {"out": notation.H(_label(q), *q.hexes("fields"))}


@op
def prf(_, q):
    return {"out": notation.PRF(_label(q), q.number("length"), q.hex("key"), *q.hexes("inputs"))}


@op
def extract(_, q):
    return {"out": notation.EXTRACT(q.hex("salt"), q.hex("ikm"))}


@op
def expand(_, q):
    return {"out": notation.EXPAND(q.hex("prk"), _label(q), q.hex("context"), q.number("length"))}


def _label(q: Request) -> str:
    if q.get("name") not in notation.LABELS:
        raise Fault("unknown label")
    return q.get("name")


@op
def x25519_public(_, q):
    return {"public": primitives.x25519_public(q.hex("secret", 32))}


@op
def x25519(_, q):
    return {"shared": primitives.x25519(q.hex("secret", 32), primitives.check_x25519(q.hex("public")))}


def _kem(q: Request):
    return {768: primitives.KEM768, 1024: primitives.KEM1024}[q.number("kem")]


@op
def kem_public(_, q):
    return {"ek": _kem(q).public(q.hex("seed", 64))}


@op
def kem_encaps(_, q):
    ct, ss = _kem(q).encaps(_kem(q).check(q.hex("ek")), q.hex("m", 32))
    return {"ct": ct, "ss": ss}


@op
def kem_decaps(_, q):
    return {"ss": _kem(q).decaps(q.hex("seed", 64), q.hex("ct", _kem(q).ct_length))}


@op
def ed25519_public(_, q):
    return {"public": primitives.ed25519_public(q.hex("seed", 32))}


@op
def ed25519_sign(_, q):
    return {"signature": primitives.ed25519_sign(q.hex("seed", 32), q.hex("message"))}


@op
def ed25519_verify(_, q):
    public, signed, signature = primitives.check_ed25519(q.hex("public")), q.hex("message"), q.hex("signature", 64)
    return {"valid": primitives.ed25519_verify(public, signed, signature)}


@op
def mldsa65_public(_, q):
    return {"public": primitives.mldsa65_public(q.hex("seed", 32))}


@op
def mldsa65_sign(_, q):
    return {"signature": primitives.mldsa65_sign(q.hex("seed", 32), q.hex("message"), q.hex("rnd", 32))}


@op
def mldsa65_verify(_, q):
    public, signature = q.hex("public", primitives.MLDSA65_PUBLIC), q.hex("signature", primitives.MLDSA65_SIGNATURE)
    return {"valid": primitives.mldsa65_verify(public, q.hex("message"), signature)}


@op
def aead_seal(_, q):
    return {"ciphertext": primitives.seal(q.hex("key", 32), q.hex("nonce", 12), q.hex("ad"), q.hex("plaintext"))}


@op
def aead_open(_, q):
    return {"plaintext": primitives.open_(q.hex("key", 32), q.hex("nonce", 12), q.hex("ad"), q.hex("ciphertext"))}


# Section 2


def _secret(q: Request) -> identity.IdentitySecret:
    return identity.IdentitySecret(q.hex("ed25519_seed", 32), q.hex("mldsa_seed", 32))


@op
def identity_from_seeds(_, q):
    key = _secret(q).key
    return {"identity": key.encode(), "identity_id": key.id}


@op
def sign(_, q):
    draws = q.draws()
    signature = _secret(q).sign(_label_purpose(q), q.hex("message"), draws)
    draws.finish()
    return {"signature": signature}


def _label_purpose(q: Request) -> str:
    if q.get("purpose") not in ("sign manifest", "sign initiator"):
        raise Fault("unknown purpose")
    return q.get("purpose")


@op
def verify(_, q):
    key = notation.decode_all(q.hex("identity"), identity.IdentityKey.decode)
    signature = q.hex("signature", identity.HYBRID_SIGNATURE)
    identity.verify(key, _label_purpose(q), q.hex("message"), signature)


@op
def safety_number(_, q):
    digits, qr = identity.safety_number(q.hex("a", 32), q.hex("b", 32))
    return {"digits": digits, "qr": qr}


# Section 3.1, 3.2


@op
def leaf(_, q):
    kem_hash = prekeys.kem_hash(q.hex("kem"))
    return {"leaf": prekeys.leaf(q.number("kind"), q.number("id"), q.hex("x25519", 32), kem_hash)}


@op
def merkle_root(_, q):
    return {"root": prekeys.tree_root(tuple(q.hexes("leaves")))}


@op
def merkle_path(_, q):
    leaves, index = tuple(q.hexes("leaves")), q.number("index")
    if index >= len(leaves):
        raise Fault("index out of range")
    return {"path": prekeys.tree_path(leaves, index)}


@op
def merkle_verify(_, q):
    valid = prekeys.tree_verify(
        q.hex("leaf", 32), q.number("index"), q.number("size"), q.hexes("path"), q.hex("root", 32)
    )
    return {"valid": valid}


# Section 5.4


def _padding(q: Request) -> message.Padding:
    """null or absent: the default; "none"; {"block": n}; {"padme": floor}"""
    match q.get("padding", None):
        case None:
            return message.Padme(64)
        case "none":
            return message.NoPadding()
        case {"block": int(n)}:
            return message.Block(n)
        case {"padme": int(floor)}:
            return message.Padme(floor)
    raise Fault("unknown padding")


@op
def pad(_, q):
    return {"padded": message.pad(q.hex("plaintext"), _padding(q))}


@op
def unpad(_, q):
    return {"plaintext": message.unpad(q.hex("padded"))}


@op
def header_encode(_, q):
    numbers = {name: q.number(name) for name in ("pn", "n", "pq_n", "epoch", "kind", "index")}
    return {"header": Header(dh=q.hex("dh", 32), codewords=q.hex("codewords"), **numbers).encode()}


@op
def header_decode(_, q):
    return vars(Header.decode(q.hex("header"), q.number("slots")))


# Section 6


@op
def erasure_encode(_, q):
    data = q.hex("object")
    if not data or len(data) % 32:
        raise Fault("an object is whole codewords")
    return {"codewords": erasure.encode_run(data, q.number("index"), q.number("count"))}


@op
def erasure_decode(_, q):
    held: dict[int, bytes] = {}
    for index, codeword in q.get("codewords"):
        held = erasure.add(held, q.number("k"), index, _from_hex(codeword))
    return {"object": erasure.decode(held) if len(held) == q.number("k") else None}


def _scka(q: Request) -> scka.Scka:
    return notation.decode_all(q.hex("state"), state.decode_scka)


def _given_out(epoch_key) -> dict | None:
    return None if epoch_key is None else {"epoch": epoch_key[0], "key": epoch_key[1]}


@op
def scka_start(_, q):
    created = scka.start(_role(q), q.hex("auth_root", 32), q.hex("auth_mac", 32))
    return {"state": state.encode_scka(created)}


def _role(q: Request) -> int:
    role = q.number("role")
    if role > 1:
        raise Fault("role is 0 or 1")
    return role


@op
def scka_send(_, q):
    draws, s = q.draws(), _scka(q)
    s, part, epoch_key = scka.send(s, q.hex("session_id", 32), q.number("slots"), scka.draw(s, draws))
    draws.finish()
    return {"state": state.encode_scka(s), **vars(part), "epoch_key": _given_out(epoch_key)}


@op
def scka_receive(_, q):
    part = scka.Part(q.number("epoch"), q.number("kind"), q.number("index"), q.hex("codewords"))
    s, epoch_key = scka.receive(_scka(q), q.hex("session_id", 32), part)
    return {"state": state.encode_scka(s), "epoch_key": _given_out(epoch_key)}


# Intermediate values: 4.2, 5.2, 5.3, 5.4, 6.3


def _by_name(*names):
    return lambda values: dict(zip(names, values, strict=True))


@op
def handshake_transcript(_, q):
    onetime_id = None if q.get("onetime_id", None) is None else q.number("onetime_id")
    th0 = handshake.th0(
        q.hex("responder_id", 32),
        q.hex("manifest_hash", 32),
        handshake.PrekeyIds(q.number("signed_id"), onetime_id),
        q.hex("signed_leaf", 32),
        q.hex("onetime_leaf", default=""),
        q.number("slots"),
        q.hex("ephemeral", 32),
        q.hex("ct", 1568),
    )
    claim = notation.H("claim", q.hex("identity"), q.hex("subject"))
    return {"th0": th0, "claim": claim, "message": th0 + q.hex("responder_id") + claim}


@op
def handshake_keys(_, q):
    th0 = q.hex("th0", 32)
    d2 = handshake.NO_ONETIME if q.get("d2", None) is None else q.hex("d2", 32)
    prk = handshake.handshake_prk(th0, q.hex("ss", 32), q.hex("d1", 32), d2)
    key = notation.decode_all(q.hex("identity"), identity.IdentityKey.decode)
    sealed = handshake.Sealed(key, q.hex("subject"), q.hex("signature", identity.HYBRID_SIGNATURE))
    sealed = handshake.seal_identity(prk, th0, sealed)
    keys = handshake.session_keys(prk, th0, sealed)
    return {"prk": prk, "k_id": handshake.initiator_key(prk, th0), "sealed": sealed, **vars(keys)}


@op
def pq_start(_, q):
    pq, auth_root, auth_mac = sparse.start(sparse.INITIATOR, q.hex("sk_pq", 32), q.hex("th", 32))
    chains = {"chain_i2r": pq.current.send.key, "chain_r2i": pq.current.receive.key}
    return {"root": pq.root, **chains, "auth_root": auth_root, "auth_mac": auth_mac}


@op
def dh_step(_, q):
    peer = primitives.check_x25519(q.hex("peer"))
    values = double.dh_step(q.hex("root", 32), q.hex("secret", 32), peer, q.hex("session_id", 32))
    return _by_name("root", "chain", "next_header_key")(values)


@op
def dh_chain(_, q):
    return _by_name("chain", "ec_mk")(double.chain_step(q.hex("chain", 32)))


@op
def pq_root(_, q):
    epoch = q.number("epoch")
    nothing = sparse.PqReceiving(b"", 0, skipped.Skipped())
    before = sparse.Sparse(q.hex("root", 32), sparse.EpochChains(epoch - 1, None, nothing), None)
    pq = sparse.add_epoch(before, sparse.INITIATOR, epoch, q.hex("epoch_key", 32))
    return {"root": pq.root, "chain_i2r": pq.current.send.key, "chain_r2i": pq.current.receive.key}


@op
def pq_chain(_, q):
    return _by_name("chain", "pq_mk")(sparse.chain_step(q.hex("chain", 32), q.number("n")))


@op
def message_key(_, q):
    keys = q.hex("pq_mk", 32), q.hex("ec_mk", 32)
    return {"mk": message.message_key(*keys, q.hex("session_id", 32), q.number("direction"))}


@op
def message_seal(_, q):
    nonce, header = q.hex("nonce", 12), q.hex("header")
    header = Header.decode(header, (len(header) - 51) // 32)
    header_ct = message.seal_header(q.hex("header_key", 32), nonce, q.hex("session_id", 32), header)
    before = message.Message(nonce, header_ct, b"").before_body()
    ad = message.body_ad(before, q.hex("th", 32), q.number("direction"), q.hex("ad", default=""))
    return {"message": before + message.seal(q.hex("mk", 32), nonce, ad, q.hex("padded"))}


@op
def scka_keys(_, q):
    ek = primitives.KEM768.check(q.hex("ek"))
    s = scka.Scka(q.number("epoch"), q.hex("auth_root", 32), q.hex("auth_mac", 32), scka.KeyHeld(ek))
    m = scka.encapsulation_input(s, q.hex("fresh", 32), ek)
    ct, ss = primitives.KEM768.encaps(ek, m)
    ek_hash = prekeys.kem_hash(ek)
    epoch_key = scka.epoch_key(s, q.hex("session_id", 32), ss, ek_hash)
    after = scka.authenticator(s, epoch_key)
    return {
        "ek_hash": ek_hash,
        "key_mac": scka.key_object(s, ek)[len(ek) :],
        "m": m,
        "ct": ct,
        "ss": ss,
        "epoch_key": epoch_key,
        "auth_root": after.auth_root,
        "auth_mac": after.auth_mac,
        "ciphertext_mac": scka.ciphertext_mac(after, ct),
    }


# Accounts


@op
def account_generate(d, q):
    draws = q.draws()
    created = account.generate(q.hex("subject"), draws)
    draws.finish()
    d.new_account(q, created)
    return {"identity": created.identity.encode(), "identity_id": created.identity.id}


@op
def publish(d, q):
    published = d.account(q).publish(q.number("now"), q.number("onetime_count"), q.draws())
    return {
        "manifest": published.manifest.encode(),
        "last_resort": published.last_resort.encode(),
        "onetime": [record.encode() for record in published.onetime],
    }


@op
def account_maintain(d, q):
    advice = d.account(q).maintain(q.number("now"))
    due = "rotate" if advice.rotate else "replenish" if advice.replenish else None
    return {"due": due, "deleted": len(advice.deleted)}


@op
def verify_bundle(d, q):
    bundle = account.verify_bundle(d.account(q).state, q.hex("bundle"), q.number("now"))
    manifest = bundle.manifest.manifest
    return {
        "identity_id": manifest.identity.id,
        "subject": manifest.subject,
        "generation": manifest.generation,
        "signed_id": manifest.signed.id,
        "onetime_id": bundle.record.id if isinstance(bundle.record, prekeys.OneTime) else None,
    }


@op
def initiate(d, q):
    """The handshake and its first message, as one: both succeed, or nothing has changed."""
    account_, draws = d.account(q), q.draws()
    state_, created = account.initiate(
        account_.state, q.hex("bundle"), q.number("slots"), q.number("now"), draws
    )
    created = Session(created)
    data = created.encrypt(q.hex("plaintext"), q.hex("ad", default=""), _padding(q), draws)
    account_.state = state_
    d.new_session(q, created.state)
    return {"message": data, **_peer(created.peer)}


def _peer(peer: Peer) -> dict:
    return {"peer_id": peer.identity_id, "peer_subject": peer.subject}


@op
def accept(d, q):
    created, plaintext = d.account(q).accept(q.hex("message"), q.hex("ad", default=""), q.number("now"))
    d.new_session(q, created.state)
    return {"plaintext": plaintext, **_peer(created.peer)}


# Sessions


@op
def encrypt(d, q):
    s, plaintext, ad = d.session(q), q.hex("plaintext"), q.hex("ad", default="")
    return {"message": s.encrypt(plaintext, ad, _padding(q), q.draws())}


@op
def decrypt(d, q):
    peer, plaintext = d.session(q).decrypt(q.hex("message"), q.hex("ad", default=""))
    return {"plaintext": plaintext, **_peer(peer)}


@op
def maintain(d, q):
    d.session(q).maintain(q.number("now"))


@op
def export_secret(d, q):
    return {"secret": d.session(q).export_secret(q.hex("label"), q.hex("context"), q.number("length"))}


@op
def facts(d, q):
    s = d.session(q).state
    return {
        **_peer(s.peer),
        "session_id": s.session_id,
        "role": s.role,
        "slots": s.slots,
        "failed": s.status == session.FAILED,
        "epoch": s.sparse.current.epoch,
        "since_epoch": s.since_epoch,
        "used_onetime": s.used_onetime,
        "unanswered": isinstance(s.opening, session.Unanswered),
    }


# States: each takes either "account" or "session"


def _which(d: Driver, q: Request):
    """(kept, handle, kind)"""
    if q.has("account") == q.has("session"):
        raise Fault("either account or session")
    if q.has("account"):
        return d.accounts, q.get("account"), state.ACCOUNT
    return d.sessions, q.get("session"), state.SESSION


def _existing(d: Driver, q: Request):
    kept, handle, kind = _which(d, q)
    _ = d.account(q) if kind == state.ACCOUNT else d.session(q)
    return kept, handle, kind


def _keep(d: Driver, q: Request, kind: int, decoded) -> None:
    if kind == state.ACCOUNT:
        d.new_account(q, decoded)
    else:
        d.new_session(q, decoded)


@op
def state_(d, q):
    kept, handle, _ = _existing(d, q)
    return {"state": d.bytes_of(kept, handle)}


@op
def load(d, q):
    _, _, kind = _which(d, q)
    decode = state.decode_account if kind == state.ACCOUNT else state.decode_session
    _keep(d, q, kind, decode(q.hex("state")))


@op
def fingerprint(d, q):
    kept, handle, _ = _existing(d, q)
    return {"fingerprint": state.fingerprint(d.bytes_of(kept, handle))}


@op
def export(d, q):
    kept, handle, kind = _existing(d, q)
    draws = q.draws()
    generation = kept[handle].state.generation
    blob = state.export_blob(kind, generation, d.bytes_of(kept, handle), q.hex("key", 32), draws)
    draws.finish()
    return {"blob": blob}


@op
def import_(d, q):
    _, _, kind = _which(d, q)
    _keep(d, q, kind, state.import_blob(kind, q.hex("blob"), q.hex("key", 32), q.number("minimum", 0)))


@op
def drop(d, q):
    kept, handle, _ = _existing(d, q)
    del kept[handle]


@op
def reset(d, _):
    d.accounts.clear()
    d.sessions.clear()


def main() -> None:
    driver = Driver()
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        sys.stdout.write(json.dumps(driver.handle(request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
