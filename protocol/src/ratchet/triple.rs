//! The Triple Ratchet (spec sections 5.4 to 5.6): both ratchets in every message key.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::Role;
use super::chain::JumpBudget;
use super::double::DoubleRatchet;
use super::scka::{ChunkedKem, Scka};
use super::sparse::SparseRatchet;
use crate::crypto::aead::{self, TAG_LEN};
use crate::crypto::dh::{PublicKey, SecretKey};
use crate::crypto::hash::{Hash, prf};
use crate::declassify::declassify;
use crate::error::{Error, Result};
use crate::labels;
use crate::limits::{MAX_JUMP, VERSION};
use crate::secret::{Secret, Wiped, random_bytes};
use crate::wire::codec::{Decode, Encode, Reader, Sink};
use crate::wire::message::{Header, Parts, Slots, TYPE_MESSAGE, prefix};
use crate::wire::padding::{Padding, unpadded_len};

/// What stays the same for a whole conversation.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) role: Role,
    pub(crate) slots: Slots,
    pub(crate) session_id: Hash,
    pub(crate) th: Hash,
}

/// The secrets of a handshake that start the ratchets.
pub(crate) struct Start {
    pub(crate) ec: Secret<32>,
    pub(crate) pq: Secret<32>,
    /// `HK_i2r`, `HK_r2i`.
    pub(crate) header_keys: [Secret<32>; 2],
}

/// Both ratchets and the key agreement of one session.
pub(crate) struct TripleRatchet {
    context: Context,
    double: DoubleRatchet,
    sparse: SparseRatchet,
    scka: ChunkedKem,
    /// Messages both ways since the newest epoch key.
    since_epoch: u32,
}

impl TripleRatchet {
    /// The initiator's ratchet; `peer` is the responder's signed X25519 prekey.
    pub(crate) fn initiator(context: Context, start: Start, peer: PublicKey) -> Self {
        let double = DoubleRatchet::initiator(start.ec, start.header_keys, peer);
        Self::new(context, &start.pq, double)
    }

    /// The responder's ratchet; `own` is the signed X25519 prekey's secret.
    pub(crate) fn responder(context: Context, start: Start, own: SecretKey) -> Self {
        let double = DoubleRatchet::responder(start.ec, start.header_keys, own);
        Self::new(context, &start.pq, double)
    }

