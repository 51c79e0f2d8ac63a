//! Sequences of calls of the C ABI, as a program in C might make them that reads no documentation but keeps the two rules the
//! library cannot check: a pointer that is not NULL is valid for its length, and a freed handle is not used. Every function of
//! `ffi/abi/api.json` is in it, every argument is drawn. What must hold, besides what AddressSanitizer sees:
//!
//! * a call returns a status that is documented for it, and never one of a broken library;
//! * outputs are NULL unless it succeeded;
//! * a plaintext that comes out is one that went in.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use arbitrary::Unstructured;
use marline::{Contact, StateKey};
use marline_ffi::handles::*;
use marline_ffi::options::MarlineOptions;
use marline_ffi::status::{MARLINE_OK, MarlineError};
#[allow(
    unused_imports,
    reason = "the generated table names functions of all of them"
)]
use marline_ffi::{
    account::*, adopt::*, buffer::*, contact::*, events::*, facts::*, pending::*, prekey::*,
    session::*, signing::finish::*, signing::prepare::*, signing::*, status::*,
    testing::marline_testing_script, trust::*, version::*,
};

use crate::common::{NOW, Pair, SeededRng, unanswered};
use crate::planted;

/// Calls in one run.
const MAX_CALLS: usize = 30;
/// The application's key for states.
const KEY: [u8; 32] = [7; 32];

/// A function as the table has it.
struct Function {
    name: &'static str,
    call: Box<dyn Call>,
    /// What it may return, where that is a status.
    statuses: Option<&'static [&'static str]>,
    /// Whether it frees its handle.
    takes: bool,
}

fn functions() -> Vec<Function> {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"))
}

/// What arguments are drawn from, and what must live until the call is over.
struct Pool<'a> {
    input: Unstructured<'a>,
    /// Live handles, by type.
    handles: Vec<(usize, *mut c_void)>,
    /// Byte strings that mean something: states, bundles, messages.
    known: Vec<Vec<u8>>,
    /// Everything that was given as bytes.
    given: Vec<Vec<u8>>,
    /// The length of the pointer drawn last.
    length: Option<usize>,
    /// Whether the call frees the handle it gets.
    takes: bool,
    outputs: Vec<(usize, Box<*mut c_void>)>,
    memory: Vec<Box<[u64]>>,
    buffers: Vec<Box<[u8]>>,
}

