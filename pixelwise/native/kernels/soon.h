/* What is read soon and lies far away is asked for meanwhile, bit by bit: requests for all of it would wait for each other,
   and what is at hand with them. Where all time goes into a single loop, it asks by itself: see product.h. */

#define LINE 16 /* of the cache, in floats */

typedef struct {
    const float *from;
    int64_t lines, asked;
} soon;

/* `floats` from `from` on; 0 for none. */
INLINE soon all_of(const float *from, int64_t floats) {
    return (soon){from, from ? parts_of(floats, LINE) : 0, 0};
}

/* Asks for the next of `parts` equal parts. */
INLINE void ask_for_part(soon *s, int64_t parts) {
    int64_t end = least_of(s->lines, s->asked + parts_of(s->lines, parts));
    for (; s->asked < end; s->asked++) __builtin_prefetch(s->from + s->asked * LINE, 0, 2);
}
