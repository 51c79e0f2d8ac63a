//! Prekeys and upkeep: publishing, maintaining, the state of things, going on from a copy.

use marline::limits::DAY;
use marline::{Contact, Task, Trust};

use crate::device::{Change, Device};
use crate::error::{Error, Result};
use crate::records::{Reader, Writer};
use crate::store::{Kind, Store, Transaction};
use crate::vault;

/// One-time prekeys of a publication that [`Device::maintain`] makes.
const PUBLICATION_SIZE: u16 = 100;
/// Contacts kept up in one transaction.
const UPKEEP_BATCH: usize = 256;
/// Publications skipped by a restored device, so that its next one is newer than what peers have seen: more than a year
/// of weekly ones.
const SKIPPED_GENERATIONS: usize = 64;

/// What a directory is to have of a device. It replaces the publication before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// The signed manifest.
    pub manifest: Vec<u8>,
    /// The record for when the one-time ones are used up.
    pub last_resort: Vec<u8>,
    /// The one-time records, each to be handed out once.
    pub one_time: Vec<Vec<u8>>,
}

/// What [`Device::maintain`] did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Maintenance {
    /// Why prekeys were published: [`Task::Rotate`] or [`Task::Replenish`].
    pub reason: Option<Task>,
    /// The publication for the directory. It waits in [`Device::unpublished`] until [`Device::mark_published`].
    pub published: Option<Publication>,
    /// Publications whose private halves were deleted.
    pub deleted: usize,
    /// Contacts whose old keys were looked through.
    pub contacts: usize,
}

/// The state of things.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The name the device claims.
    pub subject: Vec<u8>,
    /// One-time prekeys left of the newest publication.
    pub one_time_prekeys: usize,
    /// What [`Device::maintain`] would do.
    pub due: Vec<Task>,
    /// Contacts.
    pub contacts: usize,
    /// Ciphertexts not marked as sent.
    pub outbox: usize,
    /// Messages not acknowledged.
    pub inbox: usize,
    /// Whether a publication waits to be marked as published.
    pub unpublished: bool,
}

impl Publication {
    fn new(publication: &marline::Publication) -> Self {
        Self {
            manifest: publication.manifest_bytes(),
            last_resort: publication.last_resort_bytes(),
            one_time: publication.one_time_bytes().collect(),
        }
    }

    /// The bundle with the one-time prekey `index`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn bundle(&self, index: usize) -> Result<Vec<u8>> {
        let record = self.one_time.get(index).ok_or(Error::NotFound)?;
        Ok([self.manifest.as_slice(), record].concat())
    }

    /// The bundle without a one-time prekey, which may be handed out any number of times.
    pub fn last_resort_bundle(&self) -> Vec<u8> {
        [self.manifest.as_slice(), &self.last_resort].concat()
    }

    fn to_row(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut out = Writer::new();
        out.block(&self.manifest);
        out.block(&self.last_resort);
        self.one_time.iter().for_each(|record| out.block(record));
        out.into_bytes()
    }

    fn from_row(row: &[u8]) -> Result<Self> {
        let mut input = Reader::new(row);
        let manifest = input.block()?.to_vec();
        let last_resort = input.block()?.to_vec();
        let mut one_time = Vec::new();
        let mut rest = Reader::new(input.rest());
        while let Ok(record) = rest.block() {
            one_time.push(record.to_vec());
        }
        rest.finish()?;
        Ok(Self {
            manifest,
            last_resort,
            one_time,
        })
    }
}

impl<S: Store> Device<S> {
    /// Makes `count` (1 to 1,024) one-time prekeys and a signed one, for a directory. It is on disk when it
    /// returns, and waits in [`Device::unpublished`] until [`Device::mark_published`].
    ///
    /// # Errors
    /// [`marline::Error::Limit`]; storage errors.
    pub fn publish(&mut self, count: u16, now: u64) -> Result<Publication> {
        self.change(|change| change.publish(count, now))
    }

    /// The publication that no directory has yet.
    ///
    /// # Errors
    /// Storage errors.
    pub fn unpublished(&mut self) -> Result<Option<Publication>> {
        self.view(|view| {
            let key = view.vault.key(Kind::Publication, b"")?;
            let row = view.vault.get(&view.tx, Kind::Publication, &key)?;
            row.map(|(_, row)| Publication::from_row(&row)).transpose()
        })
    }

    /// The directory has the publication.
    ///
    /// # Errors
    /// Storage errors.
    pub fn mark_published(&mut self) -> Result<()> {
        self.change(|change| {
            let key = change.vault.key(Kind::Publication, b"")?;
            change.tx.delete(Kind::Publication, &key)
        })
    }

