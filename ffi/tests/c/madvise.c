/* LD_PRELOAD: advice about memory as other systems take it. MADVISE is "refuses": one that does not know MADV_WIPEONFORK;
 * "agrees": an emulator, to all advice, and follows none; "lies": the control, which no library could see through. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int madvise(void *start, size_t length, int advice) {
    const char *answer = getenv("MADVISE");
    int is_advice = advice >= 0;
    (void)start, (void)length;
    if (answer != NULL && (strcmp(answer, "agrees") == 0 || (strcmp(answer, "lies") == 0 && is_advice))) return 0;
    errno = EINVAL;
    return -1;
}
