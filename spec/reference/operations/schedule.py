"""Intermediate values of 4.2, 5.2, 5.3, 5.4 and 6.3."""

from marline import double, handshake, identity, message, notation, prekeys, primitives, scka, skipped, sparse
from marline.message import Header

from .registry import by_name, op


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
    return by_name("root", "chain", "next_header_key")(values)


@op
def dh_chain(_, q):
    return by_name("chain", "ec_mk")(double.chain_step(q.hex("chain", 32)))


@op
def pq_root(_, q):
    epoch = q.number("epoch")
    nothing = sparse.PqReceiving(b"", 0, skipped.Skipped())
    before = sparse.Sparse(q.hex("root", 32), sparse.EpochChains(epoch - 1, None, nothing), None)
    pq = sparse.add_epoch(before, sparse.INITIATOR, epoch, q.hex("epoch_key", 32))
    return {"root": pq.root, "chain_i2r": pq.current.send.key, "chain_r2i": pq.current.receive.key}


@op
def pq_chain(_, q):
    return by_name("chain", "pq_mk")(sparse.chain_step(q.hex("chain", 32), q.number("n")))


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
