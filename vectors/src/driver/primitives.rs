//! Sections 1 and 2: hashing with labels, keys, AEAD, signatures, safety numbers.

use marline::hazmat::aead;
use marline::hazmat::codec::{Decode, Encode};
use marline::hazmat::dh::{PublicKey, SecretKey};
use marline::hazmat::hash;
use marline::hazmat::labels::{self, Label};
use marline::hazmat::sign::{self, Ed25519Key};
use marline::hazmat::{kem768, kem1024, signing_input, verify};
use marline::{
    HybridSignature, IdentityId, IdentityKey, IdentityKeyPair, SafetyNumber, Secret, Signer,
};

use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::{Operation, drawing};

pub(super) const OPS: &[(&str, Operation)] = &[
    ("labels", |_, _| labels_()),
    ("h", |_, q| h(q)),
    ("prf", |_, q| prf(q)),
    ("extract", |_, q| extract(q)),
    ("expand", |_, q| expand(q)),
    ("x25519_public", |_, q| x25519_public(q)),
    ("x25519", |_, q| x25519(q)),
    ("kem_public", |_, q| kem_public(q)),
    ("kem_encaps", |_, q| kem_encaps(q)),
    ("kem_decaps", |_, q| kem_decaps(q)),
    (
        "ed25519_public",
        |_, q| outputs! { "public": hexed(sign::ed25519_public(&secret(q, "seed")?).as_bytes()) },
    ),
    ("ed25519_sign", |_, q| {
        outputs! { "signature": hexed(sign::ed25519_sign(&secret(q, "seed")?, &q.bytes("message")?)) }
    }),
    ("ed25519_verify", |_, q| ed25519_verify(q)),
    (
        "mldsa65_public",
        |_, q| outputs! { "public": hexed(*sign::mldsa65_public(&secret(q, "seed")?)) },
    ),
    ("mldsa65_sign", |_, q| mldsa65_sign(q)),
    ("mldsa65_verify", |_, q| mldsa65_verify(q)),
    ("aead_seal", |_, q| aead_seal(q)),
    ("aead_open", |_, q| aead_open(q)),
    ("identity_from_seeds", |_, q| identity_from_seeds(q)),
    ("sign", |_, q| hybrid_sign(q)),
    ("verify", |_, q| hybrid_verify(q)),
    ("safety_number", |_, q| safety_number(q)),
];

/// A secret input of fixed length.
pub(super) fn secret<const N: usize>(q: &Request<'_>, name: &str) -> Result<Secret<N>, Refusal> {
    Ok(Secret::take(&mut q.array(name)?))
}

fn labels_() -> Reply {
    let mut names: Vec<&str> = labels::ALL
        .iter()
        .filter_map(|label| label.text().strip_prefix("marline/1 "))
        .collect();
    names.sort_unstable();
    outputs! { "names": names }
}

fn h(q: &Request<'_>) -> Reply {
    let fields = q.list("fields")?;
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    outputs! { "out": hexed(hash::hash(q.label("name")?, &fields)) }
}

fn prf(q: &Request<'_>) -> Reply {
    let (label, key, inputs) = (q.label("name")?, q.bytes("key")?, q.list("inputs")?);
    let inputs: Vec<&[u8]> = [&key]
        .into_iter()
        .chain(&inputs)
        .map(Vec::as_slice)
        .collect();
    let out = match q.number::<usize>("length")? {
        32 => hexed(hash::prf::<32>(label, &inputs).expose()),
        60 => hexed(hash::prf::<60>(label, &inputs).expose()),
        64 => hexed(hash::prf::<64>(label, &inputs).expose()),
        _ => return Err(wrong("length", "32, 60 or 64")),
    };
    outputs! { "out": out }
}

fn extract(q: &Request<'_>) -> Reply {
    outputs! { "out": hexed(hash::extract(&q.bytes("salt")?, &[&q.bytes("ikm")?]).expose()) }
}

fn expand(q: &Request<'_>) -> Reply {
    let mut okm = vec![0; q.number("length")?];
    let prk = secret(q, "prk")?;
    hash::expand_into(
        &prk,
        q.label("name")?,
        [&q.bytes("context")?, &[]],
        &mut okm,
    )?;
    outputs! { "out": hexed(okm) }
}

fn x25519_public(q: &Request<'_>) -> Reply {
    outputs! { "public": hexed(SecretKey::new(secret(q, "secret")?).public_key().as_bytes()) }
}

fn x25519(q: &Request<'_>) -> Reply {
    let secret = SecretKey::new(secret(q, "secret")?);
    let public = PublicKey::from_bytes(&q.key("public")?)?;
    outputs! { "shared": hexed(secret.agree(&public)?.expose()) }
}

