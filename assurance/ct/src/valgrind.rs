//! Client requests of valgrind's memcheck, which is all the `unsafe` there is.

use std::arch::asm;

const MAKE_UNDEFINED: usize = 0x4d43_0001;
const MAKE_DEFINED: usize = 0x4d43_0002;
const RUNNING: usize = 0x1001;
const ERRORS: usize = 0x1201;

/// A request: outside valgrind it does nothing and gives 0.
fn request(request: usize, address: usize, length: usize) -> usize {
    let arguments = [request, address, length, 0, 0, 0];
    let mut result = 0usize;
    // SAFETY: the sequence of valgrind.h: four rotations by 64 bits in all and an exchange of a register with itself,
    // which change nothing; valgrind reads the six arguments and writes `rdx`.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(), inout("rdx") result, options(nostack),
        );
    }
    result
}

/// Whether this runs under valgrind.
pub fn is_running() -> bool {
    request(RUNNING, 0, 0) > 0
}

/// Errors reported so far, without suppressed ones.
pub fn errors() -> usize {
    request(ERRORS, 0, 0)
}

/// Marks bytes as secret: whatever depends on them is, too.
pub fn secret(bytes: &mut [u8]) {
    request(MAKE_UNDEFINED, bytes.as_mut_ptr() as usize, bytes.len());
}

/// Marks bytes as public.
pub fn public(bytes: &mut [u8]) {
    request(MAKE_DEFINED, bytes.as_mut_ptr() as usize, bytes.len());
}
