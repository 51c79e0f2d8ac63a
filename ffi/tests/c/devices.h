/* The part of the C suite about devices, and about accounts whose identity signs elsewhere. */
#ifndef DEVICES_H
#define DEVICES_H

#include "world.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
#define STR(text) (const uint8_t *)(text), strlen(text)

static const uint8_t device_key[MARLINE_KEY_SIZE] = {1, 2, 3};
#define WITH_KEY MARLINE_UNLOCK_KEY, device_key, sizeof device_key

static marline_device *device_new(const char *name) {
    marline_device_options options = MARLINE_DEVICE_OPTIONS_INIT;
    marline_device *device;
    options.durability = MARLINE_DURABILITY_BATCHED;
    OK(marline_device_create(STR(in_folder(name)), NULL, 0, WITH_KEY, STR(name), &options, &device, NULL));
    return device;
}

static marline_device *device_again(const char *name) {
    marline_device *device;
    OK(marline_device_open(STR(in_folder(name)), NULL, 0, WITH_KEY, NULL, &device, NULL));
    return device;
}

/* Adds `peer` as a contact of `device` under `name`; MARLINE_ADDED_... */
static uint32_t device_meets(marline_device *device, const char *name, marline_device *peer) {
    marline_publication *publication;
    marline_buffer *bundle;
    uint8_t identity[MARLINE_ID_SIZE], own[MARLINE_ID_SIZE];
    uint32_t added;
    OK(marline_device_publish(peer, 2, NOW, &publication, NULL));
    OK(marline_publication_bundle(publication, 0, &bundle, NULL));
    OK(marline_device_identity(device, own, sizeof own, NULL));
    OK(marline_bundle_verify(BYTES(bundle), own, sizeof own, NOW, NULL));
    EXPECT(MARLINE_ERR_EXPIRED, marline_bundle_verify(BYTES(bundle), own, sizeof own, NOW + 40 * 86400u, NULL));
    OK(marline_device_add_contact(device, STR(name), BYTES(bundle), NOW, &added, identity, sizeof identity, NULL));
    OK(marline_device_identity(peer, own, sizeof own, NULL));
    CHECK(memcmp(identity, own, sizeof own) == 0);
    marline_buffer_free(bundle), marline_publication_free(publication);
    return added;
}

static int inbox_says(const marline_inbox *inbox, const char *text) {
    size_t length = strlen(text);
    return marline_inbox_count(inbox) == 1 && marline_inbox_plaintext_len(inbox, 0) == length
        && memcmp(marline_inbox_plaintext(inbox, 0), text, length) == 0;
}

/* `from` says `text` to `to`, which acknowledges it; the trust in its author. */
static uint32_t device_says(marline_device *from, const char *name, marline_device *to, const char *text) {
    uint8_t id[MARLINE_ID_SIZE];
    marline_buffer *message;
    marline_inbox *inbox;
    marline_incoming incoming = MARLINE_INCOMING_INIT;
    OK(marline_device_send(from, STR(name), STR(text), NO_AD, NULL, NOW, id, sizeof id, &message, NULL));
    OK(marline_device_mark_sent(from, id, sizeof id, NULL));
    OK(marline_device_receive(to, BYTES(message), NULL, 0, NO_AD, NOW, &inbox, NULL));
    CHECK(inbox_says(inbox, text));
    OK(marline_inbox_get(inbox, 0, &incoming, NULL));
    OK(marline_device_acknowledge(to, incoming.id, sizeof incoming.id, NULL));
    marline_inbox_free(inbox), marline_buffer_free(message);
    return incoming.trust;
}

static size_t outbox_of(marline_device *device) {
    marline_outbox *outbox;
    size_t count;
    OK(marline_device_outbox(device, &outbox, NULL));
    count = marline_outbox_count(outbox);
    marline_outbox_free(outbox);
    return count;
}