    /// Does what is due at `now` (Unix seconds) and reports it: publishes when the newest publication is a week old or three
    /// quarters of its one-time prekeys are used, deletes private halves past their deadline, and once a day
    /// deletes message keys of 30 days. Call it about every hour, and before publishing.
    ///
    /// # Errors
    /// Storage errors. These are several changes: the ones made before the error stay made, and the next call does the rest. A
    /// publication that was made is in [`Device::unpublished`].
    pub fn maintain(&mut self, now: u64) -> Result<Maintenance> {
        let mut report = self.change(|change| change.keep_prekeys(now))?;
        let today = now.checked_div(DAY).unwrap_or(0);
        if self.view(|view| Ok(view.counters.maintained))? != today {
            let keys = self.view(|view| view.tx.keys(Kind::Contact))?;
            for batch in keys.chunks(UPKEEP_BATCH) {
                report.contacts += self.change(|change| {
                    let mut done = 0;
                    for key in batch {
                        if let Some(mut record) = change.record(key)? {
                            record.contact.maintain(now);
                            change.put_record(&record)?;
                            done += 1;
                        }
                    }
                    Ok(done)
                })?;
            }
            self.change(|change| {
                change.counters.maintained = today;
                Ok(())
            })?;
        }
        Ok(report)
    }

    /// The state of things at `now`.
    ///
    /// # Errors
    /// Storage errors.
    pub fn status(&mut self, now: u64) -> Result<Status> {
        self.view(|view| {
            let (_, account) = view.account()?;
            let count = |kind| view.tx.keys(kind).map(|keys| keys.len());
            Ok(Status {
                subject: account.subject().as_bytes().to_vec(),
                one_time_prekeys: account.one_time_prekeys_left(),
                due: account.due(now),
                contacts: count(Kind::Contact)?,
                outbox: count(Kind::Outbox)?,
                inbox: count(Kind::Inbox)?,
                unpublished: count(Kind::Publication)? > 0,
            })
        })
    }

    /// What makes an older copy safe: message keys and prekeys in it may have been used since, so all of them go.
    pub(crate) fn forget_sessions(&mut self, now: u64) -> Result<()> {
        self.change(|change| {
            change.counters.lineage = vault::random()?;
            let (over, mut account) = change.account()?;
            for _ in 0..SKIPPED_GENERATIONS {
                account.publish(1, now, &mut getrandom::SysRng)?;
            }
            account.delete_expired(u64::MAX);
            change.put_account(over, &account)?;
            for kind in [Kind::Outbox, Kind::Publication] {
                for key in change.tx.keys(kind)? {
                    change.tx.delete(kind, &key)?;
                }
            }
            for key in change.tx.keys(Kind::Contact)? {
                let mut record = change.record(&key)?.ok_or(Error::Corrupt)?;
                let old = record.contact;
                let identity = old.identity();
                record.contact = Contact::new(identity);
                // The peer still has them, and sends on what ranks highest.
                record.floor = old.highest_rank();
                record.contact.set_rank_floor(record.floor);
                let verified = old.trust(&identity) == Trust::Verified;
                record.contact.set_verified(identity, verified)?;
                if let Some(changed) = old.changed_identity() {
                    let _ = record.contact.observe(changed);
                }
                record.bundle = None;
                change.put_record(&record)?;
            }
            Ok(())
        })
    }
}

impl<T: Transaction> Change<'_, T> {
    fn publish(&mut self, count: u16, now: u64) -> Result<Publication> {
        let (over, mut account) = self.account()?;
        let publication = account.publish(count, now, &mut getrandom::SysRng)?;
        self.put_account(over, &account)?;
        let publication = Publication::new(&publication);
        let key = self.vault.key(Kind::Publication, b"")?;
        let over = self.vault.get(&self.tx, Kind::Publication, &key)?;
        let over = over.map_or(0, |(generation, _)| generation);
        let row = publication.to_row();
        self.vault
            .put(&mut self.tx, Kind::Publication, &key, over, &row)?;
        Ok(publication)
    }

    fn keep_prekeys(&mut self, now: u64) -> Result<Maintenance> {
        let (over, mut account) = self.account()?;
        let mut report = Maintenance::default();
        for task in account.due(now) {
            match task {
                Task::Rotate | Task::Replenish { .. } => report.reason = Some(task),
                _ => {}
            }
        }
        report.deleted = account.delete_expired(now);
        if report.deleted > 0 {
            self.put_account(over, &account)?;
        }
        if report.reason.is_some() {
            report.published = Some(self.publish(PUBLICATION_SIZE, now)?);
        }
        Ok(report)
    }
}
