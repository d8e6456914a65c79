/* Work that several threads share: each takes the next item until none is left. The kernels start no threads; those who
   call them do, see library.py. */

#ifndef PIXELWISE_WORK_H
#define PIXELWISE_WORK_H

#include <stdint.h>

typedef struct {
    int64_t next;
    int64_t count;
} work;

/* The index of an item that no other thread has, or -1. */
static inline int64_t take(work *shared) {
    int64_t item = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
    return item < shared->count ? item : -1;
}

#endif
