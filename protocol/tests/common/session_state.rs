//! A reader of session states, written from section 8.2 of the specification and not from the code: tests look
//! into a session with it, and change what no interface changes.

use std::ops::Range;

/// What tests want to know of a state, and where it stands.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Generation counter.
    pub generation: u64,
    /// 0 initiator, 1 responder.
    pub role: u8,
    /// 0 active, 1 failed.
    pub status: u8,
    /// Messages since the newest epoch key.
    pub since_epoch: u32,
    /// 0, 1 unanswered initiator, 2 responder.
    pub opening: u8,
    /// 0 Step, 1 Sending, 2 Fresh.
    pub turn: u8,
    /// The own ratchet public key, at turn Sending.
    pub own_public: Option<[u8; 32]>,
    /// The chain key and the next number of the sending chain, at turn Sending.
    pub sending: Option<([u8; 32], u32)>,
    /// `floor` and number of skipped keys of the current receiving chain, then of the retired ones.
    pub classical: Vec<(u32, usize)>,
    /// The same of the newest epoch's receiving chain, then of the one before.
    pub post_quantum: Vec<(u32, usize)>,
    /// Newest epoch whose key is known.
    pub newest_epoch: u32,
    /// Epoch of the agreement.
    pub scka_epoch: u32,
    /// State of the agreement: 0 Idle to 5 SendingCt.
    pub scka_state: u8,
    /// Where the agreement's state stands, after its tag byte.
    pub scka_rest: Range<usize>,
    /// Where the keys stand, 32 bytes each: all but the agreement's.
    pub secrets: Vec<usize>,
}

impl View {
    /// Reads a whole state; panics where it is not one.
    pub fn of(state: &[u8]) -> Self {
        let mut input = Cursor { state, at: 0 };
        let mut view = Self::default();
        assert_eq!(input.take(2), [1, 1]);
        view.generation = input.u64();
        view.role = input.u8();
        input.u8();
        view.status = input.u8();
        input.take(64);
        let subject = input.u8();
        input.take(usize::from(subject) + 64);
        view.secret(&mut input);
        assert!(input.u8() <= 1);
        view.since_epoch = input.u32();
        view.opening = input.u8();
        match view.opening {
            0 => {}
            1 => {
                let length = input.u16();
                input.take(length.into());
            }
            2 => {
                input.take(64);
            }
            other => panic!("opening {other}"),
        }
        view.double(&mut input);
        view.sparse(&mut input);
        view.scka_epoch = input.u32();
        input.take(64);
        view.scka_state = input.u8();
        view.scka_rest = input.at..state.len();
        view
    }

    fn double(&mut self, input: &mut Cursor<'_>) {
        for _ in ["root", "next sending", "next receiving"] {
            self.secret(input);
        }
        input.take(4);
        self.turn = input.u8();
        match self.turn {
            0 => {
                input.take(32);
            }
            1 => {
                self.secret(input);
                self.own_public = Some(input.array());
                self.secret(input);
                self.secrets.push(input.at);
                self.sending = Some((input.array(), input.u32()));
            }
            2 => self.secret(input),
            other => panic!("turn {other}"),
        }
        if input.u8() == 1 {
            input.take(32);
            self.secret(input);
            self.secret(input);
            input.take(4);
            let skipped = self.skipped(input);
            self.classical.push(skipped);
        }
        for _ in 0..input.u8() {
            self.secret(input);
            input.take(4);
            let skipped = self.skipped(input);
            self.classical.push(skipped);
        }
    }

    fn sparse(&mut self, input: &mut Cursor<'_>) {
        self.secret(input);
        for current in [true, false] {
            if current || input.u8() == 1 {
                let epoch = input.u32();
                if current {
                    self.newest_epoch = epoch;
                }
                if input.u8() == 1 {
                    self.secret(input);
                    input.take(4);
                }
                self.secret(input);
                input.take(4);
                let skipped = self.skipped(input);
                self.post_quantum.push(skipped);
            }
        }
    }

    fn secret(&mut self, input: &mut Cursor<'_>) {
        self.secrets.push(input.at);
        input.take(32);
    }

    /// `floor` and the number of keys.
    fn skipped(&mut self, input: &mut Cursor<'_>) -> (u32, usize) {
        let (floor, count) = (input.u32(), input.u16().into());
        for _ in 0..count {
            input.take(6);
            self.secret(input);
        }
        (floor, count)
    }
}

struct Cursor<'a> {
    state: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, length: usize) -> &[u8] {
        self.at += length;
        &self.state[self.at - length..self.at]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap()
    }

    fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }
}
