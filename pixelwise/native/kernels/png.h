/* The pixels of a PNG file: filtered rows, compressed by a prefix code of their bytes.

   A PNG holds a zlib stream (RFC 1950) of rows, each less what one of five filters predicts of it (PNG Specification,
   Sec. 9). Pictures of the real world leave noise then, in which to look for repetitions takes nine tenths of the usual
   time and gains a few bytes in a hundred. So this looks for none, but for runs of one byte, and spends its time on the
   filters, all of which are tried on every row. Of a row there is one candidate for each, in the first-level cache; the
   one whose bytes, as signed numbers, sum to least is taken (Sec. 12.8).

   An item of work is a block of rows. It becomes one deflate block (RFC 1951) with a prefix code of its own, and an empty
   stored block after it, which ends on a byte: so items' outputs are simply put one after the other. A block's bytes are
   turned into tokens, which are counted, and then written four at a time: codes have at most 14 bits, 56 together. */

#define FILTERS 5
#define END 256
#define SYMBOLS 285 /* literals, the end, lengths 3 to 257: their last symbol, for 258 alone, is not used */
#define LENGTHS 19  /* symbols of the code in which the lengths of codes are written */
#define LONGEST_CODE 14
#define LONGEST_LENGTH 7
#define LONGEST_RUN 257

typedef struct {
    work work;            /* blocks of rows_per_block rows */
    const uint8_t *rows;  /* [row][byte] */
    const uint8_t *above; /* the row before them, zeros if there is none */
    int64_t num_rows, rows_per_block, row_bytes, pixel_bytes;
    uint8_t *filtered; /* [row][1 + byte], the number of the filter first */
    uint8_t *out;      /* [block][room] */
    int64_t room;      /* at least 2 * the filtered bytes of a block + 1024 */
    int64_t *lengths;  /* [block]: how much of the room is used */
    int32_t out_of_memory;
} png_job;

/* What stands before a byte: of the pixel to the left, of the one above, of the one to the left of that. */
INLINE uint8_t predicted(int filter, int left, int above, int corner) {
    if (filter == 0) return 0;
    if (filter == 1) return (uint8_t)left;
    if (filter == 2) return (uint8_t)above;
    if (filter == 3) return (uint8_t)((left + above) >> 1);
    int16_t to_left = (int16_t)(above - corner), to_above = (int16_t)(left - corner);
    int16_t to_corner = (int16_t)(to_left + to_above);
    to_left = to_left < 0 ? -to_left : to_left;
    to_above = to_above < 0 ? -to_above : to_above;
    to_corner = to_corner < 0 ? -to_corner : to_corner;
    int nearest = to_above <= to_corner ? above : corner;
    return (uint8_t)(to_left <= to_above && to_left <= to_corner ? left : nearest);
}

/* A row under one filter; returns the sum of its bytes' magnitudes. */
INLINE int64_t filter_row(int filter, const uint8_t *row, const uint8_t *above, int64_t pixel, int64_t count,
                          uint8_t *out) {
    int64_t first = pixel < count ? pixel : count;
    for (int64_t i = 0; i < first; i++) out[i] = row[i] - predicted(filter, 0, above[i], 0);
    for (int64_t i = first; i < count; i++) {
        out[i] = row[i] - predicted(filter, row[i - pixel], above[i], above[i - pixel]);
    }
    int64_t sum = 0;
    for (int64_t start = 0; start < count; start += 1 << 20) { /* so that 32 bits hold a part's sum */
        int64_t stop = start + (1 << 20) < count ? start + (1 << 20) : count;
        uint32_t part = 0;
        for (int64_t i = start; i < stop; i++) part += (uint32_t)((int8_t)out[i] < 0 ? -(int8_t)out[i] : (int8_t)out[i]);
        sum += part;
    }
    return sum;
}

/* Rows [first, stop), each by its best filter. */
INLINE void filter_rows(const png_job *job, int64_t first, int64_t stop, uint8_t *candidates) {
    int64_t count = job->row_bytes, pixel = job->pixel_bytes;
    for (int64_t y = first; y < stop; y++) {
        const uint8_t *row = job->rows + y * count, *above = y > 0 ? row - count : job->above;
        int64_t sums[FILTERS] = {
            filter_row(0, row, above, pixel, count, candidates),
            filter_row(1, row, above, pixel, count, candidates + count),
            filter_row(2, row, above, pixel, count, candidates + 2 * count),
            filter_row(3, row, above, pixel, count, candidates + 3 * count),
            filter_row(4, row, above, pixel, count, candidates + 4 * count),
        };
        int best = 0;
        for (int filter = 1; filter < FILTERS; filter++) best = sums[filter] < sums[best] ? filter : best;
        uint8_t *out = job->filtered + y * (count + 1);
        out[0] = (uint8_t)best;
        memcpy(out + 1, candidates + best * count, (size_t)count);
    }
}

