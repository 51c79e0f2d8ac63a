//! What is to be signed: noted by a first run of an operation, taken up by a second one.

use std::sync::{Arc, Mutex, PoisonError};

use marline::{
    Account, Contact, Error, External, HybridSignature, IdentityKey, InitiateOptions, Padding,
    PrekeyBundle, Publication, Session, Signer, SigningInput, Slots,
};
use zeroize::Zeroizing;

use crate::account::AnyAccount;
use crate::status::{MARLINE_ERR_ARGUMENT, MARLINE_ERR_INTERNAL, MARLINE_ERR_SPENT, Status, of};
use crate::tape::Tape;

/// What is behind a signing handle.
pub struct Signing {
    /// None when it is spent.
    request: Option<Request>,
    input: Vec<u8>,
    tape: Tape,
}

/// What a signature is asked for.
pub(super) enum Request {
    Publish { count: u16, now: u64 },
    Initiate(First),
    ContactInitiate(First),
    ContactReset(First),
}

/// What a first message is made of.
pub(super) struct First {
    pub(super) bundle: PrekeyBundle,
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    pub(super) ad: Vec<u8>,
    pub(super) slots: Slots,
    pub(super) padding: Padding,
    pub(super) now: u64,
}

/// What comes of a request.
pub(super) enum Done {
    Published(Box<Publication>),
    Started(Session, Vec<u8>),
    Message(Vec<u8>),
}

/// The signer of an account whose secret is elsewhere: what it does is on the desk.
pub struct Remote {
    identity: IdentityKey,
    desk: Desk,
}

/// Shared by an account's handle and the signer inside of the account, which has no other way to it. Never contended: both are
/// used by one exclusive call at a time.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Turn>>);

/// What the signer is to do.
#[derive(Default)]
enum Turn {
    /// Refuse.
    #[default]
    Idle,
    /// Note what there is to sign, and refuse.
    Ask(Vec<u8>),
    /// Give this signature, if these are the bytes to sign.
    Answer(Vec<u8>, HybridSignature),
}

impl Remote {
    pub(super) fn new(identity: IdentityKey) -> Self {
        Self {
            identity,
            desk: Desk::default(),
        }
    }

    pub(super) fn desk(&self) -> Desk {
        self.desk.clone()
    }
}

impl Desk {
    fn swap(&self, turn: Turn) -> Turn {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, turn)
    }
}

impl Signer for Remote {
    fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    fn sign(&self, input: &SigningInput, _: &[u8; 32]) -> marline::Result<HybridSignature> {
        let mut turn = self.desk.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *turn {
            Turn::Idle => Err(Error::Signer),
            Turn::Ask(asked) => {
                *asked = input.as_bytes().to_vec();
                Err(Error::Signer)
            }
            Turn::Answer(asked, signature) if asked == input.as_bytes() => Ok(signature.clone()),
            Turn::Answer(..) => Err(Error::Stale),
        }
    }
}

impl Request {
    fn run(
        &self,
        account: &mut Account<External<Remote>>,
        contact: Option<&mut Contact>,
        rng: &mut Tape,
    ) -> marline::Result<Done> {
        match (self, contact) {
            (Self::Publish { count, now }, None) => {
                let publication = account.publish(*count, *now, rng)?;
                Ok(Done::Published(Box::new(publication)))
            }
            (Self::Initiate(first), None) => {
                let (bundle, plaintext, options) = first.parts();
                let started = account.initiate_with(bundle, plaintext, options, first.now, rng)?;
                Ok(Done::Started(started.0, started.1))
            }
            (Self::ContactInitiate(first), Some(contact)) => {
                let (bundle, plaintext, options) = first.parts();
                let message =
                    contact.initiate(account, bundle, plaintext, options, first.now, rng)?;
                Ok(Done::Message(message))
            }
            (Self::ContactReset(first), Some(contact)) => {
                let (bundle, _, options) = first.parts();
                let message = contact.reset(account, bundle, options, first.now, rng)?;
                Ok(Done::Message(message))
            }
            _ => Err(Error::Stale),
        }
    }
}

impl First {
    fn parts(&self) -> (&PrekeyBundle, &[u8], InitiateOptions<'_>) {
        let (slots, padding, ad) = (self.slots, self.padding, self.ad.as_slice());
        let options = InitiateOptions { slots, padding, ad };
        (&self.bundle, &self.plaintext, options)
    }
}

impl Signing {
    /// The bytes to sign.
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }

    /// What it was prepared for, until it is spent.
    pub(super) fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// Runs a request up to the signature. Nothing has changed then.
    pub(super) fn ask(
        account: &mut AnyAccount,
        contact: Option<&mut Contact>,
        request: Request,
    ) -> Result<Self, Status> {
        let AnyAccount::External(account, desk) = account else {
            return Err(MARLINE_ERR_ARGUMENT);
        };
        let mut tape = Tape::default();
        desk.swap(Turn::Ask(Vec::new()));
        let outcome = request.run(account, contact, &mut tape);
        match (outcome, desk.swap(Turn::Idle)) {
            (Err(Error::Signer), Turn::Ask(input)) if !input.is_empty() => Ok(Self {
                request: Some(request),
                input,
                tape,
            }),
            (Err(error), _) => Err(of(error)),
            // Without a signature there is no result.
            (Ok(_), _) => Err(MARLINE_ERR_INTERNAL),
        }
    }

    /// Runs the request again, with the signature. It is spent when that succeeds.
    pub(super) fn answer(
        &mut self,
        account: &mut AnyAccount,
        contact: Option<&mut Contact>,
        signature: HybridSignature,
    ) -> Result<Done, Status> {
        let AnyAccount::External(account, desk) = account else {
            return Err(MARLINE_ERR_ARGUMENT);
        };
        let request = self.request.as_ref().ok_or(MARLINE_ERR_SPENT)?;
        self.tape.rewind();
        desk.swap(Turn::Answer(self.input.clone(), signature));
        let outcome = request.run(account, contact, &mut self.tape);
        desk.swap(Turn::Idle);
        let done = outcome.map_err(of)?;
        self.request = None;
        self.tape = Tape::default();
        Ok(done)
    }
}
