//! Receiving: whose message it is, and what it says.

use marline::{Accepted, Account, Error as Protocol, Event, IdentityId, Received};

use crate::contacts::Record;
use crate::device::{Change, Device};
use crate::error::{Error, Result};
use crate::messages::Incoming;
use crate::store::{Kind, RowKey, Store, Transaction};

/// The type byte of an initial message (spec section 4.1).
const TYPE_INITIAL: u8 = 1;

/// A message on its way in.
struct Arrived<'a> {
    message: &'a [u8],
    ad: &'a [u8],
    now: u64,
}

impl Arrived<'_> {
    fn is_initial(&self) -> bool {
        self.message.get(1) == Some(&TYPE_INITIAL)
    }
}

/// Whose message it is, what it says, and what has to be written with it.
struct Found {
    record: Record,
    received: Received,
    /// The identity that awaited a decision before.
    awaited: Option<IdentityId>,
    /// The account and its row's generation, when a session was accepted.
    account: Option<(u64, Account)>,
}

/// What there is of a message. Nothing is written yet.
enum Looked {
    /// It waits in the inbox already.
    Waiting(Incoming),
    Opened(Box<Found>),
}

/// What one contact makes of a message.
enum Trial {
    Opened(Box<Found>),
    NotMine(Protocol),
}

impl<S: Store> Device<S> {
    /// Opens a message that was sent without associated data: [`Device::receive_with`].
    ///
    /// # Errors
    /// As [`Device::receive_with`].
    pub fn receive(&mut self, message: &[u8], from: Option<&str>, now: u64) -> Result<Incoming> {
        self.receive_with(message, from, &[], now)
    }

    /// Opens a message. State, plaintext and events are committed when it returns; the same message with the same `ad`
    /// yields the same until it is acknowledged.
    ///
    /// `from` is the contact that the transport says it comes from. Messages show nothing of who sent them; without
    /// `from`, every contact's sessions are tried, those heard last first, which takes time in proportion to their
    /// number. Somebody unknown who starts a session becomes a new contact.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `from`; what the protocol says of the message ([`marline::Contact::receive_with`],
    /// [`marline::Account::accept_with`]); [`Error::Corrupt`] when nobody opens it and a contact's row is damaged;
    /// other storage errors. Nothing has changed then.
    pub fn receive_with(
        &mut self,
        message: &[u8],
        from: Option<&str>,
        ad: &[u8],
        now: u64,
    ) -> Result<Incoming> {
        let arrived = Arrived { message, ad, now };
        let id = self.inbox_id(ad, message)?;
        let recent = self.recent.clone();
        let (heard, incoming) = self.change(|change| {
            let looked = change.look(&id, &arrived, from, &recent)?;
            change.keep(id, looked)
        })?;
        if let Some(key) = heard {
            self.heard(key);
        }
        Ok(incoming)
    }

    /// Opens several messages, each with the contact it comes from if that is known, in the order given and in one
    /// transaction: one wait for the disk instead of one for each. State and all plaintexts are committed when
    /// it returns. A message that is refused, or whose contact's row is damaged, does not stop the others; its place has
    /// the error that [`Device::receive_with`] gives.
    ///
    /// # Errors
    /// Other storage errors. Nothing has changed then.
    pub fn receive_many(
        &mut self,
        messages: &[(&[u8], Option<&str>)],
        ad: &[u8],
        now: u64,
    ) -> Result<Vec<Result<Incoming>>> {
        let ids = messages
            .iter()
            .map(|(message, _)| self.inbox_id(ad, message));
        let ids: Vec<Result<RowKey>> = ids.collect();
        let mut recent = self.recent.clone();
        let mut all_heard = Vec::new();
        let results = self.change(|change| {
            let mut results = Vec::with_capacity(messages.len());
            for ((message, from), id) in messages.iter().zip(ids) {
                let arrived = Arrived { message, ad, now };
                let looked =
                    id.and_then(|id| Ok((id, change.look(&id, &arrived, *from, &recent)?)));
                results.push(match looked {
                    Ok((id, looked)) => {
                        let (heard, incoming) = change.keep(id, looked)?;
                        if let Some(key) = heard {
                            recent.retain(|held| *held != key);
                            recent.insert(0, key);
                            all_heard.push(key);
                        }
                        Ok(incoming)
                    }
                    // About this message or its contact; and nothing of it is written yet.
                    Err(refused @ (Error::Protocol(_) | Error::NotFound | Error::Corrupt))
                        if !matches!(refused, Error::Protocol(Protocol::Randomness)) =>
                    {
                        Err(refused)
                    }
                    Err(error) => return Err(error),
                });
            }
            Ok(results)
        })?;
        all_heard.into_iter().for_each(|key| self.heard(key));
        Ok(results)
    }

    /// Where a message's plaintext is in the inbox, unless it was there and is done with.
    fn inbox_id(&self, ad: &[u8], message: &[u8]) -> Result<RowKey> {
        let id = self.vault.inbox_key(ad, message)?;
        if self.is_finished(Kind::Inbox, &id) {
            return Err(Protocol::Duplicate.into());
        }
        Ok(id)
    }
}

