//! Section 4.2: the key schedule of the handshake, one formula a step.

use serde_json::{Value, json};

use super::builder::{Answer, Scene};
use crate::format::{Draw, Outcome};

/// The flight that the schedule derives step by step, from given draws.
pub(super) struct Derived {
    /// The FirstFlight.
    pub(super) flight: String,
    /// The outputs of `handshake_keys`.
    pub(super) keys: Answer,
}

/// Plays the key schedule of section 4.2. `who` signs with its seeds; `bend` may change the signed message.
pub(super) fn derive(
    s: &mut Scene<'_>,
    bundle: &str,
    draws: &[Draw],
    initiator: (&Value, &str),
    onetime: bool,
    bend: &str,
) -> Outcome<Derived> {
    let draw = |i: usize| draws.get(i).map(|draw| draw.bytes.clone()).ok_or("draw");
    let (ek, m, rnd) = (draw(0)?, draw(1)?, draw(2)?);
    let part =
        |from: usize, length: usize| bundle.get(2 * from..2 * (from + length)).ok_or("bundle");
    let identity = s
        .ask(
            "h",
            json!({ "name": "identity", "fields": [part(1, 1985)?] }),
        )?
        .text("out")?;
    let manifest_hash = s
        .ask(
            "h",
            json!({ "name": "manifest", "fields": [part(0, 2128)?] }),
        )?
        .text("out")?;
    let signed_id = u32::from_str_radix(part(2026, 4)?, 16)?;
    let (signed_x25519, signed_hash) = (part(2030, 32)?, part(2062, 32)?);
    let prekey =
        json!({ "name": "prekey", "fields": ["01", part(2026, 4)?, signed_x25519, signed_hash] });
    let signed_leaf = s.ask("h", prekey)?.text("out")?;
    let kem = if onetime {
        part(5538, 1568)?
    } else {
        part(5502, 1568)?
    };
    let ephemeral = s
        .ask("x25519_public", json!({ "secret": ek }))?
        .text("public")?;
    let encapsulated = s.ask("kem_encaps", json!({ "kem": 1024, "ek": kem, "m": m }))?;
    let d1 = s
        .ask("x25519", json!({ "secret": ek, "public": signed_x25519 }))?
        .text("shared")?;
    let (mut onetime_id, mut onetime_leaf, mut d2) = (Value::Null, String::new(), Value::Null);
    if onetime {
        let id = u32::from_str_radix(part(5502, 4)?, 16)?;
        onetime_leaf = s
            .ask(
                "leaf",
                json!({ "kind": 2, "id": id, "x25519": part(5506, 32)?, "kem": kem }),
            )?
            .text("leaf")?;
        d2 = json!(
            s.ask("x25519", json!({ "secret": ek, "public": part(5506, 32)? }))?
                .text("shared")?
        );
        onetime_id = json!(id);
    }
    let (seeds, subject) = initiator;
    let own = s
        .ask("identity_from_seeds", seeds.clone())?
        .text("identity")?;
    let ct = encapsulated.text("ct")?;
    let transcript = s.ask("handshake_transcript", json!({
        "responder_id": identity, "manifest_hash": manifest_hash, "signed_id": signed_id, "onetime_id": onetime_id,
        "signed_leaf": signed_leaf, "onetime_leaf": onetime_leaf, "slots": 4, "ephemeral": ephemeral, "ct": ct,
        "identity": own, "subject": subject,
    }))?;
    let mut signing = seeds.clone();
    let message = format!("{}{bend}", transcript.text("message")?);
    let fields = signing.as_object_mut().ok_or("seeds")?;
    fields.extend([
        ("purpose".into(), json!("sign initiator")),
        ("message".into(), json!(message)),
    ]);
    let rnd = vec![Draw {
        name: "ML-DSA rnd".into(),
        bytes: rnd,
    }];
    let signature = s
        .step("sign", signing, Some(rnd), None)?
        .text("signature")?;
    let keys = s.ask(
        "handshake_keys",
        json!({
            "th0": transcript.text("th0")?, "ss": encapsulated.text("ss")?, "d1": d1, "d2": d2,
            "identity": own, "subject": subject, "signature": signature,
        }),
    )?;
    let ids = match onetime_id.as_u64() {
        Some(id) => format!("{signed_id:08x}01{id:08x}"),
        None => format!("{signed_id:08x}00"),
    };
    let sealed = keys.text("sealed")?;
    let flight = format!("0101{ids}04{ephemeral}{ct}{:04x}{sealed}", sealed.len() / 2);
    Ok(Derived { flight, keys })
}

/// The seeds of a device made in this case.
pub(super) fn seeds(s: &mut Scene<'_>, account: &str) -> Outcome<Value> {
    let state = s
        .aside(json!({ "op": "state", "account": account }))?
        .text("state")?;
    let part = |from: usize| state.get(2 * from..2 * (from + 32)).ok_or("state");
    Ok(json!({ "ed25519_seed": part(11)?, "mldsa_seed": part(43)? }))
}
