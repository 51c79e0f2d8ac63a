/* Replays the vectors through the C ABI: ffi/tests/vectors.py makes the lines that this reads. Outputs, statuses and, after
 * every step, the fingerprints of the states must be the vectors'. Against the testing library, for its randomness.
 *      vectors script.txt */
#define _POSIX_C_SOURCE 200809L
#include "world.h"
#include "marline_testing.h"
#include <sys/types.h>

#define WORDS 16
#define NAMES 32

typedef struct {
    uint8_t *at;
    size_t n;
} blob;

static struct {
    char name[64];
    marline_account *account;
    marline_session *session;
} slots[NAMES];
static char where[200];
static long steps, cases;

static void bad(const char *what, marline_status got) {
    fprintf(stderr, "%s: %s (%s)\n", where, what, marline_status_name(got));
    failures++;
}

static int slot(const char *name) {
    int i = 0;
    while (i < NAMES - 1 && slots[i].name[0] != 0 && strcmp(slots[i].name, name) != 0) i++;
    snprintf(slots[i].name, sizeof slots[i].name, "%s", name);
    return i;
}

static void forget_all(void) {
    for (int i = 0; i < NAMES; i++) marline_account_free(slots[i].account), marline_session_free(slots[i].session);
    memset(slots, 0, sizeof slots);
}

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static blob hex(const char *text) {
    blob b = {NULL, 0};
    if (strcmp(text, "-") == 0) return b;
    b.n = strlen(text) / 2;
    b.at = malloc(b.n + 1);
    for (size_t i = 0; i < b.n; i++) b.at[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    return b;
}

static int allowed(const char *statuses, marline_status got) {
    const char *name = marline_status_name(got) + strlen("MARLINE_");
    size_t n;
    if (strncmp(name, "ERR_", 4) == 0) name += 4;
    for (; *statuses != 0; statuses += n + (statuses[n] == ',')) {
        n = strcspn(statuses, ",");
        if (strlen(name) == n && strncmp(name, statuses, n) == 0) return 1;
    }
    return 0;
}

static void compare(const char *what, const char *expected, const uint8_t *got, size_t n) {
    if (strcmp(expected, "*") == 0) return;
    blob want = hex(expected);
    if (want.n != n || (n != 0 && memcmp(want.at, got, n) != 0)) bad(what, MARLINE_OK);
    free(want.at);
}

static void keep_account(int i, marline_account *fresh) {
    if (fresh == NULL) return;
    marline_account_free(slots[i].account);
    slots[i].account = fresh;
}

static void keep_session(int i, marline_session *fresh) {
    if (fresh == NULL) return;
    marline_session_free(slots[i].session);
    slots[i].session = fresh;
}

/* Runs one operation; what it puts out is compared with w[7]. */
static marline_status run(char **w, blob *in, int a, int s) {
    const char *op = w[0], *expected = w[7];
    marline_status got = MARLINE_ERR_INTERNAL;
    marline_account *account = NULL;
    marline_session *session = NULL;
    marline_buffer *buffer = NULL;
    marline_opened *opened = NULL;
    marline_publication *publication = NULL;
    marline_options options = MARLINE_OPTIONS_INIT;
    uint8_t id[MARLINE_ID_SIZE];
    uint64_t generation, now;
    uint32_t number;
#define NUMBER(i) strtoull(w[8 + (i)], NULL, 10)
#define IN(i) in[i].at, in[i].n
    if (strcmp(op, "account_generate") == 0) {
        got = marline_account_generate(IN(0), &account, NULL);
        if (got == MARLINE_OK) {
            OK(marline_account_identity(account, id, sizeof id, NULL));
            compare("identity", expected, id, sizeof id);
        }
        keep_account(a, account);
    } else if (strcmp(op, "publish") == 0) {
        got = marline_account_publish(slots[a].account, (uint32_t)NUMBER(0), NUMBER(1), &publication, NULL);
        if (got == MARLINE_OK) OK(marline_publication_manifest(publication, &buffer, NULL));
    } else if (strcmp(op, "initiate") == 0) {
        options.padding = MARLINE_PADDING_NONE;
        options.slots = (uint32_t)NUMBER(2), now = NUMBER(3);
        got = marline_account_initiate(slots[a].account, IN(0), IN(1), NO_AD, &options, now, &session, &buffer, NULL);
        keep_session(s, session);
    } else if (strcmp(op, "accept") == 0) {
        got = marline_account_accept(slots[a].account, IN(0), IN(1), NUMBER(2), &session, &opened, NULL);
        keep_session(s, session);
    } else if (strcmp(op, "load_session") == 0) {
        got = marline_testing_load_session(IN(0), &session, NULL);
        keep_session(s, session);
    } else if (strcmp(op, "load_account") == 0) {
        got = marline_testing_load_account(IN(0), &account, NULL);
        keep_account(a, account);
    } else if (strcmp(op, "encrypt") == 0) {
        options.padding = (uint32_t)NUMBER(2);
        got = marline_session_encrypt(slots[s].session, IN(0), IN(1), &options, &buffer, NULL);
    } else if (strcmp(op, "decrypt") == 0) {
        got = marline_session_decrypt(slots[s].session, IN(0), IN(1), &opened, NULL);
    } else if (strcmp(op, "export_session") == 0) {
        got = marline_session_export(slots[s].session, IN(0), &buffer, &generation, NULL);
    } else if (strcmp(op, "export_account") == 0) {
        got = marline_account_export(slots[a].account, IN(0), &buffer, &generation, NULL);
    } else if (strcmp(op, "import_session") == 0) {
        got = marline_session_import(IN(0), IN(1), NUMBER(2), &session, NULL);
        keep_session(s, session);
    } else if (strcmp(op, "import_account") == 0) {
        got = marline_account_import(IN(0), IN(1), NUMBER(2), &account, NULL);
        keep_account(a, account);
    } else if (strcmp(op, "drop") == 0) {
        marline_session_free(slots[s].session);
        slots[s].session = NULL;
        got = MARLINE_OK;
    } else if (strcmp(op, "maintain") == 0) {
        got = marline_session_maintain(slots[s].session, NUMBER(0), NULL);
    } else if (strcmp(op, "account_maintain") == 0) {
        got = marline_account_delete_expired(slots[a].account, NUMBER(0), &number, NULL);
    } else if (strcmp(op, "facts") == 0) {
        marline_facts facts = MARLINE_FACTS_INIT;
        got = marline_session_facts(slots[s].session, &facts, NULL);
        compare("facts", expected, facts.session_id, 32);
    } else if (strcmp(op, "export_secret") == 0) {
        got = marline_session_export_secret(slots[s].session, IN(0), IN(1), (size_t)NUMBER(2), &buffer, NULL);
    } else {
        bad("an operation that is not known", got);
    }
    if (buffer != NULL) compare("output", expected, BYTES(buffer));
    if (opened != NULL) compare("plaintext", expected, marline_opened_plaintext(opened), marline_opened_plaintext_len(opened));
    marline_buffer_free(buffer);
    marline_opened_free(opened);
    marline_publication_free(publication);
    return got;
}

static void step(char **w, int words) {
    blob in[WORDS] = {{NULL, 0}}, draws = hex(w[3]);
    uint8_t print[32];
    int a = slot(w[1]), s = slot(w[2]);
    for (int i = 8; i < words; i++) in[i - 8] = hex(w[i]);
    marline_testing_script(draws.at, draws.n);
    marline_status got = run(w, in, a, s);
    size_t left = marline_testing_script(NULL, 0);
    if (!allowed(w[4], got)) bad(w[4], got);
    if (got == MARLINE_OK && left != 0) bad("randomness is left over", got);
    if (strcmp(w[5], "*") != 0) {
        OK(marline_testing_account_fingerprint(slots[a].account, print, 32, NULL));
        compare("the account's state", w[5], print, 32);
    }
    if (strcmp(w[6], "*") != 0) {
        OK(marline_testing_session_fingerprint(slots[s].session, print, 32, NULL));
        compare("the session's state", w[6], print, 32);
    }
    for (int i = 0; i < WORDS; i++) free(in[i].at);
    free(draws.at);
    steps++;
}

int main(int argc, char **argv) {
    FILE *script = argc > 1 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    if (script == NULL) return 2;
    while ((length = getline(&line, &capacity, script)) > 0) {
        char *words[WORDS];
        int n = 0;
        line[length - 1] = 0;
        for (char *word = strtok(line, " "); word != NULL && n < WORDS; word = strtok(NULL, " ")) words[n++] = word;
        if (strcmp(words[0], "case") == 0) {
            forget_all();
            cases++;
            snprintf(where, sizeof where, "%s", words[1]);
        } else {
            step(words, n);
        }
    }
    forget_all();
    free(line);
    fclose(script);
    printf("vectors: %ld cases, %ld steps, %d failures\n", cases, steps, failures);
    return failures != 0 || steps < 500;
}
