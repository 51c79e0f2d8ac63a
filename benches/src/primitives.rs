//! The primitives that operations are made of, and nothing else: no ratchet, no encoding, no checks. What they take is the
//! limit of the operation. Same provider, through Marline's own doors to it, on input of the same sizes.

use std::hint::black_box;

use getrandom::SysRng;
use marline::hazmat::{aead, dh, hash, kem768, kem1024, labels, sign};
use marline::{Padding, Secret, Slots};

use crate::Outcome;

/// Bytes of an encoded identity with a short subject, of a manifest, and of a sealed initiator.
const IDENTITY: usize = 1_985;
const MANIFEST: usize = IDENTITY + 130;
const SEALED: usize = IDENTITY + 10 + 3_373;
const FLIGHT: usize = SEALED + 1_630;

/// Keys and buffers, made before the clock runs.
pub struct Primitives {
    bytes: Vec<u8>,
    hash: [u8; 32],
    symmetric: Secret<32>,
    pair: dh::KeyPair,
    prekey: dh::SecretKey,
    peer: dh::PublicKey,
    ek: kem1024::EncapsulationKey,
    dk_seed: [u8; 64],
    ct: kem1024::Ciphertext,
    ed25519: sign::Ed25519Key,
    mldsa65: Box<[u8; 1952]>,
    signatures: ([u8; 64], Box<[u8; 3309]>),
    header: Vec<u8>,
    body: Vec<u8>,
    ad: usize,
    buffer: Vec<u8>,
}

/// A hash that nobody needs and the compiler must not leave out.
fn hash(fields: &[&[u8]]) {
    black_box(hash::hash(labels::NODE, fields));
}

/// `N` fresh bytes, as operations draw them.
fn random<const N: usize>() -> Outcome<Secret<N>> {
    Ok(Secret::random(&mut SysRng)?)
}

