//! The embedded store: one SQLite file in WAL mode.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::error::{Error, Result};
use crate::store::{Kind, Row, RowKey, Store, Transaction};

/// `application_id` of the file: "Marl".
const APPLICATION_ID: i32 = 0x4d61_726c;
/// What leads from schema `i` to schema `i + 1`. Entries never change once released.
const MIGRATIONS: &[&str] = &[
    // 0 -> 1
    "CREATE TABLE rows (
         key BLOB PRIMARY KEY NOT NULL,
         kind INTEGER NOT NULL,
         generation INTEGER NOT NULL,
         value BLOB NOT NULL
     ) STRICT;",
    // 1 -> 2: listing a kind no longer reads every row
    "CREATE INDEX rows_kind ON rows (kind, key);",
    // 2 -> 3: nothing in SQL. Rows of 2 are read as they are, and 2 cannot read what 3 writes: events in the inbox, whose
    // rows are named by the associated data too; the lineage among the counters, a floor in contacts.
    "",
];
/// SQLite 3.51.3: in those before, a commit and two checkpoints at the same time can lose commits
/// (https://sqlite.org/wal.html#the_wal_reset_bug).
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long a transaction waits for another process.
const BUSY_LIMIT: Duration = Duration::from_secs(30);
/// Free pages that a file may keep: they are used again, and giving them back is work.
const SPARE_PAGES: u64 = 256;

/// What a commit survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// Every commit is on disk when it returns (`synchronous=FULL`): survives loss of power.
    #[default]
    Full,
    /// Commits survive a crash of the process at once, and of the machine from the next [`crate::Device::flush`] on
    /// (`synchronous=NORMAL`). A machine that loses power before may go back to an earlier state: its sessions may
    /// then need a reset.
    Batched,
}

/// A SQLite file.
pub struct Sqlite {
    connection: Connection,
    durability: Durability,
}

/// A transaction on it: it holds the write lock from the start (`BEGIN IMMEDIATE`).
pub struct SqliteTransaction<'a> {
    transaction: rusqlite::Transaction<'a>,
}

impl Sqlite {
    /// Makes a new file. It is readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Exists`]; storage errors.
    pub fn create(path: &Path, durability: Durability, max_bytes: Option<u64>) -> Result<Self> {
        make(path)?;
        let made = Self::found(path, durability, max_bytes);
        if made.is_err() {
            // Ours, and empty.
            let _ = std::fs::remove_file(path);
        }
        made
    }

    fn found(path: &Path, durability: Durability, max_bytes: Option<u64>) -> Result<Self> {
        let connection = connect(path)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        Self::prepare(connection, durability, max_bytes)
    }

    /// Opens a file and brings it to the current schema.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Schema`]; storage errors.
    pub fn open(path: &Path, durability: Durability, max_bytes: Option<u64>) -> Result<Self> {
        if !path.try_exists()? {
            return Err(Error::NotFound);
        }
        let connection = connect(path)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = schema(&connection)?;
        if id != APPLICATION_ID || version == 0 || version > MIGRATIONS.len() {
            return Err(Error::Schema);
        }
        Self::prepare(connection, durability, max_bytes)
    }