static void devices_talk_and_keep_what_waits(void) {
    marline_device *alice = device_new("talk-alice"), *bob = device_new("talk-bob");
    marline_buffer *message, *same, *name, *subject;
    marline_inbox *inbox, *waiting;
    marline_outbox *outbox;
    marline_events *events;
    marline_contacts *contacts;
    marline_incoming incoming = MARLINE_INCOMING_INIT;
    marline_event event = MARLINE_EVENT_INIT;
    marline_contact_info info = MARLINE_CONTACT_INFO_INIT;
    marline_facts facts = MARLINE_FACTS_INIT;
    marline_device_facts status = MARLINE_DEVICE_FACTS_INIT;
    uint8_t id[MARLINE_ID_SIZE], own[MARLINE_ID_SIZE];
    uint64_t before, after;
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW);
    OK(marline_device_generation(alice, &before, NULL));
    OK(marline_device_send(alice, STR("bob"), TEXT("hello"), TEXT("ad"), NULL, NOW, id, sizeof id, &message, NULL));
    OK(marline_device_generation(alice, &after, NULL));
    CHECK(after > before);
    OK(marline_device_outbox(alice, &outbox, NULL));
    CHECK(marline_outbox_count(outbox) == 1);
    OK(marline_outbox_get(outbox, 0, own, sizeof own, &name, &same, NULL));
    CHECK(memcmp(own, id, sizeof id) == 0 && marline_buffer_len(name) == 3);
    CHECK(marline_buffer_len(same) == marline_buffer_len(message)
          && memcmp(marline_buffer_data(same), marline_buffer_data(message), marline_buffer_len(message)) == 0);
    marline_outbox_free(outbox), marline_buffer_free(name), marline_buffer_free(same);
    OK(marline_device_mark_sent(alice, id, sizeof id, NULL));
    CHECK(outbox_of(alice) == 0);

    OK(marline_device_receive(bob, BYTES(message), NULL, 0, TEXT("ad"), NOW, &inbox, NULL));
    CHECK(inbox_says(inbox, "hello"));
    OK(marline_inbox_get(inbox, 0, &incoming, NULL));
    OK(marline_device_identity(alice, own, sizeof own, NULL));
    CHECK(memcmp(incoming.author, own, sizeof own) == 0 && incoming.has_plaintext == 1);
    CHECK(incoming.trust == MARLINE_TRUST_UNVERIFIED && marline_inbox_contact_len(inbox, 0) == 10);
    CHECK(memcmp(marline_inbox_contact(inbox, 0), "talk-alice", 10) == 0);
    CHECK(marline_inbox_subject_len(inbox, 0) == 10 && marline_inbox_subject(inbox, 0) != NULL);
    OK(marline_inbox_events(inbox, 0, &events, NULL));
    CHECK(marline_events_count(events) == 1);
    OK(marline_events_get(events, 0, &event, NULL));
    CHECK(event.kind == MARLINE_EVENT_NEW_SESSION);
    marline_events_free(events), marline_inbox_free(inbox);

    /* The same plaintext until it is acknowledged, also after a restart. */
    marline_device_free(bob);
    bob = device_again("talk-bob");
    OK(marline_device_receive(bob, BYTES(message), NULL, 0, TEXT("ad"), NOW, &inbox, NULL));
    CHECK(inbox_says(inbox, "hello"));
    OK(marline_device_inbox(bob, &waiting, NULL));
    CHECK(inbox_says(waiting, "hello"));
    marline_inbox_free(waiting), marline_inbox_free(inbox);
    OK(marline_device_status(bob, NOW, &status, NULL));
    CHECK(status.inbox == 1 && status.contacts == 1 && status.one_time_left == 1 && status.unpublished == 1);
    OK(marline_device_acknowledge(bob, incoming.id, sizeof incoming.id, NULL));
    OK(marline_device_flush(bob, NULL));
    EXPECT(MARLINE_ERR_DUPLICATE,
           marline_device_receive(bob, BYTES(message), TEXT("talk-alice"), TEXT("ad"), NOW, &inbox, NULL));
    CHECK(inbox == NULL);
    marline_buffer_free(message);

    OK(marline_device_identity(alice, own, sizeof own, NULL));
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_device_set_verified(alice, STR("bob"), own, sizeof own, 1, NULL));
    OK(marline_device_identity(bob, own, sizeof own, NULL));
    OK(marline_device_set_verified(alice, STR("bob"), own, sizeof own, 1, NULL));
    CHECK(device_says(bob, "talk-alice", alice, "hi") == MARLINE_TRUST_VERIFIED);
    OK(marline_device_contact(alice, STR("bob"), &contacts, NULL));
    CHECK(marline_contacts_count(contacts) == 1 && marline_contacts_name_len(contacts, 0) == 3);
    CHECK(memcmp(marline_contacts_name(contacts, 0), "bob", 3) == 0);
    OK(marline_contacts_get(contacts, 0, &info, NULL));
    CHECK(info.verified == 1 && info.sessions == 1 && info.has_changed == 0 && info.has_bundle == 0);
    OK(marline_contacts_session(contacts, 0, 0, &facts, NULL));
    CHECK(facts.role == MARLINE_ROLE_INITIATOR && facts.peer_has_answered == 1);
    marline_contacts_free(contacts);
    OK(marline_device_subject(alice, &subject, NULL));
    CHECK(marline_buffer_len(subject) == 10);
    marline_buffer_free(subject);
    marline_device_free(alice), marline_device_free(bob);
}

