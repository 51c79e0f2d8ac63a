//! Doors for vectors, benches and fuzzing: the parts, with randomness as an argument. No check is weaker
//! here, and nothing of it is part of the API.

macro_rules! doors {
    ($($name:ident = $($path:ident)::+;)*) => {$(
        #[allow(missing_docs)]
        pub mod $name {
            pub use crate::$($path)::+::*;
        }
    )*};
}

doors! {
    aead = crypto::aead;
    codec = wire::codec;
    dh = crypto::dh;
    erasure = ratchet::scka::erasure;
    hash = crypto::hash;
    initial = wire::initial;
    kem1024 = crypto::kem::kem1024;
    kem768 = crypto::kem::kem768;
    labels = labels;
    manifest = prekey::manifest;
    message = wire::message;
    prekey = prekey;
    scka = ratchet::scka;
    sign = crypto::sign;
    tree = prekey::tree;
}
