/* The C suite: full flows through the installed library, and every status code. Built a second time against the
 * testing library (-DMARLINE_TESTING) for what cannot be reached from outside. `suite quick` leaves out the two
 * tests with thousands of messages, for valgrind. */
#define _DEFAULT_SOURCE
#include "world.h"
#include "devices.h"
#ifdef MARLINE_TESTING
#include "marline_testing.h"
#include <pthread.h>
#endif
#include <dirent.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_text(marline_opened *opened, const char *text) {
    size_t length = strlen(text);
    return opened != NULL && marline_opened_plaintext_len(opened) == length
        && memcmp(marline_opened_plaintext(opened), text, length) == 0;
}

static void conversation_goes_back_and_forth(void) {
    world w;
    uint8_t alice[MARLINE_ID_SIZE], bob[MARLINE_ID_SIZE], claimed[MARLINE_ID_SIZE];
    uint8_t overlap[1 + MARLINE_SAFETY_NUMBER_QR_SIZE + MARLINE_SAFETY_NUMBER_SIZE];
    char digits[MARLINE_SAFETY_NUMBER_SIZE], same[MARLINE_SAFETY_NUMBER_SIZE];
    uint8_t qr[MARLINE_SAFETY_NUMBER_QR_SIZE];
    world_open(&w);
    CHECK(is_text(w.hello, "hello"));
    CHECK(marline_opened_subject_len(w.hello) == 5 && memcmp(marline_opened_subject(w.hello), "alice", 5) == 0);
    OK(marline_account_identity(w.alice, alice, sizeof alice, NULL));
    OK(marline_account_identity(w.bob, bob, sizeof bob, NULL));
    CHECK(memcmp(marline_opened_identity(w.hello), alice, sizeof alice) == 0);
    OK(marline_bundle_unverified_identity(BYTES(w.bundle), claimed, sizeof claimed, NULL));
    CHECK(memcmp(claimed, bob, sizeof bob) == 0);
    OK(marline_safety_number(alice, 32, bob, 32, digits, sizeof digits, NULL));
    OK(marline_safety_number(bob, 32, alice, 32, same, sizeof same, NULL));
    CHECK(strlen(digits) == 60 && strspn(digits, "0123456789") == 60 && strcmp(digits, same) == 0);
    OK(marline_safety_number_qr(alice, 32, bob, 32, qr, sizeof qr, NULL));
    /* In place of what it is made of. */
    memcpy(overlap, alice, 32), memcpy(overlap + 32, bob, 32);
    OK(marline_safety_number(overlap, 32, overlap + 32, 32, (char *)overlap, sizeof digits, NULL));
    CHECK(memcmp(overlap, digits, sizeof digits) == 0);
    memcpy(overlap, alice, 32), memcpy(overlap + 32, bob, 32);
    OK(marline_safety_number_qr(overlap, 32, overlap + 32, 32, overlap + 1, sizeof qr, NULL));
    CHECK(memcmp(overlap + 1, qr, sizeof qr) == 0);
    CHECK(qr[0] == 1 && (memcmp(qr + 1, alice, 32) == 0 || memcmp(qr + 1, bob, 32) == 0));

    for (int i = 0; i < 80; i++) {
        marline_session *from = i % 2 ? w.to_bob : w.to_alice, *to = i % 2 ? w.to_alice : w.to_bob;
        marline_options options = MARLINE_OPTIONS_INIT;
        marline_buffer *message;
        marline_opened *opened;
        char text[32];
        size_t length, predicted;
        options.padding = (uint32_t)i % 4;
        options.padding_size = options.padding >= 2 ? 100 : 0;
        length = (size_t)snprintf(text, sizeof text, "message %d", i);
        OK(marline_session_message_len(from, length, &options, &predicted, NULL));
        OK(marline_session_encrypt(from, (uint8_t *)text, length, TEXT("ad"), &options, &message, NULL));
        CHECK(marline_buffer_len(message) == predicted);
        OK(marline_session_decrypt(to, BYTES(message), TEXT("ad"), &opened, NULL));
        CHECK(is_text(opened, text));
        marline_opened_free(opened);
        marline_buffer_free(message);
    }
    marline_facts facts = MARLINE_FACTS_INIT;
    OK(marline_session_facts(w.to_bob, &facts, NULL));
    CHECK(facts.epoch >= 2 && facts.role == MARLINE_ROLE_INITIATOR && facts.slots == MARLINE_SLOTS_STANDARD);
    CHECK(facts.peer_has_answered == 1 && facts.used_one_time_prekey == 1 && facts.failed == 0);
    CHECK(memcmp(facts.peer_identity, bob, 32) == 0 && facts.struct_size == sizeof facts);
    marline_buffer *subject, *mine, *theirs;
    OK(marline_session_peer_subject(w.to_bob, &subject, NULL));
    CHECK(marline_buffer_len(subject) == 3 && memcmp(marline_buffer_data(subject), "bob", 3) == 0);
    marline_buffer_free(subject);
    OK(marline_session_export_secret(w.to_bob, TEXT("call"), TEXT("1"), 64, &mine, NULL));
    OK(marline_session_export_secret(w.to_alice, TEXT("call"), TEXT("1"), 64, &theirs, NULL));
    CHECK(marline_buffer_len(mine) == 64 && memcmp(marline_buffer_data(mine), marline_buffer_data(theirs), 64) == 0);
    EXPECT(MARLINE_ERR_LENGTH, marline_session_export_secret(w.to_bob, NO_AD, NO_AD, 0, &subject, NULL));
    CHECK(subject == NULL);
    marline_buffer_free(mine), marline_buffer_free(theirs);
    world_close(&w);
}

