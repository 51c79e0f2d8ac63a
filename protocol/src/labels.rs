//! Every domain-separation string (spec section 1.3). None is a prefix of another.

/// A label: `"marline/1 "` and a name, used in exactly one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(&'static str);

impl Label {
    /// `frame(name) = uint8(length of label) ‖ label`, as its two parts.
    pub(crate) fn frame(&self) -> ([u8; 1], &'static [u8]) {
        // Shorter than 256 bytes: tested below.
        ([self.0.len() as u8], self.0.as_bytes())
    }

    /// The label's text.
    #[cfg(any(test, feature = "hazmat"))]
    pub fn text(&self) -> &'static str {
        self.0
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Label = Label(concat!("marline/1 ", $text));)*
        /// All labels, in the order of the spec's table.
        #[cfg(any(test, feature = "hazmat"))]
        pub const ALL: &[Label] = &[$($name),*];
    };
}

labels! {
    /// Identity id, section 2.1.
    IDENTITY = "identity";
    /// Frame of every signed input, section 2.2.
    HYBRID_SIGNATURE = "hybrid ed25519+ml-dsa-65";
    /// Purpose of a manifest signature, section 3.3.
    SIGN_MANIFEST = "sign manifest";
    /// Purpose of an initiator's signature, section 4.2.
    SIGN_INITIATOR = "sign initiator";
    /// Safety number, section 2.4.
    SAFETY_NUMBER = "safety number";
    /// Hash of an ML-KEM encapsulation key, sections 3.1 and 6.3.
    KEM_KEY = "kem key";
    /// Leaf of the prekey tree, section 3.1.
    PREKEY = "prekey";
    /// Inner node of the prekey tree, section 3.2.
    NODE = "node";
    /// Manifest hash, section 3.3.
    MANIFEST = "manifest";
    /// Handshake transcript before the sealed identity, section 4.2.
    HANDSHAKE = "handshake";
    /// Key that seals the initiator's identity, section 4.2.
    INITIATOR_KEY = "initiator key";
    /// Initiator's identity and subject, section 4.2.
    CLAIM = "claim";
    /// Hash of the sealed identity, section 4.2.
    SEALED = "sealed";
    /// Whole handshake transcript, section 4.2.
    TRANSCRIPT = "transcript";
    /// Session secrets, section 4.2.
    SESSION = "session";
    /// Hash by which a session knows its own first flight, section 4.3.
    FIRST_FLIGHT = "first flight";
    /// Root step of the classical ratchet, section 5.2.
    DH_ROOT = "dh root";
    /// Chain step of the classical ratchet, section 5.2.
    DH_CHAIN = "dh chain";
    /// Start of the post-quantum ratchet, section 5.3.
    PQ_START = "pq start";
    /// Root step of the post-quantum ratchet, section 5.3.
    PQ_ROOT = "pq root";
    /// Chain step of the post-quantum ratchet, section 5.3.
    PQ_CHAIN = "pq chain";
    /// Message key out of both ratchets, section 5.4.
    MESSAGE = "message";
    /// Hedged encapsulation input, section 6.3.
    ENCAPSULATE = "encapsulate";
    /// Epoch key, section 6.3.
    EPOCH_KEY = "epoch key";
    /// Authenticator update, section 6.3.
    AUTHENTICATOR = "authenticator";
    /// MAC of a key object, section 6.3.
    MAC_KEY = "mac key";
    /// MAC of a ciphertext object, section 6.3.
    MAC_CIPHERTEXT = "mac ciphertext";
    /// Exported secrets, section 5.7.
    EXPORTER = "exporter";
    /// Application label and context of an exported secret, section 5.7.
    EXPORT_CONTEXT = "export context";
    /// Key of one sealed state, section 8.1.
    STATE_KEY = "state key";
    /// State fingerprint, section 8.1.
    FINGERPRINT = "fingerprint";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_prefix_free_and_short() {
        for (i, a) in ALL.iter().enumerate() {
            assert!(a.text().len() < 256 && a.text().is_ascii());
            for (j, b) in ALL.iter().enumerate() {
                assert!(
                    i == j || !b.text().starts_with(a.text()),
                    "{} {}",
                    a.text(),
                    b.text()
                );
            }
        }
    }
}
