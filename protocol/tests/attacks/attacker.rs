//! A malicious peer: it holds the keys of a session like anybody who ends it, and builds from them messages that
//! no honest device sends. By the specification (sections 5 and 6), on [`super::notation`].

use marline::Session;

use super::notation::*;
use super::structures::*;

/// A header as it is on the wire, so that it can say anything.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    pub dh: Key,
    pub pn: u32,
    pub n: u32,
    pub pq_n: u32,
    pub epoch: u32,
    pub kind: u8,
    pub index: u16,
    pub codewords: Vec<u8>,
}

impl Header {
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.dh.to_vec();
        for number in [self.pn, self.n, self.pq_n, self.epoch] {
            number.put(&mut out);
        }
        (self.kind).put(&mut out);
        (self.index).put(&mut out);
        out.extend_from_slice(&self.codewords);
        out
    }

    pub fn parse(mut bytes: &[u8]) -> Self {
        let input = &mut bytes;
        Self {
            dh: Wire::take(input),
            pn: Wire::take(input),
            n: Wire::take(input),
            pq_n: Wire::take(input),
            epoch: Wire::take(input),
            kind: Wire::take(input),
            index: Wire::take(input),
            codewords: input.to_vec(),
        }
    }

    /// Carries an object, cut or filled to the header's codewords, from index 0.
    pub fn carry(&mut self, kind: u8, object: &[u8]) {
        self.kind = kind;
        let length = self.codewords.len();
        self.codewords = object.to_vec();
        self.codewords.resize(length, 0);
    }
}

/// One end of a session, by the specification.
#[derive(Clone)]
pub struct Attacker {
    pub state: SessionState,
    nonce: u32,
}

/// `Hello` and its padding.
pub const BODY: &[u8] = b"forged\x80\0";

impl Attacker {
    pub fn new(state: SessionState) -> Self {
        Self { state, nonce: 0 }
    }

    /// The attacker is this session's owner, or stole it.
    pub fn of(session: &Session) -> Self {
        Self::new(SessionState::parse(&session.to_state()))
    }

    /// The DH step of section 5.2; the new chain key.
    fn dh_step(&mut self, secret: &Key, peer: &Key) -> (Key, Key) {
        let prk = extract(&self.state.double.root, &[&x25519(secret, peer)]);
        let [root, chain, next_header] = expand(&prk, "dh root", &self.state.session_id);
        self.state.double.root = root;
        (chain, next_header)
    }

    /// Takes the sending step with this ratchet secret, if it is our turn.
    pub fn step(&mut self, secret: Key) -> &mut Self {
        if let Turn::Step { peer } = self.state.double.turn.clone() {
            let (chain, next_header) = self.dh_step(&secret, &peer);
            let double = &mut self.state.double;
            let header_key = std::mem::replace(&mut double.next_send, next_header);
            double.turn = Turn::Sending {
                secret,
                public: x25519_public(&secret),
                chain: SendingChain {
                    header_key,
                    chain,
                    n: 0,
                },
            };
        }
        self
    }

    pub fn sending(&mut self) -> &mut SendingChain {
        match &mut self.state.double.turn {
            Turn::Sending { chain, .. } => chain,
            other => panic!("{other:?}"),
        }
    }

    /// The post-quantum sending chain of `epoch`.
    pub fn pq_sending(&mut self, epoch: u32) -> &mut PqSending {
        let sparse = &mut self.state.sparse;
        let mut kept = [Some(&mut sparse.current), sparse.previous.as_mut()]
            .into_iter()
            .flatten();
        kept.find(|chains| chains.epoch == epoch)
            .unwrap()
            .send
            .as_mut()
            .unwrap()
    }

