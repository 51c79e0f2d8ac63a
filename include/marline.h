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
#ifndef MARLINE_H
#define MARLINE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(MARLINE_SHARED)
#define MARLINE_API __declspec(dllimport)
#else
#define MARLINE_API
#endif

/* A status must be looked at. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define MARLINE_NODISCARD [[nodiscard]]
#elif defined(__GNUC__) || defined(__clang__)
#define MARLINE_NODISCARD __attribute__((warn_unused_result))
#else
#define MARLINE_NODISCARD
#endif

/* The library has marline_device_*; `ffi/install.sh --without-device` installs a header without this line. */
#define MARLINE_HAVE_DEVICE 1

/** Initial values of the structures that a caller makes. */
#ifdef __cplusplus
#define MARLINE_ERROR_INIT {sizeof(marline_error), 0, {0}}
#define MARLINE_OPTIONS_INIT {sizeof(marline_options), 0, 0, 0}
#define MARLINE_FACTS_INIT {sizeof(marline_facts), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}}
#define MARLINE_EVENT_INIT {sizeof(marline_event), 0, 0, {0}, {0}, {0}}
#define MARLINE_DEVICE_OPTIONS_INIT {sizeof(marline_device_options), 0, 0, 0, 0, 0, 0, 0}
#define MARLINE_DEVICE_FACTS_INIT {sizeof(marline_device_facts), 0, 0, 0, 0, 0, 0}
#define MARLINE_MAINTENANCE_INIT {sizeof(marline_maintenance), 0, 0, 0}
#define MARLINE_CONTACT_INFO_INIT {sizeof(marline_contact_info), 0, 0, 0, 0, {0}, {0}}
#define MARLINE_INCOMING_INIT {sizeof(marline_incoming), 0, 0, {0}, {0}}
#else
#define MARLINE_ERROR_INIT {(uint32_t)sizeof(marline_error), 0, {0}}
#define MARLINE_OPTIONS_INIT {(uint32_t)sizeof(marline_options), 0, 0, 0}
#define MARLINE_FACTS_INIT {(uint32_t)sizeof(marline_facts), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}}
#define MARLINE_EVENT_INIT {(uint32_t)sizeof(marline_event), 0, 0, {0}, {0}, {0}}
#define MARLINE_DEVICE_OPTIONS_INIT {(uint32_t)sizeof(marline_device_options), 0, 0, 0, 0, 0, 0, 0}
#define MARLINE_DEVICE_FACTS_INIT {(uint32_t)sizeof(marline_device_facts), 0, 0, 0, 0, 0, 0}
#define MARLINE_MAINTENANCE_INIT {(uint32_t)sizeof(marline_maintenance), 0, 0, 0}
#define MARLINE_CONTACT_INFO_INIT {(uint32_t)sizeof(marline_contact_info), 0, 0, 0, 0, {0}, {0}}
#define MARLINE_INCOMING_INIT {(uint32_t)sizeof(marline_incoming), 0, 0, {0}, {0}}
#endif

/**
 * Bytes of the application's key for stored states.
 */
#define MARLINE_KEY_SIZE 32

/**
 * Bytes of a subject, at most.
 */
#define MARLINE_MAX_SUBJECT 255

/**
 * Bit of marline_account_due: publish; there is no publication, or the newest is 7 days old.
 */
#define MARLINE_TASK_ROTATE 1

/**
 * Bit of marline_account_due: publish; fewer than a quarter of the one-time prekeys is left.
 */
#define MARLINE_TASK_REPLENISH 2

/**
 * Bit of marline_account_due: call marline_account_delete_expired.
 */
#define MARLINE_TASK_DELETE 4

/**
 * Bytes of plaintext in one message to a contact, at most: 9 are for the contact's own use.
 */
#define MARLINE_MAX_CONTACT_PLAINTEXT 16777207

#if defined(MARLINE_HAVE_DEVICE)
/**
 * Unlock: 32 uniform bytes that the application keeps safe (a keychain, a TPM, an enclave).
 */
#define MARLINE_UNLOCK_KEY 1

/**
 * Unlock: a passphrase, stretched by Argon2id: takes a fifth of a second and 64 MiB by default.
 */
#define MARLINE_UNLOCK_PASSPHRASE 2

/**
 * Durability: every change is on disk when the call returns; survives loss of power.
 */
#define MARLINE_DURABILITY_FULL 0

/**
 * Durability: a change survives a crash of the process at once, and loss of power after marline_device_flush.
 */
#define MARLINE_DURABILITY_BATCHED 1

/**
 * Anchor: the newest generation is kept in a small file beside the device's, `<path>.anchor`, or where the caller says.
 */
#define MARLINE_ANCHOR_FILE 0

/**
 * Anchor: none; an older copy of the file is noticed by `minimum_generation` only.
 */
#define MARLINE_ANCHOR_NONE 1

/**
 * Added: the contact is new.
 */
#define MARLINE_ADDED_NEW 1

/**
 * Added: the contact was known, and has a fresh bundle now.
 */
#define MARLINE_ADDED_KNOWN 2

/**
 * Added: the name belongs to another identity. Nothing is sent before marline_device_acknowledge_identity or
 * marline_device_reject_identity. Show the user.
 */
#define MARLINE_ADDED_CHANGED 3
#endif

/**
 * Trust: not the identity known for this contact.
 */
#define MARLINE_TRUST_OTHER 0

/**
 * Trust: the identity known for this contact; nobody compared the safety number.
 */
#define MARLINE_TRUST_UNVERIFIED 1

/**
 * Trust: the safety number was compared.
 */
#define MARLINE_TRUST_VERIFIED 2

/**
 * Event: the peer started the session `session_id`; `sends` is 1 if messages go out on it from now on.
 */
#define MARLINE_EVENT_NEW_SESSION 1

/**
 * Event: the peer gave up the former session and started this one; messages may have been lost. Show the user.
 */
#define MARLINE_EVENT_SESSION_RESET 2

/**
 * Event: the post-quantum agreement of the session broke: marline_contact_reset starts anew.
 */
#define MARLINE_EVENT_SESSION_FAILED 3

/**
 * Event: the archive was full; the session's remaining messages can no longer be read.
 */
#define MARLINE_EVENT_SESSION_EVICTED 4

/**
 * Event: the peer shows the identity `to` in place of `from`. Nothing is sent before marline_contact_acknowledge or
 * marline_contact_reject. Show the user.
 */
#define MARLINE_EVENT_IDENTITY_CHANGED 5

/**
 * Event: an authenticated message of a peer that does not use contacts.
 */
#define MARLINE_EVENT_UNREADABLE 6

/**
 * Event: one that this version of the interface has no number for.
 */
#define MARLINE_EVENT_OTHER 0

/**
 * Bytes of an exported secret, at most.
 */
#define MARLINE_MAX_EXPORT 8160

/**
 * Role: this side started the session.
 */
#define MARLINE_ROLE_INITIATOR 1

/**
 * Role: this side accepted the session.
 */
#define MARLINE_ROLE_RESPONDER 2

/**
 * Bytes of an identity's id.
 */
#define MARLINE_ID_SIZE 32

/**
 * Bytes of a safety number as text: 60 digits and a NUL.
 */
#define MARLINE_SAFETY_NUMBER_SIZE 61

/**
 * Bytes of a safety number's QR code.
 */
#define MARLINE_SAFETY_NUMBER_QR_SIZE 65

/**
 * One-time prekeys in one publication, at most.
 */
#define MARLINE_MAX_ONE_TIME 1024

/**
 * Index of a publication's last resort: handed out when the one-time prekeys are used up.
 */
#define MARLINE_LAST_RESORT 4294967295

/**
 * Bytes of plaintext in one message, at most (16 MiB).
 */
#define MARLINE_MAX_PLAINTEXT 16777216

/**
 * Bytes of an Ed25519 public key.
 */
#define MARLINE_ED25519_KEY_SIZE 32

/**
 * Bytes of an ML-DSA-65 public key.
 */
#define MARLINE_MLDSA65_KEY_SIZE 1952

/**
 * Bytes of an Ed25519 signature.
 */
#define MARLINE_ED25519_SIGNATURE_SIZE 64

/**
 * Bytes of an ML-DSA-65 signature.
 */
#define MARLINE_MLDSA65_SIGNATURE_SIZE 3309

/**
 * Class 0: success.
 */
#define MARLINE_CLASS_OK 0

/**
 * Class of 1xx: the program has a mistake, or must do something else first.
 */
#define MARLINE_CLASS_CALLER 1

/**
 * Class of 2xx: data from outside (a message, a bundle, a stored state) was refused.
 */
#define MARLINE_CLASS_DATA 2

/**
 * Class of 3xx: storage.
 */
#define MARLINE_CLASS_STORAGE 3

/**
 * Class of 4xx: the environment (randomness, memory).
 */
#define MARLINE_CLASS_ENVIRONMENT 4

/**
 * Class of 5xx: a mistake in the library.
 */
#define MARLINE_CLASS_INTERNAL 5

/**
 * Major version of the library that this header belongs to.
 */
#define MARLINE_VERSION_MAJOR 0

/**
 * Minor version.
 */
#define MARLINE_VERSION_MINOR 1

/**
 * Patch version.
 */
#define MARLINE_VERSION_PATCH 0

/**
 * `major << 16 | minor << 8 | patch`.
 */
#define MARLINE_VERSION_NUMBER 256

/**
 * Version of the ABI: it changes when a program built against an older header must be rebuilt.
 */
#define MARLINE_ABI_VERSION 1

/**
 * Bit of `marline_build_flags`: a build for tests, whose randomness can be switched off. Never ship it.
 */
#define MARLINE_BUILD_DANGEROUS_TESTING 1

/**
 * Padding: Padmé with a floor of 64 bytes.
 */
#define MARLINE_PADDING_DEFAULT 0

/**
 * Padding: one byte; lengths are visible.
 */
#define MARLINE_PADDING_NONE 1

/**
 * Padding: Padmé (lengths of few significant bits, at most 12 % more), not below `padding_size` bytes.
 */
#define MARLINE_PADDING_PADME 2

/**
 * Padding: to a multiple of `padding_size` bytes.
 */
#define MARLINE_PADDING_BLOCK 3

/**
 * Slots: the default, which is MARLINE_SLOTS_STANDARD.
 */
#define MARLINE_SLOTS_DEFAULT 0

/**
 * Slots: 32 bytes a message; a new post-quantum epoch every 145 messages of ping-pong.
 */
#define MARLINE_SLOTS_CONSTRAINED 1

/**
 * Slots: 128 bytes a message; a new post-quantum epoch every 37 messages of ping-pong.
 */
#define MARLINE_SLOTS_STANDARD 4

/**
 * Slots: 1,216 bytes a message; a new post-quantum epoch every 3 messages of ping-pong.
 */
#define MARLINE_SLOTS_IMMEDIATE 38

/**
 * A first message that was accepted and awaits its contact.
 */
typedef struct marline_accepted marline_accepted;

/**
 * One device's identity and prekeys.
 */
typedef struct marline_account marline_account;

/**
 * Bytes that the library allocated; wiped when freed.
 */
typedef struct marline_buffer marline_buffer;

/**
 * All sessions with one peer device.
 */