/* A process that is killed after marline_device_send: what it released is on disk, and the key it used is not used again. */
static void what_is_released_is_on_disk_before(void) {
    marline_device *alice = device_new("kill-alice"), *bob = device_new("kill-bob"), *dying;
    marline_buffer *message, *same, *name, *next;
    marline_inbox *inbox;
    marline_outbox *outbox;
    uint8_t id[MARLINE_ID_SIZE], space[16384];
    int ends[2], status = 0;
    ssize_t length = 0, got;
    pid_t child;
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW && pipe(ends) == 0);
    marline_device_free(alice);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        dying = device_again("kill-alice");
        OK(marline_device_send(dying, STR("bob"), TEXT("last words"), NO_AD, NULL, NOW, id, sizeof id, &message, NULL));
        got = write(ends[1], marline_buffer_data(message), marline_buffer_len(message));
        kill(getpid(), got > 0 ? SIGKILL : SIGTERM);
    }
    close(ends[1]);
    while ((got = read(ends[0], space + length, sizeof space - (size_t)length)) > 0) length += got;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && length > 0);
    alice = device_again("kill-alice");
    OK(marline_device_outbox(alice, &outbox, NULL));
    CHECK(marline_outbox_count(outbox) == 1);
    OK(marline_outbox_get(outbox, 0, id, sizeof id, &name, &same, NULL));
    CHECK(marline_buffer_len(same) == (size_t)length && memcmp(marline_buffer_data(same), space, (size_t)length) == 0);
    OK(marline_device_send(alice, STR("bob"), TEXT("reborn"), NO_AD, NULL, NOW, id, sizeof id, &next, NULL));
    OK(marline_device_receive(bob, BYTES(next), NULL, 0, NO_AD, NOW, &inbox, NULL));
    CHECK(inbox_says(inbox, "reborn"));
    marline_inbox_free(inbox);
    OK(marline_device_receive(bob, space, (size_t)length, NULL, 0, NO_AD, NOW, &inbox, NULL));
    CHECK(inbox_says(inbox, "last words"));
    marline_inbox_free(inbox), marline_outbox_free(outbox);
    marline_buffer_free(name), marline_buffer_free(same), marline_buffer_free(next);
    marline_device_free(alice), marline_device_free(bob);
}

/* Another process that is in the middle of a checkpoint, for which SQLite does not wait: byte 121 of the file beside the log
 * (sqlite.org/walformat.html). For the lock of writers it waits half a minute. */
static void another_process_keeps_commits_from_the_disk(void) {
    marline_device *device = device_new("in-use");
    int ready[2], over[2], status = 0;
    char byte = 0;
    pid_t child;
    CHECK(pipe(ready) == 0 && pipe(over) == 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 121, .l_len = 1};
        int file = open(in_folder("in-use-shm"), O_RDWR);
        close(over[1]);
        if (fcntl(file, F_SETLK, &lock) != 0 || write(ready[1], "r", 1) != 1) _exit(1);
        _exit(read(over[0], &byte, 1) != 0);
    }
    close(ready[1]), close(over[0]);
    CHECK(read(ready[0], &byte, 1) == 1 && byte == 'r');
    EXPECT(MARLINE_ERR_IN_USE, marline_device_flush(device, NULL));
    close(over[1]), close(ready[0]);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OK(marline_device_flush(device, NULL));
    marline_device_free(device);
}

