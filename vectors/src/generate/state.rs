//! Section 8: sealed states, and every rule of their decoding.

use serde_json::json;

use super::builder::{Builder, Scene};
use super::people::NOW;
use super::ratchet::sessions;
use super::state_rules::{account, session, skipped};
use crate::format::{Layer, Outcome, VectorFile};

pub(super) fn file() -> Outcome<VectorFile> {
    let mut b = Builder::new(
        Layer::Parts,
        "States: sealing, the order of its checks, and every rule of decoding (8).",
    );
    b.case(
        "state-seal-session",
        "M-ST-01 M-ST-02 M-EN-02",
        "A session exported, imported, and the same bytes again.",
        |s| {
            sessions(s, 1, 2)?;
            for name in ["a", "b"] {
                s.restart(name)?;
                s.ask("fingerprint", json!({ "session": name }))?;
            }
            Ok(())
        },
    )?;
    b.case(
        "state-seal-account",
        "M-ST-01 M-ST-02",
        "The same for an account.",
        |s| {
            s.device("bob")?;
            s.publish("bob", 1, NOW)?;
            let key = s.fresh(32);
            let blob = s
                .draw(
                    "export",
                    json!({ "account": "bob", "key": key }),
                    &[("salt", 32)],
                )?
                .text("blob")?;
            s.ask(
                "import",
                json!({ "account": "bob", "key": key, "blob": blob, "minimum": 1 }),
            )?;
            s.name("account blob", &blob);
            s.refuse(
                "import",
                json!({ "account": "bob", "key": key, "blob": blob, "minimum": 2 }),
                "Rollback",
            )?;
            s.refuse(
                "import",
                json!({ "session": "bob", "key": key, "blob": blob }),
                "Malformed",
            )
        },
    )?;
    b.case(
        "state-seal-refused",
        "M-ST-01 M-EN-03 M-ER-01",
        "Every check of a sealed state, in order; the session in memory stays.",
        sealed,
    )?;
    b.case(
        "state-session-refused",
        "M-ST-01 M-ST-02 M-EN-01 M-EN-02 M-EN-03 M-DR-08",
        "Session states that break one rule each.",
        session,
    )?;
    b.case(
        "state-session-skipped",
        "M-ST-01 M-ST-02 M-DR-05",
        "Skipped keys that are out of order, below the floor, or not below the chain's number.",
        skipped,
    )?;
    b.case(
        "state-account-refused",
        "M-ST-01 M-ST-02 M-PK-10 M-EN-03",
        "Account states that break one rule each.",
        account,
    )?;
    b.finish()
}

fn sealed(s: &mut Scene<'_>) -> Outcome<()> {
    sessions(s, 1, 2)?;
    let key = s.fresh(32);
    let blob = s
        .draw(
            "export",
            json!({ "session": "a", "key": key }),
            &[("salt", 32)],
        )?
        .text("blob")?;
    s.name("blob", &blob);
    let import = |blob: &str, minimum: u64| json!({ "session": "a", "key": key, "blob": blob, "minimum": minimum });
    let wrongs: [(&str, &str, usize, usize, &str); 7] = [
        ("Version", "version 2", 0, 1, "02"),
        ("Malformed", "kind 2", 1, 1, "02"),
        ("Malformed", "kind 3", 1, 1, "03"),
        ("Authentication", "another generation", 9, 1, "7f"),
        ("Authentication", "another salt", 10, 2, "5a5a"),
        ("Authentication", "another body", 60, 2, "5a5a"),
        (
            "Authentication",
            "another tag",
            blob.len() / 2 - 2,
            2,
            "5a5a",
        ),
    ];
    for (error, about, at, remove, insert) in wrongs {
        let wrong = s.splice(
            &format!("blob: {about}"),
            ("blob", &blob),
            at,
            remove,
            insert,
        )?;
        s.refuse("import", import(&wrong, 1000), error)?;
        s.note(about);
    }
    let head = s.splice(
        "blob: a head only",
        ("blob", &blob),
        41,
        blob.len() / 2 - 41,
        "",
    )?;
    s.refuse("import", import(&head, 0), "Malformed")?;
    s.refuse("import", import("", 0), "Malformed")?;
    let other = s.fresh(32);
    s.refuse(
        "import",
        json!({ "session": "a", "key": other, "blob": blob, "minimum": 1000 }),
        "Authentication",
    )?;
    s.refuse("import", import(&blob, 1000), "Rollback")?;

    // Sealed with the right key, and wrong inside.
    let state = s.state_of("a")?;
    let generation = state.get(4..20).ok_or("state")?.to_owned();
    let cases = [
        (
            "a generation that is not the state's",
            "00000000000000ff".to_owned(),
            state.clone(),
        ),
        (
            "a state that does not decode",
            generation.clone(),
            format!("{state}00"),
        ),
        ("no state at all", generation, String::new()),
    ];
    for (about, generation, inside) in cases {
        let salt = s.fresh(32);
        let inputs = json!({ "name": "state key", "length": 32, "key": key, "inputs": [salt] });
        let sealing = s.ask("prf", inputs)?.text("out")?;
        let head = format!("0101{generation}{salt}");
        let inputs =
            json!({ "key": sealing, "nonce": "00".repeat(12), "ad": head, "plaintext": inside });
        let body = s.ask("aead_seal", inputs)?.text("ciphertext")?;
        s.refuse("import", import(&format!("{head}{body}"), 0), "Malformed")?;
        s.note(about);
    }
    Ok(())
}
