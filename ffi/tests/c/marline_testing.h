/* Functions of the testing build (ffi/src/testing.rs). Never ship it. */
#ifndef MARLINE_TESTING_H
#define MARLINE_TESTING_H
#include "marline.h"
#ifdef __cplusplus
extern "C" {
#endif
void marline_testing_fail_randomness(uint32_t fail);
marline_status marline_testing_panic(marline_session *session, marline_error *err);
void marline_testing_hold(marline_session *session, uint32_t (*release)(void));
marline_status marline_testing_fail_session(marline_session *session, marline_error *err);
size_t marline_testing_script(const uint8_t *bytes, size_t length);
marline_status marline_testing_load_session(const uint8_t *state, size_t length, marline_session **out, marline_error *err);
marline_status marline_testing_load_account(const uint8_t *state, size_t length, marline_account **out, marline_error *err);
marline_status marline_testing_session_fingerprint(const marline_session *session, uint8_t *out, size_t length,
                                                   marline_error *err);
marline_status marline_testing_account_fingerprint(const marline_account *account, uint8_t *out, size_t length,
                                                   marline_error *err);
#ifdef __cplusplus
}
#endif
#endif