static void two_handles_on_one_file_never_use_one_key(void) {
    marline_device *alice = device_new("two-alice"), *bob = device_new("two-bob"), *other;
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW);
    other = device_again("two-alice");
    for (int i = 0; i < 6; i++) {
        char text[24];
        snprintf(text, sizeof text, "number %d", i);
        (void)device_says(i % 2 ? alice : other, "bob", bob, text);
    }
    marline_device_free(alice), marline_device_free(other), marline_device_free(bob);
}

static void a_contacts_changed_identity_awaits_the_user(void) {
    marline_device *alice = device_new("id-alice"), *bob = device_new("id-bob"), *new_bob = device_new("id-new-bob");
    marline_contacts *contacts;
    marline_contact_info info = MARLINE_CONTACT_INFO_INIT;
    marline_buffer *message;
    uint8_t id[MARLINE_ID_SIZE];
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW);
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_KNOWN);
    CHECK(device_meets(alice, "bob", new_bob) == MARLINE_ADDED_CHANGED);
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_device_send(alice, STR("bob"), TEXT("x"), NO_AD, NULL, NOW, id, sizeof id,
                                                             &message, NULL));
    OK(marline_device_contacts(alice, &contacts, NULL));
    OK(marline_contacts_get(contacts, 0, &info, NULL));
    CHECK(marline_contacts_count(contacts) == 1 && info.has_changed == 1);
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_device_acknowledge_identity(alice, STR("bob"), info.identity, 32, NULL));
    OK(marline_device_reject_identity(alice, STR("bob"), NULL));
    CHECK(device_meets(alice, "bob", new_bob) == MARLINE_ADDED_CHANGED);
    OK(marline_device_acknowledge_identity(alice, STR("bob"), info.changed, 32, NULL));
    (void)device_says(alice, "bob", new_bob, "new");
    EXPECT(MARLINE_ERR_NO_SESSION, marline_device_reset(alice, STR("bob"), NOW, id, sizeof id, &message, NULL));
    CHECK(device_meets(alice, "bob", new_bob) == MARLINE_ADDED_KNOWN);
    OK(marline_device_reset(alice, STR("bob"), NOW, id, sizeof id, &message, NULL));
    marline_buffer_free(message), marline_contacts_free(contacts);
    marline_device_free(alice), marline_device_free(bob), marline_device_free(new_bob);
}

static void a_device_keeps_itself_up(void) {
    marline_device *device = device_new("upkeep");
    marline_maintenance report = MARLINE_MAINTENANCE_INIT;
    marline_publication *publication, *waiting;
    uint32_t count;
    OK(marline_device_maintain(device, NOW, &report, &publication, NULL));
    CHECK(report.reason == MARLINE_TASK_ROTATE && publication != NULL);
    OK(marline_device_unpublished(device, &waiting, NULL));
    OK(marline_publication_count(waiting, &count, NULL));
    CHECK(count == 100);
    marline_publication_free(publication), marline_publication_free(waiting);
    OK(marline_device_mark_published(device, NULL));
    OK(marline_device_unpublished(device, &waiting, NULL));
    CHECK(waiting == NULL);
    OK(marline_device_maintain(device, NOW + 60, &report, &publication, NULL));
    CHECK(report.reason == 0 && publication == NULL);
    OK(marline_device_maintain(device, NOW + 40 * 86400u, &report, &publication, NULL));
    CHECK(report.deleted == 1 && report.reason == MARLINE_TASK_ROTATE);
    marline_publication_free(publication);
    marline_device_free(device);
}

