/* One of two processes that talk over a pair of pipes, each with its device in a file.
 *
 *     mkfifo there back
 *     TALK_PASSPHRASE=b ./talk bob.device <there >back &
 *     TALK_PASSPHRASE=a ./talk alice.device hello "how are you?" >there <back
 *
 * Without messages it is the side that is written to: it hands out a bundle (in a real program a directory does) and answers.
 * On the pipes, a message is its length in four bytes, and the bytes. What people read goes to standard error. */
#include <marline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STR(text) (const uint8_t *)(text), strlen(text)
#define BYTES(buffer) marline_buffer_data(buffer), marline_buffer_len(buffer)

static marline_error err = MARLINE_ERROR_INIT;
static uint64_t now;

static void check(marline_status status) {
    if (status == MARLINE_OK) return;
    fprintf(stderr, "%s: %s\n", marline_status_name(status), err.message);
    exit(1);
}

static void put(const marline_buffer *buffer) {
    size_t n = marline_buffer_len(buffer);
    uint8_t head[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    if (fwrite(head, 1, 4, stdout) != 4 || fwrite(marline_buffer_data(buffer), 1, n, stdout) != n || fflush(stdout) != 0) exit(1);
}

/* The next message on the pipe; 0 at its end. */
static size_t get(uint8_t *to, size_t capacity) {
    uint8_t head[4];
    size_t n;
    if (fread(head, 1, 4, stdin) != 4) return 0;
    n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    return n <= capacity && fread(to, 1, n, stdin) == n ? n : 0;
}

/* Encrypts and sends. The state is on disk before the message is ours. */
static void say(marline_device *device, const char *to, const char *text) {
    marline_buffer *message;
    uint8_t id[MARLINE_ID_SIZE];
    check(marline_device_send(device, STR(to), STR(text), NULL, 0, NULL, now, id, sizeof id, &message, &err));
    put(message);
    check(marline_device_mark_sent(device, id, sizeof id, &err)); /* until here it waits in the outbox */
    marline_buffer_free(message);
}

/* Opens a message, shows it, and keeps the name of the contact it is from. */
static void hear(marline_device *device, const uint8_t *bytes, size_t length, char *from, size_t capacity, char *text) {
    marline_inbox *inbox;
    marline_incoming incoming = MARLINE_INCOMING_INIT;
    check(marline_device_receive(device, bytes, length, NULL, 0, NULL, 0, now, &inbox, &err));
    check(marline_inbox_get(inbox, 0, &incoming, &err));
    snprintf(from, capacity, "%.*s", (int)marline_inbox_contact_len(inbox, 0), (const char *)marline_inbox_contact(inbox, 0));
    snprintf(text, capacity, "%.*s", (int)marline_inbox_plaintext_len(inbox, 0), (const char *)marline_inbox_plaintext(inbox, 0));
    fprintf(stderr, "%s, %s: %s\n", from, incoming.trust == MARLINE_TRUST_VERIFIED ? "verified" : "not verified", text);
    check(marline_device_acknowledge(device, incoming.id, sizeof incoming.id, &err)); /* until here it waits in the inbox */
    marline_inbox_free(inbox);
}

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 16];
    char from[1024], text[1024], answer[1100];
    const char *passphrase = getenv("TALK_PASSPHRASE");
    marline_device *device;
    size_t length;
    if (argc < 2 || passphrase == NULL) return 2;
    now = (uint64_t)time(NULL);
    marline_status opened = marline_device_open(STR(argv[1]), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, STR(passphrase), NULL, &device, &err);
    if (opened == MARLINE_ERR_NOT_FOUND)
        opened = marline_device_create(STR(argv[1]), NULL, 0, MARLINE_UNLOCK_PASSPHRASE, STR(passphrase), STR(argc > 2 ? "alice" : "bob"),
                                       NULL, &device, &err);
    check(opened);
    if (argc > 2) {
        uint8_t identity[MARLINE_ID_SIZE];
        uint32_t added;
        length = get(bytes, sizeof bytes);
        check(marline_device_add_contact(device, STR("bob"), bytes, length, now, &added, identity, sizeof identity, &err));
        for (int i = 2; i < argc; i++) {
            say(device, "bob", argv[i]);
            if ((length = get(bytes, sizeof bytes)) == 0) return 1;
            hear(device, bytes, length, from, sizeof from, text);
        }
    } else {
        marline_publication *publication;
        marline_buffer *bundle;
        check(marline_device_publish(device, 1, now, &publication, &err));
        check(marline_publication_bundle(publication, 0, &bundle, &err));
        put(bundle);
        marline_buffer_free(bundle), marline_publication_free(publication);
        while ((length = get(bytes, sizeof bytes)) > 0) {
            hear(device, bytes, length, from, sizeof from, text);
            snprintf(answer, sizeof answer, "you said: %s", text);
            say(device, from, answer);
        }
    }
    check(marline_device_flush(device, &err));
    marline_device_free(device);
    return 0;
}
