/* One device behind a pipe, for a conversation with a program in another language. It publishes, accepts the
 * first message, and answers every plaintext with "you said: …", until its input ends. Frames on both pipes are a
 * four-byte big-endian length and the bytes. */
#include "world.h"

static int get(uint8_t *to, size_t capacity, size_t *length) {
    uint8_t head[4];
    if (fread(head, 1, 4, stdin) != 4) return 0;
    *length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    return *length <= capacity && fread(to, 1, *length, stdin) == *length;
}

static void put(const marline_buffer *buffer) {
    size_t n = marline_buffer_len(buffer);
    uint8_t head[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    CHECK(fwrite(head, 1, 4, stdout) == 4 && fwrite(marline_buffer_data(buffer), 1, n, stdout) == n);
    fflush(stdout);
}

int main(void) {
    static uint8_t message[1 << 16];
    char answer[1 << 12];
    size_t length;
    marline_account *bob;
    marline_publication *publication;
    marline_buffer *out;
    marline_session *session = NULL;
    marline_opened *opened;
    OK(marline_account_generate(TEXT("bob, in C"), &bob, NULL));
    OK(marline_account_publish(bob, 1, NOW, &publication, NULL));
    OK(marline_publication_bundle(publication, 0, &out, NULL));
    put(out);
    marline_buffer_free(out);
    marline_publication_free(publication);
    while (failures == 0 && get(message, sizeof message, &length)) {
        if (session == NULL) OK(marline_account_accept(bob, message, length, NO_AD, NOW, &session, &opened, NULL));
        else OK(marline_session_decrypt(session, message, length, NO_AD, &opened, NULL));
        length = (size_t)snprintf(answer, sizeof answer, "you said: %.*s", (int)marline_opened_plaintext_len(opened),
                                  (const char *)marline_opened_plaintext(opened));
        marline_opened_free(opened);
        OK(marline_session_encrypt(session, (const uint8_t *)answer, length, NO_AD, NULL, &out, NULL));
        put(out);
        marline_buffer_free(out);
    }
    marline_session_free(session);
    marline_account_free(bob);
    return failures != 0;
}