static void an_older_copy_is_a_rollback_and_can_be_made_safe(void) {
    marline_device *alice = device_new("back-alice"), *bob = device_new("back-bob"), *copy;
    marline_device_options options = MARLINE_DEVICE_OPTIONS_INIT;
    marline_buffer *message;
    uint64_t generation;
    uint8_t id[MARLINE_ID_SIZE], one[MARLINE_ID_SIZE], other[MARLINE_ID_SIZE];
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW);
    OK(marline_device_backup(alice, STR(in_folder("copy")), NULL));
    EXPECT(MARLINE_ERR_EXISTS, marline_device_backup(alice, STR(in_folder("copy")), NULL));
    (void)device_says(alice, "bob", bob, "after the copy");
    OK(marline_device_generation(alice, &generation, NULL));
    options.minimum_generation = generation;
    EXPECT(MARLINE_ERR_ROLLBACK, marline_device_open(STR(in_folder("copy")), NULL, 0, WITH_KEY, &options, &copy, NULL));
    CHECK(copy == NULL);
    OK(marline_device_open_restored(STR(in_folder("copy")), STR(in_folder("anchor")), WITH_KEY, NULL, NOW, &copy, NULL));
    CHECK(access(in_folder("anchor"), F_OK) == 0 && access(in_folder("copy.anchor"), F_OK) != 0);
    OK(marline_device_identity(alice, one, sizeof one, NULL));
    OK(marline_device_identity(copy, other, sizeof other, NULL));
    CHECK(memcmp(one, other, sizeof one) == 0);
    EXPECT(MARLINE_ERR_NO_SESSION,
           marline_device_send(copy, STR("bob"), TEXT("x"), NO_AD, NULL, NOW, id, sizeof id, &message, NULL));
    marline_device_free(alice), marline_device_free(bob), marline_device_free(copy);
}

static void write_file(const char *path, long at, const void *bytes, size_t length) {
    FILE *file = fopen(path, at < 0 ? "wb" : "r+b");
    CHECK(file != NULL && (at < 0 || fseek(file, at, SEEK_SET) == 0) && fwrite(bytes, 1, length, file) == length);
    if (file != NULL) fclose(file);
}

static void files_that_will_not_do_have_their_codes(void) {
    marline_device *device, *none;
    marline_device_options options = MARLINE_DEVICE_OPTIONS_INIT;
    marline_publication *publication;
    marline_contacts *contacts;
    marline_error err = MARLINE_ERROR_INIT;
    static uint8_t rubbish[1 << 15];
    const char *path;
    uint8_t other_key[MARLINE_KEY_SIZE] = {9};
    int status = 0;
    pid_t child;
    memset(rubbish, 0x5a, sizeof rubbish);
    device = device_new("files");
    EXPECT(MARLINE_ERR_EXISTS, marline_device_create(STR(in_folder("files")), NULL, 0, WITH_KEY, NO_AD, NULL, &none, NULL));
    EXPECT(MARLINE_ERR_NOT_FOUND, marline_device_open(STR(in_folder("nowhere")), NULL, 0, WITH_KEY, NULL, &none, NULL));
    EXPECT(MARLINE_ERR_NOT_FOUND, marline_device_contact(device, STR("nobody"), &contacts, NULL));
    EXPECT(MARLINE_ERR_ARGUMENT, marline_device_contact(device, TEXT("\xff"), &contacts, NULL));
    EXPECT(MARLINE_ERR_WRONG_KEY, marline_device_open(STR(in_folder("files")), NULL, 0, MARLINE_UNLOCK_KEY, other_key,
                                                      sizeof other_key, NULL, &none, &err));
    CHECK(none == NULL && marline_status_class(err.status) == MARLINE_CLASS_STORAGE);
    EXPECT(MARLINE_ERR_LENGTH, marline_device_open(STR(in_folder("files")), NULL, 0, MARLINE_UNLOCK_KEY, other_key, 31, NULL,
                                                   &none, NULL));
    EXPECT(MARLINE_ERR_STORAGE,
           marline_device_create(STR(in_folder("files/below a file")), NULL, 0, WITH_KEY, NO_AD, NULL, &none, NULL));
    options.anchor = MARLINE_ANCHOR_NONE;
    OK(marline_device_flush(device, NULL));
    marline_device_free(device);

    path = in_folder("rubbish");
    write_file(path, -1, rubbish, sizeof rubbish);
    EXPECT(MARLINE_ERR_SCHEMA, marline_device_open(STR(path), NULL, 0, WITH_KEY, NULL, &none, NULL));
    /* All pages but the first, which says what the file is. */
    write_file(in_folder("files"), 4096, rubbish, 4096);
    write_file(in_folder("files"), 8192, rubbish, 4096);
    write_file(in_folder("files"), 12288, rubbish, 4096);
    EXPECT(MARLINE_ERR_CORRUPT, marline_device_open(STR(in_folder("files")), NULL, 0, WITH_KEY, &options, &none, NULL));

    options.max_bytes = 1 << 16;
    OK(marline_device_create(STR(in_folder("small")), NULL, 0, WITH_KEY, NO_AD, &options, &device, NULL));
    EXPECT(MARLINE_ERR_DISK_FULL, marline_device_publish(device, 200, NOW, &publication, NULL));
    CHECK(publication == NULL);
    OK(marline_device_publish(device, 1, NOW, &publication, NULL));
    marline_publication_free(publication);
    OK(marline_device_flush(device, NULL));
    marline_device_free(device);

    CHECK(chmod(in_folder("small"), 0444) == 0 && chmod(folder, 0555) == 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        /* The superuser is not bound by permissions: somebody else is. */
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        options.max_bytes = 0;
        _exit(marline_device_open(STR(in_folder("small")), NULL, 0, WITH_KEY, &options, &none, NULL)
              != MARLINE_ERR_READ_ONLY);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) reached[MARLINE_ERR_READ_ONLY] = 1;
    CHECK(chmod(folder, 0755) == 0);
}

