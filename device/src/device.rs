//! A device: opening it, and the one way in which its state changes.

use std::path::{Path, PathBuf};

use marline::{Account, IdentityId, SafetyNumber};

use crate::anchor::Anchor;
use crate::error::{Error, Result};
use crate::records::{Reader, Writer};
use crate::sqlite::{Durability, Sqlite};
use crate::store::{Kind, RowKey, Store, Transaction};
use crate::vault::{self, NO_LINEAGE, Point, Unlock, Vault};

/// Contacts whose messages came last are tried first; so many are remembered.
const RECENT: usize = 64;

/// How a device is kept. The default is durable, with the anchor beside the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What a commit survives.
    pub durability: Durability,
    /// Where a newer generation than the file's shows that the file was rolled back.
    pub anchor: Anchor,
    /// The generation ([`Device::generation`]) that the application remembers; an older file is [`Error::Rollback`].
    pub minimum_generation: u64,
    /// Largest size of the file; above it, [`Error::DiskFull`].
    pub max_bytes: Option<u64>,
}

/// A device in a store. See the [crate] documentation for what it promises.
pub struct Device<S = Sqlite> {
    pub(crate) store: S,
    pub(crate) vault: Vault,
    place: Option<Place>,
    /// As of the last change made or seen.
    point: Point,
    id: IdentityId,
    /// Rows of the inbox and outbox that are done with; deleted with the next change, or by [`Device::flush`].
    done: Vec<(Kind, RowKey)>,
    /// Contacts heard last, newest first.
    pub(crate) recent: Vec<RowKey>,
}

/// Where the anchor of an embedded device is.
struct Place {
    path: PathBuf,
    anchor: Anchor,
    durability: Durability,
}

/// The device's own row.
pub(crate) struct Counters {
    /// Orders what is in the inbox and outbox.
    pub(crate) next: u64,
    /// The day (since 1970) of the last upkeep of the contacts.
    pub(crate) maintained: u64,
    /// See [`Point::lineage`].
    pub(crate) lineage: [u8; 16],
}

/// A change in the making: everything in it is committed together.
pub(crate) struct Change<'a, T> {
    pub(crate) tx: T,
    pub(crate) vault: &'a Vault,
    pub(crate) counters: Counters,
}

impl Device {
    /// Makes a device with a fresh identity in a new file. `subject` (at most 255 bytes) is the name it claims towards
    /// others.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Parameters`]; storage errors. No file is left behind then. [`Error::Exists`] also when the
    /// anchor would be one of the device's own files.
    pub fn create(
        path: impl AsRef<Path>,
        unlock: Unlock,
        subject: &[u8],
        options: Options,
    ) -> Result<Self> {
        let path = path.as_ref();
        options.anchor.check(path)?;
        let store = Sqlite::create(path, options.durability, options.max_bytes)?;
        let made = Self::create_in(store, &unlock, subject).and_then(|device| {
            let mut device = device.at(path, &options);
            device.anchor_what_is_on_disk()?;
            Ok(device)
        });
        if made.is_err() {
            // Ours: `Sqlite::create` refuses a file that exists.
            for suffix in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                let _ = std::fs::remove_file(name);
            }
        }
        made
    }

    /// Opens a device.
    ///
    /// # Errors
    /// [`Error::WrongKey`], [`Error::Rollback`], [`Error::NotFound`], [`Error::Schema`], [`Error::Corrupt`];
    /// [`Error::Exists`] when the anchor would be one of the device's own files; storage errors.
    pub fn open(path: impl AsRef<Path>, unlock: Unlock, options: Options) -> Result<Self> {
        let path = path.as_ref();
        options.anchor.check(path)?;
        let store = Sqlite::open(path, options.durability, options.max_bytes)?;
        let mut device = Self::open_in(store, &unlock)?.at(path, &options);
        let anchored = options.anchor.read(path, &device.vault, &device.point)?;
        if device.generation() < anchored.max(options.minimum_generation) {
            return Err(Error::Rollback);
        }
        device.anchor_what_is_on_disk()?;
        Ok(device)
    }

    /// Opens a copy that is older than the state it was copied from: a restored backup, a cloned machine. What such a
    /// copy must not go on with is deleted: all sessions and all prekeys. Identity, contacts and their
    /// verification stay. The file that was copied, also its newer state, is [`Error::Rollback`] from then on. Afterwards [`Device::publish`], and add a fresh bundle of each contact to write to.
    ///
    /// # Errors
    /// As [`Device::open`], except [`Error::Rollback`].
    pub fn open_restored(
        path: impl AsRef<Path>,
        unlock: Unlock,
        options: Options,
        now: u64,
    ) -> Result<Self> {
        let path = path.as_ref();
        options.anchor.check(path)?;
        let store = Sqlite::open(path, options.durability, options.max_bytes)?;
        let mut device = Self::open_in(store, &unlock)?.at(path, &options);
        device.forget_sessions(now)?;
        device.anchor_what_is_on_disk()?;
        Ok(device)
    }

    /// Writes the anchor unless commits are not on disk yet (a process before may have batched them): after a loss of
    /// power it must not be ahead of the file.
    fn anchor_what_is_on_disk(&mut self) -> Result<()> {
        if self.store.sync() {
            self.write_anchor(true)?;
        }
        Ok(())
    }

    fn at(mut self, path: &Path, options: &Options) -> Self {
        self.place = Some(Place {
            path: path.to_owned(),
            anchor: options.anchor.clone(),
            durability: options.durability,
        });
        self
    }

    /// Puts everything on disk: acknowledgements, and with [`Durability::Batched`] the commits since the last call.
    ///
    /// # Errors
    /// Storage errors.
    pub fn flush(&mut self) -> Result<()> {
        if !self.done.is_empty() {
            self.change(|_| Ok(()))?;
        }
        self.store.flush()?;
        self.write_anchor(true)
    }

    /// Writes a consistent, encrypted copy of the file, opened by the same key. It is for [`Device::open_restored`].
    ///
    /// # Errors
    /// [`Error::Exists`]; storage errors.
    pub fn backup(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.flush()?;
        self.store.copy_to(path.as_ref())
    }
}

