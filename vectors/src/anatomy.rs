//! The states of section 8 read from the text a second time, for what the library rightly does not show: secrets
//! for crafted messages, and the generations an account has seen.

use marline::Secret;
use marline::hazmat::codec::{Decode, Reader};
use marline::hazmat::hash::prf;
use marline::hazmat::labels;

use crate::driver::Sealing;
use crate::format::Outcome;

/// What a ContactState holds of its sessions.
pub struct ContactAnatomy {
    /// Whom messages are sent to.
    identity: [u8; 32],
    /// Rank and session, in their order.
    pub sessions: Vec<(u64, SessionAnatomy)>,
}

/// What a SessionState holds, as far as crafting needs it.
pub struct SessionAnatomy {
    /// The peer's identity_id.
    pub peer: [u8; 32],
    /// 0 initiator, 1 responder.
    pub role: u8,
    /// Codewords in each message.
    pub slots: u8,
    /// The session's id.
    pub session_id: [u8; 32],
    /// The handshake's transcript hash.
    pub th: [u8; 32],
    /// The exporter's secret.
    pub exporter_secret: [u8; 32],
    /// Root key of the classical ratchet.
    pub root: [u8; 32],
    /// `NHKs` and `NHKr`.
    pub next_header_keys: [[u8; 32]; 2],
    /// `PN`.
    pub previous: u32,
    /// The turn.
    pub turn: TurnAnatomy,
    /// Root key of the post-quantum ratchet.
    pub pq_root: [u8; 32],
    /// Sending chains of the post-quantum ratchet: epoch, key, number.
    pub pq_send: Vec<(u32, [u8; 32], u32)>,
    /// Epoch of the SCKA.
    pub epoch: u32,
    /// `auth_root` and `auth_mac` of the SCKA.
    pub authenticator: [[u8; 32]; 2],
    /// The encoded Scka.
    pub scka: Vec<u8>,
}

/// Whose turn it is.
pub enum TurnAnatomy {
    /// The peer's ratchet key.
    Step([u8; 32]),
    /// Own ratchet secret and public key, and the sending chain.
    Sending {
        /// The secret.
        secret: [u8; 32],
        /// Its public key.
        public: [u8; 32],
        /// Key of the headers.
        header_key: [u8; 32],
        /// Chain key.
        chain: [u8; 32],
        /// Number of the next message.
        n: u32,
    },
    /// The signed prekey's secret.
    Fresh([u8; 32]),
}

/// The header of a crafted message.
#[derive(Clone)]
pub struct Crafted {
    /// `dh`.
    pub dh: [u8; 32],
    /// `pn`.
    pub pn: u32,
    /// `n`.
    pub n: u32,
    /// `pq_n`.
    pub pq_n: u32,
    /// `epoch`.
    pub epoch: u32,
    /// `kind`.
    pub kind: u8,
    /// `index`.
    pub index: u16,
    /// `codewords`.
    pub codewords: Vec<u8>,
    /// The padded plaintext.
    pub padded: Vec<u8>,
}

fn bytes(r: &mut Reader<'_>) -> Outcome<[u8; 32]> {
    Ok(*r.array()?)
}

fn skip_keys(r: &mut Reader<'_>) -> Outcome<()> {
    u32::decode(r)?;
    let count = usize::from(u16::decode(r)?);
    r.take(count * 38)?;
    Ok(())
}

fn epoch_chains(r: &mut Reader<'_>, send: &mut Vec<(u32, [u8; 32], u32)>) -> Outcome<()> {
    let epoch = u32::decode(r)?;
    if bool::decode(r)? {
        send.push((epoch, bytes(r)?, u32::decode(r)?));
    }
    r.take(36)?;
    skip_keys(r)
}

impl ContactAnatomy {
    /// Reads a ContactState.
    ///
    /// # Errors
    /// Another form.
    pub fn read(state: &[u8]) -> Outcome<Self> {
        let r = &mut Reader::new(state);
        r.take(10)?;
        let identity = bytes(r)?;
        if bool::decode(r)? {
            r.take(32)?;
        }
        r.take(9)?;
        let count = u8::decode(r)?;
        let sessions = (0..count).map(|_| Ok((u64::decode(r)?, SessionAnatomy::read_from(r)?)));
        let sessions = sessions.collect::<Outcome<_>>()?;
        Ok(Self { identity, sessions })
    }