    fn new(context: Context, pq: &Secret<32>, double: DoubleRatchet) -> Self {
        let Context {
            role,
            slots,
            session_id,
            th,
        } = context;
        let (sparse, authenticator) = SparseRatchet::start(role, pq, &th);
        let scka = ChunkedKem::new(session_id, slots, role, authenticator);
        Self {
            context,
            double,
            sparse,
            scka,
            since_epoch: 0,
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The newest completed post-quantum epoch.
    pub(crate) fn epoch(&self) -> u32 {
        self.sparse.epoch()
    }

    /// Messages sent and received since that epoch's key.
    pub(crate) fn since_epoch(&self) -> u32 {
        self.since_epoch
    }

    /// Skipped keys held: classical, post-quantum.
    pub(crate) fn skipped(&self) -> (usize, usize) {
        (self.double.skipped_len(), self.sparse.skipped_len())
    }

    /// Appends one message of at most 16 MiB to `out`. All draws and checks come before the first change (section 5.5).
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Randomness`], [`Error::Malformed`] for a peer's key that does not contribute.
    pub(crate) fn encrypt<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        ad: &[u8],
        padding: Padding,
        out: &mut Vec<u8>,
        rng: &mut R,
    ) -> Result<()> {
        self.double.check_send()?;
        self.sparse.check_send(self.scka.sending_epoch())?;
        let nonce = random_bytes(rng)?;
        let step = self.double.prepare_send(&self.context.session_id, rng)?;
        let sent = self.scka.send(rng)?;

        if let Some(output) = &sent.output {
            self.sparse.add_epoch(output);
            self.since_epoch = 0;
        }
        self.since_epoch = self.since_epoch.saturating_add(1);
        let ec = self.double.send(step).ok_or(Error::Limit)?;
        let (pq_n, pq_key) = self.sparse.send(sent.sending_epoch).ok_or(Error::Limit)?;
        let header = Header {
            dh: ec.dh,
            pn: ec.pn,
            n: ec.n,
            pq_n,
            piece: sent.piece,
        };
        let direction = self.context.role.sends();
        let key = message_key(&pq_key, &ec.key, &self.context.session_id, direction);

        let start = out.len();
        let body_start = self.context.slots.body_start();
        out.reserve_exact(body_start + padding.padded_len(plaintext.len()) + TAG_LEN);
        out.extend_from_slice(&prefix(&nonce));
        let header_start = out.len();
        header.encode(out);
        aead::seal(
            ec.header_key,
            &nonce,
            &self.context.header_ad(),
            out,
            header_start,
        )?;
        let before_body = out.get(start..).unwrap_or_default();
        let body_ad = self.context.body_ad(before_body, direction, ad);
        let body_start = out.len();
        padding.pad(plaintext, out);
        aead::seal(&key, &nonce, &body_ad, out, body_start)
    }

    /// Opens one message. Every error but [`Error::AgreementFailed`] leaves everything as it was (section 5.6).
    ///
    /// # Errors
    /// Those of section 5.6.
    pub(crate) fn decrypt(&mut self, message: &[u8], ad: &[u8]) -> Result<Wiped> {
        let context = self.context;
        let parts = Parts::from_bytes(message, context.slots)?;
        let (opened, header) = self.double.open_header(&parts, &context.header_ad())?;
        let (ec_key, ec_change) = self.double.plan(
            opened,
            &header,
            &context.session_id,
            &mut JumpBudget(MAX_JUMP),
        )?;
        let epoch = header.piece.epoch.saturating_sub(1);
        let (pq_key, pq_change) =
            self.sparse
                .plan(epoch, header.pq_n, &mut JumpBudget(MAX_JUMP))?;

        let direction = context.role.receives();
        let key = message_key(&pq_key, &ec_key, &context.session_id, direction);
        let mut body = Wiped::new(parts.body_ct.to_vec());
        let body_ad = context.body_ad(parts.before_body, direction, ad);
        aead::open(&key, parts.nonce, &body_ad, &mut body)?;
        let length = unpadded_len(&body)?;
        declassify(&mut body, "an authentic plaintext");

        self.double.apply(ec_change);
        self.sparse.apply(pq_change);
        match self.scka.receive(&header.piece)? {
            Some(output) => {
                self.sparse.add_epoch(&output);
                self.since_epoch = 0;
            }
            None => self.since_epoch = self.since_epoch.saturating_add(1),
        }
        body.truncate(length);
        Ok(body)
    }

    /// Whether no header key opens the message's header, as for everything that the peer did not make.
    pub(crate) fn is_forged(&self, message: &[u8]) -> bool {
        let opened = Parts::from_bytes(message, self.context.slots)
            .and_then(|parts| self.double.open_header(&parts, &self.context.header_ad()));
        matches!(opened, Err(Error::Authentication))
    }

    /// Dates skipped keys and deletes those of 30 days.
    pub(crate) fn maintain(&mut self, now: u64) {
        self.double.maintain(now);
        self.sparse.maintain(now);
    }

    /// Takes the classical ratchet of another copy of this conversation.
    #[cfg(feature = "hazmat")]
    pub(crate) fn take_classical(&mut self, other: Self) {
        self.double = other.double;
    }

    /// Reads the state of a conversation with this context.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn decode(
        input: &mut Reader<'_>,
        context: Context,
        since_epoch: u32,
    ) -> Result<Self> {
        let double = DoubleRatchet::decode(input)?;
        let sparse = SparseRatchet::decode(input, context.role)?;
        let scka = ChunkedKem::decode(input, context.session_id, context.slots)?;
        let fits = double.check()
            && scka.check(context.role)
            && scka.newest_key() == sparse.epoch()
            && sparse.check_epoch(scka.sending_epoch());
        if fits {
            Ok(Self {
                context,
                double,
                sparse,
                scka,
                since_epoch,
            })
        } else {
            Err(Error::Malformed)
        }
    }
}

impl Encode for TripleRatchet {
    fn encode(&self, out: &mut impl Sink) {
        self.double.encode(out);
        self.sparse.encode(out);
        self.scka.encode(out);
    }
}

impl Context {
    /// `version ‖ type ‖ session_id`.
    fn header_ad(&self) -> [u8; 34] {
        let mut ad = [0; 34];
        // In two pieces, not byte by byte: this is done for every message.
        let (start, session_id) = ad.split_at_mut(2);
        start.copy_from_slice(&[VERSION, TYPE_MESSAGE]);
        session_id.copy_from_slice(&self.session_id);
        ad
    }

    /// `every byte of the Message before body_ct ‖ th ‖ direction ‖ application AD`.
    fn body_ad(&self, before_body: &[u8], direction: u8, ad: &[u8]) -> Vec<u8> {
        [before_body, &self.th, &[direction], ad].concat()
    }
}

/// `mk = PRF("message", 32; pq_mk, ec_mk, session_id, direction)`.
fn message_key(pq: &Secret<32>, ec: &Secret<32>, session_id: &Hash, direction: u8) -> Secret<32> {
    prf(
        labels::MESSAGE,
        &[pq.expose(), ec.expose(), session_id, &[direction]],
    )
}