impl<S: Store> Device<S> {
    /// Makes a device in an empty store.
    ///
    /// # Errors
    /// [`Error::Exists`] when the store holds one already; [`Error::Parameters`]; those of the store.
    pub fn create_in(mut store: S, unlock: &Unlock, subject: &[u8]) -> Result<Self> {
        let account = Account::generate(subject, &mut getrandom::SysRng)?;
        let mut tx = store.begin()?;
        if !tx.keys(Kind::KeyBox)?.is_empty() {
            return Err(Error::Exists);
        }
        let vault = Vault::create(&mut tx, unlock)?;
        let key = vault.key(Kind::Account, b"")?;
        vault.put(&mut tx, Kind::Account, &key, 0, &account.to_state())?;
        let counters = Counters {
            next: 1,
            maintained: 0,
            lineage: vault::random()?,
        };
        counters.put(&mut tx, &vault, 0)?;
        tx.commit()?;
        let point = counters.at(1);
        Ok(Self::new(store, vault, point, account.id()))
    }

    /// Opens the device of a store. The store has to detect an older copy of itself.
    ///
    /// # Errors
    /// [`Error::WrongKey`], [`Error::Schema`], [`Error::Corrupt`]; those of the store.
    pub fn open_in(mut store: S, unlock: &Unlock) -> Result<Self> {
        let tx = store.begin()?;
        let vault = Vault::unlock(&tx, unlock)?;
        let (generation, counters) = Counters::get(&tx, &vault)?;
        let point = counters.at(generation);
        let change = Change {
            tx,
            vault: &vault,
            counters,
        };
        let (_, account) = change.account()?;
        drop(change);
        Ok(Self::new(store, vault, point, account.id()))
    }

    fn new(store: S, vault: Vault, point: Point, id: IdentityId) -> Self {
        Self {
            store,
            vault,
            place: None,
            point,
            id,
            done: Vec::new(),
            recent: Vec::new(),
        }
    }

    /// The device's identity.
    pub fn id(&self) -> IdentityId {
        self.id
    }

    /// Grows with every change. Kept where a restore does not reach, it shows a rollback of the whole machine
    /// ([`Options::minimum_generation`]).
    pub fn generation(&self) -> u64 {
        self.point.generation
    }

    /// The safety number with an identity, for both users to compare.
    pub fn safety_number(&self, peer: &IdentityId) -> SafetyNumber {
        SafetyNumber::new(&self.id, peer)
    }