impl<T: Transaction> Change<'_, T> {
    /// Finds a message in the inbox, or opens it.
    fn look(
        &self,
        id: &RowKey,
        arrived: &Arrived<'_>,
        from: Option<&str>,
        recent: &[RowKey],
    ) -> Result<Looked> {
        let from = from.map(|name| self.named(name)).transpose()?;
        match self.vault.get(&self.tx, Kind::Inbox, id)? {
            Some((_, row)) => Ok(Looked::Waiting(Incoming::from_row(*id, &row)?.1)),
            None => self.open(arrived, from, recent).map(Looked::Opened),
        }
    }

    /// Writes what opening a message has changed, and the message into the inbox; with the contact that was heard.
    fn keep(&mut self, id: RowKey, looked: Looked) -> Result<(Option<RowKey>, Incoming)> {
        let Found {
            record,
            received,
            awaited,
            account,
        } = match looked {
            Looked::Waiting(incoming) => return Ok((None, incoming)),
            Looked::Opened(found) => *found,
        };
        if let Some((over, account)) = &account {
            self.put_account(*over, account)?;
            self.put_indexes(&record, &received.author.identity)?;
        }
        self.drop_replaced(awaited, &record)?;
        self.put_record(&record)?;
        let incoming = Incoming::new(id, &record, received);
        let row = incoming.to_row(self.next_number());
        self.vault.put(&mut self.tx, Kind::Inbox, &id, 0, &row)?;
        Ok((Some(record.key), incoming))
    }

    fn open(
        &self,
        arrived: &Arrived<'_>,
        from: Option<Record>,
        recent: &[RowKey],
    ) -> Result<Box<Found>> {
        let mut refusal = Error::from(Protocol::Authentication);
        let (initial, named) = (arrived.is_initial(), from.is_some());
        if let Some(record) = from {
            match Self::try_contact(record, arrived)? {
                Trial::Opened(found) => return Ok(found),
                Trial::NotMine(error) if initial && error != Protocol::NoSession => {
                    return Err(error.into());
                }
                Trial::NotMine(error) => refusal = error.into(),
            }
        }
        if initial {
            match self.accept(arrived) {
                // Perhaps a first flight that was accepted before and is repeated (M-HS-03).
                Err(
                    error @ Error::Protocol(
                        Protocol::PrekeyUsed | Protocol::Duplicate | Protocol::UnknownPrekey,
                    ),
                ) => refusal = error,
                other => return other,
            }
        } else if named {
            return Err(refusal);
        }
        for key in recent {
            if let Some(found) = self.try_key(key, arrived, &mut refusal)? {
                return Ok(found);
            }
        }
        // Listed only now: those heard last answer most messages, however many others there are.
        let others = self.tx.keys(Kind::Contact)?;
        for key in others.iter().filter(|key| !recent.contains(key)) {
            if let Some(found) = self.try_key(key, arrived, &mut refusal)? {
                return Ok(found);
            }
        }
        Err(refusal)
    }

    /// Tries one of all contacts, and takes note of what its refusal says about the message.
    fn try_key(
        &self,
        key: &RowKey,
        arrived: &Arrived<'_>,
        refusal: &mut Error,
    ) -> Result<Option<Box<Found>>> {
        let record = match self.record(key) {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            // It keeps no message from the others. What none of them opens may be for it: say so.
            Err(Error::Corrupt) => {
                *refusal = Error::Corrupt;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match Self::try_contact(record, arrived)? {
            Trial::Opened(found) => return Ok(Some(found)),
            // Its first flight is known here, so it is of this contact, and forged.
            Trial::NotMine(error) if arrived.is_initial() && error != Protocol::NoSession => {
                return Err(error.into());
            }
            // The contact whose session has ended may be the one: say so.
            Trial::NotMine(error @ Protocol::AgreementFailed) => *refusal = error.into(),
            Trial::NotMine(_) => {}
        }
        Ok(None)
    }

    /// Tries a contact's sessions. An error says that the message is of this contact and will not open.
    fn try_contact(mut record: Record, arrived: &Arrived<'_>) -> Result<Trial> {
        match record.contact.receive_with(arrived.message, arrived.ad) {
            Ok(received) => Ok(Trial::Opened(Box::new(Found {
                awaited: record.contact.changed_identity(),
                record,
                received,
                account: None,
            }))),
            Err(
                error @ (Protocol::NoSession
                | Protocol::Authentication
                | Protocol::Malformed
                | Protocol::AgreementFailed),
            ) => Ok(Trial::NotMine(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Accepts a new session, for the contact of its initiator or a new one.
    fn accept(&self, arrived: &Arrived<'_>) -> Result<Box<Found>> {
        let (over, mut account) = self.account()?;
        let accepted: Accepted = account.accept_with(arrived.message, arrived.ad, arrived.now)?;
        let author = accepted.opened.peer();
        let mut record = match self.by_identity(&author.identity)? {
            Some(record) => record,
            None => {
                let name = self.free_name(author.subject.as_bytes(), &author.identity)?;
                Record::new(&name, author.identity)?
            }
        };
        let awaited = record.contact.changed_identity();
        let received = record.contact.adopt(accepted, arrived.now);
        Ok(Box::new(Found {
            record,
            received,
            awaited,
            account: Some((over, account)),
        }))
    }
}

impl Incoming {
    /// Whether the peer reset the session: messages may have been lost, the user is to know.
    pub fn is_reset(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, Event::SessionReset { .. }))
    }
}