    /// What an honest device would send next, without codewords.
    pub fn header(&mut self) -> Header {
        let epoch = self.state.scka.epoch;
        let (n, pq_n) = (self.sending().n, self.pq_sending(epoch - 1).n);
        let dh = match &self.state.double.turn {
            Turn::Sending { public, .. } => *public,
            other => panic!("{other:?}"),
        };
        let codewords = vec![0; 32 * usize::from(self.state.slots)];
        let pn = self.state.double.previous;
        Header {
            dh,
            pn,
            n,
            pq_n,
            epoch,
            kind: 0,
            index: 0,
            codewords,
        }
    }

    /// Takes one step of both sending chains: header key and the two message keys.
    pub fn keys(&mut self, epoch: u32) -> (Key, Key, Key) {
        let chain = self.sending();
        let header_key = chain.header_key;
        let ec;
        (chain.chain, ec) = prf_pair("dh chain", &[&chain.chain]);
        chain.n += 1;
        let chain = self.pq_sending(epoch);
        let pq;
        (chain.key, pq) = prf_pair("pq chain", &[&chain.key, &chain.n.to_be_bytes()]);
        chain.n += 1;
        (header_key, ec, pq)
    }

    /// Lets `count` messages be lost.
    pub fn lose(&mut self, count: usize) -> &mut Self {
        let epoch = self.state.scka.epoch - 1;
        for _ in 0..count {
            self.keys(epoch);
        }
        self
    }

    /// `mk`.
    pub fn message_key(&self, ec: &Key, pq: &Key) -> Key {
        prf(
            "message",
            &[pq, ec, &self.state.session_id, &[self.state.role]],
        )
    }

    /// The message of this header, under the keys of the next honest one.
    pub fn send(&mut self, header: &Header) -> Vec<u8> {
        self.send_padded(header, BODY)
    }

    /// The same with another padded plaintext.
    pub fn send_padded(&mut self, header: &Header, padded: &[u8]) -> Vec<u8> {
        let epoch = self.state.scka.epoch - 1;
        let (header_key, ec, pq) = self.keys(epoch);
        let mk = self.message_key(&ec, &pq);
        self.seal(&header_key, &mk, header, padded)
    }

    /// A message of any header under any keys.
    pub fn seal(&mut self, header_key: &Key, mk: &Key, header: &Header, padded: &[u8]) -> Vec<u8> {
        self.nonce += 1;
        let mut nonce = [0xa7; 12];
        nonce[..4].copy_from_slice(&self.nonce.to_be_bytes());
        let ad = [&[1, 2], self.state.session_id.as_slice()].concat();
        let mut out = [&[1, 2], nonce.as_slice()].concat();
        out.extend(seal(header_key, &nonce, &ad, &header.bytes()));
        let ad = [&out, self.state.th.as_slice(), &[self.state.role]].concat();
        out.extend(seal(mk, &nonce, &ad, padded));
        out
    }

    /// The header of an honest message to us.
    pub fn open_header(&self, header_key: &Key, message: &[u8]) -> Option<Header> {
        let body = 14 + 67 + 32 * usize::from(self.state.slots);
        let nonce = message[2..14].try_into().unwrap();
        let ad = [&[1, 2], self.state.session_id.as_slice()].concat();
        let header = open(header_key, nonce, &ad, &message[14..body])?;
        Some(Header::parse(&header))
    }

    /// The padded plaintext of a message that the other side sent.
    pub fn open_body(&self, mk: &Key, message: &[u8]) -> Option<Vec<u8>> {
        let (before, body) = message.split_at(14 + 67 + 32 * usize::from(self.state.slots));
        let nonce = message[2..14].try_into().unwrap();
        let ad = [before, self.state.th.as_slice(), &[1 - self.state.role]].concat();
        open(mk, nonce, &ad, body)
    }

    /// A key object of section 6.3 with a valid MAC, whatever `ek` is.
    pub fn key_object(&self, ek: &[u8]) -> Vec<u8> {
        let scka = &self.state.scka;
        let mac: Key = prf("mac key", &[&scka.auth_mac, &scka.epoch.to_be_bytes(), ek]);
        [ek, &mac].concat()
    }
}
