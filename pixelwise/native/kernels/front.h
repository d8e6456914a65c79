/* The first 3x3 convolution of the low-resolution stream, on the sparse planes of reduction.h.

   A pixel gathers what its nine neighbours' entries say, in vectors across the outputs, which stay in registers:

   out[y][x] = sum over taps, and over the entries (channel, value) of that neighbour, of value * W[tap][channel]

   Where three columns of neighbours are the same as those of the pixel before, so is the sum. An item of work is some
   rows, CHUNK pixels of which at a time are convolved and, while they are in the first-level cache, measured for an
   instance norm to come. */

#define CHUNK 64

#if LANES == 16
#define MOST_FRONT_VECTORS 4
#else
#define MOST_FRONT_VECTORS 8
#endif

typedef struct {
    work work; /* pictures x blocks of rows_per_item rows */
    const entry *entries; /* as the reduction made them, with their */
    const int64_t *starts;
    const int32_t *ends;
    const uint8_t *repeats;
    const int32_t *rows, *columns; /* height + 2, width + 2: which row (column) each padded one is; -1 for zeros */
    const float *weights;          /* [tap][channel][padded_outputs] */
    int64_t height, width, channels, outputs, padded_outputs, rows_per_item;
    float *statistics;             /* [item][mean, sum of squared deviations][padded_outputs] */
    float *out;                    /* [picture][row][column][outputs] */
    int32_t out_of_memory;
} front_job;

/* Three rows of reduced pixels around a row of the output; no entries where there are zeros. */
typedef struct {
    const entry *entries[3];
    const int32_t *ends[3];
    const uint8_t *repeats[3];
} neighbourhood;

INLINE neighbourhood rows_around(const front_job *job, int64_t picture, int64_t y) {
    neighbourhood around = {0};
    for (int i = 0; i < 3; i++) {
        if (job->rows[y + i] < 0) continue;
        int64_t row = picture * job->height + job->rows[y + i];
        around.entries[i] = job->entries + job->starts[row];
        around.ends[i] = job->ends + row * (job->width + 1);
        around.repeats[i] = job->repeats + row * job->width;
    }
    return around;
}

/* Whether column x of the neighbourhood is the same as column x - 1. */
INLINE int repeats(const neighbourhood *around, int64_t x) {
    int all = 1;
    for (int i = 0; i < 3; i++) all &= !around->repeats[i] || around->repeats[i][x];
    return all;
}

/* Convolves the pixels x0 to x1 - 1 of a row, `vectors` vectors of outputs of each. */
INLINE void convolve(const front_job *job, int vectors, const neighbourhood *around, int64_t x0, int64_t x1,
                     const float *weights, float *to) {
    int64_t stride = job->padded_outputs, alike = 0; /* how many columns, up to x + 1, are the same as those before */
    while (alike < 2 && alike < x0 && repeats(around, x0 - alike)) alike++;
    vector sum[MOST_FRONT_VECTORS] = {0};
    for (int64_t x = x0; x < x1; x++, to += stride) {
        /* The padding is no column that could be a repetition. */
        alike = x + 1 < job->width && repeats(around, x + 1) ? alike + 1 : 0;
        if (x == x0 || alike < 3) {
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) sum[v] = (vector){0};
            for (int tap = 0; tap < 9; tap++) {
                int64_t column = job->columns[x + tap % 3];
                if (!around->entries[tap / 3] || column < 0) continue;
                const int32_t *ends = around->ends[tap / 3] + column;
                const entry *from = around->entries[tap / 3] + ends[0], *end = around->entries[tap / 3] + ends[1];
                for (; from < end; from++) {
                    const float *row = weights + (tap * job->channels + from->channel) * stride;
#pragma GCC unroll 8
                    for (int v = 0; v < vectors; v++) sum[v] += from->value * load(row + v * LANES);
                }
            }
        }
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) store(to + v * LANES, sum[v]);
    }
}

static void NAME(convolve_chunk)(const front_job *job, const neighbourhood *around, int64_t x0, int64_t x1, float *to) {
    int64_t rest = job->padded_outputs / LANES;
    const float *weights = job->weights;
#define CONVOLVE(vectors) convolve(job, vectors, around, x0, x1, weights, to)
    for (; rest >= MOST_FRONT_VECTORS; rest -= MOST_FRONT_VECTORS) {
        CONVOLVE(MOST_FRONT_VECTORS);
        weights += MOST_FRONT_VECTORS * LANES, to += MOST_FRONT_VECTORS * LANES;
    }
    for (; rest >= 2; rest -= 2, weights += 2 * LANES, to += 2 * LANES) CONVOLVE(2);
    if (rest) CONVOLVE(1);
#undef CONVOLVE
}

/* Takes a chunk's pixels into the mean and the squared deviations of the `before` pixels before it: within the chunk in
   two passes, then both together as Chan, Golub and LeVeque do. */
INLINE void measure(const float *pixels, int64_t stride, int64_t outputs, int64_t count, int64_t before, float *means,
                    float *deviations) {
    float share = (float)count / (float)(before + count);
    for (int64_t o = 0; o < outputs; o += LANES) {
        vector mean = {0}, deviation = {0};
        for (int64_t p = 0; p < count; p++) mean += load(pixels + p * stride + o);
        mean /= (float)count;
        for (int64_t p = 0; p < count; p++) {
            vector difference = load(pixels + p * stride + o) - mean;
            deviation += difference * difference;
        }
        vector change = mean - load(means + o);
        store(means + o, load(means + o) + share * change);
        store(deviations + o, load(deviations + o) + deviation + (float)before * share * change * change);
    }
}

/* `chunk` has room for CHUNK pixels, which are made there if they are not of whole vectors. */
INLINE void front_rows(const front_job *job, int64_t item, int64_t picture, int64_t first, int64_t end, float *chunk) {
    float *statistics = job->statistics + item * 2 * job->padded_outputs;
    float *out = job->out + (picture * job->height + first) * job->width * job->outputs;
    memset(statistics, 0, 2 * job->padded_outputs * sizeof(float));
    for (int64_t y = first, measured = 0; y < end; y++) {
        neighbourhood around = rows_around(job, picture, y);
        for (int64_t x = 0, count; x < job->width; x += count, measured += count) {
            count = least_of(CHUNK, job->width - x);
            float *pixels = job->outputs == job->padded_outputs ? out : chunk;
            NAME(convolve_chunk)(job, &around, x, x + count, pixels);
            measure(pixels, job->padded_outputs, job->padded_outputs, count, measured, statistics,
                    statistics + job->padded_outputs);
            for (int64_t p = 0; p < count; p++, out += job->outputs)
                if (pixels == chunk) memcpy(out, chunk + p * job->padded_outputs, job->outputs * sizeof(float));
        }
    }
}

void NAME(front)(front_job *job) {
    float *chunk = aligned_alloc(64, (CHUNK * job->padded_outputs * sizeof(float) + 63) / 64 * 64);
    if (!chunk) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    int64_t per_picture = parts_of(job->height, job->rows_per_item);
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t first = item % per_picture * job->rows_per_item;
        front_rows(job, item, item / per_picture, first, least_of(first + job->rows_per_item, job->height), chunk);
    }
    free(chunk);
}
