//! Every value sealed: the store key, where it comes from, and rows under it.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::SimpleHkdf;
use sha3::{Digest, Sha3_256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{Error, Result};
use crate::records::{Reader, Writer};
use crate::store::{Kind, Row, RowKey, Transaction};

/// The key box is the one row whose name is not a keyed hash.
const KEY_BOX: RowKey = [0; 32];
const NONCE_LEN: usize = 24;
/// The lineage of a file that schema 2 made.
pub(crate) const NO_LINEAGE: [u8; 16] = [0; 16];

/// What opens a device.
#[derive(Zeroize, ZeroizeOnDrop)]
pub enum Unlock {
    /// 32 uniform bytes that the application keeps safe (a keychain, a TPM, an enclave).
    Key([u8; 32]),
    /// A passphrase, stretched by Argon2id.
    Passphrase(Vec<u8>, #[zeroize(skip)] Argon2Params),
}

/// Argon2id's cost. For an existing device the stored one counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Argon2Params {
    /// Memory in KiB: 19,456 to 1,048,576.
    pub memory_kib: u32,
    /// Passes: 2 to 64.
    pub passes: u32,
    /// Lanes: 1 to 16.
    pub lanes: u32,
}

impl Default for Argon2Params {
    /// 64 MiB and three passes: the second recommendation of RFC 9106, with one lane.
    fn default() -> Self {
        Self {
            memory_kib: 65_536,
            passes: 3,
            lanes: 1,
        }
    }
}

impl Argon2Params {
    /// The floor is OWASP's minimum; the ceiling keeps an altered file from eating the machine.
    fn check(self) -> Result<Self> {
        let fair = (19_456..=1_048_576).contains(&self.memory_kib)
            && (2..=64).contains(&self.passes)
            && (1..=16).contains(&self.lanes);
        if fair {
            Ok(self)
        } else {
            Err(Error::Parameters)
        }
    }

    fn stretch(self, passphrase: &[u8], salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>> {
        let Self {
            memory_kib,
            passes,
            lanes,
        } = self.check()?;
        let params = Params::new(memory_kib, passes, lanes, Some(32));
        let params = params.map_err(|_| Error::Parameters)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, salt, &mut *key)
            .map_err(|_| Error::Parameters)?;
        Ok(key)
    }
}

/// A point in a device's history.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    /// Grows by one with each change.
    pub(crate) generation: u64,
    /// Random; drawn anew when a copy is gone on with: what the copied device did afterwards is another history.
    pub(crate) lineage: [u8; 16],
}

/// The keys of an open device.
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
    names: Zeroizing<[u8; 32]>,
}

/// Fresh bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| marline::Error::Randomness)?;
    Ok(bytes)
}

impl Vault {
    /// Draws a store key and puts it, wrapped, into a new store.
    pub(crate) fn create<T: Transaction>(tx: &mut T, unlock: &Unlock) -> Result<Self> {
        let store_key = Zeroizing::new(random::<32>()?);
        let mut head = Writer::new();
        head.u8(1);
        let wrapping = match unlock {
            Unlock::Key(key) => {
                head.u8(0);
                Zeroizing::new(*key)
            }
            Unlock::Passphrase(passphrase, params) => {
                let salt = random::<16>()?;
                head.u8(1);
                head.bytes(&salt);
                for number in [params.memory_kib, params.passes, params.lanes] {
                    head.u32(number);
                }
                params.stretch(passphrase, &salt)?
            }
        };
        let mut value = head.into_bytes().to_vec();
        let sealed = seal(&cipher(&wrapping), &value, &*store_key)?;
        value.extend_from_slice(&sealed);
        let row = Row {
            generation: 1,
            value,
        };
        tx.put(Kind::KeyBox, &KEY_BOX, &row)?;
        Self::new(&store_key)
    }

