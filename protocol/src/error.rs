//! Errors (spec section 9): one enum, each variant named for what the caller does about it.

/// Result with this crate's [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

/// Everything that can go wrong. No variant carries a secret or text from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Forged, corrupt, or meant for somebody else: drop it. One error for all such failures.
    #[error("authentication failed")]
    Authentication,
    /// Delivered before: ignore it.
    #[error("already delivered")]
    Duplicate,
    /// The message's key is gone (evicted, expired, or of a retired epoch): the message is lost.
    #[error("too old: the key is no longer kept")]
    TooOld,
    /// The message jumps over more keys than the limit allows: drop it.
    #[error("too far ahead")]
    TooFarAhead,
    /// The prekeys a handshake names are not here (any more): the peer needs a fresh bundle.
    #[error("unknown prekey")]
    UnknownPrekey,
    /// The one-time prekey a handshake names was used before: the peer needs a fresh bundle.
    #[error("one-time prekey already used")]
    PrekeyUsed,
    /// The bundle is outside its validity window: fetch a fresh one (and check the clock).
    #[error("outside the validity window")]
    Expired,
    /// Older than something seen before: a restored backup, or an attack.
    #[error("rollback: older than what was seen before")]
    Rollback,
    /// The peer shows another identity than before: show the user.
    #[error("the peer's identity changed")]
    IdentityChanged,
    /// A handshake with oneself was refused.
    #[error("own identity")]
    OwnIdentity,
    /// There is no session for this: start one from a bundle, or accept the initial message.
    #[error("no session")]
    NoSession,
    /// The post-quantum agreement broke and the session has ended: start a new one.
    #[error("post-quantum agreement failed, the session has ended")]
    AgreementFailed,
    /// Another protocol version: upgrade.
    #[error("unsupported version")]
    Version,
    /// Not a valid encoding: drop it.
    #[error("malformed")]
    Malformed,
    /// A stated limit (spec section 7) is reached.
    #[error("limit reached")]
    Limit,
    /// The random number generator failed; nothing was changed.
    #[error("randomness failed")]
    Randomness,
    /// The external signer cannot or will not sign, or its signature does not verify; nothing was changed.
    #[error("the signer failed")]
    Signer,
    /// A prepared change belongs to an older state: prepare again.
    #[error("stale: the state has moved on")]
    Stale,
}
