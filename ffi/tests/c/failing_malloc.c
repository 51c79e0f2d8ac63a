/* LD_PRELOAD: malloc and calloc fail for FAIL_ABOVE bytes and more, and from the FAIL_AFTER-th call on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static size_t above = (size_t)-1;
static long after = -1;
static __thread long calls;
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void failing_malloc_set(size_t new_above, long new_after) {
    above = new_above, after = new_after, calls = 0;
}
static int fails(size_t size) {
    calls++;
    if (size < above && (after < 0 || calls < after)) return 0;
    errno = ENOMEM;
    return 1;
}
void *malloc(size_t size) { return fails(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) {
    size_t all;
    return __builtin_mul_overflow(n, size, &all) || fails(all) ? NULL : __libc_calloc(n, size);
}
void *realloc(void *old, size_t size) { return fails(size) ? NULL : __libc_realloc(old, size); }
