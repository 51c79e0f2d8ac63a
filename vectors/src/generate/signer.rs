//! Section 8.3: an identity whose secret is outside. The runner plays the signer.

use serde_json::{Value, json};

use super::builder::{Builder, Scene};
use super::people::{INITIATE_DRAWS, NOW};
use crate::format::{Draw, Event, Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "External signers: one that answers, one that refuses, and one that answers something else (8.3).",
    );
    b.case(
        "signer-publish",
        "M-ID-02",
        "A manifest under an outside signature is the one that the seeds make; refusals and wrong signatures change nothing.",
        |s| {
            let signer = device(s, "outside")?;
            let draws: Vec<_> = [("X25519 secret", 32), ("KEM seed", 64)].repeat(2);
            let draws = [&draws[..], &[("ML-DSA rnd", 32)]].concat();
            let inputs = json!({ "account": "outside", "now": NOW, "onetime_count": 1 });
            signed(s, &signer, "publish", &inputs, &draws)?;
            s.ask("state", json!({ "account": "outside" })).map(drop)
        },
    )?;
    b.case(
        "signer-initiate",
        "M-ID-02 M-HS-08",
        "The same for a first message, of a session and of a contact.",
        |s| {
            let signer = device(s, "outside")?;
            let (bundle, id) = s.unrecorded("signer bob", |s| {
                let id = s.device("bob")?.text("identity_id")?;
                let published = s.publish("bob", 1, NOW)?;
                Ok((s.bundle("bob", &published, None)?, id))
            })?;
            s.ask("contact_new", json!({ "contact": "c", "identity_id": id }))?;
            for (kind, op) in [("session", "initiate"), ("contact", "contact_initiate")] {
                let inputs = json!({
                    "account": "outside", kind: "c", "bundle": bundle, "slots": 1, "now": NOW, "plaintext": "00", "padding": "none",
                });
                signed(s, &signer, op, &inputs, &INITIATE_DRAWS)?;
            }
            Ok(())
        },
    )?;
    b.case(
        "signer-import",
        "M-ST-01",
        "A state with an external signer names its identity; another's is refused, and seeds are not to be had.",
        |s| {
            let identity = device(s, "outside")?.identity;
            let own = s.device("own")?.text("identity")?;
            let key = s.fresh(32);
            let mut blobs = Vec::new();
            for name in ["outside", "own"] {
                let inputs = json!({ "account": name, "key": key });
                blobs.push(s.draw("export", inputs, &[("salt", 32)])?.text("blob")?);
            }
            let [outside, seeds] = <[String; 2]>::try_from(blobs).map_err(|_| "two")?;
            let import = |blob: &str, identity: Option<&str>| match identity {
                Some(identity) => json!({ "account": "outside", "key": key, "blob": blob, "identity": identity }),
                None => json!({ "account": "outside", "key": key, "blob": blob }),
            };
            s.event(Event::Restart);
            s.refuse("import", import(&outside, None), "Malformed")?;
            s.refuse("import", import(&outside, Some(&own)), "IdentityChanged")?;
            s.refuse("import", import(&seeds, Some(&own)), "Malformed")?;
            s.ask("import", import(&outside, Some(&identity))).map(drop)
        },
    )?;
    b.finish()
}

/// The seeds that the signer has and the account does not.
struct Seeds {
    identity: String,
    ed25519: String,
    mldsa: String,
}

/// A device of this name whose signer is outside.
fn device(s: &mut Scene<'_>, name: &str) -> Outcome<Seeds> {
    let seeds = s.unrecorded("signer", |s| {
        let (ed25519, mldsa) = (s.fresh(32), s.fresh(32));
        let inputs =
            json!({ "op": "identity_from_seeds", "ed25519_seed": ed25519, "mldsa_seed": mldsa });
        let identity = s.aside(inputs)?.text("identity")?;
        Ok(Seeds {
            identity,
            ed25519,
            mldsa,
        })
    })?;
    s.event(Event::Setup);
    let identity = s.name("the signer's identity", &seeds.identity);
    let subject = hex::encode("outside@example.org");
    s.ask(
        "account_external",
        json!({ "account": name, "identity": identity, "subject": subject }),
    )?;
    Ok(seeds)
}

/// An operation that asks the signer: refused, answered wrongly in several ways, and answered.
fn signed(
    s: &mut Scene<'_>,
    seeds: &Seeds,
    op: &str,
    inputs: &Value,
    draws: &[(&str, usize)],
) -> Outcome<()> {
    let draws = s.draws(draws);
    s.event(Event::Send);
    let answer = |s: &mut Scene<'_>, signature: Option<&str>, error, draws: &[Draw]| {
        let mut inputs = inputs.clone();
        if let (Some(signature), Some(fields)) = (signature, inputs.as_object_mut()) {
            fields.insert("signature".into(), json!(signature));
        }
        s.step(op, inputs, Some(draws.to_vec()), error)
    };
    answer(s, None, Some("Signer"), &draws)?;
    s.note("the signer refuses");
    let good = sign(s, seeds, &s.asked("outside")?)?;
    let name = format!("signature, {op}");
    s.name(&name, &good);
    let wrong = [
        ("the Ed25519 half is wrong", 0),
        ("the ML-DSA half is wrong", 64 + 20),
    ];
    for (about, at) in wrong {
        let signature = s.flip(&format!("{name}, {about}"), (&name, &good), at)?;
        answer(s, Some(&signature), Some("Signer"), &draws)?;
        s.note(about);
    }
    let other = sign(s, seeds, "00")?;
    answer(s, Some(&other), Some("Signer"), &draws)?;
    s.note("a signature of the same identity over something else");
    answer(s, Some(&good), None, &draws).map(drop)
}

/// The hybrid signature over these bytes, by the primitives.
fn sign(s: &mut Scene<'_>, seeds: &Seeds, message: &str) -> Outcome<String> {
    let ed25519 = json!({ "op": "ed25519_sign", "seed": seeds.ed25519, "message": message });
    let rnd = "00".repeat(32);
    let mldsa =
        json!({ "op": "mldsa65_sign", "seed": seeds.mldsa, "message": message, "rnd": rnd });
    Ok(s.aside(ed25519)?.text("signature")? + &s.aside(mldsa)?.text("signature")?)
}