    /// Runs a change in one transaction: everything is persisted, then the result is released.
    pub(crate) fn change<R>(
        &mut self,
        work: impl FnOnce(&mut Change<'_, S::Transaction<'_>>) -> Result<R>,
    ) -> Result<R> {
        let vault = &self.vault;
        let (result, point) = {
            let tx = self.store.begin()?;
            let (generation, counters) = Counters::get(&tx, vault)?;
            let mut change = Change {
                tx,
                vault,
                counters,
            };
            for (kind, key) in &self.done {
                change.tx.delete(*kind, key)?;
            }
            let result = work(&mut change)?;
            change.counters.put(&mut change.tx, vault, generation)?;
            let point = change.counters.at(generation.saturating_add(1));
            change.tx.commit()?;
            (result, point)
        };
        self.done.clear();
        self.point = point;
        // A failure here only leaves an older anchor; `open` and `flush` report it.
        let _ = self.write_anchor(false);
        Ok(result)
    }

    /// Looks without changing anything.
    pub(crate) fn view<R>(
        &mut self,
        work: impl FnOnce(&Change<'_, S::Transaction<'_>>) -> Result<R>,
    ) -> Result<R> {
        let tx = self.store.begin()?;
        let (_, counters) = Counters::get(&tx, &self.vault)?;
        let vault = &self.vault;
        work(&Change {
            tx,
            vault,
            counters,
        })
    }

    /// With batched commits the anchor waits for the flush: it must never be ahead of the file.
    fn write_anchor(&mut self, flushed: bool) -> Result<()> {
        match &self.place {
            Some(place) if flushed || place.durability == Durability::Full => {
                // Locked meanwhile: of two processes, none must write an older one over a newer one.
                let _locked = self.store.begin()?;
                place.anchor.write(&place.path, &self.vault, &self.point)
            }
            _ => Ok(()),
        }
    }

    /// Marks a row of the inbox or outbox as done with; [`Device::flush`] or the next change deletes it. The key comes
    /// from the application, so the kind says what it may delete.
    pub(crate) fn finish(&mut self, kind: Kind, key: RowKey) {
        self.done.push((kind, key));
    }

    /// Whether a row is done with and only waits for its deletion.
    pub(crate) fn is_finished(&self, kind: Kind, key: &RowKey) -> bool {
        self.done.contains(&(kind, *key))
    }

    /// Remembers who was heard last.
    pub(crate) fn heard(&mut self, contact: RowKey) {
        self.recent.retain(|key| *key != contact);
        self.recent.insert(0, contact);
        self.recent.truncate(RECENT);
    }
}

impl Counters {
    fn get<T: Transaction>(tx: &T, vault: &Vault) -> Result<(u64, Self)> {
        let key = vault.key(Kind::Device, b"")?;
        let (generation, value) = vault.get(tx, Kind::Device, &key)?.ok_or(Error::Corrupt)?;
        let mut input = Reader::new(&value);
        let counters = Self {
            next: input.u64()?,
            maintained: input.u64()?,
            lineage: match input.rest() {
                [] => NO_LINEAGE,
                lineage => lineage.try_into().map_err(|_| Error::Corrupt)?,
            },
        };
        Ok((generation, counters))
    }

    fn at(&self, generation: u64) -> Point {
        Point {
            generation,
            lineage: self.lineage,
        }
    }

    fn put<T: Transaction>(&self, tx: &mut T, vault: &Vault, over: u64) -> Result<()> {
        let key = vault.key(Kind::Device, b"")?;
        let mut value = Writer::new();
        value.u64(self.next);
        value.u64(self.maintained);
        value.bytes(&self.lineage);
        vault.put(tx, Kind::Device, &key, over, &value.into_bytes())
    }
}

impl<T: Transaction> Change<'_, T> {
    /// The account and its row's generation.
    pub(crate) fn account(&self) -> Result<(u64, Account)> {
        let key = self.vault.key(Kind::Account, b"")?;
        let row = self.vault.get(&self.tx, Kind::Account, &key)?;
        let (generation, state) = row.ok_or(Error::Corrupt)?;
        let account = Account::from_state(&state).map_err(|_| Error::Corrupt)?;
        Ok((generation, account))
    }

    /// Writes the account over the row of that generation.
    pub(crate) fn put_account(&mut self, over: u64, account: &Account) -> Result<()> {
        let key = self.vault.key(Kind::Account, b"")?;
        let state = account.to_state();
        self.vault
            .put(&mut self.tx, Kind::Account, &key, over, &state)
    }

    /// A number that grows with each call.
    pub(crate) fn next_number(&mut self) -> u64 {
        let number = self.counters.next;
        self.counters.next = number.saturating_add(1);
        number
    }
}

impl<S> std::fmt::Debug for Device<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("id", &self.id)
            .field("generation", &self.point.generation)
            .finish_non_exhaustive()
    }
}