static void states_survive_and_do_not_roll_back(void) {
    world w;
    marline_buffer *older, *newer, *message, *account;
    uint64_t old_generation, new_generation, generation;
    marline_session *session;
    marline_account *restored, *none;
    marline_opened *opened;
    world_open(&w);
    OK(marline_session_export(w.to_alice, w.key, 32, &older, &old_generation, NULL));
    OK(marline_session_encrypt(w.to_alice, TEXT("x"), NO_AD, NULL, &message, NULL));
    OK(marline_session_export(w.to_alice, w.key, 32, &newer, &new_generation, NULL));
    CHECK(new_generation > old_generation);
    EXPECT(MARLINE_ERR_ROLLBACK, marline_session_import(w.key, 32, BYTES(older), new_generation, &session, NULL));
    CHECK(session == NULL);
    w.key[0] ^= 1;
    EXPECT(MARLINE_ERR_AUTHENTICATION, marline_session_import(w.key, 32, BYTES(newer), 0, &session, NULL));
    w.key[0] ^= 1;
    EXPECT(MARLINE_ERR_MALFORMED, marline_account_import(w.key, 32, BYTES(newer), 0, &none, NULL));
    marline_session_free(w.to_alice);
    OK(marline_session_import(w.key, 32, BYTES(newer), new_generation, &w.to_alice, NULL));
    OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    OK(marline_account_export(w.bob, w.key, 32, &account, &generation, NULL));
    OK(marline_account_generation(w.bob, &old_generation, NULL));
    CHECK(generation == old_generation);
    OK(marline_account_import(w.key, 32, BYTES(account), generation, &restored, NULL));
    EXPECT(MARLINE_ERR_ROLLBACK, marline_account_import(w.key, 32, BYTES(account), generation + 1, &none, NULL));
    CHECK(none == NULL);
    marline_account_free(restored);
    marline_opened_free(opened);
    marline_buffer_free(older), marline_buffer_free(newer), marline_buffer_free(message), marline_buffer_free(account);
    world_close(&w);
}

static void nothing_is_released_before_the_state(void) {
    world w;
    marline_pending *pending, *stale;
    marline_buffer *sealed, *message, *output, *none;
    marline_opened *opened;
    uint64_t generation;
    marline_session *restored;
    world_open(&w);
    OK(marline_session_prepare_encrypt(w.to_alice, TEXT("kept"), NO_AD, NULL, &pending, NULL));
    OK(marline_session_prepare_encrypt(w.to_alice, TEXT("late"), NO_AD, NULL, &stale, NULL));
    OK(marline_pending_state(pending, w.key, 32, &sealed, &generation, NULL));
    OK(marline_pending_output(pending, &output, NULL));
    EXPECT(MARLINE_ERR_SPENT, marline_session_commit_decrypt(w.to_alice, pending, &opened, NULL));
    OK(marline_session_commit_encrypt(w.to_alice, pending, &message, NULL));
    CHECK(marline_buffer_len(output) == marline_buffer_len(message)
          && memcmp(marline_buffer_data(output), marline_buffer_data(message), marline_buffer_len(message)) == 0);
    marline_buffer_free(output);
    EXPECT(MARLINE_ERR_SPENT, marline_session_commit_encrypt(w.to_alice, pending, &none, NULL));
    CHECK(none == NULL);
    EXPECT(MARLINE_ERR_SPENT, marline_pending_state(pending, w.key, 32, &none, &generation, NULL));
    CHECK(none == NULL && generation == 0);
    EXPECT(MARLINE_ERR_STALE, marline_session_commit_encrypt(w.to_alice, stale, &none, NULL));
    marline_pending_free(pending), marline_pending_free(stale);

    OK(marline_session_prepare_decrypt(w.to_bob, BYTES(message), NO_AD, &pending, NULL));
    EXPECT(MARLINE_ERR_STALE, marline_session_commit_decrypt(w.to_alice, pending, &opened, NULL));
    marline_pending_free(pending);
    OK(marline_session_prepare_decrypt(w.to_bob, BYTES(message), NO_AD, &pending, NULL));
    OK(marline_session_commit_decrypt(w.to_bob, pending, &opened, NULL));
    CHECK(is_text(opened, "kept"));
    /* The state that was stored before the release goes on where the session did. */
    OK(marline_session_import(w.key, 32, BYTES(sealed), 1, &restored, NULL));
    marline_session_free(w.to_alice);
    w.to_alice = restored;
    marline_opened_free(opened);
    marline_pending_free(pending);
    marline_buffer_free(message);
    OK(marline_session_encrypt(w.to_alice, TEXT("on"), NO_AD, NULL, &message, NULL));
    OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    CHECK(is_text(opened, "on"));
    marline_opened_free(opened);
    marline_buffer_free(message), marline_buffer_free(sealed);
    world_close(&w);
}

