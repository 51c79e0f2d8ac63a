//! Intermediate values of sections 4.2, 5.2 to 5.4 and 6.3, derived here from the primitives and not taken from the
//! library: the cases show that they lead to the bytes that the library makes.

use marline::Secret;
use marline::hazmat::aead::{self, ZERO_NONCE};
use marline::hazmat::dh::{PublicKey, SecretKey};
use marline::hazmat::hash::{expand, extract, hash, prf};
use marline::hazmat::{kem768, labels};
use serde_json::json;

use super::Operation;
use super::primitives::secret;
use super::request::{Reply, Request, hexed, outputs};
use crate::format::Object;

pub(super) const OPS: &[(&str, Operation)] = &[
    ("handshake_transcript", |_, q| handshake_transcript(q)),
    ("handshake_keys", |_, q| handshake_keys(q)),
    ("pq_start", |_, q| pq_start(q)),
    ("dh_step", |_, q| dh_step(q)),
    ("dh_chain", |_, q| dh_chain(q)),
    ("pq_root", |_, q| pq_root(q)),
    ("pq_chain", |_, q| pq_chain(q)),
    ("message_key", |_, q| message_key(q)),
    ("message_seal", |_, q| message_seal(q)),
    ("scka_keys", |_, q| scka_keys(q)),
];

/// Names for key material, 32 bytes each.
fn cut<const N: usize>(material: &Secret<N>, names: &[&str]) -> Object {
    let parts = material.expose().chunks(32);
    names
        .iter()
        .zip(parts)
        .map(|(name, part)| ((*name).into(), json!(hexed(part))))
        .collect()
}

/// th0, claim, and what the initiator signs.
fn handshake_transcript(q: &Request<'_>) -> Reply {
    let signed_id: u32 = q.number("signed_id")?;
    let mut ids = signed_id.to_be_bytes().to_vec();
    match q.optional("onetime_id") {
        None => ids.push(0),
        Some(_) => {
            ids.push(1);
            ids.extend(q.number::<u32>("onetime_id")?.to_be_bytes());
        }
    }
    let responder = q.array::<32>("responder_id")?;
    let th0 = hash(
        labels::HANDSHAKE,
        &[
            &[1],
            &responder,
            &q.array::<32>("manifest_hash")?,
            &ids,
            &q.array::<32>("signed_leaf")?,
            &q.bytes_or_empty("onetime_leaf")?,
            &[q.number("slots")?],
            &q.array::<32>("ephemeral")?,
            &q.array::<1568>("ct")?,
        ],
    );
    let claim = hash(
        labels::CLAIM,
        &[&q.bytes("identity")?, &q.bytes("subject")?],
    );
    outputs! {
        "th0": hexed(th0),
        "claim": hexed(claim),
        "message": hexed([th0, responder, claim].concat()),
    }
}

/// From the shared secrets to the session's keys.
fn handshake_keys(q: &Request<'_>) -> Reply {
    let th0 = q.array::<32>("th0")?;
    let d2 = q.optional("d2").map_or(Ok([0; 32]), |_| q.array("d2"))?;
    let prk = extract(&th0, &[&q.array::<32>("ss")?, &q.array::<32>("d1")?, &d2]);
    let k_id = expand::<32>(&prk, labels::INITIATOR_KEY, [&th0, &[]]);
    let subject = q.bytes("subject")?;
    let mut sealed = [
        q.bytes("identity")?,
        vec![subject.len() as u8],
        subject,
        q.bytes("signature")?,
    ]
    .concat();
    aead::seal(&k_id, &ZERO_NONCE, &th0, &mut sealed, 0)?;
    let th = hash(
        labels::TRANSCRIPT,
        &[&th0, &hash(labels::SEALED, &[&sealed])],
    );
    let okm = expand::<192>(&prk, labels::SESSION, [&th, &[]]);
    let mut outputs = cut(
        &okm,
        &[
            "sk_ec",
            "sk_pq",
            "hk_i2r",
            "hk_r2i",
            "exporter_secret",
            "session_id",
        ],
    );
    let more = [
        ("prk", hexed(prk.expose())),
        ("k_id", hexed(k_id.expose())),
        ("sealed", hexed(sealed)),
        ("th", hexed(th)),
    ];
    outputs.extend(more.map(|(name, value)| (name.into(), json!(value))));
    Ok(outputs)
}

fn pq_start(q: &Request<'_>) -> Reply {
    let okm = expand::<160>(
        &secret(q, "sk_pq")?,
        labels::PQ_START,
        [&q.array::<32>("th")?, &[]],
    );
    Ok(cut(
        &okm,
        &["root", "chain_i2r", "chain_r2i", "auth_root", "auth_mac"],
    ))
}

fn dh_step(q: &Request<'_>) -> Reply {
    let (own, peer) = (
        SecretKey::new(secret(q, "secret")?),
        PublicKey::from_bytes(&q.key("peer")?)?,
    );
    let prk = extract(&q.array::<32>("root")?, &[own.agree(&peer)?.expose()]);
    let okm = expand::<96>(&prk, labels::DH_ROOT, [&q.array::<32>("session_id")?, &[]]);
    Ok(cut(&okm, &["root", "chain", "next_header_key"]))
}