static void a_passphrase_opens_a_device(void) {
    marline_device *device;
    marline_device_options options = MARLINE_DEVICE_OPTIONS_INIT;
    const char *path = in_folder("passphrase");
    options.argon2_passes = 1;
    EXPECT(MARLINE_ERR_ARGUMENT, marline_device_create(STR(path), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, TEXT("correct horse"),
                                                       NO_AD, &options, &device, NULL));
    options.argon2_memory_kib = 19456, options.argon2_passes = 2;
    OK(marline_device_create(STR(path), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, TEXT("correct horse"), NO_AD, &options, &device,
                             NULL));
    marline_device_free(device);
    EXPECT(MARLINE_ERR_WRONG_KEY, marline_device_open(STR(path), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, TEXT("battery"), NULL,
                                                      &device, NULL));
    OK(marline_device_open(STR(path), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, TEXT("correct horse"), NULL, &device, NULL));
    marline_device_free(device);
}

static void a_child_process_leaves_the_parents_device_alone(void) {
    marline_device *alice = device_new("fork-alice"), *bob = device_new("fork-bob");
    marline_publication *publication;
    uint64_t generation;
    int status = 0;
    pid_t child;
    CHECK(device_meets(alice, "bob", bob) == MARLINE_ADDED_NEW);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        failures = 0;
        EXPECT(MARLINE_ERR_WRONG_PROCESS, marline_device_publish(alice, 1, NOW, &publication, NULL));
        EXPECT(MARLINE_ERR_WRONG_PROCESS, marline_device_generation(alice, &generation, NULL));
        marline_device_free(alice); /* does nothing: the connection to the file is the parent's */
        EXPECT(MARLINE_ERR_WRONG_PROCESS, marline_device_flush(alice, NULL));
        _exit(failures != 0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)device_says(alice, "bob", bob, "undisturbed");
    marline_device_free(alice), marline_device_free(bob);
}