static void memory_of_the_caller_is_enough(void) {
    world w;
    uint8_t space[4096], kept[4096], peer[MARLINE_ID_SIZE], alice[MARLINE_ID_SIZE];
    const uint8_t zero[MARLINE_ID_SIZE] = {0};
    size_t needed, length;
    marline_facts before = MARLINE_FACTS_INIT, after = MARLINE_FACTS_INIT;
    marline_session *to_bob;
    marline_buffer *first;
    world_open(&w);
    OK(marline_account_identity(w.alice, alice, sizeof alice, NULL));
    OK(marline_session_facts(w.to_alice, &before, NULL));
    EXPECT(MARLINE_ERR_BUFFER_TOO_SMALL,
           marline_session_encrypt_into(w.to_alice, TEXT("in place"), NO_AD, NULL, space, 8, &needed, NULL));
    OK(marline_session_facts(w.to_alice, &after, NULL));
    CHECK(memcmp(&before, &after, sizeof before) == 0 && needed > 8 && needed <= sizeof space);
    memcpy(space, "in place", 8);
    OK(marline_session_encrypt_into(w.to_alice, space, 8, NO_AD, NULL, space, needed, &length, NULL));
    CHECK(length == needed);
    EXPECT(MARLINE_ERR_BUFFER_TOO_SMALL,
           marline_session_decrypt_into(w.to_bob, space, length, NO_AD, NULL, 0, &needed, peer, sizeof peer, NULL));
    CHECK(needed >= 8 && needed <= length);
    /* An output of a fixed size is zero after a failure, and nothing beside it. */
    memcpy(kept, space, length);
    EXPECT(MARLINE_ERR_BUFFER_TOO_SMALL,
           marline_session_decrypt_into(w.to_bob, space, length, NO_AD, NULL, 0, &needed, space + 9, sizeof zero, NULL));
    CHECK(memcmp(space + 9, zero, sizeof zero) == 0 && memcmp(space, kept, 9) == 0);
    CHECK(memcmp(space + 9 + sizeof zero, kept + 9 + sizeof zero, length - 9 - sizeof zero) == 0);
    memcpy(space, kept, length);
    OK(marline_session_decrypt_into(w.to_bob, space, length, NO_AD, space, needed, &length, peer, sizeof peer, NULL));
    CHECK(length == 8 && memcmp(space, "in place", 8) == 0);
    CHECK(memcmp(peer, alice, 32) != 0); /* it is Bob's */
    /* The first messages of a session are longer, as long as nobody has answered. */
    OK(marline_account_initiate(w.alice, BYTES(w.bundle), TEXT("1"), NO_AD, NULL, NOW, &to_bob, &first, NULL));
    OK(marline_session_message_len(to_bob, 1, NULL, &needed, NULL));
    CHECK(needed == marline_buffer_len(first));
    marline_session_free(to_bob), marline_buffer_free(first);
    world_close(&w);
}