/* Bytes as tokens: a byte, or END + n for n more of the byte before. Returns how many there are. Looked at eight by eight,
   runs of fifteen are found, and shorter ones by chance. */
INLINE int64_t find_runs(const uint8_t *bytes, int64_t count, uint16_t *tokens) {
    int64_t num_tokens = 0, i = 0;
    while (i + 8 <= count) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        if (word != (word >> 8 | word << 56)) {
            for (int next = 0; next < 8; next++) tokens[num_tokens + next] = bytes[i + next];
            num_tokens += 8;
            i += 8;
            continue;
        }
        int64_t run = 7;
        while (run < LONGEST_RUN && i + run + 1 < count && bytes[i + run + 1] == bytes[i]) run++;
        tokens[num_tokens++] = bytes[i];
        tokens[num_tokens++] = (uint16_t)(END + run);
        i += run + 1;
    }
    while (i < count) tokens[num_tokens++] = bytes[i++];
    return num_tokens;
}

/* The symbol of a run (RFC 1951, Sec. 3.2.5), and how many bits of run - 3 follow it. */
INLINE int run_symbol(int run, int *extra_bits) {
    int x = run - 3;
    *extra_bits = x < 8 ? 0 : 29 - __builtin_clz((unsigned)x);
    return x < 8 ? 257 + x : 257 + 4 * *extra_bits + (x >> *extra_bits);
}

INLINE void count_symbols(const uint16_t *tokens, int64_t num_tokens, uint32_t *counts) {
    /* Noise has few different bytes: to count every one in one place, each would have to wait for the one before. */
    uint32_t literals[4][END + LONGEST_RUN + 1] = {{0}};
    for (int64_t i = 0; i < num_tokens; i++) literals[i & 3][tokens[i]]++;
    for (int token = 0; token <= END + LONGEST_RUN; token++) {
        uint32_t count = literals[0][token] + literals[1][token] + literals[2][token] + literals[3][token];
        int extra_bits, symbol = token < END ? token : token >= END + 3 ? run_symbol(token - END, &extra_bits) : END;
        counts[symbol] += count;
    }
    counts[END] = 1;
}

static int by_value(const void *a, const void *b) {
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* Huffman's code lengths for symbols that occur so often, two or more of them. Where one would be longer than `longest`
   the counts are made more alike. */
static void NAME(huffman_lengths)(uint32_t *counts, int num_symbols, int longest, uint8_t *lengths) {
    uint64_t leaves[SYMBOLS], weights[2 * SYMBOLS];
    int parents[2 * SYMBOLS], depths[2 * SYMBOLS], deepest;
    do {
        int num_leaves = 0;
        for (int i = 0; i < num_symbols; i++) {
            lengths[i] = 0;
            if (counts[i]) leaves[num_leaves++] = (uint64_t)counts[i] << 16 | (uint64_t)i;
            counts[i] = (counts[i] + 1) / 2;
        }
        qsort(leaves, (size_t)num_leaves, sizeof *leaves, by_value);
        for (int i = 0; i < num_leaves; i++) weights[i] = leaves[i] >> 16;
        /* Leaves and inner nodes both stand in the order of their weights: the two least are at the heads. */
        int leaf = 0, inner = num_leaves, root = 2 * num_leaves - 2;
        for (int node = num_leaves; node <= root; node++) {
            weights[node] = 0;
            for (int child = 0; child < 2; child++) {
                int least = leaf < num_leaves && (inner == node || weights[leaf] <= weights[inner]) ? leaf++ : inner++;
                weights[node] += weights[least];
                parents[least] = node;
            }
        }
        depths[root] = deepest = 0;
        for (int node = root - 1; node >= 0; node--) {
            depths[node] = depths[parents[node]] + 1;
            if (depths[node] > deepest) deepest = depths[node];
            if (node < num_leaves) lengths[leaves[node] & 0xffff] = (uint8_t)depths[node];
        }
    } while (deepest > longest);
}

/* A code word, first bit lowest, and above its 16 bits how many of them count. */
static void NAME(code_words)(const uint8_t *lengths, int num_symbols, uint32_t *words) {
    uint32_t next = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        next <<= 1;
        for (int i = 0; i < num_symbols; i++) {
            if (lengths[i] != length) continue;
            words[i] = (uint32_t)length << 16;
            for (int bit = 0; bit < length; bit++) words[i] |= (next >> bit & 1) << (length - 1 - bit);
            next++;
        }
    }
}

typedef struct {
    uint8_t *out;
    uint64_t waiting; /* bits that are not yet in out, the first one lowest */
    int num_waiting;
} bit_writer;

INLINE void put(bit_writer *bits, uint64_t value, int count) {
    bits->waiting |= value << bits->num_waiting;
    bits->num_waiting += count;
}

