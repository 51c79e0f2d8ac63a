//! C13 and C15: what is printed and copied, and what features change.

use std::fmt::Debug;
use std::marker::PhantomData;

use marline::{
    Accepted, Account, Error, HybridSignature, IdentityKeyPair, Opened, Padding, Pending,
    Publication, Secret, Session, StateKey,
};
use zeroize::ZeroizeOnDrop;

use super::common::*;
use super::structures::*;

#[test]
fn c13_what_is_printed_shows_no_secret_and_no_plaintext() {
    let rng = &mut SeededRng::new(102);
    let (mut alice, mut bob) = accounts(rng);
    let publication = bob.publish(1, NOW, rng).unwrap();
    let bundle = publication.bundle();
    let (session, first) = alice
        .initiate(&bundle, b"attack at dawn", NOW, rng)
        .unwrap();
    let accepted = bob.accept(&first, NOW).unwrap();
    let pending = session
        .prepare_encrypt(b"attack at dawn", b"", Padding::None, rng)
        .unwrap();
    let pair = IdentityKeyPair::from_seeds(Secret::take(&mut [7; 32]), Secret::take(&mut [7; 32]));
    let key = StateKey::new(&mut [7; 32]);
    let types: [(&dyn Debug, &str); 9] = [
        (&session, "Session { .. }"),
        (&accepted, "Accepted { .. }"),
        (&accepted.opened, "Opened { .. }"),
        (&pending, "Pending { .. }"),
        (&alice, "Account { .. }"),
        (&pair, "IdentityKeyPair { .. }"),
        (&key, "StateKey { .. }"),
        (&publication, "Publication { .. }"),
        (&bundle, "PrekeyBundle { .. }"),
    ];
    for (value, text) in types {
        assert_eq!(
            (format!("{value:?}"), format!("{value:#?}")),
            (text.into(), text.into())
        );
    }
    // The one type of the session's that shows its content: no run of four bytes of a secret of the state.
    let facts = format!("{:?}", session.facts());
    let state = SessionState::parse(&session.to_state());
    let secrets = [
        state.exporter_secret,
        state.double.root,
        state.sparse.root,
        state.scka.auth_root,
        state.scka.auth_mac,
    ];
    for secret in secrets {
        let decimal = format!("{:?}", &secret[..4]);
        let hex: String = secret[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(!facts.contains(decimal.trim_matches(['[', ']'])) && !facts.contains(&hex));
    }
    // Errors are names: one for all authentication failures, without content.
    assert_eq!(size_of::<Error>(), 1);
    assert_eq!(Error::Authentication.to_string(), "authentication failed");
}

/// Whether a type has a trait: the inherent constant, where there is one, hides the one of `Absent`.
macro_rules! has {
    ($t:ty: $($bound:tt)+) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code)]
        trait Absent { const HAS: bool = false; }
        impl<T: ?Sized> Absent for Probe<T> {}
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Probe<T> { const HAS: bool = true; }
        Probe::<$t>::HAS
    }};
}

#[test]
fn c13_secrets_cannot_be_copied_printed_or_compared_and_are_wiped() {
    // Controls: the probe sees what is there.
    assert!(has!(HybridSignature: Clone) && has!(Error: Copy) && has!(Session: Debug));
    assert!(
        !has!(Session: Clone)
            && !has!(Account: Clone)
            && !has!(Accepted: Clone)
            && !has!(Opened: Clone)
    );
    assert!(
        !has!(Pending<Vec<u8>>: Clone) && !has!(StateKey: Clone) && !has!(IdentityKeyPair: Clone)
    );
    assert!(!has!(Publication: Copy) && !has!(Session: PartialEq) && !has!(Opened: PartialEq));
    assert!(!has!(Secret<32>: Clone) && !has!(Secret<32>: Debug) && !has!(Secret<32>: PartialEq));
    assert!(!has!(Secret<32>: std::fmt::Display) && !has!(Secret<32>: AsRef<[u8]>));
    assert!(!has!(Secret<32>: std::ops::Deref<Target = [u8; 32]>));
    assert!(has!(Secret<32>: ZeroizeOnDrop) && has!(Secret<64>: ZeroizeOnDrop));
    // What leaves as bytes wipes itself, too.
    let pair = answered(&mut SeededRng::new(103));
    let _: zeroize::Zeroizing<Vec<u8>> = pair.a.to_state();
    let _: zeroize::Zeroizing<Vec<u8>> = pair.alice.to_state();
    let _: zeroize::Zeroizing<Vec<u8>> = pair.a.export_secret(b"", b"", 32).unwrap();
    let mut bytes = [7; 32];
    let _secret = Secret::take(&mut bytes);
    assert_eq!(bytes, [0; 32]);
}

#[test]
fn c15_no_feature_and_no_build_turns_a_check_off() {
    let manifest = include_str!("../../Cargo.toml");
    let features = manifest
        .split_once("[features]")
        .unwrap()
        .1
        .split_once("\n[")
        .unwrap()
        .0;
    let features: Vec<&str> = features
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(features, ["default", "hazmat", "aws-lc"]);
    let (mut files, mut gates) = (0, 0);
    super::table::sources("src", &mut |path, text| {
        files += 1;
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.contains("cfg(") || line.contains("cfg_attr("))
        {
            // Tests, doors into the parts; never a branch of the code.
            let doors = [
                "#[cfg(test)]",
                "#[cfg(feature = \"hazmat\")]",
                "#[cfg(any(test, feature = \"hazmat\"))]",
            ];
            // Which crate computes a primitive; and what tells the constant-time harness, and nobody else, a reason.
            let provider = path.starts_with("src/crypto/") && line.contains("feature = \"aws-lc\"");
            let harness = path == "src/declassify.rs" && line.contains("(marline_ct)");
            // A test that takes an interpreter too long.
            let slow = line.starts_with("#[cfg_attr(miri, ignore = ");
            assert!(
                doors.contains(&line) || provider || harness || slow,
                "{path}: {line}"
            );
            gates += 1;
        }
        assert!(!text.contains("cfg!("), "{path}");
    });
    assert!(files > 25 && gates > 5, "{files} {gates}");
}
