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
#ifdef __cplusplus
}
#endif
#endif
