/* Two devices of one program hold a conversation. In a real one each has its own, and bytes travel. */
#include <marline.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void check(marline_status status, const marline_error *err) {
    if (status != MARLINE_OK) {
        fprintf(stderr, "%s: %s\n", marline_status_name(status), err->message);
        exit(1);
    }
}

static void show(const char *who, const marline_opened *opened) {
    printf("%s reads: %.*s (from %.*s)\n", who,
           (int)marline_opened_plaintext_len(opened), (const char *)marline_opened_plaintext(opened),
           (int)marline_opened_subject_len(opened), (const char *)marline_opened_subject(opened));
}

int main(void) {
    marline_error err = MARLINE_ERROR_INIT;
    marline_account *alice, *bob;
    marline_publication *publication;
    marline_buffer *bundle, *first, *reply;
    marline_session *to_bob, *to_alice;
    marline_opened *hello, *hi;
    uint64_t now = (uint64_t)time(NULL);

    check(marline_account_generate((const uint8_t *)"alice", 5, &alice, &err), &err);
    check(marline_account_generate((const uint8_t *)"bob", 3, &bob, &err), &err);

    /* Bob publishes prekeys; a directory hands out a bundle. */
    check(marline_account_publish(bob, 100, now, &publication, &err), &err);
    check(marline_publication_bundle(publication, 0, &bundle, &err), &err);

    /* Alice starts a session with a first message, and Bob accepts it. */
    check(marline_account_initiate(alice, marline_buffer_data(bundle), marline_buffer_len(bundle),
                                   (const uint8_t *)"hello", 5, NULL, 0, NULL, now, &to_bob, &first, &err), &err);
    check(marline_account_accept(bob, marline_buffer_data(first), marline_buffer_len(first), NULL, 0, now,
                                 &to_alice, &hello, &err), &err);
    show("bob", hello);

    check(marline_session_encrypt(to_alice, (const uint8_t *)"hi", 2, NULL, 0, NULL, &reply, &err), &err);
    check(marline_session_decrypt(to_bob, marline_buffer_data(reply), marline_buffer_len(reply), NULL, 0,
                                  &hi, &err), &err);
    show("alice", hi);

    marline_opened_free(hello), marline_opened_free(hi);
    marline_buffer_free(bundle), marline_buffer_free(first), marline_buffer_free(reply);
    marline_session_free(to_bob), marline_session_free(to_alice);
    marline_publication_free(publication);
    marline_account_free(alice), marline_account_free(bob);
    return 0;
}