typedef struct marline_contact marline_contact;

#if defined(MARLINE_HAVE_DEVICE)
/**
 * Contacts of a device, as they were when asked for.
 */
typedef struct marline_contacts marline_contacts;

/**
 * A device that keeps its state in an encrypted file.
 */
typedef struct marline_device marline_device;
#endif

/**
 * What an application is to be told, and mostly what its user is to see.
 */
typedef struct marline_events marline_events;

#if defined(MARLINE_HAVE_DEVICE)
/**
 * Plaintexts that a device holds until they are acknowledged.
 */
typedef struct marline_inbox marline_inbox;
#endif

/**
 * A decrypted message: the plaintext together with the authenticated peer it came from.
 */
typedef struct marline_opened marline_opened;

#if defined(MARLINE_HAVE_DEVICE)
/**
 * Ciphertexts that a device holds until they are marked as sent.
 */
typedef struct marline_outbox marline_outbox;
#endif

/**
 * A change of a session that is computed and not made yet.
 */
typedef struct marline_pending marline_pending;

/**
 * What a device gives to a directory. Public data.
 */
typedef struct marline_publication marline_publication;

/**
 * A conversation with one peer device.
 */
typedef struct marline_session marline_session;

/**
 * Bytes that the holder of an account's secret is asked to sign.
 */
typedef struct marline_signing marline_signing;

/**
 * 0 is success, else one of the MARLINE_ERR_ macros. Codes are stable and never reused.
 */
typedef int32_t marline_status;

/**
 * An optional record of an error, allocated by the caller: 256 bytes, `= MARLINE_ERROR_INIT`. Every function
 * writes it last. It never holds a secret or text from a peer.
 */
typedef struct marline_error {
    /**
     * `sizeof(marline_error)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * The status that the function returned.
     */
    marline_status status;
    /**
     * English, NUL-terminated, for logs.
     */
    char message[248];
} marline_error;

/**
 * Choices of a sender, `= MARLINE_OPTIONS_INIT`. Zero always means the default; NULL is all defaults.
 */
typedef struct marline_options {
    /**
     * `sizeof(marline_options)`.
     */
    uint32_t struct_size;
    /**
     * MARLINE_PADDING_...; the receiver need not know.
     */
    uint32_t padding;
    /**
     * 0 to 65,535 bytes, for MARLINE_PADDING_PADME and MARLINE_PADDING_BLOCK (there not 0); else 0.
     */
    uint32_t padding_size;
    /**
     * MARLINE_SLOTS_... or any number from 1 to 38, when a session is initiated; else 0.
     */
    uint32_t slots;
} marline_options;

#if defined(MARLINE_HAVE_DEVICE)
/**
 * How a device is kept, `= MARLINE_DEVICE_OPTIONS_INIT`. Zero always means the default; NULL is all defaults.
 */
typedef struct marline_device_options {
    /**
     * `sizeof(marline_device_options)`.
     */
    uint32_t struct_size;
    /**
     * MARLINE_DURABILITY_...
     */
    uint32_t durability;
    /**
     * MARLINE_ANCHOR_...
     */
    uint32_t anchor;
    /**
     * For marline_device_create with a passphrase: KiB of memory, 19,456 to 1,048,576; 0 is 65,536.
     */
    uint32_t argon2_memory_kib;
    /**
     * For marline_device_create with a passphrase: passes, 2 to 64; 0 is 3.
     */
    uint32_t argon2_passes;
    /**
     * For marline_device_create with a passphrase: lanes, 1 to 16; 0 is 1.
     */
    uint32_t argon2_lanes;
    /**
     * The newest marline_device_generation that the application remembers: an older file is MARLINE_ERR_ROLLBACK.
     */
    uint64_t minimum_generation;
    /**
     * Largest size of the file in bytes; above it MARLINE_ERR_DISK_FULL. 0 is no limit.
     */
    uint64_t max_bytes;
} marline_device_options;

/**
 * What a device knows of a contact, `= MARLINE_CONTACT_INFO_INIT`.
 */
typedef struct marline_contact_info {
    /**
     * `sizeof(marline_contact_info)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * 1 if the user has compared the safety number.
     */
    uint32_t verified;
    /**
     * 1 if another identity awaits the user's decision: `changed`.
     */
    uint32_t has_changed;
    /**
     * 1 if a bundle is at hand, for the first session or a reset.
     */
    uint32_t has_bundle;
    /**
     * Sessions with it: see marline_contacts_session.
     */
    uint32_t sessions;
    /**
     * The identity that messages are sent to.
     */
    uint8_t identity[32];
    /**
     * The identity that awaits a decision.
     */
    uint8_t changed[32];
} marline_contact_info;
#endif

/**
 * What there is to know about a session, `= MARLINE_FACTS_INIT`.
 */
typedef struct marline_facts {
    /**
     * `sizeof(marline_facts)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * MARLINE_ROLE_...
     */
    uint32_t role;
    /**
     * Codewords in every message, 1 to 38.
     */
    uint32_t slots;
    /**
     * Current post-quantum epoch.
     */
    uint32_t epoch;
    /**
     * Messages sent and received since that epoch's key: high when the peer does not answer.
     */
    uint32_t messages_since_epoch;
    /**
     * 1 if the handshake used a one-time prekey.
     */
    uint32_t used_one_time_prekey;
    /**
     * 1 if the peer has sent anything in this session.
     */
    uint32_t peer_has_answered;
    /**
     * 1 if the post-quantum agreement broke and the session has ended.
     */
    uint32_t failed;
    /**
     * Keys held for messages that have not come, classical ratchet.
     */
    uint32_t skipped_classical;
    /**
     * Keys held for messages that have not come, post-quantum ratchet.
     */
    uint32_t skipped_post_quantum;
    /**
     * Grows with every change of the state.
     */
    uint64_t generation;
    /**
     * The session's id, the same on both sides.
     */
    uint8_t session_id[32];
    /**
     * The peer's authenticated identity.
     */
    uint8_t peer_identity[32];
} marline_facts;

#if defined(MARLINE_HAVE_DEVICE)
/**
 * A message in an inbox, `= MARLINE_INCOMING_INIT`.
 */
typedef struct marline_incoming {
    /**
     * `sizeof(marline_incoming)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * How far the author's identity is trusted: MARLINE_TRUST_...
     */
    uint32_t trust;
    /**
     * 1 if there is a plaintext; 0 after a reset, or when an event says why.
     */
    uint32_t has_plaintext;
    /**
     * For marline_device_acknowledge.
     */
    uint8_t id[32];
    /**
     * The authenticated identity it is from.
     */
    uint8_t author[32];
} marline_incoming;

/**
 * What marline_device_maintain did, `= MARLINE_MAINTENANCE_INIT`.
 */
typedef struct marline_maintenance {
    /**
     * `sizeof(marline_maintenance)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * Why prekeys were published: MARLINE_TASK_ROTATE, MARLINE_TASK_REPLENISH, or 0: they were not.
     */
    uint32_t reason;
    /**
     * Publications whose private halves were deleted.
     */
    uint32_t deleted;
    /**
     * Contacts whose old keys were looked through.
     */
    uint32_t contacts;
} marline_maintenance;

/**
 * The state of things, `= MARLINE_DEVICE_FACTS_INIT`.
 */
typedef struct marline_device_facts {
    /**
     * `sizeof(marline_device_facts)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * One-time prekeys left of the newest publication.
     */
    uint32_t one_time_left;
    /**
     * What marline_device_maintain would do: MARLINE_TASK_... bits.
     */
    uint32_t due;
    /**
     * Contacts.
     */
    uint32_t contacts;
    /**
     * Ciphertexts not marked as sent.
     */
    uint32_t outbox;
    /**
     * Plaintexts not acknowledged.
     */
    uint32_t inbox;
    /**
     * 1 if a publication waits to be marked as published.
     */
    uint32_t unpublished;
} marline_device_facts;
#endif

/**
 * One event, `= MARLINE_EVENT_INIT`.
 */
typedef struct marline_event {
    /**
     * `sizeof(marline_event)`, set by the caller; nothing is written beyond it.
     */
    uint32_t struct_size;
    /**
     * MARLINE_EVENT_...
     */
    uint32_t kind;
    /**
     * For MARLINE_EVENT_NEW_SESSION: 1 if messages go out on it from now on.
     */
    uint32_t sends;
    /**
     * The session, for events of sessions.
     */
    uint8_t session_id[32];
    /**
     * For MARLINE_EVENT_IDENTITY_CHANGED: the identity known so far.
     */
    uint8_t from[32];
    /**
     * For MARLINE_EVENT_IDENTITY_CHANGED: the identity seen now.
     */
    uint8_t to[32];
} marline_event;

/**
 * Success.
 */
#define MARLINE_OK 0

/**
 * A pointer is NULL that must not be.
 */
#define MARLINE_ERR_NULL 101

/**
 * A length is above its limit, or not the one size an argument has.
 */
#define MARLINE_ERR_LENGTH 102

/**
 * A selector or number has no meaning.
 */
#define MARLINE_ERR_ARGUMENT 103

/**
 * A handle of another type, or no handle at all. A help in finding mistakes, not a promise.
 */
#define MARLINE_ERR_BAD_HANDLE 104

/**
 * Another call is using the handle: a mutable handle is for one call at a time.
 */
#define MARLINE_ERR_BUSY 105

/**
 * An earlier call on the handle ended in MARLINE_ERR_INTERNAL: free it, import the last stored state.
 */
#define MARLINE_ERR_POISONED 106

/**
 * The handle was made before a fork, in the parent process: import the state in the child.
 */
#define MARLINE_ERR_WRONG_PROCESS 107

/**
 * The caller's buffer is too small; the needed size was written and nothing has changed.
 */
#define MARLINE_ERR_BUFFER_TOO_SMALL 108

/**
 * `struct_size` is not set, or a longer structure has fields this version does not know.
 */
#define MARLINE_ERR_STRUCT_SIZE 109

/**
 * A prepared change was committed already, or is of the other kind.
 */
#define MARLINE_ERR_SPENT 110

/**
 * A prepared change belongs to an older state: prepare it again.
 */
#define MARLINE_ERR_STALE 111

/**
 * A limit of the protocol is reached (specification, section 7).
 */
#define MARLINE_ERR_LIMIT 112

/**
 * No contact, file or waiting message of that name.
 */
#define MARLINE_ERR_NOT_FOUND 113

/**
 * The name is taken, or the device exists already.
 */
#define MARLINE_ERR_EXISTS 114

/**
 * Forged, corrupt, or meant for somebody else: drop it. One code for all such failures.
 */
#define MARLINE_ERR_AUTHENTICATION 201

/**
 * Delivered before: ignore it.
 */
#define MARLINE_ERR_DUPLICATE 202

/**
 * The key is gone (evicted, expired, or of a retired epoch): the message is lost.
 */
#define MARLINE_ERR_TOO_OLD 203

/**
 * The message jumps over more keys than the limit allows: drop it.
 */
#define MARLINE_ERR_TOO_FAR_AHEAD 204

/**
 * The prekeys a first message names are not here: the peer needs a fresh bundle.
 */
#define MARLINE_ERR_UNKNOWN_PREKEY 205

/**
 * The one-time prekey was used before: the peer needs a fresh bundle.
 */