INLINE void put_word(bit_writer *bits, uint32_t word) { put(bits, word & 0xffff, (int)(word >> 16)); }

/* Afterwards there is room for 56 bits. */
INLINE void write_bytes(bit_writer *bits) {
    uint64_t value = bits->waiting;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(bits->out, &value, 8);
    bits->out += bits->num_waiting >> 3;
    bits->waiting >>= bits->num_waiting & ~7;
    bits->num_waiting &= 7;
}

/* A block's header (RFC 1951, Sec. 3.2.7): the codes' lengths, in a code of their own. */
INLINE void put_header(bit_writer *bits, const uint8_t *lengths) {
    static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint32_t counts[LENGTHS] = {0}, words[LENGTHS] = {0};
    uint8_t length_lengths[LENGTHS];
    counts[1] = 1; /* of the only distance, 1, which comes after the symbols */
    for (int i = 0; i < SYMBOLS; i++) counts[lengths[i]]++;
    NAME(huffman_lengths)(counts, LENGTHS, LONGEST_LENGTH, length_lengths);
    NAME(code_words)(length_lengths, LENGTHS, words);
    put(bits, 0, 1); /* not the last block */
    put(bits, 2, 2); /* its codes come with it */
    put(bits, SYMBOLS - 257, 5);
    put(bits, 1 - 1, 5); /* distances but one */
    put(bits, LENGTHS - 4, 4);
    for (int i = 0; i < LENGTHS; i++) {
        put(bits, length_lengths[order[i]], 3);
        write_bytes(bits);
    }
    for (int i = 0; i <= SYMBOLS; i++) {
        put_word(bits, words[i < SYMBOLS ? lengths[i] : 1]);
        write_bytes(bits);
    }
}

INLINE void put_tokens(bit_writer *bits, const uint16_t *tokens, int64_t num_tokens, const uint32_t *words) {
    for (int64_t i = 0; i < num_tokens;) {
        uint64_t four = ~UINT64_C(0);
        if (i + 4 <= num_tokens) memcpy(&four, tokens + i, 8);
        if (!(four & UINT64_C(0xff00ff00ff00ff00))) {
            for (int next = 0; next < 4; next++) put_word(bits, words[tokens[i + next]]);
            i += 4;
        } else if (tokens[i] < END) {
            put_word(bits, words[tokens[i++]]);
        } else {
            int run = tokens[i++] - END, extra_bits, symbol = run_symbol(run, &extra_bits);
            put_word(bits, words[symbol]);
            put(bits, (uint64_t)(run - 3) & ((1u << extra_bits) - 1), extra_bits);
            put(bits, 0, 1); /* distance 1 */
        }
        write_bytes(bits);
    }
}

/* Returns the number of bytes that are written. */
INLINE int64_t compress_block(const uint8_t *bytes, int64_t count, uint16_t *tokens, uint8_t *out) {
    uint32_t counts[SYMBOLS] = {0}, words[SYMBOLS] = {0};
    uint8_t lengths[SYMBOLS];
    int64_t num_tokens = find_runs(bytes, count, tokens);
    count_symbols(tokens, num_tokens, counts);
    NAME(huffman_lengths)(counts, SYMBOLS, LONGEST_CODE, lengths);
    NAME(code_words)(lengths, SYMBOLS, words);
    bit_writer bits = {out, 0, 0};
    put_header(&bits, lengths);
    put_tokens(&bits, tokens, num_tokens, words);
    put_word(&bits, words[END]);
    put(&bits, 0, 3); /* an empty stored block, which begins on a byte */
    write_bytes(&bits);
    if (bits.num_waiting) put(&bits, 0, 8 - bits.num_waiting);
    put(&bits, 0xffff0000, 32);
    write_bytes(&bits);
    return bits.out - out;
}

void NAME(png)(png_job *job) {
    int64_t block_bytes = job->rows_per_block * (job->row_bytes + 1);
    uint8_t *candidates = malloc((size_t)(FILTERS * job->row_bytes));
    uint16_t *tokens = malloc((size_t)block_bytes * sizeof *tokens);
    if (!candidates || !tokens) job->out_of_memory = 1;
    for (int64_t item; !job->out_of_memory && (item = take(&job->work)) >= 0;) {
        int64_t first = item * job->rows_per_block, stop = first + job->rows_per_block;
        if (stop > job->num_rows) stop = job->num_rows;
        filter_rows(job, first, stop, candidates);
        const uint8_t *bytes = job->filtered + first * (job->row_bytes + 1);
        int64_t count = (stop - first) * (job->row_bytes + 1);
        job->lengths[item] = compress_block(bytes, count, tokens, job->out + item * job->room);
    }
    free(candidates);
    free(tokens);
}