/* What can be tested without signatures; bindings/python has a signer. */
static void an_identity_that_signs_elsewhere(void) {
    world w;
    uint8_t ed25519[MARLINE_ED25519_KEY_SIZE], mldsa65[MARLINE_MLDSA65_KEY_SIZE] = {1};
    uint8_t small[MARLINE_ED25519_SIGNATURE_SIZE] = {2}, large[MARLINE_MLDSA65_SIGNATURE_SIZE] = {3};
    uint8_t bob[MARLINE_ID_SIZE];
    marline_account *account, *restored, *none;
    marline_publication *publication;
    marline_session *session;
    marline_contact *contact;
    marline_signing *signing, *other;
    marline_buffer *sealed, *message, *secret;
    uint64_t generation;
    world_open(&w);
    memset(ed25519, 0x66, sizeof ed25519), ed25519[0] = 0x58; /* the base point: nobody's key, but a key */
    OK(marline_account_external(ed25519, sizeof ed25519, mldsa65, sizeof mldsa65, TEXT("hsm"), &account, NULL));
    EXPECT(MARLINE_ERR_SIGNER, marline_account_publish(account, 1, NOW, &publication, NULL));
    EXPECT(MARLINE_ERR_SIGNER, marline_account_initiate(account, BYTES(w.bundle), TEXT("x"), NO_AD, NULL, NOW, &session,
                                                        &message, NULL));
    EXPECT(MARLINE_ERR_ARGUMENT, marline_account_prepare_publish(w.bob, 1, NOW, &signing, NULL));
    OK(marline_account_export(account, w.key, 32, &sealed, &generation, NULL));
    OK(marline_account_prepare_publish(account, 2, NOW, &signing, NULL));
    CHECK(marline_signing_input_len(signing) > 2000 && marline_signing_input(signing) != NULL);
    EXPECT(MARLINE_ERR_SIGNER, marline_account_finish_publish(account, signing, small, sizeof small, large, sizeof large,
                                                              &publication, NULL));
    CHECK(publication == NULL);
    OK(marline_account_prepare_initiate(account, BYTES(w.bundle), TEXT("x"), NO_AD, NULL, NOW, &other, NULL));
    EXPECT(MARLINE_ERR_SPENT, marline_account_finish_publish(account, other, small, sizeof small, large, sizeof large,
                                                             &publication, NULL));
    EXPECT(MARLINE_ERR_SIGNER, marline_account_finish_initiate(account, other, small, sizeof small, large, sizeof large,
                                                               &session, &message, NULL));
    CHECK(session == NULL && message == NULL);
    marline_signing_free(signing), marline_signing_free(other);
    OK(marline_account_identity(w.bob, bob, sizeof bob, NULL));
    OK(marline_contact_new(bob, sizeof bob, &contact, NULL));
    EXPECT(MARLINE_ERR_NO_SESSION, marline_contact_export_secret(contact, NO_AD, NO_AD, 32, &secret, NULL));
    OK(marline_contact_prepare_initiate(contact, account, BYTES(w.bundle), TEXT("x"), NO_AD, NULL, NOW, &signing, NULL));
    OK(marline_contact_prepare_reset(contact, account, BYTES(w.bundle), NO_AD, NULL, NOW, &other, NULL));
    EXPECT(MARLINE_ERR_SIGNER, marline_contact_finish(contact, account, signing, small, sizeof small, large, sizeof large,
                                                      &message, NULL));
    marline_signing_free(signing), marline_signing_free(other);
    EXPECT(MARLINE_ERR_MALFORMED, marline_account_import(w.key, 32, BYTES(sealed), 0, &none, NULL));
    OK(marline_account_import_external(w.key, 32, ed25519, sizeof ed25519, mldsa65, sizeof mldsa65, BYTES(sealed),
                                       generation, &restored, NULL));
    mldsa65[0] ^= 1;
    EXPECT(MARLINE_ERR_IDENTITY_CHANGED, marline_account_import_external(w.key, 32, ed25519, sizeof ed25519, mldsa65,
                                                                         sizeof mldsa65, BYTES(sealed), 0, &none, NULL));
    marline_account_free(account), marline_account_free(restored);
    marline_contact_free(contact), marline_buffer_free(sealed);
    world_close(&w);
}

static void folder_open(void) {
    snprintf(folder, sizeof folder, "/tmp/marline-suite-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void folder_close(void) {
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    CHECK(system(command) == 0);
}

static void device_tests(int quick) {
    folder_open();
    devices_talk_and_keep_what_waits();
    what_is_released_is_on_disk_before();
    two_handles_on_one_file_never_use_one_key();
    another_process_keeps_commits_from_the_disk();
    a_contacts_changed_identity_awaits_the_user();
    a_device_keeps_itself_up();
    an_older_copy_is_a_rollback_and_can_be_made_safe();
    files_that_will_not_do_have_their_codes();
    if (!quick) a_passphrase_opens_a_device();
    a_child_process_leaves_the_parents_device_alone();
    folder_close();
}

#endif
