//! Constant time, in the way of ctgrind: every byte of randomness is marked as secret (undefined, for memcheck), and
//! valgrind reports each branch and each address that depends on one. Where protocol values become public is listed with a reason:
//! in the library (`declassify`, counted here), in this harness ([`sent`]), and inside the primitives (`*.supp`).
//!
//! `assurance/ct/run` builds and runs it. Each case prints how many reports it caused: the controls must cause some, the
//! rest none. What is checked is this binary: this compiler, this profile, this processor.

mod cases;
mod valgrind;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;

static REASONS: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

/// Marks bytes as public and counts the reason.
pub fn declassify(bytes: &mut [u8], why: &'static str) {
    valgrind::public(bytes);
    if let Ok(mut reasons) = REASONS.lock() {
        *reasons.entry(why).or_default() += 1;
    }
}

/// What leaves the device, as its peer and everybody else get it.
pub fn sent(mut bytes: Vec<u8>) -> Vec<u8> {
    declassify(&mut bytes, "it leaves the device");
    bytes
}

fn main() -> ExitCode {
    #[cfg(marline_ct)]
    let installed = marline::declassify::HOOK.set(declassify).is_ok();
    #[cfg(not(marline_ct))]
    let installed = false;
    if !installed || !valgrind::is_running() {
        println!("not built with --cfg marline_ct, or not under valgrind: nothing is checked");
        return ExitCode::FAILURE;
    }
    println!("provider: {}", marline::hazmat::provider::NAME);
    let mut ok = true;
    for (kind, cases) in [("control", cases::CONTROLS), ("case", cases::CASES)] {
        for (name, case) in cases {
            let before = valgrind::errors();
            case();
            let reports = valgrind::errors() - before;
            let right = (reports > 0) == (kind == "control");
            ok &= right;
            let verdict = if right { "ok" } else { "WRONG" };
            println!("{kind:8} {name:45} {reports:3} reports  {verdict}");
        }
    }
    for (why, count) in &*REASONS.lock().expect("no panic above") {
        println!("declassified {count:5} times: {why}");
    }
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
