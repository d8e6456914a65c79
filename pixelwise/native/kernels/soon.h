/* What is read soon and lies far away is asked for meanwhile, bit by bit: requests for all of it would wait for each other,
   and what is at hand with them. */

#define LINE 16 /* of the cache, in floats */

INLINE int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

typedef struct {
    const float *from;
    int64_t lines, asked;
} soon;

/* In how many parts of `size` numbers all of them are, the last of which may be smaller. */
INLINE int64_t parts_of(int64_t all, int64_t size) { return (all + size - 1) / size; }

/* `floats` from `from` on; 0 for none. */
INLINE soon all_of(const float *from, int64_t floats) {
    return (soon){from, from ? parts_of(floats, LINE) : 0, 0};
}

/* Asks for the next of `parts` equal parts. */
INLINE void ask_for_part(soon *s, int64_t parts) {
    int64_t end = least_of(s->lines, s->asked + parts_of(s->lines, parts));
    for (; s->asked < end; s->asked++) __builtin_prefetch(s->from + s->asked * LINE, 0, 2);
}
