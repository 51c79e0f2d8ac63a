//! Contacts by name: adding, verifying, deciding about a changed identity.

use marline::{Contact, Event, Facts, IdentityId, PrekeyBundle};

use crate::device::{Change, Device};
use crate::error::{Error, Result};
use crate::records::{Reader, Writer};
use crate::store::{Kind, RowKey, Store, Transaction};
use crate::vault;

/// What the device knows of a contact.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContactInfo {
    /// The name it has on this device.
    pub name: String,
    /// The identity messages are sent to.
    pub identity: IdentityId,
    /// Whether the user has compared the safety number.
    pub verified: bool,
    /// An identity that awaits the user's decision; until then nothing is sent.
    pub changed: Option<IdentityId>,
    /// Whether a bundle is at hand, for the first session or a reset.
    pub has_bundle: bool,
    /// Its sessions, the one that sends first.
    pub sessions: Vec<Facts>,
}

/// What adding a contact did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Added {
    /// The identity in the bundle.
    pub identity: IdentityId,
    /// Whether the contact is new.
    pub new: bool,
    /// [`Event::IdentityChanged`] when the name belonged to another identity.
    pub event: Option<Event>,
}

/// A contact's row.
pub(crate) struct Record {
    /// Random, so that it stays when name and identity change.
    pub(crate) key: RowKey,
    /// Generation of the stored row; 0 for none.
    over: u64,
    pub(crate) name: String,
    pub(crate) bundle: Option<Vec<u8>>,
    /// The highest rank of sessions that were given up with a copy and that the peer may still have; 0 for none.
    pub(crate) floor: u64,
    pub(crate) contact: Contact,
}

/// The first byte of a contact's row with a floor. Others begin with the length of a name, of which the first byte is 0.
const WITH_FLOOR: u8 = 1;

