/* A random walk over the ABI: two devices, several sessions, messages kept, lost, repeated, reordered, damaged; states
 * exported, imported, rolled back on purpose; changes prepared and dropped. A model of what must come out is
 * kept beside it.      walk SECONDS [SEED] */
#include "world.h"
#include <time.h>

#define PAIRS 4
#define KEPT 24

typedef struct {
    marline_buffer *bytes;
    uint32_t number;
    int from, opened;
} letter;

static uint64_t state;
static unsigned long came, lost;
static world w;
static struct {
    marline_session *side[2];
    letter kept[KEPT];
    uint32_t sent;
} pairs[PAIRS];

static uint32_t draw(uint32_t below) { /* splitmix64 */
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static void forget(letter *l) {
    marline_buffer_free(l->bytes);
    memset(l, 0, sizeof *l);
}

static void renew(int p) {
    marline_publication *publication;
    marline_buffer *bundle, *first;
    marline_opened *opened;
    marline_options options = MARLINE_OPTIONS_INIT;
    uint32_t left;
    for (int i = 0; i < KEPT; i++) forget(&pairs[p].kept[i]);
    marline_session_free(pairs[p].side[0]), marline_session_free(pairs[p].side[1]);
    options.slots = draw(39);
    OK(marline_account_publish(w.bob, 1 + draw(3), NOW, &publication, NULL));
    OK(marline_publication_bundle(publication, draw(2) ? 0 : MARLINE_LAST_RESORT, &bundle, NULL));
    OK(marline_account_initiate(w.alice, BYTES(bundle), NO_AD, NO_AD, &options, NOW, &pairs[p].side[0], &first, NULL));
    OK(marline_account_accept(w.bob, BYTES(first), NO_AD, NOW, &pairs[p].side[1], &opened, NULL));
    OK(marline_account_one_time_left(w.bob, &left, NULL));
    CHECK(marline_opened_plaintext_len(opened) == 0);
    marline_opened_free(opened);
    marline_buffer_free(first), marline_buffer_free(bundle);
    marline_publication_free(publication);
}

static void send(int p, letter *l) {
    marline_pending *pending;
    uint8_t text[64] = {0};
    size_t length = 4 + draw(60);
    forget(l);
    l->from = (int)draw(2);
    l->number = ++pairs[p].sent;
    memcpy(text, &l->number, 4);
    if (draw(3) != 0) {
        OK(marline_session_encrypt(pairs[p].side[l->from], text, length, NO_AD, NULL, &l->bytes, NULL));
        return;
    }
    OK(marline_session_prepare_encrypt(pairs[p].side[l->from], text, length, NO_AD, NULL, &pending, NULL));
    if (draw(2)) OK(marline_session_commit_encrypt(pairs[p].side[l->from], pending, &l->bytes, NULL));
    marline_pending_free(pending);
}

static void deliver(int p, letter *l) {
    marline_opened *opened;
    marline_session *to = pairs[p].side[!l->from];
    uint32_t number = 0;
    if (l->bytes == NULL) return;
    if (draw(4) == 0) { /* damaged: refused, and nothing has changed */
        size_t length = marline_buffer_len(l->bytes), at = draw((uint32_t)length);
        uint8_t *copy = malloc(length);
        marline_facts before = MARLINE_FACTS_INIT, after = MARLINE_FACTS_INIT;
        memcpy(copy, marline_buffer_data(l->bytes), length);
        copy[at] ^= (uint8_t)(1 + draw(255));
        OK(marline_session_facts(to, &before, NULL));
        marline_status got = marline_session_decrypt(to, copy, draw(3) ? length : at, NO_AD, &opened, NULL);
        CHECK(marline_status_class(got) == MARLINE_CLASS_DATA && opened == NULL);
        OK(marline_session_facts(to, &after, NULL));
        CHECK(memcmp(&before, &after, sizeof before) == 0);
        free(copy);
    }
    marline_status got = marline_session_decrypt(to, BYTES(l->bytes), NO_AD, &opened, NULL);
    /* Keys die with their epoch, which turns after three messages at the earliest, and with their chain. */
    int is_late = pairs[p].sent - l->number >= 3;
    if (is_late && (got == MARLINE_ERR_TOO_OLD || got == MARLINE_ERR_AUTHENTICATION)) {
        CHECK(opened == NULL);
        lost++;
    } else {
        EXPECT(l->opened ? MARLINE_ERR_DUPLICATE : MARLINE_OK, got);
    }
    if (opened != NULL) {
        memcpy(&number, marline_opened_plaintext(opened), 4);
        CHECK(number == l->number);
        l->opened = 1;
        came++;
    }
    marline_opened_free(opened);
}

static void store(int p) {
    int side = (int)draw(2);
    marline_buffer *sealed;
    marline_session *back;
    uint64_t generation;
    OK(marline_session_export(pairs[p].side[side], w.key, 32, &sealed, &generation, NULL));
    EXPECT(MARLINE_ERR_ROLLBACK, marline_session_import(w.key, 32, BYTES(sealed), generation + 1, &back, NULL));
    OK(marline_session_import(w.key, 32, BYTES(sealed), generation, &back, NULL));
    marline_session_free(pairs[p].side[side]);
    pairs[p].side[side] = back;
    marline_buffer_free(sealed);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 20;
    time_t end = time(NULL) + (time_t)seconds;
    unsigned long steps = 0;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    printf("walk: seed %llu\n", (unsigned long long)state);
    world_open(&w);
    for (int p = 0; p < PAIRS; p++) renew(p);
    while (failures == 0 && time(NULL) < end) {
        int p = (int)draw(PAIRS);
        letter *l = &pairs[p].kept[draw(KEPT)];
        uint32_t what = draw(1000);
        if (what < 450) send(p, l);
        else if (what < 930) deliver(p, l);
        else if (what < 995) store(p);
        else renew(p);
        steps++;
    }
    for (int p = 0; p < PAIRS; p++) {
        for (int i = 0; i < KEPT; i++) forget(&pairs[p].kept[i]);
        marline_session_free(pairs[p].side[0]), marline_session_free(pairs[p].side[1]);
    }
    world_close(&w);
    printf("walk: %lu steps, %lu messages came, %lu refused as late, %d failures\n", steps, came, lost, failures);
    return failures != 0 || came < steps / 10;
}