static void refusals_have_their_codes(void) {
    world w;
    marline_buffer *message, *bundle, *last, *first, *none;
    marline_session *session, *other;
    marline_opened *opened;
    marline_publication *publication, *unpublished;
    marline_account *carol;
    marline_error err = MARLINE_ERROR_INIT;
    uint8_t bytes[8192];
    size_t length;
    uint32_t number;
    world_open(&w);
    OK(marline_session_encrypt(w.to_alice, TEXT("once"), NO_AD, NULL, &message, NULL));
    length = marline_buffer_len(message);
    CHECK(length < sizeof bytes);
    memcpy(bytes, marline_buffer_data(message), length);
    bytes[length - 1] ^= 1;
    EXPECT(MARLINE_ERR_AUTHENTICATION, marline_session_decrypt(w.to_bob, bytes, length, NO_AD, &opened, &err));
    CHECK(err.status == MARLINE_ERR_AUTHENTICATION && strcmp(err.message, "authentication failed") == 0);
    CHECK(opened == NULL);
    bytes[0] = 9;
    EXPECT(MARLINE_ERR_VERSION, marline_session_decrypt(w.to_bob, bytes, length, NO_AD, &opened, NULL));
    EXPECT(MARLINE_ERR_MALFORMED, marline_session_decrypt(w.to_bob, bytes, 0, NO_AD, &opened, NULL));
    OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, &err));
    CHECK(err.status == MARLINE_OK && err.message[0] == 0);
    marline_opened_free(opened);
    EXPECT(MARLINE_ERR_DUPLICATE, marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));

    EXPECT(MARLINE_ERR_PREKEY_USED, marline_account_accept(w.bob, BYTES(w.first), NO_AD, NOW, &session, &opened, NULL));
    CHECK(session == NULL && opened == NULL);
    EXPECT(MARLINE_ERR_UNKNOWN_PREKEY, marline_account_accept(w.alice, BYTES(w.first), NO_AD, NOW, &session, &opened, NULL));
    EXPECT(MARLINE_ERR_EXPIRED, marline_account_initiate(w.alice, BYTES(w.bundle), NO_AD, NO_AD, NULL, NOW + 40 * 86400u,
                                                         &session, &none, NULL));
    EXPECT(MARLINE_ERR_OWN_IDENTITY, marline_account_initiate(w.bob, BYTES(w.bundle), NO_AD, NO_AD, NULL, NOW, &session,
                                                              &none, NULL));
    OK(marline_account_publish(w.bob, 1, NOW, &publication, NULL));
    OK(marline_publication_bundle(publication, 0, &bundle, NULL));
    OK(marline_account_initiate(w.alice, BYTES(bundle), NO_AD, NO_AD, NULL, NOW, &session, &first, NULL));
    EXPECT(MARLINE_ERR_ROLLBACK, marline_account_initiate(w.alice, BYTES(w.bundle), NO_AD, NO_AD, NULL, NOW, &other,
                                                          &none, NULL));
    EXPECT(MARLINE_ERR_LIMIT, marline_account_publish(w.bob, 1, UINT64_MAX, &unpublished, NULL));
    OK(marline_publication_bundle(publication, MARLINE_LAST_RESORT, &last, NULL));
    OK(marline_bundle_has_one_time(BYTES(last), &number, NULL));
    CHECK(number == 0);
    OK(marline_bundle_has_one_time(BYTES(bundle), &number, NULL));
    CHECK(number == 1);
    OK(marline_publication_count(publication, &number, NULL));
    CHECK(number == 1);
    EXPECT(MARLINE_ERR_ARGUMENT, marline_publication_record(publication, 1, &none, NULL));
    OK(marline_account_generate(NO_AD, &carol, NULL));
    OK(marline_account_due(carol, NOW, &number, NULL));
    CHECK(number == MARLINE_TASK_ROTATE);
    OK(marline_account_delete_expired(w.bob, NOW + 60 * 86400u, &number, NULL));
    CHECK(number == 2);
    OK(marline_account_one_time_left(w.bob, &number, NULL));
    CHECK(number == 0);
    OK(marline_session_maintain(w.to_bob, NOW, NULL));
    marline_account_free(carol);
    marline_session_free(session);
    marline_buffer_free(message), marline_buffer_free(bundle), marline_buffer_free(last), marline_buffer_free(first);
    marline_publication_free(publication);
    world_close(&w);
}