#define MARLINE_ERR_PREKEY_USED 206

/**
 * The bundle is outside its validity window: fetch a fresh one, and check the clock.
 */
#define MARLINE_ERR_EXPIRED 207

/**
 * Older than something seen before: a restored backup, or an attack.
 */
#define MARLINE_ERR_ROLLBACK 208

/**
 * The peer shows another identity than before: show the user.
 */
#define MARLINE_ERR_IDENTITY_CHANGED 209

/**
 * A handshake with oneself was refused.
 */
#define MARLINE_ERR_OWN_IDENTITY 210

/**
 * The post-quantum agreement broke and the session has ended: start a new one.
 */
#define MARLINE_ERR_AGREEMENT_FAILED 211

/**
 * Another protocol version: upgrade.
 */
#define MARLINE_ERR_VERSION 212

/**
 * Not a valid encoding: drop it.
 */
#define MARLINE_ERR_MALFORMED 213

/**
 * There is no session for this: start one from a bundle, or accept the first message.
 */
#define MARLINE_ERR_NO_SESSION 214

/**
 * The device's file, or the operating system under it, failed in another way than the following.
 */
#define MARLINE_ERR_STORAGE 301

/**
 * No room on the disk, or above `max_bytes`: make room, try again.
 */
#define MARLINE_ERR_DISK_FULL 302

/**
 * The device's file or its directory cannot be written.
 */
#define MARLINE_ERR_READ_ONLY 303

/**
 * The device's file is damaged, or was altered without the key: restore a backup.
 */
#define MARLINE_ERR_CORRUPT 304

/**
 * Another process holds the device's file for longer than half a minute: try again.
 */
#define MARLINE_ERR_IN_USE 305

/**
 * Not a device file, or one of a newer version.
 */
#define MARLINE_ERR_SCHEMA 306

/**
 * The passphrase or key of the device is wrong.
 */
#define MARLINE_ERR_WRONG_KEY 307

/**
 * The operating system gave no randomness; nothing has changed.
 */
#define MARLINE_ERR_RANDOMNESS 401

/**
 * Not enough memory for a message of this size; nothing has changed.
 */
#define MARLINE_ERR_NO_MEMORY 402

/**
 * The signature does not verify under the account's identity; or the identity's secret is outside of this library, and
 * the call needs it: see marline_account_external. Nothing has changed.
 */
#define MARLINE_ERR_SIGNER 403

/**
 * A mistake in the library; the handles of the call are poisoned.
 */
#define MARLINE_ERR_INTERNAL 500

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a new device with a fresh identity.
 *
 * @param[in] subject  the name it claims; `subject_len` bytes, NULL if that is 0
 * @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
 * @param[out] out_account  not NULL; a new account, free it with marline_account_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_generate(const uint8_t *subject,
                                        size_t subject_len,
                                        marline_account **out_account,
                                        marline_error *err);

