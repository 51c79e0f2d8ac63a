//! Sending, and what waits in the outbox and the inbox.

use marline::{Event, InitiateOptions, Padding, Peer, PrekeyBundle, Slots, Subject, Trust};
use zeroize::Zeroizing;

use crate::contacts::Record;
use crate::device::{Change, Device};
use crate::error::{Error, Result};
use crate::events;
use crate::records::{Reader, Writer};
use crate::store::{Kind, RowKey, Store, Transaction};

/// Beside the trust in an inbox row: events follow. Rows of schema 2 have none.
const WITH_EVENTS: u8 = 0x10;

/// A ciphertext that is to be sent. It stays in the outbox until [`Device::mark_sent`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// Names it in the outbox.
    pub id: RowKey,
    /// The contact it is for.
    pub contact: String,
    /// What to send, over any transport.
    pub message: Vec<u8>,
}

/// A message that was opened. It stays in the inbox until [`Device::acknowledge`], also when it only brings events.
#[non_exhaustive]
#[must_use]
pub struct Incoming {
    /// Names it in the inbox.
    pub id: RowKey,
    /// The contact it came from.
    pub contact: String,
    /// The authenticated author.
    pub author: Peer,
    /// How far the author's identity is trusted.
    pub trust: Trust,
    /// What happened besides; kept in the inbox with the message. (Rows that schema 2 has left have none.)
    pub events: Vec<Event>,
    content: Option<Zeroizing<Vec<u8>>>,
}

/// Choices of a sender that have good defaults.
#[derive(Clone, Copy, Default, Debug)]
pub struct SendOptions<'a> {
    /// How the length is hidden.
    pub padding: Padding,
    /// Authenticated and not sent: the receiver must give the same.
    pub ad: &'a [u8],
    /// Codewords in each message, should this start a session.
    pub slots: Slots,
}

impl Incoming {
    /// The plaintext; none for a message that only resets a session, or when an event says why.
    pub fn plaintext(&self) -> Option<&[u8]> {
        self.content.as_ref().map(|content| content.as_slice())
    }

    pub(crate) fn new(id: RowKey, record: &Record, received: marline::Received) -> Self {
        let content = received
            .opened
            .map(|opened| Zeroizing::new(opened.into_parts().1));
        Self {
            id,
            contact: record.name.clone(),
            author: received.author,
            trust: received.trust,
            events: received.events,
            content,
        }
    }

    /// The inbox row: `number`, contact, author, trust, events, whether there is a plaintext, plaintext.
    pub(crate) fn to_row(&self, number: u64) -> Zeroizing<Vec<u8>> {
        let mut told = Writer::new();
        events::write(&self.events, &mut told);
        let told = told.into_bytes();
        let content = self.plaintext().unwrap_or_default();
        let subject = self.author.subject.as_bytes();
        let mut out = Writer::with_capacity(
            58 + self.contact.len() + subject.len() + told.len() + content.len(),
        );
        out.u64(number);
        out.block(self.contact.as_bytes());
        out.bytes(self.author.identity.as_bytes());
        out.block(subject);
        out.u8(WITH_EVENTS
            | match self.trust {
                Trust::Verified => 0,
                Trust::Unverified => 1,
                Trust::Other => 2,
            });
        out.block(&told);
        out.u8(self.content.is_some().into());
        out.bytes(content);
        out.into_bytes()
    }

    pub(crate) fn from_row(id: RowKey, row: &[u8]) -> Result<(u64, Self)> {
        let mut input = Reader::new(row);
        let number = input.u64()?;
        let contact = input.text()?;
        let identity = marline::IdentityId::from_bytes(input.array()?);
        let subject = Subject::new(input.block()?).map_err(|_| Error::Corrupt)?;
        let trust = input.u8()?;
        let has_events = trust & WITH_EVENTS != 0;
        let trust = match trust & !WITH_EVENTS {
            0 => Trust::Verified,
            1 => Trust::Unverified,
            2 => Trust::Other,
            _ => return Err(Error::Corrupt),
        };
        let (events, has_content) = if has_events {
            (events::read(input.block()?)?, input.u8()? == 1)
        } else {
            (Vec::new(), true)
        };
        let content = Zeroizing::new(input.rest().to_vec());
        let incoming = Self {
            id,
            contact,
            author: Peer { identity, subject },
            trust,
            events,
            content: Some(content).filter(|_| has_content),
        };
        Ok((number, incoming))
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("contact", &self.contact)
            .field("trust", &self.trust)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl<S: Store> Device<S> {
    /// Encrypts for a contact with default options: [`Device::send_with`].
    ///
    /// # Errors
    /// As [`Device::send_with`].
    pub fn send(&mut self, contact: &str, plaintext: &[u8], now: u64) -> Result<Outgoing> {
        self.send_with(contact, plaintext, SendOptions::default(), now)
    }

    /// Encrypts for a contact, starting a session from the contact's bundle when there is none. State and ciphertext
    /// are committed when it returns.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`marline::Error::NoSession`]: add a bundle; [`marline::Error::IdentityChanged`]: the user has to
    /// decide; [`marline::Error::AgreementFailed`]: [`Device::reset`]; [`marline::Error::Limit`]: above 16 MiB − 9 bytes;
    /// [`marline::Error::Expired`], [`marline::Error::Rollback`] for the bundle; storage errors. Nothing has changed then.
    pub fn send_with(
        &mut self,
        contact: &str,
        plaintext: &[u8],
        options: SendOptions<'_>,
        now: u64,
    ) -> Result<Outgoing> {
        self.change(|change| change.send(contact, plaintext, options, now))
    }

    /// Encrypts several messages, each a contact's name and a plaintext, in the order given and in one transaction: one
    /// wait for the disk instead of one for each. State and all ciphertexts are committed when it returns.
    ///
    /// # Errors
    /// As [`Device::send_with`], when one message cannot be sent. Nothing has changed then, and none was sent.
    pub fn send_many(
        &mut self,
        messages: &[(&str, &[u8])],
        options: SendOptions<'_>,
        now: u64,
    ) -> Result<Vec<Outgoing>> {
        self.change(|change| {
            let sent = messages
                .iter()
                .map(|(contact, plaintext)| change.send(contact, plaintext, options, now));
            sent.collect()
        })
    }

    /// Gives up the session with a contact and starts another from its bundle; the message tells the peer so. At most
    /// one in an hour.
    ///
    /// # Errors
    /// [`marline::Error::NoSession`] without a bundle; [`marline::Error::Limit`] within an hour; those of
    /// [`Device::send_with`]. Nothing has changed then.
    pub fn reset(&mut self, contact: &str, now: u64) -> Result<Outgoing> {
        let rng = &mut getrandom::SysRng;
        self.change(|change| {
            let mut record = change.named(contact)?;
            let options = SendOptions::default();
            let message =
                change.with_bundle(&mut record, options, |contact, account, bundle, options| {
                    contact.reset(account, bundle, options, now, rng)
                })?;
            change.release(&record, message)
        })
    }

    /// The message is with the transport: it leaves the outbox with the next change or [`Device::flush`]. A crash before
    /// that means it is sent twice, which the receiver ignores. An id that is not in the outbox does nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn mark_sent(&mut self, id: RowKey) -> Result<()> {
        self.finish(Kind::Outbox, id);
        Ok(())
    }

    /// The application has what it needs of a message, its plaintext and its events: it leaves the inbox with the next change or
    /// [`Device::flush`]. An id that is not in the inbox does nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn acknowledge(&mut self, id: RowKey) -> Result<()> {
        self.finish(Kind::Inbox, id);
        Ok(())
    }