static void options_are_checked(void) {
    world w;
    size_t length;
    struct {
        marline_options known;
        uint32_t unknown;
    } longer = {MARLINE_OPTIONS_INIT, 0};
    marline_options options = MARLINE_OPTIONS_INIT;
    world_open(&w);
    longer.known.struct_size = sizeof longer;
    OK(marline_session_message_len(w.to_bob, 1, &longer.known, &length, NULL));
    longer.unknown = 1;
    EXPECT(MARLINE_ERR_STRUCT_SIZE, marline_session_message_len(w.to_bob, 1, &longer.known, &length, NULL));
    options.struct_size = 0;
    EXPECT(MARLINE_ERR_STRUCT_SIZE, marline_session_message_len(w.to_bob, 1, &options, &length, NULL));
    options.struct_size = 4;
    options.padding = 99;
    OK(marline_session_message_len(w.to_bob, 1, &options, &length, NULL));
    options.struct_size = sizeof options;
    EXPECT(MARLINE_ERR_ARGUMENT, marline_session_message_len(w.to_bob, 1, &options, &length, NULL));
    options.padding = MARLINE_PADDING_BLOCK;
    EXPECT(MARLINE_ERR_ARGUMENT, marline_session_message_len(w.to_bob, 1, &options, &length, NULL));
    options.padding = 0, options.slots = 1;
    EXPECT(MARLINE_ERR_ARGUMENT, marline_session_message_len(w.to_bob, 1, &options, &length, NULL));
    world_close(&w);
}

static void the_largest_message_travels(void) {
    world w;
    size_t size = MARLINE_MAX_PLAINTEXT;
    uint8_t *large = calloc(size, 1);
    marline_buffer *message;
    marline_opened *opened;
    world_open(&w);
    CHECK(large != NULL);
    large[size - 1] = 1;
    OK(marline_session_encrypt(w.to_alice, large, size, NO_AD, NULL, &message, NULL));
    OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    CHECK(marline_opened_plaintext_len(opened) == size && memcmp(marline_opened_plaintext(opened), large, size) == 0);
    marline_opened_free(opened), marline_buffer_free(message);
    EXPECT(MARLINE_ERR_LENGTH, marline_session_encrypt(w.to_alice, large, size + 1, NO_AD, NULL, &message, NULL));
    free(large);
    world_close(&w);
}

