//! Only in a build with the feature `dangerous_testing`: randomness that fails on demand or is given, a call that panics, a
//! session that has failed, states in the clear. Declared in `ffi/tests/c/marline_testing.h`, never in `marline.h`.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use getrandom::SysRng;
use marline::{Account, Session, fingerprint};
use rand_core::{TryCryptoRng, TryRng};

use crate::account::{AnyAccount, either};
use crate::boundary::{call, read};
use crate::handles::{MarlineAccount, MarlineSession};
use crate::status::{MARLINE_ERR_INTERNAL, MarlineError, Status, of};

/// What a release must not contain; the gate greps for it.
#[used]
#[unsafe(no_mangle)]
pub static MARLINE_TESTING_MARKER: [u8; 36] = *b"MARLINE DANGEROUS TESTING BUILD 6b1f";

/// Where `failed` stands in a session's state (specification, section 8.2).
const FAILED_AT: usize = 12;

/// Randomness to give out before the operating system's.
static SCRIPT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());
static FAILING: AtomicBool = AtomicBool::new(false);

/// The operating system's randomness, or a failure.
#[derive(Clone, Copy)]
pub(crate) struct Os;

impl TryRng for Os {
    type Error = io::Error;

    fn try_next_u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> io::Result<()> {
        if FAILING.load(Ordering::SeqCst) {
            return Err(io::Error::other("told to fail"));
        }
        let mut script = SCRIPT.lock().map_err(|_| io::Error::other("poisoned"))?;
        if !script.is_empty() {
            if script.len() < to.len() {
                return Err(io::Error::other("the script is too short"));
            }
            let length = to.len();
            to.iter_mut()
                .zip(script.drain(..length))
                .for_each(|(to, from)| *to = from);
            return Ok(());
        }
        SysRng.try_fill_bytes(to).map_err(io::Error::other)
    }
}

impl TryCryptoRng for Os {}

/// From now on randomness fails (1) or works (0).
#[unsafe(no_mangle)]
pub extern "C" fn marline_testing_fail_randomness(fail: u32) {
    FAILING.store(fail != 0, Ordering::SeqCst);
}

/// Panics while it holds the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_panic(
    session: *mut MarlineSession,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let _held = c.exclusive(session)?;
        // Unwinds without the hook, which would print.
        std::panic::resume_unwind(Box::new("a panic"))
    })
}

/// Holds the session until the flag is not 0, as a long call would: for tests of MARLINE_ERR_BUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_hold(
    session: *mut MarlineSession,
    release: extern "C" fn() -> u32,
) {
    read!((), |c| {
        let _held = c.exclusive(session)?;
        while release() == 0 {
            std::hint::spin_loop();
        }
        Ok(())
    });
}

/// Sets the flag that a broken post-quantum agreement sets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_fail_session(
    session: *mut MarlineSession,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let mut session = c.exclusive(session)?;
        let mut state = session.to_state();
        *state.get_mut(FAILED_AT).ok_or(MARLINE_ERR_INTERNAL)? = 1;
        *session = Session::from_state(&state).map_err(of)?;
        Ok(())
    })
}

/// The next draws of randomness are these bytes; what is left of earlier ones is forgotten, and counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_script(bytes: *const u8, length: usize) -> usize {
    read!(usize::MAX, |c| {
        let bytes = c.bytes(bytes, length)?;
        let mut script = SCRIPT.lock().map_err(|_| MARLINE_ERR_INTERNAL)?;
        let left = script.len();
        script.clear();
        script.extend(bytes);
        Ok(left)
    })
}

/// A session of a state in the clear.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_load_session(
    state: *const u8,
    length: usize,
    out: *mut *mut MarlineSession,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out)?;
        out.put(Session::from_state(c.bytes(state, length)?).map_err(of)?);
        Ok(())
    })
}

/// An account of a state in the clear.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_load_account(
    state: *const u8,
    length: usize,
    out: *mut *mut MarlineAccount,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_handle(out)?;
        let account = Account::from_state(c.bytes(state, length)?).map_err(of)?;
        out.put(AnyAccount::Local(account));
        Ok(())
    })
}

/// The fingerprint of a session's state: 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_session_fingerprint(
    session: *const MarlineSession,
    out: *mut u8,
    length: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<32>(out, length)?;
        out.write(&fingerprint(&c.shared(session)?.to_state()))
    })
}

/// The fingerprint of an account's state: 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn marline_testing_account_fingerprint(
    account: *const MarlineAccount,
    out: *mut u8,
    length: usize,
    err: *mut MarlineError,
) -> Status {
    call!(err, |c| {
        let out = c.out_array::<32>(out, length)?;
        let account = c.shared(account)?;
        out.write(&fingerprint(&either!(&*account, |a| a.to_state())))
    })
}