    /// Ciphertexts not marked as sent, oldest first.
    ///
    /// # Errors
    /// Storage errors.
    pub fn outbox(&mut self) -> Result<Vec<Outgoing>> {
        self.waiting(Kind::Outbox, |id, row| {
            let mut input = Reader::new(row);
            let (number, contact) = (input.u64()?, input.text()?);
            let message = input.rest().to_vec();
            Ok((
                number,
                Outgoing {
                    id,
                    contact,
                    message,
                },
            ))
        })
    }

    /// Messages not acknowledged, oldest first.
    ///
    /// # Errors
    /// Storage errors.
    pub fn inbox(&mut self) -> Result<Vec<Incoming>> {
        self.waiting(Kind::Inbox, Incoming::from_row)
    }

    fn waiting<R>(
        &mut self,
        kind: Kind,
        read: impl Fn(RowKey, &[u8]) -> Result<(u64, R)>,
    ) -> Result<Vec<R>> {
        let mut rows = self.view(|view| {
            let mut rows = Vec::new();
            for key in view.tx.keys(kind)? {
                let (_, row) = view
                    .vault
                    .get(&view.tx, kind, &key)?
                    .ok_or(Error::Corrupt)?;
                rows.push((key, read(key, &row)?));
            }
            Ok(rows)
        })?;
        rows.retain(|(key, _)| !self.is_finished(kind, key));
        rows.sort_by_key(|(_, (number, _))| *number);
        Ok(rows.into_iter().map(|(_, (_, row))| row).collect())
    }
}

impl<T: Transaction> Change<'_, T> {
    /// Encrypts for a contact; the caller's commit releases it.
    fn send(
        &mut self,
        contact: &str,
        plaintext: &[u8],
        options: SendOptions<'_>,
        now: u64,
    ) -> Result<Outgoing> {
        let rng = &mut getrandom::SysRng;
        let mut record = self.named(contact)?;
        let SendOptions { padding, ad, .. } = options;
        let message = match record.contact.send_with(plaintext, ad, padding, rng) {
            Err(marline::Error::NoSession) => {
                self.with_bundle(&mut record, options, |contact, account, bundle, options| {
                    contact.initiate(account, bundle, plaintext, options, now, rng)
                })?
            }
            other => other?,
        };
        self.release(&record, message)
    }

    /// Starts a session with the bundle at hand, which is used up.
    fn with_bundle(
        &mut self,
        record: &mut Record,
        options: SendOptions<'_>,
        start: impl FnOnce(
            &mut marline::Contact,
            &mut marline::Account,
            &PrekeyBundle,
            InitiateOptions<'_>,
        ) -> marline::Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let bundle = record.bundle.take().ok_or(marline::Error::NoSession)?;
        let bundle = PrekeyBundle::from_bytes(&bundle).map_err(|_| Error::Corrupt)?;
        let (over, mut account) = self.account()?;
        let SendOptions { padding, ad, slots } = options;
        let options = InitiateOptions { slots, padding, ad };
        let message = start(&mut record.contact, &mut account, &bundle, options)?;
        self.put_account(over, &account)?;
        Ok(message)
    }

    /// Writes the contact's new state and the ciphertext; the caller's commit releases both.
    fn release(&mut self, record: &Record, message: Vec<u8>) -> Result<Outgoing> {
        self.put_record(record)?;
        let number = self.next_number();
        let id = self.vault.key(Kind::Outbox, &number.to_be_bytes())?;
        let mut row = Writer::with_capacity(12 + record.name.len() + message.len());
        row.u64(number);
        row.block(record.name.as_bytes());
        row.bytes(&message);
        self.vault
            .put(&mut self.tx, Kind::Outbox, &id, 0, &row.into_bytes())?;
        Ok(Outgoing {
            id,
            contact: record.name.clone(),
            message,
        })
    }
}