/**
 * Restores an account from a stored state.
 *
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[in] sealed  what marline_account_export gave; `sealed_len` bytes
 * @param[in] sealed_len  length of the stored state
 * @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
 * @param[out] out_account  not NULL; a new account, free it with marline_account_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
 *         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_import(const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *sealed,
                                      size_t sealed_len,
                                      uint64_t minimum_generation,
                                      marline_account **out_account,
                                      marline_error *err);

/**
 * The state of an account, sealed under the application's key.
 *
 * @param[in] account  not NULL
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] out_generation  not NULL; remember it, for marline_account_import
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_export(const marline_account *account,
                                      const uint8_t *key,
                                      size_t key_len,
                                      marline_buffer **out_sealed,
                                      uint64_t *out_generation,
                                      marline_error *err);

/**
 * Wipes and frees an account. Its stored states are not touched.
 *
 * @param[in] account  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_account_free(marline_account *account);

/**
 * The id of the account's identity.
 *
 * @param[in] account  not NULL
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_identity(const marline_account *account,
                                        uint8_t *out_identity,
                                        size_t out_identity_len,
                                        marline_error *err);

/**
 * The name that the account claims.
 *
 * @param[in] account  not NULL
 * @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_subject(const marline_account *account,
                                       marline_buffer **out_subject,
                                       marline_error *err);

/**
 * The generation of the account's state: it grows with every change.
 *
 * @param[in] account  not NULL
 * @param[out] out_generation  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_generation(const marline_account *account,
                                          uint64_t *out_generation,
                                          marline_error *err);

/**
 * Makes a publication: a fresh signed prekey and one-time prekeys, for any directory to store and hand out. Store
 * the account's state before it leaves the device.
 *
 * @param[in,out] account  not NULL
 * @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
 * @param[in] now  Unix seconds
 * @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_ARGUMENT for another count,
 *         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS, MARLINE_ERR_SIGNER (marline_account_external)
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_publish(marline_account *account,
                                       uint32_t count,
                                       uint64_t now,
                                       marline_publication **out_publication,
                                       marline_error *err);

/**
 * What the life cycle of the prekeys wants done.
 *
 * @param[in] account  not NULL
 * @param[in] now  Unix seconds
 * @param[out] out_tasks  not NULL; MARLINE_TASK_... bits, 0 for nothing
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_due(const marline_account *account,
                                   uint64_t now,
                                   uint32_t *out_tasks,
                                   marline_error *err);

/**
 * Deletes private prekeys that are past their deadline. Store the account's state afterwards.
 *
 * @param[in,out] account  not NULL
 * @param[in] now  Unix seconds
 * @param[out] out_deleted  not NULL; the number of publications deleted
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_delete_expired(marline_account *account,
                                              uint64_t now,
                                              uint32_t *out_deleted,
                                              marline_error *err);

/**
 * The number of unused one-time prekeys in the newest publication.
 *
 * @param[in] account  not NULL
 * @param[out] out_left  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_one_time_left(const marline_account *account,
                                             uint32_t *out_left,
                                             marline_error *err);

/**
 * Starts a session with a bundle's owner and encrypts its first message. Verifies the bundle. Store the states of
 * the account and of the session before the message leaves the device.
 *
 * @param[in,out] account  not NULL
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_session  not NULL; a new session, free it with marline_session_free
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT,
 *         MARLINE_ERR_STRUCT_SIZE; for the bundle: MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_EXPIRED,
 *         MARLINE_ERR_ROLLBACK, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED;
 *         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY, MARLINE_ERR_SIGNER
 *         (marline_account_external). Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_initiate(marline_account *account,
                                        const uint8_t *bundle,
                                        size_t bundle_len,
                                        const uint8_t *plaintext,
                                        size_t plaintext_len,
                                        const uint8_t *ad,
                                        size_t ad_len,
                                        const marline_options *options,
                                        uint64_t now,
                                        marline_session **out_session,
                                        marline_buffer **out_message,
                                        marline_error *err);

/**
 * Accepts a first message: the new session and its first plaintext. A first message of a session that exists
 * belongs to marline_session_decrypt. Store the states of the account and of the session before acting on the
 * plaintext.
 *
 * @param[in,out] account  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] now  Unix seconds
 * @param[out] out_session  not NULL; a new session, free it with marline_session_free
 * @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_UNKNOWN_PREKEY,
 *         MARLINE_ERR_PREKEY_USED, MARLINE_ERR_DUPLICATE, MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_OWN_IDENTITY,
 *         MARLINE_ERR_LIMIT (publish again), MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED,
 *         MARLINE_ERR_TOO_FAR_AHEAD, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_accept(marline_account *account,
                                      const uint8_t *message,
                                      size_t message_len,
                                      const uint8_t *ad,
                                      size_t ad_len,
                                      uint64_t now,
                                      marline_session **out_session,
                                      marline_opened **out_opened,
                                      marline_error *err);

/**
 * Accepts a first message for a contact: look at whose it is, then give it to marline_contact_adopt of that contact.
 * Store the states of the account and of the contact before acting on the plaintext.
 *
 * @param[in,out] account  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] now  Unix seconds
 * @param[out] out_accepted  not NULL; the accepted message, free it with marline_accepted_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_accept
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_accept_first(marline_account *account,
                                            const uint8_t *message,
                                            size_t message_len,
                                            const uint8_t *ad,
                                            size_t ad_len,
                                            uint64_t now,
                                            marline_accepted **out_accepted,
                                            marline_error *err);

/**
 * The authenticated identity that an accepted message is from.
 *
 * @param[in] accepted  not NULL
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_accepted_identity(const marline_accepted *accepted,
                                         uint8_t *out_identity,
                                         size_t out_identity_len,
                                         marline_error *err);

/**
 * Wipes and frees an accepted message. If no contact took it, it and its session are lost.
 *
 * @param[in] accepted  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_accepted_free(marline_accepted *accepted);

/**
 * Gives an accepted message with its session to a contact. When it is not from the contact's identity, this says that the
 * peer has changed its identity. The accepted message is spent then; it is still freed with marline_accepted_free.
 *
 * @param[in,out] contact  not NULL
 * @param[in,out] accepted  not NULL
 * @param[in] now  Unix seconds
 * @param[out] out_opened  not NULL; plaintext and author, free it with marline_opened_free; NULL also after success if
 *             an event says why there is none, or after a reset
 * @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
 * @param[out] out_events  not NULL; what happened besides, free it with marline_events_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_adopt(marline_contact *contact,
                                     marline_accepted *accepted,
                                     uint64_t now,
                                     marline_opened **out_opened,
                                     uint32_t *out_trust,
                                     marline_events **out_events,
                                     marline_error *err);

/**
 * The bytes of a buffer.
 *
 * @param[in] buffer  not NULL
 * @return the bytes, valid until the buffer is freed; not NULL even for an empty buffer; NULL for NULL or what
 *         is no buffer
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_buffer_data(const marline_buffer *buffer);

/**
 * The number of bytes in a buffer.
 *
 * @param[in] buffer  not NULL
 * @return the number; 0 for NULL or what is no buffer
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_buffer_len(const marline_buffer *buffer);

/**
 * Wipes and frees a buffer.
 *
 * @param[in] buffer  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_buffer_free(marline_buffer *buffer);

/**
 * The plaintext of a decrypted message.
 *
 * @param[in] opened  not NULL
 * @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_opened_plaintext(const marline_opened *opened);

/**
 * The number of bytes of the plaintext.
 *
 * @param[in] opened  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_opened_plaintext_len(const marline_opened *opened);

/**
 * The subject that the sender claims: 0 to 255 bytes, not NUL-terminated, not checked to be text.
 *
 * @param[in] opened  not NULL
 * @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_opened_subject(const marline_opened *opened);

/**
 * The number of bytes of the subject.
 *
 * @param[in] opened  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_opened_subject_len(const marline_opened *opened);

/**
 * The sender's authenticated identity: MARLINE_ID_SIZE bytes.
 *
 * @param[in] opened  not NULL
 * @return MARLINE_ID_SIZE bytes, valid until the handle is freed; NULL for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_opened_identity(const marline_opened *opened);

/**
 * Wipes and frees a decrypted message.
 *
 * @param[in] opened  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_opened_free(marline_opened *opened);

/**
 * Makes a contact without sessions, for the peer device of an identity.
 *
 * @param[in] identity  not NULL; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[out] out_contact  not NULL; a new contact, free it with marline_contact_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_new(const uint8_t *identity,
                                   size_t identity_len,
                                   marline_contact **out_contact,
                                   marline_error *err);

/**
 * Restores a contact from a stored state.
 *
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[in] sealed  what marline_contact_export gave; `sealed_len` bytes
 * @param[in] sealed_len  length of the stored state
 * @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
 * @param[out] out_contact  not NULL; a new contact, free it with marline_contact_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
 *         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_import(const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *sealed,
                                      size_t sealed_len,
                                      uint64_t minimum_generation,
                                      marline_contact **out_contact,
                                      marline_error *err);

/**
 * The state of a contact with all its sessions, sealed under the application's key.
 *
 * @param[in] contact  not NULL
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] out_generation  not NULL; remember it, for marline_contact_import
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_export(const marline_contact *contact,
                                      const uint8_t *key,
                                      size_t key_len,
                                      marline_buffer **out_sealed,
                                      uint64_t *out_generation,
                                      marline_error *err);

/**
 * Wipes and frees a contact with its sessions. Stored states are not touched.
 *
 * @param[in] contact  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_contact_free(marline_contact *contact);

/**
 * Starts a session with the contact and encrypts its first message. With a session to send on already, this is a
 * reset with content. Store the states of the account and of the contact before the message leaves the device.
 *
 * @param[in,out] contact  not NULL
 * @param[in,out] account  not NULL
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_initiate; MARLINE_ERR_IDENTITY_CHANGED while a change awaits a decision, or for a bundle of another
 *         identity; MARLINE_ERR_LIMIT within an hour of the last reset. Nothing has changed then.
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_initiate(marline_contact *contact,
                                        marline_account *account,
                                        const uint8_t *bundle,
                                        size_t bundle_len,
                                        const uint8_t *plaintext,
                                        size_t plaintext_len,
                                        const uint8_t *ad,
                                        size_t ad_len,
                                        const marline_options *options,
                                        uint64_t now,
                                        marline_buffer **out_message,
                                        marline_error *err);

/**
 * Gives up the session and starts another, with a message that tells the peer so: for a session that failed, or
 * whose messages the peer cannot read. At most one in an hour.
 *
 * @param[in,out] contact  not NULL
 * @param[in,out] account  not NULL
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_contact_initiate
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_reset(marline_contact *contact,
                                     marline_account *account,
                                     const uint8_t *bundle,
                                     size_t bundle_len,
                                     const uint8_t *ad,
                                     size_t ad_len,
                                     const marline_options *options,
                                     uint64_t now,
                                     marline_buffer **out_message,
                                     marline_error *err);

/**
 * Encrypts on the session that both sides prefer. Store the state before the message leaves the device.
 *
 * @param[in,out] contact  not NULL
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults; `slots` must be 0
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_encrypt; MARLINE_ERR_NO_SESSION: marline_contact_initiate first; MARLINE_ERR_IDENTITY_CHANGED while a
 *         change awaits a decision. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_send(marline_contact *contact,
                                    const uint8_t *plaintext,
                                    size_t plaintext_len,
                                    const uint8_t *ad,
                                    size_t ad_len,
                                    const marline_options *options,
                                    marline_buffer **out_message,
                                    marline_error *err);

/**
 * Whether a first message belongs to a session here: then marline_contact_receive opens it.
 *
 * @param[in] contact  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[out] out_owns  not NULL; 1 or 0
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_owns(const marline_contact *contact,
                                    const uint8_t *message,
                                    size_t message_len,
                                    uint32_t *out_owns,
                                    marline_error *err);

/**
 * Opens a message of any session with the contact. Store the state before acting on the plaintext.
 *
 * @param[in,out] contact  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[out] out_opened  not NULL; plaintext and author, free it with marline_opened_free; NULL also after success if
 *             an event says why there is none, or after a reset
 * @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
 * @param[out] out_events  not NULL; what happened besides, free it with marline_events_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_decrypt; MARLINE_ERR_NO_SESSION: a first message of a new session, for
 *         marline_account_accept_first and marline_contact_adopt, or there is no session. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_receive(marline_contact *contact,
                                       const uint8_t *message,
                                       size_t message_len,
                                       const uint8_t *ad,
                                       size_t ad_len,
                                       marline_opened **out_opened,
                                       uint32_t *out_trust,
                                       marline_events **out_events,
                                       marline_error *err);

/**
 * As marline_session_maintain, in all sessions.
 *
 * @param[in,out] contact  not NULL
 * @param[in] now  Unix seconds
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_maintain(marline_contact *contact,
                                        uint64_t now,
                                        marline_error *err);

#if defined(MARLINE_HAVE_DEVICE)
/**
 * Makes a device with a fresh identity in a new file, readable by its owner only.
 *
 * @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
 * @param[in] path_len  length of the path
 * @param[in] anchor  a file for the anchor, on another disk or where backups do not reach; `anchor_len` bytes, NULL if that
 *            is 0: beside the device's file
 * @param[in] anchor_len  length of the anchor's path
 * @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
 * @param[in] secret  the key or the passphrase; `secret_len` bytes
 * @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
 * @param[in] subject  the name it claims towards others; `subject_len` bytes, NULL if that is 0
 * @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
 * @param[in] options  nullable; NULL is all defaults
 * @param[out] out_device  not NULL; a new device, free it with marline_device_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (a selector, a path, Argon2's cost),
 *         MARLINE_ERR_STRUCT_SIZE, MARLINE_ERR_EXISTS, MARLINE_ERR_NOT_FOUND (no such directory),
 *         MARLINE_ERR_RANDOMNESS; storage errors are MARLINE_ERR_STORAGE, MARLINE_ERR_DISK_FULL,
 *         MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE, MARLINE_ERR_INTERNAL. No file is left then.
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_create(const uint8_t *path,
                                     size_t path_len,
                                     const uint8_t *anchor,
                                     size_t anchor_len,
                                     uint32_t unlock,
                                     const uint8_t *secret,
                                     size_t secret_len,
                                     const uint8_t *subject,
                                     size_t subject_len,
                                     const marline_device_options *options,
                                     marline_device **out_device,
                                     marline_error *err);

/**
 * Opens a device.
 *
 * @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
 * @param[in] path_len  length of the path
 * @param[in] anchor  the file of the anchor, as it was created with; `anchor_len` bytes, NULL if that is 0
 * @param[in] anchor_len  length of the anchor's path
 * @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
 * @param[in] secret  the key or the passphrase; `secret_len` bytes
 * @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
 * @param[in] options  nullable; NULL is all defaults
 * @param[out] out_device  not NULL; the device, free it with marline_device_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE;
 *         MARLINE_ERR_WRONG_KEY; MARLINE_ERR_NOT_FOUND; MARLINE_ERR_ROLLBACK: the file is older than one that was used here,
 *         see marline_device_open_restored; MARLINE_ERR_EXISTS: the anchor would be one of the device's own files;
 *         MARLINE_ERR_SCHEMA; storage errors are MARLINE_ERR_STORAGE,
 *         MARLINE_ERR_DISK_FULL, MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE, MARLINE_ERR_INTERNAL
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_open(const uint8_t *path,
                                   size_t path_len,
                                   const uint8_t *anchor,
                                   size_t anchor_len,
                                   uint32_t unlock,
                                   const uint8_t *secret,
                                   size_t secret_len,
                                   const marline_device_options *options,
                                   marline_device **out_device,
                                   marline_error *err);

/**
 * Opens a copy that is older than the state it was copied from: a restored backup, a cloned machine. What such a copy must
 * not go on with is deleted: all sessions, all prekeys, the outbox. Identity, contacts and their verification
 * stay. Afterwards marline_device_publish, and a fresh bundle of each contact.
 *
 * @param[in] path  the file; `path_len` bytes, as the operating system takes them (UTF-8 on Windows)
 * @param[in] path_len  length of the path
 * @param[in] anchor  a file for the anchor; `anchor_len` bytes, NULL if that is 0
 * @param[in] anchor_len  length of the anchor's path
 * @param[in] unlock  MARLINE_UNLOCK_...: what `secret` is
 * @param[in] secret  the key or the passphrase; `secret_len` bytes
 * @param[in] secret_len  MARLINE_KEY_SIZE for a key; for a passphrase at least 1
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_device  not NULL; the device, free it with marline_device_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_open, without MARLINE_ERR_ROLLBACK
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_open_restored(const uint8_t *path,
                                            size_t path_len,
                                            const uint8_t *anchor,
                                            size_t anchor_len,
                                            uint32_t unlock,
                                            const uint8_t *secret,
                                            size_t secret_len,
                                            const marline_device_options *options,
                                            uint64_t now,
                                            marline_device **out_device,
                                            marline_error *err);

/**
 * Closes a device and wipes what was in memory. Its file stays, with everything in it; what was marked as sent or
 * acknowledged since the last change waits there once more, unless marline_device_flush was called. In a child process
 * after a fork this does nothing: the file belongs to the parent.
 *
 * @param[in] device  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_device_free(marline_device *device);

/**
 * The id of the device's identity.
 *
 * @param[in] device  not NULL
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_identity(const marline_device *device,
                                       uint8_t *out_identity,
                                       size_t out_identity_len,
                                       marline_error *err);

/**
 * The generation of the device's state: it grows with every change. Kept where a restore does not reach, it shows that a
 * whole machine was rolled back: give it as `minimum_generation`.
 *
 * @param[in,out] device  not NULL
 * @param[out] out_generation  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_generation(marline_device *device,
                                         uint64_t *out_generation,
                                         marline_error *err);

/**
 * Puts everything on disk: what was marked as sent or acknowledged, and with MARLINE_DURABILITY_BATCHED the changes since
 * the last call.
 *
 * @param[in,out] device  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; storage errors are MARLINE_ERR_STORAGE,
 *         MARLINE_ERR_DISK_FULL, MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_flush(marline_device *device,
                                    marline_error *err);

/**
 * Writes a consistent, encrypted copy of the file to a new one, opened by the same key or passphrase. It is for
 * marline_device_open_restored.
 *
 * @param[in,out] device  not NULL
 * @param[in] path  the new file; `path_len` bytes of UTF-8
 * @param[in] path_len  length of the path
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (a path), MARLINE_ERR_EXISTS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_backup(marline_device *device,
                                     const uint8_t *path,
                                     size_t path_len,
                                     marline_error *err);

/**
 * Adds a contact from its bundle, or gives a fresh bundle to one that exists, for a first session or a reset. The
 * bundle is verified. A known identity under another name is renamed.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the name it has here: UTF-8 without control characters, 1 to 255 bytes; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] now  Unix seconds
 * @param[out] out_added  not NULL; MARLINE_ADDED_...
 * @param[out] out_identity  not NULL; the bundle's identity, `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT (not a name), MARLINE_ERR_EXISTS (the name is
 *         another contact's, and the identity a third one's); for the bundle: MARLINE_ERR_AUTHENTICATION,
 *         MARLINE_ERR_EXPIRED, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED. Nothing has
 *         changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_add_contact(marline_device *device,
                                          const uint8_t *name,
                                          size_t name_len,
                                          const uint8_t *bundle,
                                          size_t bundle_len,
                                          uint64_t now,
                                          uint32_t *out_added,
                                          uint8_t *out_identity,
                                          size_t out_identity_len,
                                          marline_error *err);

/**
 * All contacts, in no order.
 *
 * @param[in,out] device  not NULL
 * @param[out] out_contacts  not NULL; the contacts as they are now, free it with marline_contacts_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_contacts(marline_device *device,
                                       marline_contacts **out_contacts,
                                       marline_error *err);

/**
 * One contact.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[out] out_contacts  not NULL; the contact at index 0, free it with marline_contacts_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_NOT_FOUND
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_contact(marline_device *device,
                                      const uint8_t *name,
                                      size_t name_len,
                                      marline_contacts **out_contacts,
                                      marline_error *err);

/**
 * Records whether the user has compared the safety number of an identity, the contact's when it was shown: see
 * marline_safety_number.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[in] identity  not NULL; the one whose number was compared; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[in] verified  1 or 0
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_contact; MARLINE_ERR_IDENTITY_CHANGED when the contact has another identity by now
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_set_verified(marline_device *device,
                                           const uint8_t *name,
                                           size_t name_len,
                                           const uint8_t *identity,
                                           size_t identity_len,
                                           uint32_t verified,
                                           marline_error *err);

/**
 * The user accepts a contact's changed identity, given as it was shown. It is not verified.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[in] identity  not NULL; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_contact; MARLINE_ERR_IDENTITY_CHANGED unless it is the one that awaits a decision
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_acknowledge_identity(marline_device *device,
                                                   const uint8_t *name,
                                                   size_t name_len,
                                                   const uint8_t *identity,
                                                   size_t identity_len,
                                                   marline_error *err);

/**
 * The user refuses a contact's changed identity: what it brought is deleted.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_contact
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_reject_identity(marline_device *device,
                                              const uint8_t *name,
                                              size_t name_len,
                                              marline_error *err);

/**
 * The number of contacts.
 *
 * @param[in] contacts  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_contacts_count(const marline_contacts *contacts);

/**
 * One contact.
 *
 * @param[in] contacts  not NULL
 * @param[in] index  below marline_contacts_count
 * @param[in,out] out_info  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contacts_get(const marline_contacts *contacts,
                                    uint32_t index,
                                    marline_contact_info *out_info,
                                    marline_error *err);

/**
 * The name of a contact: UTF-8, not NUL-terminated.
 *
 * @param[in] contacts  not NULL
 * @param[in] index  below marline_contacts_count
 * @return the bytes, valid until the handle is freed; NULL for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_contacts_name(const marline_contacts *contacts,
                                     uint32_t index);

/**
 * The number of bytes of a contact's name.
 *
 * @param[in] contacts  not NULL
 * @param[in] index  below marline_contacts_count
 * @return the number; 0 for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_contacts_name_len(const marline_contacts *contacts,
                                 uint32_t index);

/**
 * The facts of one session with a contact.
 *
 * @param[in] contacts  not NULL
 * @param[in] index  below marline_contacts_count
 * @param[in] session  below the contact's `sessions`; 0 is the best one
 * @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contacts_session(const marline_contacts *contacts,
                                        uint32_t index,
                                        uint32_t session,
                                        marline_facts *out_facts,
                                        marline_error *err);

/**
 * Frees contacts. The device's own are not touched.
 *
 * @param[in] contacts  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_contacts_free(marline_contacts *contacts);

/**
 * The number of messages in an inbox.
 *
 * @param[in] inbox  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_inbox_count(const marline_inbox *inbox);

/**
 * One message of an inbox, but for its bytes.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @param[in,out] out_incoming  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_inbox_get(const marline_inbox *inbox,
                                 uint32_t index,
                                 marline_incoming *out_incoming,
                                 marline_error *err);

/**
 * The plaintext of a message.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the bytes, valid until the handle is freed; not NULL even when empty; NULL if there is no plaintext, for another
 *         index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_inbox_plaintext(const marline_inbox *inbox,
                                       uint32_t index);

/**
 * The number of bytes of a message's plaintext.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the number; 0 if there is no plaintext, for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_inbox_plaintext_len(const marline_inbox *inbox,
                                   uint32_t index);

/**
 * The name of the contact that a message is from: UTF-8, not NUL-terminated.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the bytes, valid until the handle is freed; NULL for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_inbox_contact(const marline_inbox *inbox,
                                     uint32_t index);

/**
 * The number of bytes of the contact's name.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the number; 0 for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_inbox_contact_len(const marline_inbox *inbox,
                                 uint32_t index);

/**
 * The subject that the author claims: 0 to 255 bytes, not NUL-terminated, not checked to be text.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the bytes, valid until the handle is freed; not NULL even when empty; NULL for another index, NULL or a wrong
 *         handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_inbox_subject(const marline_inbox *inbox,
                                     uint32_t index);

/**
 * The number of bytes of the subject.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @return the number; 0 for another index, NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_inbox_subject_len(const marline_inbox *inbox,
                                 uint32_t index);

/**
 * What happened besides when a message was received. It is kept in the inbox with the message.
 *
 * @param[in] inbox  not NULL
 * @param[in] index  below marline_inbox_count
 * @param[out] out_events  not NULL; the events, free it with marline_events_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_inbox_events(const marline_inbox *inbox,
                                    uint32_t index,
                                    marline_events **out_events,
                                    marline_error *err);

/**
 * Wipes and frees an inbox. What is on the device is not touched.
 *
 * @param[in] inbox  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_inbox_free(marline_inbox *inbox);

/**
 * Encrypts for a contact, starting a session from the contact's bundle when there is none. State and ciphertext are on
 * disk when the call returns: the message may leave at once. It waits in the outbox until marline_device_mark_sent.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults; `slots` counts if this starts a session
 * @param[in] now  Unix seconds
 * @param[out] out_id  not NULL; names it in the outbox, `out_id_len` bytes
 * @param[in] out_id_len  MARLINE_ID_SIZE
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE;
 *         MARLINE_ERR_NOT_FOUND (no such contact); MARLINE_ERR_NO_SESSION: add a bundle; MARLINE_ERR_IDENTITY_CHANGED: the
 *         user has to decide; MARLINE_ERR_AGREEMENT_FAILED: marline_device_reset; for the bundle: MARLINE_ERR_EXPIRED,
 *         MARLINE_ERR_ROLLBACK, MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_MALFORMED; MARLINE_ERR_LIMIT,
 *         MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_send(marline_device *device,
                                   const uint8_t *name,
                                   size_t name_len,
                                   const uint8_t *plaintext,
                                   size_t plaintext_len,
                                   const uint8_t *ad,
                                   size_t ad_len,
                                   const marline_options *options,
                                   uint64_t now,
                                   uint8_t *out_id,
                                   size_t out_id_len,
                                   marline_buffer **out_message,
                                   marline_error *err);

/**
 * Gives up the session with a contact and starts another from its bundle; the message tells the peer so. At most one in
 * an hour.
 *
 * @param[in,out] device  not NULL
 * @param[in] name  the contact's name; `name_len` bytes
 * @param[in] name_len  length of the name
 * @param[in] now  Unix seconds
 * @param[out] out_id  not NULL; names it in the outbox, `out_id_len` bytes
 * @param[in] out_id_len  MARLINE_ID_SIZE
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_send; MARLINE_ERR_LIMIT within an hour of the last reset
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_reset(marline_device *device,
                                    const uint8_t *name,
                                    size_t name_len,
                                    uint64_t now,
                                    uint8_t *out_id,
                                    size_t out_id_len,
                                    marline_buffer **out_message,
                                    marline_error *err);

/**
 * The message is with the transport: it leaves the outbox with the next change or marline_device_flush. A crash before that
 * means that it is sent twice, which the receiver ignores. An id that is not in the outbox does nothing.
 *
 * @param[in,out] device  not NULL
 * @param[in] id  not NULL; what marline_device_send or marline_outbox_get gave, `id_len` bytes
 * @param[in] id_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_mark_sent(marline_device *device,
                                        const uint8_t *id,
                                        size_t id_len,
                                        marline_error *err);

/**
 * Opens a message. State, plaintext and events are on disk when the call returns; the same message with the same associated
 * data gives the same until marline_device_acknowledge. Somebody unknown who starts a session becomes a new contact.
 *
 * @param[in,out] device  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] from  the contact that the transport says it comes from; `from_len` bytes, NULL if that is 0: all contacts are
 *            tried, those heard last first
 * @param[in] from_len  length of the contact's name
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] now  Unix seconds
 * @param[out] out_inbox  not NULL; the message at index 0, free it with marline_inbox_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_NOT_FOUND (no contact `from`);
 *         MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_DUPLICATE, MARLINE_ERR_TOO_OLD, MARLINE_ERR_TOO_FAR_AHEAD,
 *         MARLINE_ERR_UNKNOWN_PREKEY, MARLINE_ERR_PREKEY_USED, MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_LIMIT (publish
 *         again), MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED, MARLINE_ERR_NO_SESSION,
 *         MARLINE_ERR_NO_MEMORY. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_receive(marline_device *device,
                                      const uint8_t *message,
                                      size_t message_len,
                                      const uint8_t *from,
                                      size_t from_len,
                                      const uint8_t *ad,
                                      size_t ad_len,
                                      uint64_t now,
                                      marline_inbox **out_inbox,
                                      marline_error *err);

/**
 * The application has what it needs of a message, its plaintext and its events: it leaves the inbox with the next change or
 * marline_device_flush. An id that is not in the inbox does nothing.
 *
 * @param[in,out] device  not NULL
 * @param[in] id  not NULL; the `id` of marline_inbox_get, `id_len` bytes
 * @param[in] id_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_LENGTH
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_acknowledge(marline_device *device,
                                          const uint8_t *id,
                                          size_t id_len,
                                          marline_error *err);

/**
 * Messages not acknowledged, oldest first, also those that only bring events: after a start, what was received and not dealt with.
 *
 * @param[in,out] device  not NULL
 * @param[out] out_inbox  not NULL; the inbox as it is now, free it with marline_inbox_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_inbox(marline_device *device,
                                    marline_inbox **out_inbox,
                                    marline_error *err);

/**
 * Ciphertexts not marked as sent, oldest first: after a start, what is to be sent (again).
 *
 * @param[in,out] device  not NULL
 * @param[out] out_outbox  not NULL; the outbox as it is now, free it with marline_outbox_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_outbox(marline_device *device,
                                     marline_outbox **out_outbox,
                                     marline_error *err);

/**
 * The number of messages in an outbox.
 *
 * @param[in] outbox  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_outbox_count(const marline_outbox *outbox);

/**
 * One message of an outbox.
 *
 * @param[in] outbox  not NULL
 * @param[in] index  below marline_outbox_count
 * @param[out] out_id  not NULL; for marline_device_mark_sent, `out_id_len` bytes
 * @param[in] out_id_len  MARLINE_ID_SIZE
 * @param[out] out_name  not NULL; the contact it is for, a new buffer, free it with marline_buffer_free
 * @param[out] out_message  not NULL; what to send, a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH; MARLINE_ERR_ARGUMENT for another index
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_outbox_get(const marline_outbox *outbox,
                                  uint32_t index,
                                  uint8_t *out_id,
                                  size_t out_id_len,
                                  marline_buffer **out_name,
                                  marline_buffer **out_message,
                                  marline_error *err);

/**
 * Frees an outbox. What is on the device is not touched.
 *
 * @param[in] outbox  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_outbox_free(marline_outbox *outbox);

/**
 * Makes a publication for a directory. It is on disk when the call returns, and waits in marline_device_unpublished until
 * marline_device_mark_published.
 *
 * @param[in,out] device  not NULL
 * @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
 * @param[in] now  Unix seconds
 * @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_ARGUMENT for another count,
 *         MARLINE_ERR_LIMIT, MARLINE_ERR_RANDOMNESS; storage errors are MARLINE_ERR_STORAGE, MARLINE_ERR_DISK_FULL,
 *         MARLINE_ERR_READ_ONLY, MARLINE_ERR_CORRUPT, MARLINE_ERR_IN_USE. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_publish(marline_device *device,
                                      uint32_t count,
                                      uint64_t now,
                                      marline_publication **out_publication,
                                      marline_error *err);

/**
 * The publication that no directory has yet.
 *
 * @param[in,out] device  not NULL
 * @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free; NULL also after success if
 *             there is none
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_unpublished(marline_device *device,
                                          marline_publication **out_publication,
                                          marline_error *err);

/**
 * The directory has the publication.
 *
 * @param[in,out] device  not NULL
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_mark_published(marline_device *device,
                                             marline_error *err);

/**
 * Does what is due and reports it: publishes when the newest publication is a week old or three quarters of its one-time
 * prekeys are used, deletes private halves past their deadline, and once a day deletes message keys of 30 days.
 * Call it about every hour.
 *
 * @param[in,out] device  not NULL
 * @param[in] now  Unix seconds
 * @param[in,out] out_report  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] out_publication  not NULL; for the directory, free it with marline_publication_free; NULL also after success
 *             if none was due
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_publish; MARLINE_ERR_STRUCT_SIZE
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_maintain(marline_device *device,
                                       uint64_t now,
                                       marline_maintenance *out_report,
                                       marline_publication **out_publication,
                                       marline_error *err);

/**
 * The state of things.
 *
 * @param[in,out] device  not NULL
 * @param[in] now  Unix seconds
 * @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush; MARLINE_ERR_STRUCT_SIZE
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_status(marline_device *device,
                                     uint64_t now,
                                     marline_device_facts *out_facts,
                                     marline_error *err);

/**
 * The name that the device claims.
 *
 * @param[in,out] device  not NULL
 * @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_device_flush
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_device_subject(marline_device *device,
                                      marline_buffer **out_subject,
                                      marline_error *err);
#endif

/**
 * The number of events.
 *
 * @param[in] events  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_events_count(const marline_events *events);

/**
 * One event.
 *
 * @param[in] events  not NULL
 * @param[in] index  below marline_events_count
 * @param[in,out] out_event  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_events_get(const marline_events *events,
                                  uint32_t index,
                                  marline_event *out_event,
                                  marline_error *err);

/**
 * Frees events.
 *
 * @param[in] events  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_events_free(marline_events *events);

/**
 * What there is to know about a session.
 *
 * @param[in] session  not NULL
 * @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_facts(const marline_session *session,
                                     marline_facts *out_facts,
                                     marline_error *err);

/**
 * The subject that the peer claims: 0 to 255 bytes, not checked to be text.
 *
 * @param[in] session  not NULL
 * @param[out] out_subject  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_peer_subject(const marline_session *session,
                                            marline_buffer **out_subject,
                                            marline_error *err);

/**
 * A secret for another protocol, the same on both sides for the same label and context. It depends on the
 * handshake only.
 *
 * @param[in] session  not NULL
 * @param[in] label  `label_len` bytes, NULL if that is 0
 * @param[in] label_len  length of the label
 * @param[in] context  `context_len` bytes, NULL if that is 0
 * @param[in] context_len  length of the context
 * @param[in] secret_len  1 to MARLINE_MAX_EXPORT
 * @param[out] out_secret  not NULL; a new buffer of `secret_len` bytes, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_export_secret(const marline_session *session,
                                             const uint8_t *label,
                                             size_t label_len,
                                             const uint8_t *context,
                                             size_t context_len,
                                             size_t secret_len,
                                             marline_buffer **out_secret,
                                             marline_error *err);

/**
 * Computes an encryption without making it. The order is: prepare, store marline_pending_state, then
 * marline_session_commit_encrypt gives the message. Freeing the pending handle instead changes nothing.
 *
 * @param[in] session  not NULL
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults; `slots` must be 0
 * @param[out] out_pending  not NULL; a new pending change, free it with marline_pending_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_encrypt
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_prepare_encrypt(const marline_session *session,
                                               const uint8_t *plaintext,
                                               size_t plaintext_len,
                                               const uint8_t *ad,
                                               size_t ad_len,
                                               const marline_options *options,
                                               marline_pending **out_pending,
                                               marline_error *err);

/**
 * Computes a decryption without making it: prepare, store marline_pending_state, then
 * marline_session_commit_decrypt gives the plaintext.
 *
 * @param[in] session  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[out] out_pending  not NULL; a new pending change, free it with marline_pending_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_decrypt
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_prepare_decrypt(const marline_session *session,
                                               const uint8_t *message,
                                               size_t message_len,
                                               const uint8_t *ad,
                                               size_t ad_len,
                                               marline_pending **out_pending,
                                               marline_error *err);

/**
 * The state to store before the commit, sealed under the application's key.
 *
 * @param[in] pending  not NULL
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] out_generation  not NULL; remember it, for marline_session_import
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_SPENT, MARLINE_ERR_RANDOMNESS
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_pending_state(const marline_pending *pending,
                                     const uint8_t *key,
                                     size_t key_len,
                                     marline_buffer **out_sealed,
                                     uint64_t *out_generation,
                                     marline_error *err);

/**
 * What a prepared change yields, to be stored in one transaction with marline_pending_state: the message for an outbox, or
 * the plaintext for an inbox (its sender is the session's peer). Without that, a crash between storing and the
 * commit loses it. Do nothing else with it before the commit.
 *
 * @param[in] pending  not NULL
 * @param[out] out_output  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT; MARLINE_ERR_AGREEMENT_FAILED: the prepared message ends the
 *         session, and there is no plaintext
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_pending_output(const marline_pending *pending,
                                      marline_buffer **out_output,
                                      marline_error *err);

/**
 * Makes a prepared encryption and releases its message. The pending handle is spent then, also with
 * MARLINE_ERR_STALE; it is still freed with marline_pending_free.
 *
 * @param[in,out] session  not NULL; the session it was prepared for
 * @param[in,out] pending  not NULL; of marline_session_prepare_encrypt
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT (committed before, or a
 *         decryption); MARLINE_ERR_STALE when the session has changed since, or is another one
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_commit_encrypt(marline_session *session,
                                              marline_pending *pending,
                                              marline_buffer **out_message,
                                              marline_error *err);

/**
 * Makes a prepared decryption and releases its plaintext. The pending handle is spent then, also with
 * MARLINE_ERR_STALE; it is still freed with marline_pending_free.
 *
 * @param[in,out] session  not NULL; the session it was prepared for
 * @param[in,out] pending  not NULL; of marline_session_prepare_decrypt
 * @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_SPENT (committed before, or an
 *         encryption); MARLINE_ERR_STALE when the session has changed since, or is another one
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_commit_decrypt(marline_session *session,
                                              marline_pending *pending,
                                              marline_opened **out_opened,
                                              marline_error *err);

/**
 * Wipes and frees a pending change; if it was not committed, nothing has changed.
 *
 * @param[in] pending  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_pending_free(marline_pending *pending);

/**
 * The number of one-time records in a publication.
 *
 * @param[in] publication  not NULL
 * @param[out] out_count  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_publication_count(const marline_publication *publication,
                                         uint32_t *out_count,
                                         marline_error *err);

/**
 * The signed manifest: what every bundle of the publication begins with.
 *
 * @param[in] publication  not NULL
 * @param[out] out_manifest  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_publication_manifest(const marline_publication *publication,
                                            marline_buffer **out_manifest,
                                            marline_error *err);

/**
 * One record, opaque to a directory. The manifest followed by a record is a bundle; a one-time record is handed
 * out once.
 *
 * @param[in] publication  not NULL
 * @param[in] index  below marline_publication_count, or MARLINE_LAST_RESORT
 * @param[out] out_record  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_publication_record(const marline_publication *publication,
                                          uint32_t index,
                                          marline_buffer **out_record,
                                          marline_error *err);

/**
 * A bundle: the manifest followed by one record. What a directory hands out for one handshake.
 *
 * @param[in] publication  not NULL
 * @param[in] index  below marline_publication_count, or MARLINE_LAST_RESORT
 * @param[out] out_bundle  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_publication_bundle(const marline_publication *publication,
                                          uint32_t index,
                                          marline_buffer **out_bundle,
                                          marline_error *err);

/**
 * Frees a publication.
 *
 * @param[in] publication  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_publication_free(marline_publication *publication);

/**
 * Whose bundle it claims to be. Nothing is verified: marline_account_initiate does that.
 *
 * @param[in] bundle  `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_bundle_unverified_identity(const uint8_t *bundle,
                                                  size_t bundle_len,
                                                  uint8_t *out_identity,
                                                  size_t out_identity_len,
                                                  marline_error *err);

/**
 * Verifies a bundle: its signatures, its prekey, its time. marline_account_initiate and marline_device_add_contact do so by
 * themselves; this is for whoever looks at bundles before.
 *
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] own  not NULL; the caller's identity, `own_len` bytes
 * @param[in] own_len  MARLINE_ID_SIZE
 * @param[in] now  Unix seconds
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH; MARLINE_ERR_AUTHENTICATION, MARLINE_ERR_EXPIRED,
 *         MARLINE_ERR_OWN_IDENTITY, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_bundle_verify(const uint8_t *bundle,
                                     size_t bundle_len,
                                     const uint8_t *own,
                                     size_t own_len,
                                     uint64_t now,
                                     marline_error *err);

/**
 * Whether a bundle carries a one-time prekey. Nothing is verified.
 *
 * @param[in] bundle  `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[out] out_has  not NULL; 1 or 0
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_bundle_has_one_time(const uint8_t *bundle,
                                           size_t bundle_len,
                                           uint32_t *out_has,
                                           marline_error *err);

/**
 * The safety number of two identities, in either order: 60 digits that two people compare once.
 *
 * @param[in] one  not NULL; `one_len` bytes
 * @param[in] one_len  MARLINE_ID_SIZE
 * @param[in] other  not NULL; `other_len` bytes
 * @param[in] other_len  MARLINE_ID_SIZE
 * @param[out] out_digits  not NULL; NUL-terminated
 * @param[in] out_digits_len  MARLINE_SAFETY_NUMBER_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_safety_number(const uint8_t *one,
                                     size_t one_len,
                                     const uint8_t *other,
                                     size_t other_len,
                                     char *out_digits,
                                     size_t out_digits_len,
                                     marline_error *err);

/**
 * The bytes of the safety number's QR code, equal on both devices.
 *
 * @param[in] one  not NULL; `one_len` bytes
 * @param[in] one_len  MARLINE_ID_SIZE
 * @param[in] other  not NULL; `other_len` bytes
 * @param[in] other_len  MARLINE_ID_SIZE
 * @param[out] out_qr  not NULL; `out_qr_len` bytes
 * @param[in] out_qr_len  MARLINE_SAFETY_NUMBER_QR_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_safety_number_qr(const uint8_t *one,
                                        size_t one_len,
                                        const uint8_t *other,
                                        size_t other_len,
                                        uint8_t *out_qr,
                                        size_t out_qr_len,
                                        marline_error *err);

/**
 * Restores a session from a stored state.
 *
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[in] sealed  what marline_session_export or marline_pending_state gave; `sealed_len` bytes
 * @param[in] sealed_len  length of the stored state
 * @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
 * @param[out] out_session  not NULL; a new session, free it with marline_session_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_AUTHENTICATION (another key, or corrupt),
 *         MARLINE_ERR_ROLLBACK, MARLINE_ERR_VERSION, MARLINE_ERR_MALFORMED
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_import(const uint8_t *key,
                                      size_t key_len,
                                      const uint8_t *sealed,
                                      size_t sealed_len,
                                      uint64_t minimum_generation,
                                      marline_session **out_session,
                                      marline_error *err);

/**
 * The state of a session, sealed under the application's key.
 *
 * @param[in] session  not NULL
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[out] out_sealed  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] out_generation  not NULL; remember it, for marline_session_import
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_RANDOMNESS
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_export(const marline_session *session,
                                      const uint8_t *key,
                                      size_t key_len,
                                      marline_buffer **out_sealed,
                                      uint64_t *out_generation,
                                      marline_error *err);

/**
 * Wipes and frees a session. Its stored states are not touched.
 *
 * @param[in] session  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_session_free(marline_session *session);

/**
 * Encrypts one message. The state changes: store it before the message leaves the device, or use
 * marline_session_prepare_encrypt, which makes that order a property of the program.
 *
 * @param[in,out] session  not NULL
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults; `slots` must be 0
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT,
 *         MARLINE_ERR_STRUCT_SIZE; MARLINE_ERR_AGREEMENT_FAILED, MARLINE_ERR_LIMIT, MARLINE_ERR_MALFORMED (the
 *         peer's key is of no use), MARLINE_ERR_RANDOMNESS, MARLINE_ERR_NO_MEMORY. Nothing has changed then.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_encrypt(marline_session *session,
                                       const uint8_t *plaintext,
                                       size_t plaintext_len,
                                       const uint8_t *ad,
                                       size_t ad_len,
                                       const marline_options *options,
                                       marline_buffer **out_message,
                                       marline_error *err);

/**
 * Decrypts one message. The state changes: store it before acting on the plaintext, or use
 * marline_session_prepare_decrypt.
 *
 * @param[in,out] session  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[out] out_opened  not NULL; plaintext and peer, free it with marline_opened_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_AUTHENTICATION,
 *         MARLINE_ERR_DUPLICATE, MARLINE_ERR_TOO_OLD, MARLINE_ERR_TOO_FAR_AHEAD, MARLINE_ERR_VERSION,
 *         MARLINE_ERR_MALFORMED, MARLINE_ERR_NO_MEMORY: nothing has changed. MARLINE_ERR_AGREEMENT_FAILED: the
 *         session has ended, which is a change.
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_decrypt(marline_session *session,
                                       const uint8_t *message,
                                       size_t message_len,
                                       const uint8_t *ad,
                                       size_t ad_len,
                                       marline_opened **out_opened,
                                       marline_error *err);

/**
 * The exact length of the next message with a plaintext of a given length.
 *
 * @param[in] session  not NULL
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] options  nullable; the options it will be encrypted with
 * @param[out] out_len  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT, MARLINE_ERR_STRUCT_SIZE,
 *         MARLINE_ERR_AGREEMENT_FAILED
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_message_len(const marline_session *session,
                                           size_t plaintext_len,
                                           const marline_options *options,
                                           size_t *out_len,
                                           marline_error *err);

/**
 * As marline_session_encrypt, into the caller's memory, which may overlap the inputs.
 *
 * @param[in,out] session  not NULL
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults; `slots` must be 0
 * @param[out] out_message  `capacity` bytes; written on success only
 * @param[in] capacity  at least marline_session_message_len
 * @param[out] out_len  not NULL; the length of the message, also with MARLINE_ERR_BUFFER_TOO_SMALL
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_encrypt; MARLINE_ERR_BUFFER_TOO_SMALL: nothing has changed
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_encrypt_into(marline_session *session,
                                            const uint8_t *plaintext,
                                            size_t plaintext_len,
                                            const uint8_t *ad,
                                            size_t ad_len,
                                            const marline_options *options,
                                            uint8_t *out_message,
                                            size_t capacity,
                                            size_t *out_len,
                                            marline_error *err);

/**
 * As marline_session_decrypt, into the caller's memory, which may overlap the inputs. The peer comes with it.
 *
 * @param[in,out] session  not NULL
 * @param[in] message  `message_len` bytes
 * @param[in] message_len  length of the message
 * @param[in] ad  the associated data it was sent with; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[out] out_plaintext  `capacity` bytes; written on success only
 * @param[in] capacity  `message_len` is always enough
 * @param[out] out_len  not NULL; the length of the plaintext; with MARLINE_ERR_BUFFER_TOO_SMALL a capacity that
 *             is enough
 * @param[out] out_peer  not NULL; the peer's identity, `out_peer_len` bytes; zero after a failure
 * @param[in] out_peer_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return as marline_session_decrypt; MARLINE_ERR_BUFFER_TOO_SMALL: nothing has changed
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_decrypt_into(marline_session *session,
                                            const uint8_t *message,
                                            size_t message_len,
                                            const uint8_t *ad,
                                            size_t ad_len,
                                            uint8_t *out_plaintext,
                                            size_t capacity,
                                            size_t *out_len,
                                            uint8_t *out_peer,
                                            size_t out_peer_len,
                                            marline_error *err);

/**
 * Dates the keys held for messages that have not come, and deletes those of 30 days. Call it about once a day,
 * and store the state afterwards.
 *
 * @param[in,out] session  not NULL
 * @param[in] now  Unix seconds
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_session_maintain(marline_session *session,
                                        uint64_t now,
                                        marline_error *err);

/**
 * Makes a new device whose identity signs outside of this library. It holds the public keys only. Instead of
 * marline_account_publish and marline_account_initiate, which answer MARLINE_ERR_SIGNER, it has
 * marline_account_prepare_publish and marline_account_prepare_initiate; everything else is the same.
 *
 * @param[in] ed25519  not NULL; the identity's Ed25519 public key, `ed25519_len` bytes
 * @param[in] ed25519_len  MARLINE_ED25519_KEY_SIZE
 * @param[in] mldsa65  not NULL; the identity's ML-DSA-65 public key (FIPS 204), `mldsa65_len` bytes
 * @param[in] mldsa65_len  MARLINE_MLDSA65_KEY_SIZE
 * @param[in] subject  the name it claims; `subject_len` bytes, NULL if that is 0
 * @param[in] subject_len  0 to MARLINE_MAX_SUBJECT
 * @param[out] out_account  not NULL; a new account, free it with marline_account_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; MARLINE_ERR_NULL, MARLINE_ERR_LENGTH, MARLINE_ERR_MALFORMED (not a key to sign with)
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_external(const uint8_t *ed25519,
                                        size_t ed25519_len,
                                        const uint8_t *mldsa65,
                                        size_t mldsa65_len,
                                        const uint8_t *subject,
                                        size_t subject_len,
                                        marline_account **out_account,
                                        marline_error *err);

/**
 * Restores an account of marline_account_external from a stored state.
 *
 * @param[in] key  not NULL; the application's key, `key_len` bytes
 * @param[in] key_len  MARLINE_KEY_SIZE
 * @param[in] ed25519  not NULL; the identity's Ed25519 public key, `ed25519_len` bytes
 * @param[in] ed25519_len  MARLINE_ED25519_KEY_SIZE
 * @param[in] mldsa65  not NULL; the identity's ML-DSA-65 public key, `mldsa65_len` bytes
 * @param[in] mldsa65_len  MARLINE_MLDSA65_KEY_SIZE
 * @param[in] sealed  what marline_account_export gave; `sealed_len` bytes
 * @param[in] sealed_len  length of the stored state
 * @param[in] minimum_generation  the newest generation the application knows of; 0 accepts any
 * @param[out] out_account  not NULL; a new account, free it with marline_account_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_import; MARLINE_ERR_IDENTITY_CHANGED when the keys are another identity's
 * @threads any
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_import_external(const uint8_t *key,
                                               size_t key_len,
                                               const uint8_t *ed25519,
                                               size_t ed25519_len,
                                               const uint8_t *mldsa65,
                                               size_t mldsa65_len,
                                               const uint8_t *sealed,
                                               size_t sealed_len,
                                               uint64_t minimum_generation,
                                               marline_account **out_account,
                                               marline_error *err);

/**
 * The bytes that both keys of the identity sign: Ed25519 (RFC 8032, pure), and ML-DSA-65 (FIPS 204, pure, empty context).
 *
 * @param[in] signing  not NULL
 * @return the bytes, valid until the handle is freed; NULL for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
const uint8_t *marline_signing_input(const marline_signing *signing);

/**
 * The number of bytes to sign.
 *
 * @param[in] signing  not NULL
 * @return the number; 0 for NULL or a wrong handle
 * @threads shared: any number of calls that only read
 */