    fn prepare(connection: Connection, durability: Durability, max: Option<u64>) -> Result<Self> {
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Batched => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        // What is deleted is overwritten: old chain keys must not stay in free pages.
        connection.pragma_update(None, "secure_delete", "ON")?;
        // VACUUM copies the live rows: not into a file elsewhere, where nobody overwrites them.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cell_size_check", "ON")?;
        connection.pragma_update(None, "trusted_schema", "OFF")?;
        if let Some(bytes) = max {
            let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = bytes.checked_div(page.into()).unwrap_or(0);
            let pages = i64::try_from(pages).unwrap_or(i64::MAX);
            if pages == 0 {
                // To SQLite, 0 is no limit.
                return Err(Error::DiskFull);
            }
            // This pragma answers with a row.
            connection.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(()))?;
        }
        let mut store = Self {
            connection,
            durability,
        };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<()> {
        if schema(&self.connection)? == MIGRATIONS.len() {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Again inside the transaction: another process may have been faster.
        for step in MIGRATIONS.iter().skip(schema(&transaction)?) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
        Ok(transaction.commit()?)
    }

    /// Puts everything committed on disk, and gives the room of deleted rows back when most of the file is free.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process keeps commits of [`Durability::Batched`] from the disk; storage errors.
    pub fn flush(&mut self) -> Result<()> {
        self.checkpoint()?;
        // Without it the file only stays large: no room or no lock for it is not worth an error.
        if self.is_mostly_free()? && self.connection.execute_batch("VACUUM").is_ok() {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Whether everything committed is on disk now. Waits for no other process.
    pub(crate) fn sync(&mut self) -> bool {
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        let asked = self.connection.query_row(checkpoint, [], |row| {
            let (blocked, logged, moved): (bool, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(!blocked && logged == moved)
        });
        asked.unwrap_or(false)
    }

    /// Brings the log into the main file, which also overwrites there what was deleted.
    fn checkpoint(&mut self) -> Result<()> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let blocked: bool = self
            .connection
            .query_row(checkpoint, [], |row| row.get(0))?;
        // With full durability the log is on disk as well.
        if blocked && self.durability == Durability::Batched {
            return Err(Error::Busy);
        }
        Ok(())
    }

    fn is_mostly_free(&self) -> Result<bool> {
        let count = |name| -> Result<u64> {
            let pages = self
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))?;
            u64::try_from(pages).map_err(|_| Error::Corrupt)
        };
        let (free, all) = (count("freelist_count")?, count("page_count")?);
        Ok(free > SPARE_PAGES && free > all.saturating_sub(free))
    }

    /// Writes a consistent copy to a new file. It is readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Exists`]; storage errors. No file is left behind then.
    pub fn copy_to(&mut self, path: &Path) -> Result<()> {
        let name = named(path);
        let text = name.to_str().ok_or(Error::Name)?;
        make(path)?;
        let copied = self.connection.execute("VACUUM INTO ?1", [text]);
        if copied.is_err() {
            // Ours, and not complete.
            let _ = std::fs::remove_file(path);
        }
        copied?;
        Ok(())
    }
}

/// Makes an empty file that only its owner reads.
fn make(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Opens a file that exists, if the SQLite that was found, maybe not the one that we were built with, is safe.
fn connect(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::Storage("SQLite is older than 3.51.3".into()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    Ok(Connection::open_with_flags(named(path), flags)?)
}

/// A path that SQLite takes for nothing else: `:memory:` is no file to it, and in most of its builds `file:` begins an
/// address with parameters. An absolute path stays as it is.
fn named(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

fn schema(connection: &Connection) -> Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| Error::Schema)
}

/// SQLite's integers are signed; generations stay far below 2^63.
fn signed(generation: u64) -> Result<i64> {
    i64::try_from(generation).map_err(|_| Error::Corrupt)
}

impl Store for Sqlite {
    type Transaction<'a> = SqliteTransaction<'a>;

    fn begin(&mut self) -> Result<SqliteTransaction<'_>> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        Ok(SqliteTransaction { transaction })
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn get(&self, key: &RowKey) -> Result<Option<Row>> {
        let mut query = self
            .transaction
            .prepare_cached("SELECT generation, value FROM rows WHERE key = ?1")?;
        let row = query.query_row([key], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
        let Some((generation, value)) = row.optional()? else {
            return Ok(None);
        };
        let generation = u64::try_from(generation).map_err(|_| Error::Corrupt)?;
        Ok(Some(Row { generation, value }))
    }

    fn put(&mut self, kind: Kind, key: &RowKey, row: &Row) -> Result<()> {
        let generation = signed(row.generation)?;
        let changed = if generation <= 1 {
            let insert = "INSERT INTO rows (key, kind, generation, value) VALUES (?1, ?2, ?3, ?4)
                          ON CONFLICT (key) DO NOTHING";
            self.transaction
                .prepare_cached(insert)?
                .execute(params![key, kind as u8, generation, row.value])?
        } else {
            let update = "UPDATE rows SET generation = ?2, value = ?3
                          WHERE key = ?1 AND generation = ?2 - 1";
            self.transaction
                .prepare_cached(update)?
                .execute(params![key, generation, row.value])?
        };
        if changed == 1 {
            Ok(())
        } else {
            Err(Error::Conflict)
        }
    }

    fn delete(&mut self, kind: Kind, key: &RowKey) -> Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM rows WHERE key = ?1 AND kind = ?2")?
            .execute(params![key, kind as u8])?;
        Ok(())
    }

    fn keys(&self, kind: Kind) -> Result<Vec<RowKey>> {
        let mut query = self
            .transaction
            .prepare_cached("SELECT key FROM rows WHERE kind = ?1 ORDER BY key")?;
        let keys = query.query_map([kind as u8], |row| row.get(0))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    }

    fn commit(self) -> Result<()> {
        Ok(self.transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_commit_is_synced_and_nothing_is_left_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        for (durability, level) in [(Durability::Full, 2_i64), (Durability::Batched, 1)] {
            let path = dir.path().join(level.to_string());
            drop(Sqlite::create(&path, durability, None).unwrap());
            let store = Sqlite::open(&path, durability, None).unwrap();
            let asked = |name| -> i64 {
                let connection = &store.connection;
                let value = connection.pragma_query_value(None, name, |row| row.get(0));
                value.unwrap()
            };
            // FULL syncs the log at every commit, NORMAL in checkpoints only (sqlite.org/pragma.html).
            assert_eq!(asked("synchronous"), level);
            assert_eq!(asked("secure_delete"), 1);
            assert_eq!(asked("temp_store"), 2);
        }
    }

    #[test]
    fn a_flush_that_another_process_blocks_says_so_unless_the_log_is_on_disk() {
        for (durability, refused) in [(Durability::Batched, true), (Durability::Full, false)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            let mut store = Sqlite::create(&path, durability, None).unwrap();
            let reader = Connection::open(&path).unwrap();
            reader
                .execute_batch("BEGIN; SELECT count(*) FROM rows;")
                .unwrap();
            let mut tx = store.begin().unwrap();
            let row = Row {
                generation: 1,
                value: vec![7; 100],
            };
            tx.put(Kind::Inbox, &[1; 32], &row).unwrap();
            tx.commit().unwrap();
            store.connection.busy_timeout(Duration::ZERO).unwrap();
            let blocked = store.flush();
            assert_eq!(matches!(blocked, Err(Error::Busy)), refused, "{blocked:?}");
            reader.execute_batch("COMMIT").unwrap();
            store.flush().unwrap();
        }
    }
}
