//! Every number of the protocol with its reason (spec section 7).

/// The one protocol version.
pub const VERSION: u8 = 1;

/// Keys one message may jump over, in each ratchet. Only a header that the peer made can ask for this much
/// work: at most 50,000 hash calls, about 20 ms.
pub const MAX_JUMP: u32 = 25_000;
/// Skipped keys kept in each ratchet; bounds memory at about 77 bytes a message.
pub const MAX_SKIPPED: usize = 2_000;
/// Days a skipped key is kept.
pub const MAX_SKIPPED_DAYS: u16 = 30;
/// Retired receiving chains kept. Each costs one trial decryption per forged message.
pub const MAX_RETIRED: usize = 8;
/// Message, chain and epoch numbers stay below this; a session ends there.
pub const MAX_NUMBER: u32 = 1 << 31;
/// Bytes of plaintext in one message (16 MiB).
pub const MAX_PLAINTEXT: usize = 1 << 24;
/// Bytes of padded plaintext: the largest a padding choice can make of [`MAX_PLAINTEXT`].
pub const MAX_PADDED: usize = 1 << 25;
/// One-time prekeys in one manifest.
pub const MAX_ONE_TIME: u16 = 1_024;
/// Hashes in a Merkle path: the depth of a tree of [`MAX_ONE_TIME`] leaves.
pub const MAX_PATH: usize = 10;
/// Bytes of a subject.
pub const MAX_SUBJECT: usize = 255;
/// Publications whose private halves are kept.
pub const MAX_PUBLICATIONS: usize = 64;
/// Handshakes remembered per publication for those without a one-time prekey; fails closed.
pub const MAX_REPLAY: usize = 4_096;
/// Peers whose manifest generation is remembered.
pub const MAX_SEEN: usize = 1 << 20;
/// Bytes of one exported secret: what HKDF-Expand can give.
pub const MAX_EXPORT: usize = 255 * 32;

/// Sessions kept for receiving, besides the one a contact sends on.
pub const MAX_ARCHIVE: usize = 8;
/// Seconds between two resets of one contact: a forger must not make us burn prekeys, or the user blind to resets.
pub const RESET_PERIOD: u64 = 3_600;

/// Seconds a manifest is dated back, for peers whose clock is behind.
pub const CLOCK_SKEW: u64 = 3_600;
/// Seconds a manifest is valid: 28 days, so that a device may be offline that long.
pub const MANIFEST_LIFETIME: u64 = 28 * DAY;
/// Seconds private halves outlive their manifest, for first flights still on their way.
pub const DELETION_GRACE: u64 = 7 * DAY;
/// Seconds after which a device publishes again.
pub const ROTATION_PERIOD: u64 = 7 * DAY;
/// Replenish when fewer than one in this many one-time prekeys is left.
pub const REPLENISH_FRACTION: usize = 4;
/// Seconds in a day.
pub const DAY: u64 = 86_400;