    /// The session that messages are sent on (M-CT-03).
    pub fn sending(&self) -> Option<&SessionAnatomy> {
        let sessions = self.sessions.iter().map(|(_, session)| session);
        sessions
            .into_iter()
            .find(|session| session.peer == self.identity)
    }
}

/// The encoded Scka.
fn scka(r: &mut Reader<'_>) -> Outcome<Vec<u8>> {
    let mut all = r.take(68)?.to_vec();
    let state = u8::decode(r)?;
    all.push(state);
    let fixed = match state {
        1 => 64 + 1216 + 2,
        2 => 64 + 32,
        4 => 1184,
        5 => 1120 + 2,
        _ => 0,
    };
    all.extend(r.take(fixed)?);
    if matches!(state, 2 | 3) {
        let count = u8::decode(r)?;
        all.push(count);
        all.extend(r.take(34 * usize::from(count))?);
    }
    Ok(all)
}

impl SessionAnatomy {
    /// Reads a SessionState.
    ///
    /// # Errors
    /// Another form.
    pub fn read(state: &[u8]) -> Outcome<Self> {
        Self::read_from(&mut Reader::new(state))
    }

    fn read_from(r: &mut Reader<'_>) -> Outcome<Self> {
        r.take(10)?;
        let (role, slots, _status) = (u8::decode(r)?, u8::decode(r)?, u8::decode(r)?);
        r.take(32)?;
        let peer = bytes(r)?;
        let subject = u8::decode(r)?;
        r.take(subject.into())?;
        let (session_id, th, exporter_secret) = (bytes(r)?, bytes(r)?, bytes(r)?);
        r.take(5)?;
        let opening = match u8::decode(r)? {
            0 => 0,
            1 => u16::decode(r)?.into(),
            _ => 64,
        };
        r.take(opening)?;
        let (root, next_header_keys, previous) =
            (bytes(r)?, [bytes(r)?, bytes(r)?], u32::decode(r)?);
        let turn = TurnAnatomy::read(r)?;
        if bool::decode(r)? {
            r.take(100)?;
            skip_keys(r)?;
        }
        for _ in 0..u8::decode(r)? {
            r.take(36)?;
            skip_keys(r)?;
        }
        let pq_root = bytes(r)?;
        let mut pq_send = Vec::new();
        epoch_chains(r, &mut pq_send)?;
        if bool::decode(r)? {
            epoch_chains(r, &mut pq_send)?;
        }
        let scka = scka(r)?;
        let r = &mut Reader::new(&scka);
        let (epoch, authenticator) = (u32::decode(r)?, [bytes(r)?, bytes(r)?]);
        Ok(Self {
            peer,
            role,
            slots,
            session_id,
            th,
            exporter_secret,
            root,
            next_header_keys,
            previous,
            turn,
            pq_root,
            pq_send,
            epoch,
            authenticator,
            scka: scka.clone(),
        })
    }

    /// What the next message draws (5.5), by name and length.
    pub fn draws(&self) -> Vec<(&'static str, usize)> {
        let mut draws = vec![("nonce", 12)];
        if matches!(self.turn, TurnAnatomy::Step(_)) {
            draws.push(("ratchet secret", 32));
        }
        match self.scka.get(68) {
            Some(0) => draws.push(("KEM seed", 64)),
            Some(4) => draws.push(("fresh encapsulation input", 32)),
            _ => {}
        }
        draws
    }