MARLINE_API
size_t marline_signing_input_len(const marline_signing *signing);

/**
 * Wipes and frees what is to be signed; if nothing was made of it, nothing has changed.
 *
 * @param[in] signing  NULL is ignored
 * @threads exclusive: no other call may use the handle
 */
MARLINE_API
void marline_signing_free(marline_signing *signing);

/**
 * Makes a prepared publication. The signatures are verified before anything changes, and `signing` is spent when it
 * succeeds. Store the account's state before the publication leaves the device.
 *
 * @param[in,out] account  not NULL; the account it was prepared for
 * @param[in,out] signing  not NULL; of marline_account_prepare_publish
 * @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
 * @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
 * @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
 * @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
 * @param[out] out_publication  not NULL; a new publication, free it with marline_publication_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_publish; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
 *         before, or prepared for something else); MARLINE_ERR_STALE: the account has published since, or is another
 *         one. Nothing has changed then.
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_finish_publish(marline_account *account,
                                              marline_signing *signing,
                                              const uint8_t *ed25519,
                                              size_t ed25519_len,
                                              const uint8_t *mldsa65,
                                              size_t mldsa65_len,
                                              marline_publication **out_publication,
                                              marline_error *err);

/**
 * Starts a prepared session. The signatures are verified before anything changes, and `signing` is spent when it
 * succeeds. Store the states of the account and of the session before the message leaves the device.
 *
 * @param[in,out] account  not NULL; the account it was prepared for
 * @param[in,out] signing  not NULL; of marline_account_prepare_initiate
 * @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
 * @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
 * @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
 * @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
 * @param[out] out_session  not NULL; a new session, free it with marline_session_free
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_initiate; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
 *         before, or prepared for something else); MARLINE_ERR_STALE: it was prepared for another account
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_finish_initiate(marline_account *account,
                                               marline_signing *signing,
                                               const uint8_t *ed25519,
                                               size_t ed25519_len,
                                               const uint8_t *mldsa65,
                                               size_t mldsa65_len,
                                               marline_session **out_session,
                                               marline_buffer **out_message,
                                               marline_error *err);

/**
 * Starts a prepared session with a contact, or makes a prepared reset. The signatures are verified before anything
 * changes, and `signing` is spent when it succeeds. Store the states of the account and of the contact before
 * the message leaves the device.
 *
 * @param[in,out] contact  not NULL; the contact it was prepared for
 * @param[in,out] account  not NULL; the account it was prepared for
 * @param[in,out] signing  not NULL; of marline_contact_prepare_initiate or marline_contact_prepare_reset
 * @param[in] ed25519  not NULL; the Ed25519 signature, `ed25519_len` bytes
 * @param[in] ed25519_len  MARLINE_ED25519_SIGNATURE_SIZE
 * @param[in] mldsa65  not NULL; the ML-DSA-65 signature, `mldsa65_len` bytes
 * @param[in] mldsa65_len  MARLINE_MLDSA65_SIGNATURE_SIZE
 * @param[out] out_message  not NULL; a new buffer, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_contact_initiate; MARLINE_ERR_SIGNER: the signatures do not verify; MARLINE_ERR_SPENT (used
 *         before, or prepared for something else); MARLINE_ERR_STALE: it was prepared for another account
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_finish(marline_contact *contact,
                                      marline_account *account,
                                      marline_signing *signing,
                                      const uint8_t *ed25519,
                                      size_t ed25519_len,
                                      const uint8_t *mldsa65,
                                      size_t mldsa65_len,
                                      marline_buffer **out_message,
                                      marline_error *err);

/**
 * Prepares a publication of an account whose identity signs elsewhere: sign marline_signing_input with both keys, then
 * marline_account_finish_publish makes it. Nothing changes before that.
 *
 * @param[in,out] account  not NULL; of marline_account_external
 * @param[in] count  one-time prekeys, 1 to MARLINE_MAX_ONE_TIME
 * @param[in] now  Unix seconds
 * @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_publish; MARLINE_ERR_ARGUMENT also for an account that signs by itself
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_prepare_publish(marline_account *account,
                                               uint32_t count,
                                               uint64_t now,
                                               marline_signing **out_signing,
                                               marline_error *err);

/**
 * Prepares a session of an account whose identity signs elsewhere: sign marline_signing_input with both keys, then
 * marline_account_finish_initiate starts it. Nothing changes before that.
 *
 * @param[in,out] account  not NULL; of marline_account_external
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_account_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_account_prepare_initiate(marline_account *account,
                                                const uint8_t *bundle,
                                                size_t bundle_len,
                                                const uint8_t *plaintext,
                                                size_t plaintext_len,
                                                const uint8_t *ad,
                                                size_t ad_len,
                                                const marline_options *options,
                                                uint64_t now,
                                                marline_signing **out_signing,
                                                marline_error *err);

/**
 * As marline_account_prepare_initiate, for a contact: marline_contact_finish starts the session.
 *
 * @param[in,out] contact  not NULL
 * @param[in,out] account  not NULL; of marline_account_external
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] plaintext  `plaintext_len` bytes, NULL if that is 0
 * @param[in] plaintext_len  0 to MARLINE_MAX_CONTACT_PLAINTEXT
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_contact_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_prepare_initiate(marline_contact *contact,
                                                marline_account *account,
                                                const uint8_t *bundle,
                                                size_t bundle_len,
                                                const uint8_t *plaintext,
                                                size_t plaintext_len,
                                                const uint8_t *ad,
                                                size_t ad_len,
                                                const marline_options *options,
                                                uint64_t now,
                                                marline_signing **out_signing,
                                                marline_error *err);

/**
 * As marline_contact_prepare_initiate, for a reset: see marline_contact_reset.
 *
 * @param[in,out] contact  not NULL
 * @param[in,out] account  not NULL; of marline_account_external
 * @param[in] bundle  what the directory handed out; `bundle_len` bytes
 * @param[in] bundle_len  length of the bundle
 * @param[in] ad  associated data, authenticated and not sent; `ad_len` bytes, NULL if that is 0
 * @param[in] ad_len  length of the associated data
 * @param[in] options  nullable; NULL is all defaults
 * @param[in] now  Unix seconds
 * @param[out] out_signing  not NULL; what to sign, free it with marline_signing_free
 * @param[out] err  nullable; see marline_error
 * @return as marline_contact_initiate; MARLINE_ERR_ARGUMENT also for an account that signs by itself
 * @threads exclusive: no other call may use the handles
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_prepare_reset(marline_contact *contact,
                                             marline_account *account,
                                             const uint8_t *bundle,
                                             size_t bundle_len,
                                             const uint8_t *ad,
                                             size_t ad_len,
                                             const marline_options *options,
                                             uint64_t now,
                                             marline_signing **out_signing,
                                             marline_error *err);

/**
 * The name of a status, such as "MARLINE_ERR_NULL".
 *
 * @param[in] status  any number
 * @return a static NUL-terminated string, never NULL
 * @threads any
 */