static void lost_messages_have_limits(void) {
    world w;
    marline_buffer *oldest, *message = NULL;
    marline_opened *opened;
    world_open(&w);
    OK(marline_session_encrypt(w.to_alice, TEXT("0"), NO_AD, NULL, &oldest, NULL));
    for (int i = 1; i < 25100; i++) {
        marline_buffer_free(message);
        OK(marline_session_encrypt(w.to_alice, TEXT("n"), NO_AD, NULL, &message, NULL));
        if (i == 2500) {
            OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
            marline_opened_free(opened);
            EXPECT(MARLINE_ERR_TOO_OLD, marline_session_decrypt(w.to_bob, BYTES(oldest), NO_AD, &opened, NULL));
            i = 2501;
        }
    }
    for (int i = 0; i < 3000; i++) {
        marline_buffer_free(message);
        OK(marline_session_encrypt(w.to_alice, TEXT("n"), NO_AD, NULL, &message, NULL));
    }
    EXPECT(MARLINE_ERR_TOO_FAR_AHEAD, marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    marline_buffer_free(message), marline_buffer_free(oldest);
    world_close(&w);
}

/* Past the C library, and past whatever pthread_atfork was told. */
static pid_t clone_as_fork(void) {
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* What a child would use its parent's keys with. */
static void only_its_maker_uses(world *w, marline_session *inherited, marline_pending *prepared) {
    marline_buffer *out;
    marline_pending *pending;
    marline_publication *publication;
    uint64_t generation;
    const marline_status refused = MARLINE_ERR_WRONG_PROCESS;
    EXPECT(refused, marline_session_encrypt(inherited, TEXT("x"), NO_AD, NULL, &out, NULL));
    EXPECT(refused, marline_session_prepare_encrypt(inherited, TEXT("x"), NO_AD, NULL, &pending, NULL));
    EXPECT(refused, marline_session_prepare_decrypt(inherited, BYTES(w->first), NO_AD, &pending, NULL));
    EXPECT(refused, marline_pending_output(prepared, &out, NULL));
    EXPECT(refused, marline_pending_state(prepared, w->key, 32, &out, &generation, NULL));
    EXPECT(refused, marline_session_export(inherited, w->key, 32, &out, &generation, NULL));
    EXPECT(refused, marline_session_export_secret(inherited, TEXT("x"), TEXT("x"), 32, &out, NULL));
    EXPECT(refused, marline_account_export(w->bob, w->key, 32, &out, &generation, NULL));
    EXPECT(refused, marline_account_publish(w->bob, 1, NOW, &publication, NULL));
}

/* A new process, and `deeper` more, each made by the one before: of what a process inherits it may only read what is no
 * secret, and free it; what it makes is its own. The first call in a new process is of either kind. */
static void in_a_child(world *w, marline_session *inherited, pid_t (*forks)(void), int deeper) {
    marline_buffer *message, *sealed;
    marline_session *own;
    marline_pending *pending;
    marline_facts facts = MARLINE_FACTS_INIT;
    uint64_t generation;
    int status = 0;
    pid_t child;
    OK(marline_session_export(inherited, w->key, 32, &sealed, &generation, NULL));
    OK(marline_session_prepare_encrypt(inherited, TEXT("x"), NO_AD, NULL, &pending, NULL));
    fflush(NULL);
    child = forks();
    if (child == 0) {
        failures = 0;
        if (deeper % 2 == 0) only_its_maker_uses(w, inherited, pending);
        OK(marline_session_import(w->key, 32, BYTES(sealed), generation, &own, NULL));
        only_its_maker_uses(w, inherited, pending);
        OK(marline_session_facts(inherited, &facts, NULL));
        marline_pending_free(pending), marline_buffer_free(sealed);
        OK(marline_session_prepare_encrypt(own, TEXT("x"), NO_AD, NULL, &pending, NULL));
        OK(marline_session_commit_encrypt(own, pending, &message, NULL));
        marline_pending_free(pending), marline_buffer_free(message);
        if (deeper > 0) in_a_child(w, own, forks, deeper - 1);
        OK(marline_session_encrypt(own, TEXT("x"), NO_AD, NULL, &message, NULL));
        marline_buffer_free(message);
        marline_session_free(own), marline_session_free(inherited);
        _exit(failures != 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    marline_pending_free(pending), marline_buffer_free(sealed);
}

static void a_child_process_cannot_use_the_parents_handles(void) {
    world w;
    marline_buffer *message;
    world_open(&w);
    in_a_child(&w, w.to_bob, fork, 3);
    in_a_child(&w, w.to_bob, clone_as_fork, 1);
    reached[MARLINE_ERR_WRONG_PROCESS] = 1;
    OK(marline_session_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    marline_buffer_free(message);
    world_close(&w);
}

static void wrong_handles_are_noticed(void) {
    world w;
    marline_buffer *message;
    world_open(&w);
    EXPECT(MARLINE_ERR_BAD_HANDLE,
           marline_session_encrypt((marline_session *)(void *)w.alice, TEXT("x"), NO_AD, NULL, &message, NULL));
    EXPECT(MARLINE_ERR_NULL, marline_session_encrypt(NULL, TEXT("x"), NO_AD, NULL, &message, NULL));
    EXPECT(MARLINE_ERR_NULL, marline_session_encrypt(w.to_bob, NULL, 1, NO_AD, NULL, &message, NULL));
    CHECK(marline_buffer_data((marline_buffer *)(void *)w.alice) == NULL);
    marline_session_free((marline_session *)(void *)w.alice);
    world_close(&w);
}

static int has_event(marline_events *events, uint32_t kind, marline_event *event) {
    for (uint32_t i = 0; i < marline_events_count(events); i++) {
        event->struct_size = sizeof *event;
        OK(marline_events_get(events, i, event, NULL));
        if (event->kind == kind) return 1;
    }
    return 0;
}

static void contacts_converge_and_show_a_changed_identity(void) {
    world w;
    uint8_t ids[3][MARLINE_ID_SIZE], seen[MARLINE_ID_SIZE];
    marline_account *bob2;
    marline_publication *new_publication;
    marline_contact *bob, *alice, *alice2, *none;
    marline_buffer *first, *message, *sealed, *bundle, *bundle2, *mine, *theirs;
    marline_accepted *accepted;
    marline_opened *opened;
    marline_events *events;
    marline_event event = MARLINE_EVENT_INIT;
    marline_facts facts = MARLINE_FACTS_INIT;
    uint32_t number, trust;
    uint64_t generation;
    world_open(&w);
    OK(marline_account_generate(TEXT("bob"), &bob2, NULL));
    OK(marline_account_identity(w.alice, ids[0], 32, NULL));
    OK(marline_account_identity(w.bob, ids[1], 32, NULL));
    OK(marline_account_identity(bob2, ids[2], 32, NULL));
    OK(marline_contact_new(ids[1], 32, &bob, NULL));
    OK(marline_contact_new(ids[0], 32, &alice, NULL));
    EXPECT(MARLINE_ERR_NO_SESSION, marline_contact_send(bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    OK(marline_publication_bundle(w.publication, 1, &bundle, NULL));
    OK(marline_contact_initiate(bob, w.alice, BYTES(bundle), TEXT("hello"), NO_AD, NULL, NOW, &first, NULL));
    EXPECT(MARLINE_ERR_NO_SESSION, marline_contact_receive(alice, BYTES(first), NO_AD, &opened, &trust, &events, NULL));
    CHECK(opened == NULL && events == NULL);
    OK(marline_account_accept_first(w.bob, BYTES(first), NO_AD, NOW, &accepted, NULL));
    OK(marline_accepted_identity(accepted, seen, 32, NULL));
    CHECK(memcmp(seen, ids[0], 32) == 0);
    OK(marline_contact_adopt(alice, accepted, NOW, &opened, &trust, &events, NULL));
    CHECK(is_text(opened, "hello") && trust == MARLINE_TRUST_UNVERIFIED);
    CHECK(has_event(events, MARLINE_EVENT_NEW_SESSION, &event) && event.sends == 1);
    marline_opened_free(opened), marline_events_free(events);
    EXPECT(MARLINE_ERR_SPENT, marline_contact_adopt(alice, accepted, NOW, &opened, &trust, &events, NULL));
    OK(marline_contact_owns(alice, BYTES(first), &number, NULL));
    CHECK(number == 1);
    OK(marline_contact_session_count(alice, &number, NULL));
    CHECK(number == 1);
    OK(marline_contact_session_facts(alice, 0, &facts, NULL));
    CHECK(memcmp(facts.session_id, event.session_id, 32) == 0 && facts.role == MARLINE_ROLE_RESPONDER);

    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_contact_set_verified(bob, ids[0], 32, 1, NULL));
    OK(marline_contact_set_verified(bob, ids[1], 32, 1, NULL));
    OK(marline_contact_send(alice, TEXT("hi"), NO_AD, NULL, &message, NULL));
    OK(marline_contact_receive(bob, BYTES(message), NO_AD, &opened, &trust, &events, NULL));
    CHECK(is_text(opened, "hi") && trust == MARLINE_TRUST_VERIFIED && marline_events_count(events) == 0);
    marline_opened_free(opened), marline_events_free(events), marline_buffer_free(message);

    OK(marline_contact_export_secret(bob, TEXT("call"), NO_AD, 32, &mine, NULL));
    OK(marline_contact_export_secret(alice, TEXT("call"), NO_AD, 32, &theirs, NULL));
    CHECK(memcmp(marline_buffer_data(mine), marline_buffer_data(theirs), 32) == 0);
    marline_buffer_free(mine), marline_buffer_free(theirs);
    OK(marline_contact_export(bob, w.key, 32, &sealed, &generation, NULL));
    EXPECT(MARLINE_ERR_ROLLBACK, marline_contact_import(w.key, 32, BYTES(sealed), generation + 1, &none, NULL));
    marline_contact_free(bob);
    OK(marline_contact_import(w.key, 32, BYTES(sealed), generation, &bob, NULL));
    OK(marline_contact_reset(bob, w.alice, BYTES(w.bundle), NO_AD, NULL, NOW, &message, NULL));
    marline_buffer_free(message);
    OK(marline_contact_maintain(bob, NOW, NULL));

    /* Bob comes with another identity: nothing is sent before the user has decided. */
    OK(marline_account_publish(bob2, 1, NOW, &new_publication, NULL));
    OK(marline_publication_bundle(new_publication, 0, &bundle2, NULL));
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED,
           marline_contact_initiate(bob, w.alice, BYTES(bundle2), NO_AD, NO_AD, NULL, NOW, &message, NULL));
    OK(marline_contact_observe(bob, ids[2], 32, &number, NULL));
    CHECK(number == 1);
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_contact_send(bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    OK(marline_contact_changed_identity(bob, &number, seen, 32, NULL));
    CHECK(number == 1 && memcmp(seen, ids[2], 32) == 0);
    OK(marline_contact_acknowledge(bob, ids[2], 32, NULL));
    OK(marline_contact_identity(bob, seen, 32, NULL));
    CHECK(memcmp(seen, ids[2], 32) == 0);
    OK(marline_contact_trust(bob, ids[1], 32, &trust, NULL));
    CHECK(trust == MARLINE_TRUST_OTHER);
    OK(marline_contact_new(ids[0], 32, &alice2, NULL));
    OK(marline_contact_reject(alice2, NULL));

    marline_contact_free(alice), marline_contact_free(alice2), marline_contact_free(bob);
    marline_accepted_free(accepted);
    marline_buffer_free(first), marline_buffer_free(sealed), marline_buffer_free(bundle), marline_buffer_free(bundle2);
    marline_publication_free(new_publication);
    marline_account_free(bob2);
    world_close(&w);
}

#ifdef MARLINE_TESTING
static volatile uint32_t let_go, is_held;
static uint32_t released(void) {
    __atomic_store_n(&is_held, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&let_go, __ATOMIC_SEQ_CST);
}
static void *hold(void *session) {
    marline_testing_hold(session, released);
    return NULL;
}

static void a_second_call_is_told_that_the_handle_is_busy(void) {
    world w;
    pthread_t thread;
    marline_buffer *message;
    marline_facts facts = MARLINE_FACTS_INIT;
    world_open(&w);
    CHECK(pthread_create(&thread, NULL, hold, w.to_bob) == 0);
    while (!__atomic_load_n(&is_held, __ATOMIC_SEQ_CST)) {
    }
    EXPECT(MARLINE_ERR_BUSY, marline_session_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    EXPECT(MARLINE_ERR_BUSY, marline_session_facts(w.to_bob, &facts, NULL));
    marline_session_free(w.to_bob); /* left alone: in use */
    __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    OK(marline_session_facts(w.to_bob, &facts, NULL));
    world_close(&w);
}

static void what_cannot_happen_is_contained(void) {
    world w;
    marline_buffer *message;
    marline_account *account;
    size_t length;
    marline_error err = MARLINE_ERROR_INIT;
    world_open(&w);
    marline_testing_fail_randomness(1);
    EXPECT(MARLINE_ERR_RANDOMNESS, marline_session_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    EXPECT(MARLINE_ERR_RANDOMNESS, marline_account_generate(NO_AD, &account, NULL));
    marline_testing_fail_randomness(0);
    OK(marline_session_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    marline_buffer_free(message);
    OK(marline_testing_fail_session(w.to_alice, NULL));
    EXPECT(MARLINE_ERR_AGREEMENT_FAILED, marline_session_message_len(w.to_alice, 1, NULL, &length, NULL));
    EXPECT(MARLINE_ERR_AGREEMENT_FAILED, marline_session_encrypt(w.to_alice, TEXT("x"), NO_AD, NULL, &message, NULL));
    EXPECT(MARLINE_ERR_INTERNAL, marline_testing_panic(w.to_bob, &err));
    CHECK(err.status == MARLINE_ERR_INTERNAL);
    EXPECT(MARLINE_ERR_POISONED, marline_session_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &message, NULL));
    CHECK(marline_build_flags() == MARLINE_BUILD_DANGEROUS_TESTING);
    world_close(&w);
}
#endif

/* The library starts no thread. */
static int threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) count += entry->d_name[0] != '.';
    if (tasks != NULL) closedir(tasks);
    return count;
}

/* Statuses that this program does not reach, and where they are. */
static int is_elsewhere(marline_status status) {
    switch (status) {
        case MARLINE_ERR_NO_MEMORY: return 1; /* memory.c */
#ifndef MARLINE_TESTING
        case MARLINE_ERR_BUSY: case MARLINE_ERR_POISONED: case MARLINE_ERR_AGREEMENT_FAILED:
        case MARLINE_ERR_RANDOMNESS: case MARLINE_ERR_INTERNAL: return 1;
#endif
        default: return 0;
    }
}

int main(int argc, char **argv) {
    int quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    CHECK(marline_version_number() == MARLINE_VERSION_NUMBER && marline_abi_version() == MARLINE_ABI_VERSION);
    CHECK(strcmp(marline_status_name(12345), "MARLINE_ERR_UNKNOWN") == 0);
    conversation_goes_back_and_forth();
    states_survive_and_do_not_roll_back();
    nothing_is_released_before_the_state();
    memory_of_the_caller_is_enough();
    refusals_have_their_codes();
    options_are_checked();
    contacts_converge_and_show_a_changed_identity();
    wrong_handles_are_noticed();
    a_child_process_cannot_use_the_parents_handles();
    an_identity_that_signs_elsewhere();
    device_tests(quick);
#ifdef MARLINE_TESTING
    a_second_call_is_told_that_the_handle_is_busy();
    what_cannot_happen_is_contained();
#else
    CHECK(marline_build_flags() == 0);
#endif
    CHECK(threads() == 1);
    if (!quick) {
        the_largest_message_travels();
        lost_messages_have_limits();
        for (int status = 0; status < (int)sizeof reached; status++) {
            int is_status = strcmp(marline_status_name(status), "MARLINE_ERR_UNKNOWN") != 0;
            if (is_status && !reached[status] && !is_elsewhere(status)) {
                fprintf(stderr, "never reached: %s\n", marline_status_name(status));
                failures++;
            }
        }
    }
    printf("%s: %d failures\n", argv[0], failures);
    return failures != 0;
}