impl Primitives {
    /// For messages of `length` bytes in a session with `slots`.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn new(slots: Slots, length: usize) -> Outcome<Self> {
        let dk = random::<64>()?;
        let dk_seed = *dk.expose();
        let (_, ek) = kem1024::DecapsulationKey::generate(dk);
        let ek = kem1024::EncapsulationKey::from_bytes(&ek)?;
        let (ct, _) = ek.encapsulate(&random()?);
        let seed = random()?;
        let bytes = vec![7; 8 * 1024];
        let manifest = bytes.get(..MANIFEST).unwrap_or_default();
        let signatures = (
            sign::ed25519_sign(&seed, manifest),
            sign::mldsa65_sign(&seed, manifest, &[7; 32]),
        );
        let mut primitives = Self {
            hash: [7; 32],
            symmetric: random()?,
            pair: dh::KeyPair::new(dh::SecretKey::new(random()?)),
            prekey: dh::SecretKey::new(random()?),
            peer: dh::SecretKey::new(random()?).public_key(),
            ek,
            dk_seed,
            ct,
            ed25519: sign::ed25519_public(&seed),
            mldsa65: sign::mldsa65_public(&seed),
            signatures,
            header: vec![7; 51 + slots.codeword_bytes()],
            body: vec![7; Padding::default().padded_len(length)],
            ad: slots.overhead() + 33,
            buffer: Vec::with_capacity(length + 16 * 1024),
            bytes,
        };
        (primitives.header, primitives.body) = (
            primitives.sealed(&primitives.header, 34)?,
            primitives.sealed(&primitives.body, primitives.ad)?,
        );
        Ok(primitives)
    }

    fn some(&self, length: usize) -> &[u8] {
        self.bytes.get(..length).unwrap_or(&self.bytes)
    }

    fn sealed(&self, text: &[u8], ad: usize) -> Outcome<Vec<u8>> {
        let mut sealed = text.to_vec();
        aead::seal(
            &self.symmetric,
            &aead::ZERO_NONCE,
            self.some(ad),
            &mut sealed,
            0,
        )?;
        Ok(sealed)
    }

    /// Copies `length` bytes and seals them.
    fn seal(&mut self, length: usize, ad: usize) -> Outcome<()> {
        self.buffer.clear();
        self.buffer.resize(length, 7);
        let ad = self.bytes.get(..ad).unwrap_or_default();
        Ok(aead::seal(
            &self.symmetric,
            &aead::ZERO_NONCE,
            ad,
            &mut self.buffer,
            0,
        )?)
    }

    /// Copies the sealed header or body and opens it.
    fn open(&mut self, header: bool) -> Outcome<()> {
        let (sealed, ad) = if header {
            (&self.header, 34)
        } else {
            (&self.body, self.ad)
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(sealed);
        let ad = self.bytes.get(..ad).unwrap_or_default();
        Ok(aead::open(
            &self.symmetric,
            &aead::ZERO_NONCE,
            ad,
            &mut self.buffer,
        )?)
    }

    /// Two chain steps and the message key: three calls of SHAKE256.
    fn message_key(&self) -> Secret<32> {
        let key = self.symmetric.expose();
        self.chain_steps();
        hash::prf(labels::MESSAGE, &[key, key, &self.hash, &[1]])
    }

    /// A step of both chains.
    pub fn chain_steps(&self) -> [Secret<64>; 2] {
        let key = self.symmetric.expose();
        [
            hash::prf(labels::DH_CHAIN, &[key]),
            hash::prf(labels::PQ_CHAIN, &[key, &[0; 4]]),
        ]
    }

    /// A message on its way out, in a chain that stands.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn send(&mut self) -> Outcome<Secret<32>> {
        random::<12>()?;
        let key = self.message_key();
        self.seal(self.header.len().saturating_sub(16), 34)?;
        self.seal(self.body.len().saturating_sub(16), self.ad)?;
        Ok(key)
    }

    /// A message on its way in, in a chain that stands.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn receive(&mut self) -> Outcome<Secret<32>> {
        let key = self.message_key();
        self.open(true)?;
        self.open(false)?;
        Ok(key)
    }

    /// Whether a header opens that does not: with another associated data.
    pub fn opens_forged_header(&mut self) -> bool {
        self.buffer.clear();
        self.buffer.extend_from_slice(&self.header);
        let ad = self.bytes.get(..33).unwrap_or_default();
        aead::open(&self.symmetric, &aead::ZERO_NONCE, ad, &mut self.buffer).is_ok()
    }

    /// X25519 alone.
    ///
    /// # Errors
    /// None on these keys.
    pub fn agree(&self) -> Outcome<Secret<32>> {
        Ok(self.pair.secret().agree(&self.peer)?)
    }

    /// The checks of the keys in a bundle: the modulus check of ML-KEM-1024, two points.
    ///
    /// # Errors
    /// None on these keys.
    pub fn check_keys(&self) -> Outcome<()> {
        kem1024::EncapsulationKey::from_bytes(self.ek.as_bytes())?;
        sign::Ed25519Key::from_bytes(self.ed25519.as_bytes())?;
        hash(&[self.some(IDENTITY)]);
        Ok(())
    }

    /// X25519 and the root step, with a key of this conversation.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn root_step(&self) -> Outcome<Secret<96>> {
        let shared = self.pair.secret().agree(&self.peer)?;
        let prk = hash::extract(self.symmetric.expose(), &[shared.expose()]);
        Ok(hash::expand(&prk, labels::DH_ROOT, [&self.hash, &[]]))
    }

    /// A new X25519 pair, ready for agreements.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn dh_pair(&mut self) -> Outcome<()> {
        self.pair = dh::KeyPair::new(dh::SecretKey::new(random()?));
        Ok(())
    }

    /// One epoch of the post-quantum ratchet, both sides: a key pair, an encapsulation, a decapsulation, the objects' MACs,
    /// and the keys that come of it.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn epoch(&self) -> Outcome<()> {
        let (dk, ek) = kem768::DecapsulationKey::generate(random()?);
        let (ct, _) = kem768::EncapsulationKey::from_bytes(&ek)?.encapsulate(&random()?);
        let shared = dk.decapsulate(&ct);
        for _side in 0..2 {
            let key = self.symmetric.expose();
            hash::prf::<32>(labels::MAC_KEY, &[key, &[0; 4], &*ek]);
            hash::prf::<32>(labels::MAC_CIPHERTEXT, &[key, &[0; 4], &*ct]);
            hash(&[&*ek]);
            for length in [32, 64, 96] {
                let prk = hash::extract(key, &[shared.expose()]);
                let mut okm = [0; 96];
                let okm = okm.get_mut(..length).unwrap_or_default();
                hash::expand_into(&prk, labels::EPOCH_KEY, [&self.hash, &[]], okm)?;
            }
        }
        Ok(())
    }

    /// One hybrid signature verified over as much as a manifest has.
    fn verify(&self) -> bool {
        let message = self.some(MANIFEST);
        let (ed25519, mldsa65) = &self.signatures;
        self.ed25519.verifies(message, ed25519)
            && sign::mldsa65_verifies(&self.mldsa65, message, mldsa65)
    }

    /// A hybrid signature.
    fn sign(&self) -> Outcome<([u8; 64], Box<[u8; 3309]>)> {
        let message = self.some(200);
        Ok((
            sign::ed25519_sign(&self.symmetric, message),
            sign::mldsa65_sign(&self.symmetric, message, random()?.expose()),
        ))
    }

    /// Signature and path of a bundle, with `depth` nodes above the leaf.
    pub fn verify_bundle(&self, depth: usize) -> bool {
        hash(&[self.some(kem1024::KEY_LEN)]);
        (0..depth + 2).for_each(|_| hash(&[&self.hash, &self.hash]));
        black_box(self.verify())
    }

    /// What both sides of a handshake hash and derive: `th0`, `prk`, `k_id`, claim, `th`, session secrets, ratchets.
    fn schedule(&self, shared: &Secret<32>) -> Outcome<()> {
        for length in [2 * 1024, IDENTITY, SEALED, 64] {
            hash(&[self.some(length)]);
        }
        let prk = hash::extract(
            &self.hash,
            &[shared.expose(); 3].map(|part| part.as_slice()),
        );
        for length in [32, 192, 160] {
            let mut okm = [0; 192];
            let okm = okm.get_mut(..length).unwrap_or_default();
            hash::expand_into(&prk, labels::SESSION, [&self.hash, &[]], okm)?;
        }
        Ok(())
    }

    /// The initiator's handshake with the first message, after the bundle was verified: X25519 three times and a fourth time
    /// for the ratchet, two key pairs for it, ML-KEM-1024, a signature, sealing.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn initiate(&mut self) -> Outcome<()> {
        hash(&[self.some(MANIFEST)]);
        self.dh_pair()?;
        let (_, shared) = self.ek.encapsulate(&random()?);
        self.agree()?;
        self.agree()?;
        self.sign()?;
        self.schedule(&shared)?;
        self.seal(SEALED, 32)?;
        let (_, ek) = kem768::DecapsulationKey::generate(random()?);
        hash::prf::<32>(labels::MAC_KEY, &[&self.hash, &*ek]);
        self.dh_pair()?;
        self.root_step()?;
        self.send()?;
        Ok(())
    }

    /// The responder's handshake with the first message: X25519 twice and a third time for the ratchet, ML-KEM-1024 from its
    /// seed, opening, a signature verified.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn accept(&mut self) -> Outcome<bool> {
        self.prekey.agree(&self.peer)?;
        self.prekey.agree(&self.peer)?;
        let dk = kem1024::DecapsulationKey::from_seed(Secret::take(&mut { self.dk_seed }));
        let shared = dk.decapsulate(&self.ct);
        self.schedule(&shared)?;
        // Opening and sealing cost the same.
        self.seal(SEALED, 32)?;
        hash(&[self.some(IDENTITY)]);
        hash(&[self.some(FLIGHT)]);
        self.root_step()?;
        self.receive()?;
        Ok(self.verify())
    }

    /// Key pairs, hashes and the signature of a publication of `count` one-time prekeys.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn publish(&self, count: usize) -> Outcome<()> {
        for _ in 0..count + 1 {
            black_box(dh::SecretKey::new(random()?).public_key());
            let (_, ek) = kem1024::DecapsulationKey::generate(random()?);
            hash(&[&*ek]);
            // A leaf and a node each.
            (0..2).for_each(|_| hash(&[&self.hash, &self.hash]));
        }
        random::<32>()?;
        (0..2).for_each(|_| hash(&[self.some(MANIFEST)]));
        self.sign()?;
        Ok(())
    }

    /// The digest of a safety number.
    pub fn safety_number(&self) -> Secret<60> {
        hash::prf(labels::SAFETY_NUMBER, &[&[1], &self.hash, &self.hash])
    }

    /// Sealing a state of `length` bytes; opening it costs the same but for the random bytes.
    ///
    /// # Errors
    /// Those of the primitives.
    pub fn seal_state(&mut self, length: usize, fresh: bool) -> Outcome<Secret<32>> {
        if fresh {
            random::<32>()?;
        }
        let key = hash::prf(labels::STATE_KEY, &[self.symmetric.expose(), &self.hash]);
        self.seal(length, 42)?;
        Ok(key)
    }
}