    /// The next message that this side could send, without codewords; `change` makes of it what nobody would send.
    ///
    /// # Errors
    /// When the state is not in turn Sending.
    pub fn craft(&self, nonce: [u8; 12], change: impl FnOnce(&mut Crafted)) -> Outcome<Vec<u8>> {
        let TurnAnatomy::Sending {
            public,
            header_key,
            chain,
            n,
            ..
        } = &self.turn
        else {
            return Err("crafting needs a sending chain".into());
        };
        let sending = self
            .pq_send
            .iter()
            .find(|(epoch, ..)| *epoch == self.epoch - 1);
        let (_, pq_chain, pq_n) = sending.ok_or("no post-quantum chain")?;
        let codewords = vec![0; 32 * usize::from(self.slots)];
        let (dh, pn, epoch) = (*public, self.previous, self.epoch);
        let mut crafted = Crafted {
            dh,
            pn,
            n: *n,
            pq_n: *pq_n,
            epoch,
            kind: 0,
            index: 0,
            codewords,
            padded: vec![0x80],
        };
        change(&mut crafted);
        let ec_mk = key_of(*chain, *n, crafted.n, |key, _| {
            prf(labels::DH_CHAIN, &[key])
        });
        let pq_mk = key_of(*pq_chain, *pq_n, crafted.pq_n, |key, n| {
            prf(labels::PQ_CHAIN, &[key, &n.to_be_bytes()])
        });
        let mk = prf(
            labels::MESSAGE,
            &[&pq_mk, &ec_mk, &self.session_id, &[self.role]],
        );
        let header_key = Secret::fill(|out| out.copy_from_slice(header_key));
        let (session_id, th, direction) = (self.session_id, self.th, self.role);
        let sealing = Sealing {
            header_key,
            mk,
            nonce,
            session_id,
            th,
            direction,
        };
        Ok(sealing.seal(&crafted.header(), &crafted.padded, &[])?)
    }
}

/// The key of message `n` on a chain whose next number is `from`. Beyond every allowed jump, and before
/// `from`, some key: nobody will get as far as to use it.
fn key_of(
    mut chain: [u8; 32],
    from: u32,
    n: u32,
    step: impl Fn(&[u8; 32], u32) -> Secret<64>,
) -> [u8; 32] {
    let last = if n > from.saturating_add(30_000) {
        from
    } else {
        n.max(from)
    };
    let mut key = [0; 32];
    for number in from..=last {
        let okm = step(&chain, number);
        let (next, message_key) = okm.expose().split_at(32);
        chain.copy_from_slice(next);
        key.copy_from_slice(message_key);
    }
    key
}

impl TurnAnatomy {
    fn read(r: &mut Reader<'_>) -> Outcome<Self> {
        Ok(match u8::decode(r)? {
            0 => Self::Step(bytes(r)?),
            1 => Self::Sending {
                secret: bytes(r)?,
                public: bytes(r)?,
                header_key: bytes(r)?,
                chain: bytes(r)?,
                n: u32::decode(r)?,
            },
            _ => Self::Fresh(bytes(r)?),
        })
    }
}

impl Crafted {
    /// The Header of section 5.4.
    pub fn header(&self) -> Vec<u8> {
        let numbers = [self.pn, self.n, self.pq_n, self.epoch]
            .map(u32::to_be_bytes)
            .concat();
        [
            &self.dh[..],
            &numbers,
            &[self.kind],
            &self.index.to_be_bytes(),
            &self.codewords,
        ]
        .concat()
    }
}

/// The highest generation an AccountState has seen from an identity, if any; `None` when it has another form.
pub fn generation_seen(state: &[u8], identity_id: &[u8; 32]) -> Option<Option<u64>> {
    // The list is the last field: entries of 40 bytes, a count before them. Reading from the front costs the
    // publications, whose lengths are their own.
    let r = &mut Reader::new(state);
    r.take(10).ok()?;
    let signer = if u8::decode(r).ok()? == 0 { 64 } else { 1985 };
    r.take(signer).ok()?;
    let subject = u8::decode(r).ok()?;
    r.take(subject.into()).ok()?;
    r.take(12).ok()?;
    for _ in 0..u8::decode(r).ok()? {
        r.take(8 + 8 + 2 + 32 + 132).ok()?;
        let onetime = usize::from(u16::decode(r).ok()?);
        r.take(132 * onetime).ok()?;
        let replay = usize::from(u16::decode(r).ok()?);
        r.take(32 * replay).ok()?;
    }
    let count = u32::decode(r).ok()?;
    let mut found = None;
    for _ in 0..count {
        let (id, generation) = (r.array::<32>().ok()?, u64::decode(r).ok()?);
        if id == identity_id {
            found = Some(generation);
        }
    }
    Some(found)
}