/// A type of argument.
trait Argument: Sized {
    fn draw(pool: &mut Pool<'_>) -> Self;
}

/// A type of result.
trait Returned {
    fn number(self) -> i64;
}

/// A function with all its arguments drawn.
trait Call {
    fn call(&self, pool: &mut Pool<'_>) -> i64;
}

macro_rules! calls {
    ($(($($argument:ident)*))*) => {$(
        #[allow(non_snake_case, unused_variables)]
        impl<R: Returned, $($argument: Argument),*> Call for unsafe extern "C" fn($($argument),*) -> R {
            fn call(&self, pool: &mut Pool<'_>) -> i64 {
                $(let $argument = $argument::draw(pool);)*
                // SAFETY: pointers are NULL or valid for their lengths, handles are live: the contract of marline.h.
                unsafe { self($($argument),*) }.number()
            }
        }
    )*};
}
calls! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
    (A B C D E F G H I J K L M) (A B C D E F G H I J K L M N)
}

impl Returned for () {
    fn number(self) -> i64 {
        0
    }
}

impl Returned for i32 {
    fn number(self) -> i64 {
        self.into()
    }
}

impl Returned for u32 {
    fn number(self) -> i64 {
        self.into()
    }
}

impl Returned for usize {
    fn number(self) -> i64 {
        self as i64
    }
}

impl<T> Returned for *const T {
    fn number(self) -> i64 {
        self as i64
    }
}

macro_rules! handles {
    ($($name:ident)*) => {
        /// Places of the types in the list.
        #[allow(non_upper_case_globals, dead_code)]
        mod kind {
            handles!(@number 0usize; $($name)*);
        }
        $(
            impl Argument for *mut $name {
                fn draw(pool: &mut Pool<'_>) -> Self {
                    pool.handle(kind::$name).cast()
                }
            }

            impl Argument for *const $name {
                fn draw(pool: &mut Pool<'_>) -> Self {
                    pool.handle(kind::$name).cast_const().cast()
                }
            }

            impl Argument for *mut *mut $name {
                fn draw(pool: &mut Pool<'_>) -> Self {
                    pool.output(kind::$name).cast()
                }
            }
        )*
        /// Frees a handle of any type.
        fn free((kind, handle): (usize, *mut c_void)) {
            $(if kind == kind::$name {
                // SAFETY: live, of this type, and not used again.
                unsafe { handles!(@free $name)(handle.cast()) }
            })*
        }
    };
    (@number $n:expr; $first:ident $($rest:ident)*) => {
        pub const $first: usize = $n;
        handles!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
    (@free MarlineBuffer) => { marline_buffer_free };
    (@free MarlineAccount) => { marline_account_free };
    (@free MarlinePublication) => { marline_publication_free };
    (@free MarlineSession) => { marline_session_free };
    (@free MarlineOpened) => { marline_opened_free };
    (@free MarlinePending) => { marline_pending_free };
    (@free MarlineContact) => { marline_contact_free };
    (@free MarlineAccepted) => { marline_accepted_free };
    (@free MarlineEvents) => { marline_events_free };
    (@free MarlineSigning) => { marline_signing_free };
}
handles! {
    MarlineBuffer MarlineAccount MarlinePublication MarlineSession MarlineOpened MarlinePending MarlineContact
    MarlineAccepted MarlineEvents MarlineSigning
}

macro_rules! records {
    ($($name:ident)*) => {$(
        impl Argument for *mut $name {
            fn draw(pool: &mut Pool<'_>) -> Self {
                pool.record(size_of::<$name>()).cast()
            }
        }
    )*};
}
records! { MarlineError MarlineFacts MarlineEvent }

impl Argument for *const MarlineOptions {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let record = pool.record(size_of::<MarlineOptions>());
        if !record.is_null() {
            let fields = [
                pool.below(5) as u32,
                pool.below(300) as u32,
                pool.below(40) as u32,
            ];
            // The size first, then the fields, as many as there is room for.
            let room = pool.memory.last().map_or(0, |memory| memory.len() * 8);
            for (i, field) in fields
                .into_iter()
                .enumerate()
                .filter(|(i, _)| (i + 2) * 4 <= room)
            {
                // SAFETY: within the record.
                unsafe { record.cast::<u32>().add(i + 1).write(field) };
            }
        }
        record.cast_const().cast()
    }
}

macro_rules! numbers_out {
    ($($name:ty)*) => {$(
        impl Argument for *mut $name {
            fn draw(pool: &mut Pool<'_>) -> Self {
                if pool.below(32) == 0 {
                    return ptr::null_mut();
                }
                pool.memory.push(Box::new([u64::MAX]));
                pool.memory.last_mut().map_or(ptr::null_mut(), |memory| memory.as_mut_ptr().cast())
            }
        }
    )*};
}
numbers_out! { u64 u32 usize i32 }

impl Argument for usize {
    fn draw(pool: &mut Pool<'_>) -> Self {
        if let Some(length) = pool.length.take() {
            return length;
        }
        let choices = [
            0,
            1,
            2,
            3,
            32,
            64,
            1_000,
            1 << 24,
            (1 << 24) + 1,
            usize::MAX,
        ];
        choices[pool.below(choices.len())]
    }
}

impl Argument for u64 {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let choices = [
            0,
            1,
            NOW,
            NOW,
            NOW,
            NOW + 3_600,
            NOW + 8 * 86_400,
            NOW + 40 * 86_400,
            u64::MAX,
        ];
        choices[pool.below(choices.len())]
    }
}

impl Argument for u32 {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let choices = [0, 1, 2, 3, 4, 38, 39, 1_025, u32::MAX];
        choices[pool.below(choices.len())]
    }
}

impl Argument for i32 {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let choices = [0, 101, 202, 500, -1, i32::MAX];
        choices[pool.below(choices.len())]
    }
}

impl Argument for *const u8 {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let mut bytes = match pool.below(16) {
            0..4 => return pool.no_bytes(0),
            4 => return pool.no_bytes(5),
            5 => return pool.no_bytes(usize::MAX),
            6 => pool
                .input
                .bytes(8.min(pool.input.len()))
                .unwrap_or(&[])
                .to_vec(),
            7 => b"text".to_vec(),
            8..11 => KEY.to_vec(),
            _ => {
                let choice = pool.below(pool.known.len());
                pool.known[choice].clone()
            }
        };
        if pool.below(8) == 0 && !bytes.is_empty() {
            let at = pool.below(bytes.len());
            bytes[at] ^= 1;
        }
        pool.length = Some(bytes.len());
        pool.given.push(bytes.clone());
        pool.buffers.push(bytes.into_boxed_slice());
        pool.buffers
            .last()
            .map_or(ptr::null(), |bytes| bytes.as_ptr())
    }
}

