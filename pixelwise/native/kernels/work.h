/* Work that several threads share: each takes the next item until none is left. The kernels start no threads; those who
   call them do, see library.py. */

#ifndef PIXELWISE_WORK_H
#define PIXELWISE_WORK_H

#include <stdint.h>

typedef struct {
    int64_t next;
    int64_t count;
    int64_t threads;
} work;

/* The index of an item that no other thread has, or -1. */
static inline int64_t take(work *shared) {
    int64_t item = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
    return item < shared->count ? item : -1;
}

/* The same ahead of its time, so that what the item reads can be asked for while another one is worked on; -1 also where
   threads might be left without any for it. */
static inline int64_t take_ahead(work *shared) {
    int64_t left = shared->count - __atomic_load_n(&shared->next, __ATOMIC_RELAXED);
    return left >= shared->threads ? take(shared) : -1;
}

static inline int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* In how many parts of `size` numbers all of them are, the last of which may be smaller. */
static inline int64_t parts_of(int64_t all, int64_t size) { return (all + size - 1) / size; }

#endif