/// Names are shown to people and typed by them.
fn check_name(name: &str) -> Result<()> {
    let fair = (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
    if fair { Ok(()) } else { Err(Error::Name) }
}

impl<S: Store> Device<S> {
    /// Adds a contact from its bundle, or gives a fresh bundle to one that exists, for a first session or a reset. The
    /// bundle is verified at `now` (Unix seconds). The contact with that identity, if it has another name, is renamed.
    ///
    /// When `name` belongs to another identity, the contact keeps it, and sends nothing until
    /// [`Device::acknowledge_identity`] or [`Device::reject_identity`].
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Exists`] when name and identity belong to two contacts, or the identity is known as one
    /// that another contact has shown or had before; what [`PrekeyBundle::verify`] reports; storage errors.
    pub fn add_contact(&mut self, name: &str, bundle: &[u8], now: u64) -> Result<Added> {
        check_name(name)?;
        let parsed = PrekeyBundle::from_bytes(bundle)?;
        parsed.verify(now, None, self.id())?;
        let identity = parsed.unverified_identity();
        self.change(|change| {
            let named = change.by_name(name)?;
            let known = change.by_identity(&identity)?;
            let new = known.is_none() && named.is_none();
            let mut record = match (known, named) {
                (Some(known), Some(named)) if known.key != named.key => return Err(Error::Exists),
                (Some(record), _) | (None, Some(record)) => record,
                (None, None) => Record::new(name, identity)?,
            };
            if record.name != name {
                // What only awaits a decision, or was given up, must not take the contact over.
                if record.contact.identity() != identity {
                    return Err(Error::Exists);
                }
                let old = change.index(b"name", record.name.as_bytes())?;
                change.tx.delete(Kind::Name, &old)?;
                record.name = name.into();
            }
            let awaited = record.contact.changed_identity();
            let event = record.contact.observe(identity);
            change.drop_replaced(awaited, &record)?;
            record.bundle = Some(bundle.to_vec());
            change.put_indexes(&record, &identity)?;
            change.put_record(&record)?;
            Ok(Added {
                identity,
                new,
                event,
            })
        })
    }

    /// All contacts, in no order.
    ///
    /// # Errors
    /// Storage errors.
    pub fn contacts(&mut self) -> Result<Vec<ContactInfo>> {
        self.view(|view| {
            let keys = view.tx.keys(Kind::Contact)?;
            keys.iter()
                .map(|key| Ok(view.record(key)?.ok_or(Error::Corrupt)?.info()))
                .collect()
        })
    }

    /// One contact.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage errors.
    pub fn contact(&mut self, name: &str) -> Result<ContactInfo> {
        self.view(|view| Ok(view.named(name)?.info()))
    }

    /// Records whether the user has compared the safety number of `identity` ([`Device::safety_number`]), which is that of
    /// [`ContactInfo::identity`] when it was shown.
    ///
    /// # Errors
    /// [`marline::Error::IdentityChanged`] when the contact has another one by now; [`Error::NotFound`]; storage errors.
    pub fn set_verified(&mut self, name: &str, identity: IdentityId, verified: bool) -> Result<()> {
        self.edit(name, |_, record| {
            Ok(record.contact.set_verified(identity, verified)?)
        })
    }

    /// The user accepts a contact's changed identity, given as it was shown.
    ///
    /// # Errors
    /// [`marline::Error::IdentityChanged`] when it is not the one that awaits a decision; [`Error::NotFound`]; storage errors.
    pub fn acknowledge_identity(&mut self, name: &str, identity: IdentityId) -> Result<()> {
        self.edit(name, |_, record| {
            Ok(record.contact.acknowledge(identity)?)
        })
    }

    /// The user refuses a contact's changed identity: what it brought is deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage errors.
    pub fn reject_identity(&mut self, name: &str) -> Result<()> {
        self.edit(name, |change, record| {
            let awaited = record.contact.changed_identity();
            if awaited.is_some() {
                record.contact.reject();
                record.bundle = None;
            }
            change.drop_replaced(awaited, record)
        })
    }

    fn edit(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Change<'_, S::Transaction<'_>>, &mut Record) -> Result<()>,
    ) -> Result<()> {
        self.change(|change| {
            let mut record = change.named(name)?;
            work(change, &mut record)?;
            change.put_record(&record)
        })
    }
}

impl Record {
    pub(crate) fn new(name: &str, identity: IdentityId) -> Result<Self> {
        Ok(Self {
            key: vault::random()?,
            over: 0,
            name: name.into(),
            bundle: None,
            floor: 0,
            contact: Contact::new(identity),
        })
    }

    fn info(&self) -> ContactInfo {
        let identity = self.contact.identity();
        ContactInfo {
            name: self.name.clone(),
            identity,
            verified: self.contact.trust(&identity) == marline::Trust::Verified,
            changed: self.contact.changed_identity(),
            has_bundle: self.bundle.is_some(),
            sessions: self.contact.sessions().collect(),
        }
    }
}

impl<T: Transaction> Change<'_, T> {
    /// The key of an index row: from a name or an identity to the contact's row.
    fn index(&self, of: &[u8], value: &[u8]) -> Result<RowKey> {
        self.vault.key(Kind::Name, &[of, b"\0", value].concat())
    }

    fn follow(&self, index: &RowKey) -> Result<Option<Record>> {
        let Some((_, key)) = self.vault.get(&self.tx, Kind::Name, index)? else {
            return Ok(None);
        };
        let key = key.as_slice().try_into().map_err(|_| Error::Corrupt)?;
        self.record(&key)?.ok_or(Error::Corrupt).map(Some)
    }

    pub(crate) fn by_name(&self, name: &str) -> Result<Option<Record>> {
        self.follow(&self.index(b"name", name.as_bytes())?)
    }

    pub(crate) fn named(&self, name: &str) -> Result<Record> {
        self.by_name(name)?.ok_or(Error::NotFound)
    }

    pub(crate) fn by_identity(&self, identity: &IdentityId) -> Result<Option<Record>> {
        self.follow(&self.index(b"identity", identity.as_bytes())?)
    }

    /// Makes name and identity lead to the record.
    pub(crate) fn put_indexes(&mut self, record: &Record, identity: &IdentityId) -> Result<()> {
        let by_name = self.index(b"name", record.name.as_bytes())?;
        let by_identity = self.index(b"identity", identity.as_bytes())?;
        for index in [by_name, by_identity] {
            if self.vault.get(&self.tx, Kind::Name, &index)?.is_none() {
                self.vault
                    .put(&mut self.tx, Kind::Name, &index, 0, &record.key)?;
            }
        }
        Ok(())
    }

    /// An identity that awaited a decision, and does no longer, leads to nobody.
    pub(crate) fn drop_replaced(
        &mut self,
        awaited: Option<IdentityId>,
        record: &Record,
    ) -> Result<()> {
        let contact = &record.contact;
        match awaited {
            Some(old) if contact.changed_identity() != awaited && contact.identity() != old => {
                let index = self.index(b"identity", old.as_bytes())?;
                self.tx.delete(Kind::Name, &index)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn record(&self, key: &RowKey) -> Result<Option<Record>> {
        let Some((over, value)) = self.vault.get(&self.tx, Kind::Contact, key)? else {
            return Ok(None);
        };
        let mut input = Reader::new(&value);
        let floor = match value.first() {
            Some(&WITH_FLOOR) => input.u8().and_then(|_| input.u64())?,
            _ => 0,
        };
        let name = input.text()?;
        let bundle = Some(input.block()?.to_vec()).filter(|bundle| !bundle.is_empty());
        let mut contact = Contact::from_state(input.rest()).map_err(|_| Error::Corrupt)?;
        contact.set_rank_floor(floor);
        Ok(Some(Record {
            key: *key,
            over,
            name,
            bundle,
            floor,
            contact,
        }))
    }

    pub(crate) fn put_record(&mut self, record: &Record) -> Result<()> {
        let state = record.contact.to_state();
        let bundle = record.bundle.as_deref().unwrap_or_default();
        let length = 17 + record.name.len() + bundle.len() + state.len();
        let mut value = Writer::with_capacity(length);
        if record.floor != 0 {
            value.u8(WITH_FLOOR);
            value.u64(record.floor);
        }
        value.block(record.name.as_bytes());
        value.block(bundle);
        value.bytes(&state);
        let (key, over) = (&record.key, record.over);
        self.vault
            .put(&mut self.tx, Kind::Contact, key, over, &value.into_bytes())
    }

    /// A name for somebody who wrote first: the subject if it is a name and free, else with a piece of the identity.
    pub(crate) fn free_name(&self, subject: &[u8], identity: &IdentityId) -> Result<String> {
        let subject = std::str::from_utf8(subject).unwrap_or_default();
        let subject = if check_name(subject).is_ok() {
            subject
        } else {
            "unnamed"
        };
        if self.by_name(subject)?.is_none() {
            return Ok(subject.into());
        }
        let mut end = subject.len().min(190);
        while !subject.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let (subject, _) = subject.split_at(end);
        let id: String = identity
            .as_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let short = format!("{subject}~{}", id.split_at(8).0);
        if self.by_name(&short)?.is_none() {
            return Ok(short);
        }
        // The whole identity: no two contacts have it.
        Ok(format!("~{id}"))
    }
}
