/* Allocation failure, with failing_malloc.so preloaded: large ones are MARLINE_ERR_NO_MEMORY and change nothing; small
 * ones end the process by abort, as everywhere in Rust, and never go on with a NULL pointer. */
#define _GNU_SOURCE
#include "world.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*set_fn)(size_t, long);

int main(void) {
    world w;
    set_fn set;
    *(void **)&set = dlsym(RTLD_DEFAULT, "failing_malloc_set");
    size_t size = 1 << 20;
    uint8_t *large = calloc(size, 1);
    marline_buffer *message, *none, *stored;
    uint64_t generation;
    marline_opened *opened;
    marline_pending *pending;
    int aborted = 0, finished = 0;
    if (set == NULL || large == NULL) {
        fprintf(stderr, "failing_malloc.so is not preloaded\n");
        return 2;
    }
    world_open(&w);
    OK(marline_session_encrypt(w.to_alice, large, size, NO_AD, NULL, &message, NULL));
    marline_facts before = MARLINE_FACTS_INIT, after = MARLINE_FACTS_INIT;
    OK(marline_session_facts(w.to_bob, &before, NULL));
    set(1 << 20, -1);
    EXPECT(MARLINE_ERR_NO_MEMORY, marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    EXPECT(MARLINE_ERR_NO_MEMORY, marline_session_encrypt(w.to_bob, large, size, NO_AD, NULL, &none, NULL));
    EXPECT(MARLINE_ERR_NO_MEMORY, marline_session_prepare_decrypt(w.to_bob, BYTES(message), NO_AD, &pending, NULL));
    CHECK(opened == NULL && none == NULL && pending == NULL);
    OK(marline_session_facts(w.to_bob, &after, NULL));
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    set((size_t)-1, -1);
    OK(marline_session_decrypt(w.to_bob, BYTES(message), NO_AD, &opened, NULL));
    CHECK(marline_opened_plaintext_len(opened) == size);
    marline_opened_free(opened);

    OK(marline_session_export(w.to_bob, w.key, 32, &stored, &generation, NULL));
    for (int nth = 1; nth < 60; nth++) {
        int status = 0;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            (void)!freopen("/dev/null", "w", stderr); /* the abort says why */
            marline_session *session;
            marline_buffer *sealed;
            set((size_t)-1, nth);
            if (marline_session_import(w.key, 32, BYTES(stored), generation, &session, NULL) != MARLINE_OK) _exit(1);
            if (marline_session_export(session, w.key, 32, &sealed, &generation, NULL) != MARLINE_OK) _exit(1);
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) aborted++;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) finished++;
        else CHECK(!"a child ended in another way");
    }
    CHECK(aborted > 0 && finished > 0);
    marline_buffer_free(message), marline_buffer_free(stored);
    free(large);
    world_close(&w);
    printf("memory: %d aborted, %d finished, %d failures\n", aborted, finished, failures);
    return failures != 0;
}