fn dh_chain(q: &Request<'_>) -> Reply {
    Ok(cut(
        &prf::<64>(labels::DH_CHAIN, &[&q.array::<32>("chain")?]),
        &["chain", "ec_mk"],
    ))
}

fn pq_root(q: &Request<'_>) -> Reply {
    let prk = extract(&q.array::<32>("root")?, &[&q.array::<32>("epoch_key")?]);
    let epoch: u32 = q.number("epoch")?;
    let okm = expand::<96>(&prk, labels::PQ_ROOT, [&epoch.to_be_bytes(), &[]]);
    Ok(cut(&okm, &["root", "chain_i2r", "chain_r2i"]))
}

fn pq_chain(q: &Request<'_>) -> Reply {
    let n: u32 = q.number("n")?;
    Ok(cut(
        &prf::<64>(
            labels::PQ_CHAIN,
            &[&q.array::<32>("chain")?, &n.to_be_bytes()],
        ),
        &["chain", "pq_mk"],
    ))
}

fn message_key(q: &Request<'_>) -> Reply {
    let (pq, ec) = (q.array::<32>("pq_mk")?, q.array::<32>("ec_mk")?);
    let mk = prf::<32>(
        labels::MESSAGE,
        &[
            &pq,
            &ec,
            &q.array::<32>("session_id")?,
            &[q.number("direction")?],
        ],
    );
    outputs! { "mk": hexed(mk.expose()) }
}

fn message_seal(q: &Request<'_>) -> Reply {
    let sealing = Sealing {
        header_key: secret(q, "header_key")?,
        mk: secret(q, "mk")?,
        nonce: q.array("nonce")?,
        session_id: q.array("session_id")?,
        th: q.array("th")?,
        direction: q.number("direction")?,
    };
    let message = sealing.seal(
        &q.bytes("header")?,
        &q.bytes("padded")?,
        &q.bytes_or_empty("ad")?,
    )?;
    outputs! { "message": hexed(message) }
}

/// What seals a message besides its content.
pub(crate) struct Sealing {
    pub(crate) header_key: Secret<32>,
    pub(crate) mk: Secret<32>,
    pub(crate) nonce: [u8; 12],
    pub(crate) session_id: [u8; 32],
    pub(crate) th: [u8; 32],
    pub(crate) direction: u8,
}

impl Sealing {
    /// The Message of section 5.4.
    pub(crate) fn seal(&self, header: &[u8], padded: &[u8], ad: &[u8]) -> marline::Result<Vec<u8>> {
        let mut message = [&[1, 2], &self.nonce[..], header].concat();
        aead::seal(
            &self.header_key,
            &self.nonce,
            &[&[1, 2], &self.session_id[..]].concat(),
            &mut message,
            14,
        )?;
        let body_ad = [&message, &self.th[..], &[self.direction], ad].concat();
        let body = message.len();
        message.extend_from_slice(padded);
        aead::seal(&self.mk, &self.nonce, &body_ad, &mut message, body)?;
        Ok(message)
    }
}

/// One encapsulation with everything around it.
fn scka_keys(q: &Request<'_>) -> Reply {
    let (root, mac) = (q.array::<32>("auth_root")?, q.array::<32>("auth_mac")?);
    let epoch = q.number::<u32>("epoch")?.to_be_bytes();
    let ek = q.key::<1184>("ek")?;
    let ek_hash = hash(labels::KEM_KEY, &[&ek]);
    let key_mac = prf::<32>(labels::MAC_KEY, &[&mac, &epoch, &ek]);
    let m = prf::<32>(
        labels::ENCAPSULATE,
        &[&root, &q.array::<32>("fresh")?, &epoch, &ek_hash],
    );
    let (ct, ss) = kem768::EncapsulationKey::from_bytes(&ek)?.encapsulate(&m);
    let epoch_key = expand::<32>(
        &extract(&q.array::<32>("session_id")?, &[ss.expose()]),
        labels::EPOCH_KEY,
        [&epoch, &ek_hash],
    );
    let okm = expand::<64>(
        &extract(&root, &[epoch_key.expose()]),
        labels::AUTHENTICATOR,
        [&epoch, &[]],
    );
    let mut outputs = cut(&okm, &["auth_root", "auth_mac"]);
    let (_, new_mac) = okm.expose().split_at(32);
    let ciphertext_mac = prf::<32>(labels::MAC_CIPHERTEXT, &[new_mac, &epoch, &*ct]);
    let more = [
        ("ek_hash", hexed(ek_hash)),
        ("key_mac", hexed(key_mac.expose())),
        ("m", hexed(m.expose())),
        ("ct", hexed(*ct)),
        ("ss", hexed(ss.expose())),
        ("epoch_key", hexed(epoch_key.expose())),
        ("ciphertext_mac", hexed(ciphertext_mac.expose())),
    ];
    outputs.extend(more.map(|(name, value)| (name.into(), json!(value))));
    Ok(outputs)
}