impl Argument for *mut u8 {
    fn draw(pool: &mut Pool<'_>) -> Self {
        let sizes = [0, 1, 32, 32, 32, 61, 65, 65, 400, 20_000];
        let size = sizes[pool.below(sizes.len())];
        if pool.below(32) == 0 {
            return pool.no_bytes(size).cast_mut();
        }
        pool.length = Some(size);
        pool.buffers.push(vec![0xaa; size].into_boxed_slice());
        pool.buffers
            .last_mut()
            .map_or(ptr::null_mut(), |bytes| bytes.as_mut_ptr())
    }
}

impl Argument for *mut c_char {
    fn draw(pool: &mut Pool<'_>) -> Self {
        <*mut u8>::draw(pool).cast()
    }
}

impl Pool<'_> {
    fn below(&mut self, bound: usize) -> usize {
        self.input.int_in_range(0..=bound - 1).unwrap_or(0)
    }

    fn no_bytes(&mut self, length: usize) -> *const u8 {
        self.length = Some(length);
        ptr::null()
    }

    /// A live handle of the type, mostly; NULL, or one of another type.
    fn handle(&mut self, kind: usize) -> *mut c_void {
        let (choice, other) = (self.below(16), self.below(256));
        let right = |(found, _): &&(usize, *mut c_void)| (*found == kind) != (choice == 1);
        let candidates: Vec<_> = self.handles.iter().filter(right).copied().collect();
        if choice == 0 || candidates.is_empty() {
            return ptr::null_mut();
        }
        let (found, handle) = candidates[other % candidates.len()];
        if self.takes && found == kind {
            self.handles.retain(|(_, held)| *held != handle);
        }
        handle
    }

    fn output(&mut self, kind: usize) -> *mut *mut c_void {
        if self.below(32) == 0 {
            return ptr::null_mut();
        }
        // Not NULL before, to see that it is cleared.
        self.outputs.push((kind, Box::new(ptr::dangling_mut())));
        self.outputs
            .last_mut()
            .map_or(ptr::null_mut(), |(_, slot)| &raw mut **slot)
    }

    /// A structure that begins with its size: of this version, shorter, longer, or none.
    fn record(&mut self, size: usize) -> *mut c_void {
        let sizes = [size, size, size, size, size, 0, 3, 4, 8, size + 8];
        let claimed = match self.below(sizes.len() + 2) {
            i if i < sizes.len() => sizes[i],
            _ => return ptr::null_mut(),
        };
        let mut memory = vec![0u64; claimed.div_ceil(8).max(1)].into_boxed_slice();
        memory[0] = claimed as u64; // Little endian: the low half is `struct_size`.
        self.memory.push(memory);
        self.memory
            .last_mut()
            .map_or(ptr::null_mut(), |memory| memory.as_mut_ptr().cast())
    }

    fn run(&mut self, function: &Function) {
        self.takes = function.takes;
        self.length = None;
        let result = function.call.call(self);
        let mut status = (MARLINE_OK, "MARLINE_OK");
        if let Some(statuses) = function.statuses {
            status.0 = i32::try_from(result).unwrap();
            // SAFETY: a static string, for any status.
            status.1 = unsafe { CStr::from_ptr(marline_status_name(status.0)) }
                .to_str()
                .unwrap();
            let broken = ["INTERNAL", "POISONED", "BUSY", "WRONG_PROCESS", "NO_MEMORY"];
            assert!(
                !broken.iter().any(|name| status.1.ends_with(name)),
                "{}: {}",
                function.name,
                status.1
            );
            // The control: this one is not documented.
            let hidden = planted() && status.1 == "MARLINE_ERR_BAD_HANDLE";
            assert!(
                statuses.contains(&status.1) && !hidden,
                "{}: {} is not documented",
                function.name,
                status.1
            );
        }
        for (kind, slot) in std::mem::take(&mut self.outputs) {
            if *slot == ptr::dangling_mut() {
                // An argument before it was refused; whatever is in it must not be used.
                assert!(
                    status.0 != MARLINE_OK,
                    "{}: an output was not written",
                    function.name
                );
            } else if !slot.is_null() {
                assert!(
                    status.0 == MARLINE_OK,
                    "{}: an output with {}",
                    function.name,
                    status.1
                );
                self.made(kind, *slot);
            }
        }
        self.memory.clear();
        self.buffers.clear();
    }

    /// A new handle: its bytes can be arguments, its plaintext must be known.
    fn made(&mut self, kind: usize, handle: *mut c_void) {
        self.handles.push((kind, handle));
        // SAFETY: a live handle of the type that the kind says, and data that lives as long.
        unsafe {
            if kind == kind::MarlineBuffer {
                let (data, length) = (
                    marline_buffer_data(handle.cast()),
                    marline_buffer_len(handle.cast()),
                );
                if (1..=20_000).contains(&length) {
                    self.known
                        .push(std::slice::from_raw_parts(data, length).to_vec());
                }
            } else if kind == kind::MarlineOpened {
                let (data, length) = (
                    marline_opened_plaintext(handle.cast()),
                    marline_opened_plaintext_len(handle.cast()),
                );
                let text = if length == 0 {
                    &[]
                } else {
                    std::slice::from_raw_parts(data, length)
                };
                // A contact's messages have up to 9 bytes before the application's.
                let same = |given: &Vec<u8>| {
                    let near = given.len().abs_diff(text.len()) <= 9;
                    near && (text.ends_with(given) || given.ends_with(text))
                };
                assert!(self.given.iter().any(same), "a plaintext that nobody sent");
            }
        }
    }
}