fn kem_public(q: &Request<'_>) -> Reply {
    let seed = secret(q, "seed")?;
    let ek = match q.number("kem")? {
        768u16 => hexed(*kem768::DecapsulationKey::generate(seed).1),
        1024 => hexed(*kem1024::DecapsulationKey::generate(seed).1),
        _ => return Err(wrong("kem", "768 or 1024")),
    };
    outputs! { "ek": ek }
}

fn kem_encaps(q: &Request<'_>) -> Reply {
    let m = secret(q, "m")?;
    let (ct, ss) = match q.number("kem")? {
        768u16 => {
            let (ct, ss) = kem768::EncapsulationKey::from_bytes(&q.key("ek")?)?.encapsulate(&m);
            (hexed(*ct), ss)
        }
        1024 => {
            let (ct, ss) = kem1024::EncapsulationKey::from_bytes(&q.key("ek")?)?.encapsulate(&m);
            (hexed(*ct), ss)
        }
        _ => return Err(wrong("kem", "768 or 1024")),
    };
    outputs! { "ct": ct, "ss": hexed(ss.expose()) }
}

fn kem_decaps(q: &Request<'_>) -> Reply {
    let seed = secret(q, "seed")?;
    let ss = match q.number("kem")? {
        768u16 => kem768::DecapsulationKey::from_seed(seed).decapsulate(&q.array("ct")?),
        1024 => kem1024::DecapsulationKey::from_seed(seed).decapsulate(&q.array("ct")?),
        _ => return Err(wrong("kem", "768 or 1024")),
    };
    outputs! { "ss": hexed(ss.expose()) }
}

fn ed25519_verify(q: &Request<'_>) -> Reply {
    let (message, signature) = (q.bytes("message")?, q.array("signature")?);
    let public = Ed25519Key::from_bytes(&q.key("public")?)?;
    outputs! { "valid": public.verifies(&message, &signature) }
}

fn mldsa65_sign(q: &Request<'_>) -> Reply {
    let (seed, message) = (secret(q, "seed")?, q.bytes("message")?);
    outputs! { "signature": hexed(*sign::mldsa65_sign(&seed, &message, &q.array("rnd")?)) }
}

fn mldsa65_verify(q: &Request<'_>) -> Reply {
    let (public, message) = (q.array("public")?, q.bytes("message")?);
    outputs! { "valid": sign::mldsa65_verifies(&public, &message, &q.array("signature")?) }
}

fn aead_seal(q: &Request<'_>) -> Reply {
    let mut text = q.bytes("plaintext")?;
    aead::seal(
        &secret(q, "key")?,
        &q.array("nonce")?,
        &q.bytes("ad")?,
        &mut text,
        0,
    )?;
    outputs! { "ciphertext": hexed(text) }
}

fn aead_open(q: &Request<'_>) -> Reply {
    let mut text = q.bytes("ciphertext")?;
    aead::open(
        &secret(q, "key")?,
        &q.array("nonce")?,
        &q.bytes("ad")?,
        &mut text,
    )?;
    outputs! { "plaintext": hexed(text) }
}

fn pair(q: &Request<'_>) -> Result<IdentityKeyPair, Refusal> {
    Ok(IdentityKeyPair::from_seeds(
        secret(q, "ed25519_seed")?,
        secret(q, "mldsa_seed")?,
    ))
}

fn identity_from_seeds(q: &Request<'_>) -> Reply {
    let pair = pair(q)?;
    let key = pair.identity();
    outputs! { "identity": hexed(key.to_vec()), "identity_id": hexed(key.id().as_bytes()) }
}

fn purpose(q: &Request<'_>) -> Result<Label, Refusal> {
    let label = q.label("purpose")?;
    if [labels::SIGN_MANIFEST, labels::SIGN_INITIATOR].contains(&label) {
        Ok(label)
    } else {
        Err(wrong("purpose", "a purpose"))
    }
}

fn hybrid_sign(q: &Request<'_>) -> Reply {
    let input = signing_input(purpose(q)?, &q.bytes("message")?);
    let pair = pair(q)?;
    let signature = drawing(q, |rng| {
        let rnd = Secret::<32>::random(rng)?;
        pair.sign(&input, rnd.expose())
    })?;
    outputs! { "signature": hexed(signature.to_vec()) }
}

fn hybrid_verify(q: &Request<'_>) -> Reply {
    let input = signing_input(purpose(q)?, &q.bytes("message")?);
    let signature = q.array::<3373>("signature")?;
    let key = IdentityKey::from_bytes(&q.bytes("identity")?)?;
    verify(&key, &input, &HybridSignature::from_bytes(&signature)?)?;
    outputs! {}
}

fn safety_number(q: &Request<'_>) -> Reply {
    let [a, b] = [q.array("a")?, q.array("b")?].map(IdentityId::from_bytes);
    let number = SafetyNumber::new(&a, &b);
    outputs! { "digits": number.digits(), "qr": hexed(number.qr()) }
}