MARLINE_API
const char *marline_status_name(marline_status status);

/**
 * One English phrase about a status, for logs.
 *
 * @param[in] status  any number
 * @return a static NUL-terminated string, never NULL
 * @threads any
 */
MARLINE_API
const char *marline_status_message(marline_status status);

/**
 * The class of a status: what a program should switch on, because classes do not grow.
 *
 * @param[in] status  any number
 * @return one of MARLINE_CLASS_...; MARLINE_CLASS_INTERNAL for a number that is no status
 * @threads any
 */
MARLINE_API
uint32_t marline_status_class(marline_status status);

/**
 * Says which identity the peer shows now, in a directory or a bundle. Another one than before stops sending until the user
 * has decided.
 *
 * @param[in,out] contact  not NULL
 * @param[in] identity  not NULL; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[out] out_changed  not NULL; 1 if it is another one
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_observe(marline_contact *contact,
                                       const uint8_t *identity,
                                       size_t identity_len,
                                       uint32_t *out_changed,
                                       marline_error *err);

/**
 * The user accepts the changed identity. It is not verified; sessions with the former one only receive.
 *
 * @param[in,out] contact  not NULL
 * @param[in] identity  not NULL; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_IDENTITY_CHANGED unless it is the one that awaits a decision
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_acknowledge(marline_contact *contact,
                                           const uint8_t *identity,
                                           size_t identity_len,
                                           marline_error *err);

/**
 * The user refuses the changed identity: its sessions are deleted, sending goes on to the former one.
 *
 * @param[in,out] contact  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_reject(marline_contact *contact,
                                      marline_error *err);

/**
 * Records whether the user has compared the safety number of an identity: see marline_safety_number.
 *
 * @param[in,out] contact  not NULL
 * @param[in] identity  not NULL; the one whose number was compared; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[in] verified  1 or 0
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH, MARLINE_ERR_ARGUMENT;
 *         MARLINE_ERR_IDENTITY_CHANGED when the contact has another identity by now: nothing has changed
 * @threads exclusive: no other call may use the handle
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_set_verified(marline_contact *contact,
                                            const uint8_t *identity,
                                            size_t identity_len,
                                            uint32_t verified,
                                            marline_error *err);

/**
 * How far an author is trusted as this contact.
 *
 * @param[in] contact  not NULL
 * @param[in] identity  not NULL; `identity_len` bytes
 * @param[in] identity_len  MARLINE_ID_SIZE
 * @param[out] out_trust  not NULL; MARLINE_TRUST_..., of the author
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_trust(const marline_contact *contact,
                                     const uint8_t *identity,
                                     size_t identity_len,
                                     uint32_t *out_trust,
                                     marline_error *err);

/**
 * The identity that messages are sent to.
 *
 * @param[in] contact  not NULL
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_identity(const marline_contact *contact,
                                        uint8_t *out_identity,
                                        size_t out_identity_len,
                                        marline_error *err);

/**
 * The identity that awaits the user's decision, if there is one.
 *
 * @param[in] contact  not NULL
 * @param[out] out_has  not NULL; 1 if there is one, else 0 and the identity is zero
 * @param[out] out_identity  not NULL; `out_identity_len` bytes
 * @param[in] out_identity_len  MARLINE_ID_SIZE
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_LENGTH
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_changed_identity(const marline_contact *contact,
                                                uint32_t *out_has,
                                                uint8_t *out_identity,
                                                size_t out_identity_len,
                                                marline_error *err);

/**
 * The number of sessions with the contact, at most 9.
 *
 * @param[in] contact  not NULL
 * @param[out] out_count  not NULL
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_session_count(const marline_contact *contact,
                                             uint32_t *out_count,
                                             marline_error *err);

/**
 * The facts of one session; index 0 is the best one.
 *
 * @param[in] contact  not NULL
 * @param[in] index  below marline_contact_session_count
 * @param[in,out] out_facts  not NULL; its `struct_size` is set by the caller, the rest is written
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors; MARLINE_ERR_ARGUMENT for another index; MARLINE_ERR_STRUCT_SIZE
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_session_facts(const marline_contact *contact,
                                             uint32_t index,
                                             marline_facts *out_facts,
                                             marline_error *err);

/**
 * As marline_session_export_secret, of the session that messages are sent on.
 *
 * @param[in] contact  not NULL
 * @param[in] label  `label_len` bytes, NULL if that is 0
 * @param[in] label_len  length of the label
 * @param[in] context  `context_len` bytes, NULL if that is 0
 * @param[in] context_len  length of the context
 * @param[in] secret_len  1 to MARLINE_MAX_EXPORT
 * @param[out] out_secret  not NULL; a new buffer of `secret_len` bytes, free it with marline_buffer_free
 * @param[out] err  nullable; see marline_error
 * @return MARLINE_OK; handle errors, MARLINE_ERR_WRONG_PROCESS; MARLINE_ERR_LENGTH; MARLINE_ERR_NO_SESSION
 * @threads shared: any number of calls that only read
 */
MARLINE_NODISCARD MARLINE_API marline_status
marline_contact_export_secret(const marline_contact *contact,
                                             const uint8_t *label,
                                             size_t label_len,
                                             const uint8_t *context,
                                             size_t context_len,
                                             size_t secret_len,
                                             marline_buffer **out_secret,
                                             marline_error *err);

/**
 * The library's version, such as "0.1.0".
 *
 * @return a static NUL-terminated string, never NULL
 * @threads any
 */
MARLINE_API
const char *marline_version_string(void);

/**
 * The library's version as a number: compare it with MARLINE_VERSION_NUMBER.
 *
 * @return `major << 16 | minor << 8 | patch`
 * @threads any
 */
MARLINE_API
uint32_t marline_version_number(void);

/**
 * The library's ABI version: compare it with MARLINE_ABI_VERSION.
 *
 * @return the ABI version
 * @threads any
 */
MARLINE_API
uint32_t marline_abi_version(void);

/**
 * How the library was built: 0, or MARLINE_BUILD_... bits.
 *
 * @return the bits
 * @threads any
 */
MARLINE_API
uint32_t marline_build_flags(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MARLINE_H */
