//! What a device needs of a store. [`crate::Sqlite`] is the embedded one; a server may have its own.

use crate::error::Result;

/// A row's name: a keyed hash, so that it tells a reader of the store nothing.
pub type RowKey = [u8; 32];

/// What a row holds. A store may keep kinds apart; a reader of the store sees how many rows of each there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The wrapped store key: one row, the only one that is not sealed under it.
    KeyBox = 0,
    /// The device's own counters: one row, written with every change.
    Device = 1,
    /// Identity and prekeys: one row.
    Account = 2,
    /// A contact and its sessions.
    Contact = 3,
    /// From a contact's name to its identity.
    Name = 4,
    /// A plaintext that is not acknowledged yet.
    Inbox = 5,
    /// A ciphertext that is not marked as sent yet.
    Outbox = 6,
    /// The newest publication.
    Publication = 7,
}

/// A row: sealed bytes and their generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Grows by one with each change of the row, from 1.
    pub generation: u64,
    /// Opaque to the store.
    pub value: Vec<u8>,
}

/// A store of rows with exclusive transactions.
pub trait Store {
    /// A transaction of this store.
    type Transaction<'a>: Transaction
    where
        Self: 'a;

    /// Starts a transaction. Until it ends no other process writes, and it sees the newest committed state.
    ///
    /// # Errors
    /// [`crate::Error::Busy`] when that cannot be had in reasonable time; other storage errors.
    fn begin(&mut self) -> Result<Self::Transaction<'_>>;
}

/// Changes that happen together or not at all; dropping it without [`Transaction::commit`] undoes it.
pub trait Transaction {
    /// A row.
    ///
    /// # Errors
    /// Storage errors.
    fn get(&self, key: &RowKey) -> Result<Option<Row>>;

    /// Writes a row whose stored generation is one below `row.generation`; at generation 1 there is none.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when that is not so; storage errors.
    fn put(&mut self, kind: Kind, key: &RowKey, row: &Row) -> Result<()>;

    /// Deletes a row of that kind; no error when there is none, or one of another kind, which stays.
    ///
    /// # Errors
    /// Storage errors.
    fn delete(&mut self, kind: Kind, key: &RowKey) -> Result<()>;

    /// The keys of all rows of a kind.
    ///
    /// # Errors
    /// Storage errors.
    fn keys(&self, kind: Kind) -> Result<Vec<RowKey>>;

    /// Makes all changes. When it returns they survive a crash of the process, and as far as the store
    /// promises, of the machine.
    ///
    /// # Errors
    /// Storage errors; nothing has changed then.
    fn commit(self) -> Result<()>;
}