/// What every run begins with, made once: sealed states, bundles, messages.
fn start() -> &'static [Vec<u8>] {
    static START: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    START.get_or_init(|| {
        let rng = &mut SeededRng::new(8);
        let Pair {
            mut alice,
            mut bob,
            mut a,
            b,
            first,
        } = unanswered(rng);
        let key = StateKey::new(&mut KEY.clone());
        let publication = bob.publish(2, NOW, rng).unwrap();
        let contacts = [Contact::new(bob.id()), Contact::new(alice.id())];
        let contacts = contacts.map(|contact| contact.export(&key, rng).unwrap());
        let (_, initial) = alice
            .initiate(&publication.bundle(), b"text", NOW, rng)
            .unwrap();
        let accounts = [
            alice.export(&key, rng).unwrap(),
            bob.export(&key, rng).unwrap(),
        ];
        let sessions = [a.export(&key, rng).unwrap(), b.export(&key, rng).unwrap()];
        let message = a.encrypt(b"text", rng).unwrap();
        let last_resort = publication.last_resort_bundle().to_bytes();
        let ids = [bob.id().as_bytes().to_vec(), alice.id().as_bytes().to_vec()];
        let others = [
            first,
            initial,
            message,
            publication.bundle().to_bytes(),
            last_resort,
        ];
        accounts
            .into_iter()
            .chain(sessions)
            .chain(contacts)
            .chain(others)
            .chain(ids)
            .collect()
    })
}

/// Imports the states that every run begins with.
fn import(pool: &mut Pool<'_>) {
    type Import<T> = unsafe extern "C" fn(
        *const u8,
        usize,
        *const u8,
        usize,
        u64,
        *mut *mut T,
        *mut MarlineError,
    ) -> i32;
    fn one<T>(import: Import<T>, sealed: &[u8]) -> *mut c_void {
        let mut out = ptr::null_mut();
        // SAFETY: all pointers are valid for their lengths.
        let status = unsafe {
            import(
                KEY.as_ptr(),
                KEY.len(),
                sealed.as_ptr(),
                sealed.len(),
                0,
                &mut out,
                ptr::null_mut(),
            )
        };
        assert_eq!(status, MARLINE_OK);
        out.cast()
    }
    let [a, b, c, d, e, f, ..] = start() else {
        return;
    };
    for (kind, handle) in [
        (kind::MarlineAccount, one(marline_account_import, a)),
        (kind::MarlineAccount, one(marline_account_import, b)),
        (kind::MarlineSession, one(marline_session_import, c)),
        (kind::MarlineSession, one(marline_session_import, d)),
        (kind::MarlineContact, one(marline_contact_import, e)),
        (kind::MarlineContact, one(marline_contact_import, f)),
    ] {
        pool.handles.push((kind, handle));
    }
}

/// One input.
pub fn run(input: &[u8]) {
    thread_local! {
        static FUNCTIONS: Vec<Function> = functions();
        static RANDOM: Vec<u8> = SeededRng::new(9).bytes(1 << 16);
    }
    let mut pool = Pool {
        input: Unstructured::new(input),
        handles: vec![],
        known: start().to_vec(),
        given: vec![b"first".to_vec(), b"text".to_vec()],
        length: None,
        takes: false,
        outputs: vec![],
        memory: vec![],
        buffers: vec![],
    };
    import(&mut pool);
    // The same draws in every run; when they are used up, randomness fails.
    // SAFETY: a valid pointer.
    RANDOM.with(|random| unsafe { marline_testing_script(random.as_ptr(), random.len()) });
    FUNCTIONS.with(|functions| {
        for _ in 0..MAX_CALLS {
            if pool.input.is_empty() {
                break;
            }
            let choice = pool.below(functions.len());
            pool.run(&functions[choice]);
        }
    });
    std::mem::take(&mut pool.handles).into_iter().for_each(free);
}
