//! Receiving: whose message it is, and what it says.

use marline::{Accepted, Error as Protocol, Event, Peer, Received};

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

/// Whose message it is, who wrote it, and what it says.
type Opened = (Record, Peer, Received);

/// What one contact makes of a message.
enum Trial {
    Opened(Box<Opened>),
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

    /// Opens a message. State and plaintext are committed when it returns; the same message yields the same
    /// plaintext until it is acknowledged.
    ///
    /// `from` is the contact that the transport says it comes from. Messages show nothing of who sent them; without
    /// `from`, every contact's sessions are tried, those heard last first, which takes time in proportion to their
    /// number. Somebody unknown who starts a session becomes a new contact.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `from`; what the protocol says of the message ([`marline::Contact::receive_with`],
    /// [`marline::Account::accept_with`]); storage errors. Nothing has changed then.
    pub fn receive_with(
        &mut self,
        message: &[u8],
        from: Option<&str>,
        ad: &[u8],
        now: u64,
    ) -> Result<Incoming> {
        let arrived = Arrived { message, ad, now };
        let id = self.inbox_id(message)?;
        let recent = self.recent.clone();
        let (heard, incoming) =
            self.change(|change| change.receive(id, &arrived, from, &recent))?;
        if let Some(key) = heard {
            self.heard(key);
        }
        Ok(incoming)
    }

    /// Opens several messages, each with the contact it comes from if that is known, in the order given and in one
    /// transaction: one wait for the disk instead of one for each. State and all plaintexts are committed when
    /// it returns. A message that is refused does not stop the others; its place has the error that
    /// [`Device::receive_with`] gives.
    ///
    /// # Errors
    /// Storage errors. Nothing has changed then.
    pub fn receive_many(
        &mut self,
        messages: &[(&[u8], Option<&str>)],
        ad: &[u8],
        now: u64,
    ) -> Result<Vec<Result<Incoming>>> {
        let ids = messages.iter().map(|(message, _)| self.inbox_id(message));
        let ids: Vec<Result<RowKey>> = ids.collect();
        let mut recent = self.recent.clone();
        let mut all_heard = Vec::new();
        let results = self.change(|change| {
            let mut results = Vec::with_capacity(messages.len());
            for ((message, from), id) in messages.iter().zip(ids) {
                let arrived = Arrived { message, ad, now };
                let result = id.and_then(|id| change.receive(id, &arrived, *from, &recent));
                results.push(match result {
                    Ok((heard, incoming)) => {
                        if let Some(key) = heard {
                            recent.retain(|held| *held != key);
                            recent.insert(0, key);
                            all_heard.push(key);
                        }
                        Ok(incoming)
                    }
                    // Both come before anything is written.
                    Err(refused @ (Error::Protocol(_) | Error::NotFound))
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
    fn inbox_id(&self, message: &[u8]) -> Result<RowKey> {
        let id = self.vault.key(Kind::Inbox, message)?;
        if self.is_finished(Kind::Inbox, &id) {
            return Err(Protocol::Duplicate.into());
        }
        Ok(id)
    }
}

impl<T: Transaction> Change<'_, T> {
    /// Opens a message into the inbox, or takes it from there; with the contact that was heard.
    fn receive(
        &mut self,
        id: RowKey,
        arrived: &Arrived<'_>,
        from: Option<&str>,
        recent: &[RowKey],
    ) -> Result<(Option<RowKey>, Incoming)> {
        if let Some((_, row)) = self.vault.get(&self.tx, Kind::Inbox, &id)? {
            return Ok((None, Incoming::from_row(id, &row)?.1));
        }
        let (record, author, received) = self.open(arrived, from, recent)?;
        self.put_record(&record)?;
        let incoming = Incoming::new(id, &record, author, received);
        if incoming.plaintext().is_some() {
            let row = incoming.to_row(self.next_number());
            self.vault.put(&mut self.tx, Kind::Inbox, &id, 0, &row)?;
        }
        Ok((Some(record.key), incoming))
    }

    fn open(
        &mut self,
        arrived: &Arrived<'_>,
        from: Option<&str>,
        recent: &[RowKey],
    ) -> Result<Opened> {
        let mut refusal = Protocol::Authentication;
        let initial = arrived.is_initial();
        if let Some(name) = from {
            match self.try_contact(self.named(name)?, arrived)? {
                Trial::Opened(opened) => return Ok(*opened),
                Trial::NotMine(error) if initial && error != Protocol::NoSession => {
                    return Err(error.into());
                }
                Trial::NotMine(error) => refusal = error,
            }
        }
        if initial {
            match self.accept(arrived) {
                // Perhaps a first flight that was accepted before and is repeated (M-HS-03).
                Err(Error::Protocol(
                    error @ (Protocol::PrekeyUsed | Protocol::Duplicate | Protocol::UnknownPrekey),
                )) => refusal = error,
                other => return other,
            }
        } else if from.is_some() {
            return Err(refusal.into());
        }
        for key in recent {
            if let Some(opened) = self.try_key(key, arrived, &mut refusal)? {
                return Ok(opened);
            }
        }
        // Listed only now: those heard last answer most messages, however many others there are.
        let others = self.tx.keys(Kind::Contact)?;
        for key in others.iter().filter(|key| !recent.contains(key)) {
            if let Some(opened) = self.try_key(key, arrived, &mut refusal)? {
                return Ok(opened);
            }
        }
        Err(refusal.into())
    }

    /// Tries one of all contacts, and takes note of what its refusal says about the message.
    fn try_key(
        &self,
        key: &RowKey,
        arrived: &Arrived<'_>,
        refusal: &mut Protocol,
    ) -> Result<Option<Opened>> {
        let Some(record) = self.record(key)? else {
            return Ok(None);
        };
        match self.try_contact(record, arrived)? {
            Trial::Opened(opened) => return Ok(Some(*opened)),
            // Its first flight is known here, so it is of this contact, and forged.
            Trial::NotMine(error) if arrived.is_initial() && error != Protocol::NoSession => {
                return Err(error.into());
            }
            // The contact whose session has ended may be the one: say so.
            Trial::NotMine(Protocol::AgreementFailed) => *refusal = Protocol::AgreementFailed,
            Trial::NotMine(_) => {}
        }
        Ok(None)
    }

    /// Tries a contact's sessions. An error says that the message is of this contact and will not open.
    fn try_contact(&self, mut record: Record, arrived: &Arrived<'_>) -> Result<Trial> {
        match record.contact.receive_with(arrived.message, arrived.ad) {
            Ok(received) => {
                let identity = record.contact.identity();
                let author = match &received.opened {
                    Some(opened) => opened.peer().clone(),
                    None => Peer {
                        identity,
                        subject: Default::default(),
                    },
                };
                Ok(Trial::Opened(Box::new((record, author, received))))
            }
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
    fn accept(&mut self, arrived: &Arrived<'_>) -> Result<Opened> {
        let (over, mut account) = self.account()?;
        let accepted: Accepted = account.accept_with(arrived.message, arrived.ad, arrived.now)?;
        let author = accepted.opened.peer().clone();
        let mut record = match self.by_identity(&author.identity)? {
            Some(record) => record,
            None => {
                let name = self.free_name(author.subject.as_bytes(), &author.identity)?;
                let record = Record::new(&name, author.identity)?;
                self.put_indexes(&record, &author.identity)?;
                record
            }
        };
        let received = record.contact.adopt(accepted, arrived.now);
        self.put_account(over, &account)?;
        Ok((record, author, received))
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