    /// Opens the key box.
    pub(crate) fn unlock<T: Transaction>(tx: &T, unlock: &Unlock) -> Result<Self> {
        let row = tx.get(&KEY_BOX)?.ok_or(Error::Schema)?;
        let mut input = Reader::new(&row.value);
        if input.u8()? != 1 {
            return Err(Error::Schema);
        }
        let wrapping = match (input.u8()?, unlock) {
            (0, Unlock::Key(key)) => Zeroizing::new(*key),
            (1, Unlock::Passphrase(passphrase, _)) => {
                let salt = input.array()?;
                let params = Argon2Params {
                    memory_kib: input.u32()?,
                    passes: input.u32()?,
                    lanes: input.u32()?,
                };
                params.stretch(passphrase, &salt)?
            }
            (0 | 1, _) => return Err(Error::WrongKey),
            _ => return Err(Error::Corrupt),
        };
        let sealed = input.rest();
        let head = row.value.len().saturating_sub(sealed.len());
        let (head, _) = row.value.split_at_checked(head).ok_or(Error::Corrupt)?;
        let key = open(&cipher(&wrapping), head, sealed).ok_or(Error::WrongKey)?;
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(key.as_slice().try_into().map_err(|_| Error::Corrupt)?);
        Self::new(&key)
    }

    fn new(store_key: &[u8; 32]) -> Result<Self> {
        Ok(Self {
            cipher: cipher(&*expand(store_key, &[b"marline-device/1 values"])?),
            names: expand(store_key, &[b"marline-device/1 names"])?,
        })
    }

    /// The name of a row: nobody without the key learns what it is of.
    pub(crate) fn key(&self, kind: Kind, name: &[u8]) -> Result<RowKey> {
        self.key_of(kind, Sha3_256::new_with_prefix(name))
    }

    /// The name of the inbox row of a message: with other associated data it is another one.
    pub(crate) fn inbox_key(&self, ad: &[u8], message: &[u8]) -> Result<RowKey> {
        let mut name = Sha3_256::new_with_prefix((ad.len() as u64).to_be_bytes());
        name.update(ad);
        name.update(message);
        self.key_of(Kind::Inbox, name)
    }

    /// Hashed first: a name may be a whole message, and `info` is to be short.
    fn key_of(&self, kind: Kind, name: Sha3_256) -> Result<RowKey> {
        expand(&self.names, &[b"row", &[kind as u8], &name.finalize()]).map(|key| *key)
    }

    /// The anchor's tag for a point in the device's history.
    pub(crate) fn anchor_tag(&self, point: &Point) -> Result<[u8; 32]> {
        let generation = point.generation.to_be_bytes();
        // Files of schema 2 have no lineage, and their anchors' tags none in them.
        let lineage = Some(&point.lineage[..]).filter(|lineage| **lineage != NO_LINEAGE);
        let info = [b"anchor", &generation[..], lineage.unwrap_or_default()];
        expand(&self.names, &info).map(|tag| *tag)
    }

    /// Reads and opens a row.
    pub(crate) fn get<T: Transaction>(
        &self,
        tx: &T,
        kind: Kind,
        key: &RowKey,
    ) -> Result<Option<(u64, Zeroizing<Vec<u8>>)>> {
        let Some(row) = tx.get(key)? else {
            return Ok(None);
        };
        let ad = associated(kind, key, row.generation);
        let value = open(&self.cipher, &ad, &row.value).ok_or(Error::Corrupt)?;
        Ok(Some((row.generation, value)))
    }

    /// Seals and writes a row over the one of generation `over` (0: none).
    pub(crate) fn put<T: Transaction>(
        &self,
        tx: &mut T,
        kind: Kind,
        key: &RowKey,
        over: u64,
        value: &[u8],
    ) -> Result<()> {
        let generation = over.checked_add(1).ok_or(Error::Corrupt)?;
        let value = seal(&self.cipher, &associated(kind, key, generation), value)?;
        tx.put(kind, key, &Row { generation, value })
    }
}

/// A sealed row is bound to its place and generation: rows cannot be exchanged or put back one by one.
fn associated(kind: Kind, key: &RowKey, generation: u64) -> Vec<u8> {
    [&[kind as u8][..], key, &generation.to_be_bytes()].concat()
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// `nonce[24] ‖ XChaCha20-Poly1305`: the long nonce may be drawn at random for as long as a store lives.
fn seal(cipher: &XChaCha20Poly1305, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>> {
    let nonce = random::<NONCE_LEN>()?;
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg, aad })
        .map_err(|_| marline::Error::Limit)?;
    Ok([&nonce[..], &sealed].concat())
}

fn open(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad });
    opened.ok().map(Zeroizing::new)
}

/// HKDF-Expand (RFC 5869) with SHA3-256 from a uniform key.
fn expand(key: &[u8; 32], info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    SimpleHkdf::<Sha3_256>::from_prk(key)
        .ok()
        .and_then(|hkdf| hkdf.expand_multi_info(info, &mut *out).ok())
        .ok_or(marline::Error::Limit)?;
    Ok(out)
}
