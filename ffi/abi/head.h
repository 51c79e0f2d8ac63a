/**
 * @file marline.h
 * Marline: post-quantum hybrid end-to-end encryption. The C interface.
 *
 * Generated from the crate marline-ffi by ffi/abi/generate.py; do not edit.
 *
 * Rules for every function
 *
 * - There is no initialisation, no thread, no callback, and nothing is printed. Time is an argument (Unix seconds),
 *   randomness comes from the operating system. Only marline_device_* touch files, through SQLite. There is no global
 *   state but for what tells a child process from its parent, and SQLite's own locks.
 * - A function that can fail returns a marline_status: 0 is MARLINE_OK. Outputs are always written: a handle is
 *   NULL and a number 0 after a failure (but see MARLINE_ERR_BUFFER_TOO_SMALL).
 * - Bytes in are a pointer and a length; (NULL, 0) is empty; they are never changed. Memory out is a handle that
 *   the caller frees with the _free function of its type; that wipes it. _free(NULL) does nothing.
 * - An array of bytes for an output may overlap inputs, which are read before. Nothing else that is written may overlap
 *   anything that is given. A failed call makes an array of a fixed size zero, and with it the inputs that it overlaps:
 *   they are lost to a second try. An array of another size is written on success only.
 * - "shared": a const handle may be used by any number of calls at once. "exclusive": a handle that is not const
 *   is for one call at a time; the second gets MARLINE_ERR_BUSY and changes nothing. Any thread may call. Never
 *   free a handle that another thread may still use.
 * - "handle errors" are MARLINE_ERR_NULL, MARLINE_ERR_BAD_HANDLE, MARLINE_ERR_BUSY, MARLINE_ERR_POISONED and
 *   MARLINE_ERR_INTERNAL. After a fork the child gets MARLINE_ERR_WRONG_PROCESS for exclusive use of what the
 *   parent made, and for states, secrets and prepared messages of it: it imports the stored state instead. Where the
 *   parent is the first process of a PID namespace and the child of another one, this needs Linux 4.14 and a processor
 *   with 64-bit atomics.
 * - A failed call leaves the state as it was, unless its documentation says otherwise.
 * - When memory is short, a large message is refused with MARLINE_ERR_NO_MEMORY; a small allocation that fails aborts
 *   the process, as in every Rust program. Nothing else aborts, exits or prints.
 * - The last argument, marline_error *, is optional: NULL, or a record that the function fills.
 *
 * "not NULL" and "nullable" say what a pointer may be; MARLINE_ERR_NULL answers a mistake. A pointer that is
 * neither NULL nor valid for its length, and a handle that was freed, are undefined behaviour.
 */
