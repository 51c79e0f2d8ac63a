/* What the C tests share: checks that count, and two devices in a conversation. */
#ifndef WORLD_H
#define WORLD_H

#include <marline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000u

static int failures;
static unsigned char reached[1000];

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++; \
        } \
    } while (0)

static void check_status(const char *file, int line, const char *call, marline_status got, marline_status want) {
    if (got != want) {
        fprintf(stderr, "%s:%d: %s: %s, not %s\n", file, line, call, marline_status_name(got),
                marline_status_name(want));
        failures++;
    }
    if (got >= 0 && got < (marline_status)sizeof reached) reached[got] = 1;
}
#define EXPECT(want, call) check_status(__FILE__, __LINE__, #call, (call), (want))
#define OK(call) EXPECT(MARLINE_OK, call)

#define BYTES(buffer) marline_buffer_data(buffer), marline_buffer_len(buffer)
#define TEXT(literal) (const uint8_t *)(literal), sizeof(literal) - 1
#define NO_AD NULL, 0

typedef struct {
    marline_account *alice, *bob;
    marline_publication *publication;
    marline_buffer *bundle, *first;
    marline_session *to_bob, *to_alice;
    marline_opened *hello;
    uint8_t key[MARLINE_KEY_SIZE];
} world;

static inline void world_open(world *w) {
    memset(w, 0, sizeof *w);
    memset(w->key, 7, sizeof w->key);
    OK(marline_account_generate(TEXT("alice"), &w->alice, NULL));
    OK(marline_account_generate(TEXT("bob"), &w->bob, NULL));
    OK(marline_account_publish(w->bob, 3, NOW, &w->publication, NULL));
    OK(marline_publication_bundle(w->publication, 0, &w->bundle, NULL));
    OK(marline_account_initiate(w->alice, BYTES(w->bundle), TEXT("hello"), NO_AD, NULL, NOW, &w->to_bob, &w->first,
                                NULL));
    OK(marline_account_accept(w->bob, BYTES(w->first), NO_AD, NOW, &w->to_alice, &w->hello, NULL));
}

static inline void world_close(world *w) {
    marline_opened_free(w->hello);
    marline_session_free(w->to_alice);
    marline_session_free(w->to_bob);
    marline_buffer_free(w->first);
    marline_buffer_free(w->bundle);
    marline_publication_free(w->publication);
    marline_account_free(w->bob);
    marline_account_free(w->alice);
}

#endif
