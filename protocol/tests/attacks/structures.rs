//! The structures of sections 2 to 4 and 8, written from the specification: an independent codec, to look
//! into states and to make what an honest device never makes.
#![allow(clippy::large_enum_variant)] // The structures are as flat as the text.

/// What has the encoding of section 1.1. `take` panics where a decoder of the library would refuse.
pub trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut &[u8]) -> Self;

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// Reads a value that takes all bytes.
    fn parse(mut bytes: &[u8]) -> Self {
        let value = Self::take(&mut bytes);
        assert!(bytes.is_empty(), "{} bytes left over", bytes.len());
        value
    }
}

fn cut<'a>(input: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, left) = input.split_at(length);
    *input = left;
    taken
}

macro_rules! integers {
    ($($t:ty),*) => {$(impl Wire for $t {
        fn put(&self, out: &mut Vec<u8>) {
            out.extend_from_slice(&self.to_be_bytes());
        }
        fn take(input: &mut &[u8]) -> Self {
            <$t>::from_be_bytes(cut(input, size_of::<$t>()).try_into().unwrap())
        }
    })*};
}
integers!(u8, u16, u32, u64);

impl<const N: usize> Wire for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn take(input: &mut &[u8]) -> Self {
        cut(input, N).try_into().unwrap()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.is_some().into());
        self.iter().for_each(|value| value.put(out));
    }
    fn take(input: &mut &[u8]) -> Self {
        match u8::take(input) {
            0 => None,
            1 => Some(T::take(input)),
            other => panic!("optional {other}"),
        }
    }
}

/// Elements after their count in `W` bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct List<const W: usize, T>(pub Vec<T>);

impl<const W: usize, T: Wire> Wire for List<W, T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.0.len() as u64).to_be_bytes()[8 - W..]);
        self.0.iter().for_each(|item| item.put(out));
    }
    fn take(input: &mut &[u8]) -> Self {
        let count = cut(input, W)
            .iter()
            .fold(0, |n, byte| n << 8 | u32::from(*byte));
        Self((0..count).map(|_| T::take(input)).collect())
    }
}

/// Bytes after their length in `W` bytes.
pub type Bytes<const W: usize> = List<W, u8>;

macro_rules! structures {
    ($($name:ident { $($field:ident: $t:ty),* $(,)? })*) => {$(
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name { $(pub $field: $t),* }
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
            fn take(input: &mut &[u8]) -> Self {
                Self { $($field: Wire::take(input)),* }
            }
        }
    )*};
}

macro_rules! tagged {
    ($($name:ident { $($tag:literal $variant:ident { $($field:ident: $t:ty),* $(,)? })* })*) => {$(
        #[derive(Clone, PartialEq, Debug)]
        pub enum $name { $($variant { $($field: $t),* }),* }
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        out.push($tag);
                        $($field.put(out);)*
                    })*
                }
            }
            fn take(input: &mut &[u8]) -> Self {
                match u8::take(input) {
                    $($tag => Self::$variant { $($field: Wire::take(input)),* },)*
                    other => panic!("tag {other}"),
                }
            }
        }
    )*};
}

type Key = [u8; 32];

// Sections 3.3, 4.1 and 4.2.
structures! {
    Manifest {
        version: u8, identity: [u8; 1985], subject: Bytes<1>, generation: u64, not_before: u64, not_after: u64,
        signed_id: u32, signed_x25519: Key, signed_kem_hash: Key, onetime_count: u16, root: Key,
    }
    Bundle { manifest: Manifest, signature: [u8; 3373], record: Record }
    FirstFlight {
        version: u8, kind: u8, signed_id: u32, onetime_id: Option<u32>, slots: u8, ephemeral: Key,
        ciphertext: [u8; 1568], sealed: Bytes<2>,
    }
    Sealed { identity: [u8; 1985], subject: Bytes<1>, signature: [u8; 3373] }
}
tagged! {
    Record {
        1 LastResort { kem: [u8; 1568] }
        2 OneTime { id: u32, x25519: Key, kem: [u8; 1568], index: u16, path: List<1, Key> }
    }
}

// Section 8.2.
structures! {
    SessionState {
        version: u8, kind: u8, generation: u64, role: u8, slots: u8, status: u8, own_id: Key, peer_id: Key,
        peer_subject: Bytes<1>, session_id: Key, th: Key, exporter_secret: Key, used_onetime: u8, since_epoch: u32,
        opening: Opening, double: Double, sparse: Sparse, scka: Scka,
    }
    SkippedKey { n: u32, day: u16, key: Key }
    Skipped { floor: u32, keys: List<2, SkippedKey> }
    SendingChain { header_key: Key, chain: Key, n: u32 }
    ReceivingChain { dh: Key, header_key: Key, chain: Key, n: u32, skipped: Skipped }
    RetiredChain { header_key: Key, n: u32, skipped: Skipped }
    Double {
        root: Key, next_send: Key, next_receive: Key, previous: u32, turn: Turn, receiving: Option<ReceivingChain>,
        retired: List<1, RetiredChain>,
    }
    PqSending { key: Key, n: u32 }
    PqReceiving { key: Key, n: u32, skipped: Skipped }
    EpochChains { epoch: u32, send: Option<PqSending>, receive: PqReceiving }
    Sparse { root: Key, current: EpochChains, previous: Option<EpochChains> }
    Held { index: u16, codeword: Key }
    Scka { epoch: u32, auth_root: Key, auth_mac: Key, state: SckaState }
}
tagged! {
    Opening {
        0 Done {}
        1 Unanswered { flight: Bytes<2> }
        2 Accepted { ephemeral: Key, flight: Key }
    }
    Turn {
        0 Step { peer: Key }
        1 Sending { secret: Key, public: Key, chain: SendingChain }
        2 Fresh { secret: Key }
    }
    SckaState {
        0 Idle {}
        1 SendingKey { seed: [u8; 64], object: [u8; 1216], next: u16 }
        2 ReceivingCt { seed: [u8; 64], ek_hash: Key, held: List<1, Held> }
        3 AwaitingKey { held: List<1, Held> }
        4 KeyHeld { ek: [u8; 1184] }
        5 SendingCt { object: [u8; 1120], next: u16 }
    }
}

// Section 8.3.
structures! {
    PrekeySecret { id: u32, x25519: Key, kem_seed: [u8; 64], leaf: Key }
    PublicationState {
        created: u64, not_after: u64, count: u16, manifest_hash: Key, signed: PrekeySecret,
        onetime: List<2, PrekeySecret>, replay: List<2, Key>,
    }
    Seen { identity_id: Key, generation: u64 }
    AccountState {
        version: u8, kind: u8, generation: u64, signer: Signer, subject: Bytes<1>, next_id: u32,
        manifest_generation: u64, publications: List<1, PublicationState>, seen: List<4, Seen>,
    }
}
tagged! {
    Signer {
        0 Seeds { ed25519: Key, mldsa65: Key }
        1 External { identity: [u8; 1985] }
    }
}
