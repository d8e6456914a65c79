/* 3 x 3 convolution that makes every second row and column of the output.

   Nothing is unfolded. Cells lie with their channels contiguous, so the three cells that a row of the filter meets are
   3 C numbers in a row, and those of the next output begin 2 C further: for each row of the filter, one product of all
   of a row's outputs, whose inputs overlap. Only the row itself is copied, with its padding, and normalised on the way:
   what is read is max(least, cell * scale + shift).

   An item of work is a row of the output and a panel of its channels, so that a panel's weights stay in the cache. Sums
   of TAPS_AT_ONCE are made anew and then added up: it lessens the rounding error. Rows come from far away: while one is
   multiplied, CELLS_AT_ONCE after the other, the next one is asked for. */

#define TAPS_AT_ONCE 64
#define CELLS_AT_ONCE 12

typedef struct {
    work work; /* pictures x out_height x panels */
    const float *cells, *scale, *shift; /* [picture][row][column][channel]; [picture][channel] */
    const int32_t *rows, *columns;      /* which one each padded row (column) is, from the one before the first; -1: zeros */
    const float *weights;               /* [panel][row of the filter][column of the filter, channel][output] */
    float *out;                         /* [picture][row][column][panel, output] */
    float *statistics;                  /* [picture][row][mean, sum of squared deviations][panel, output] */
    int64_t height, width, channels, out_height, out_width, panels, panel_outputs;
    float least;
    int32_t out_of_memory;
} strided_job;

/* Which row of the output an item makes, counted through all pictures. */
INLINE int64_t row_of(const strided_job *job, int64_t item) { return item / job->panels; }

/* The cells that the filter's row i reads for an item; 0 for zeros, or if there is no such item. */
INLINE const float *source_of(const strided_job *job, int64_t item, int i) {
    if (item < 0) return 0;
    int64_t picture = row_of(job, item) / job->out_height, y = row_of(job, item) % job->out_height;
    int64_t row = job->rows[2 * y + i];
    return row < 0 ? 0 : job->cells + (picture * job->height + row) * job->width * job->channels;
}

/* A row of cells, normalised and padded. */
static void NAME(padded_row)(const strided_job *job, int64_t picture, const float *cells, float *to) {
    int64_t channels = job->channels;
    const float *scale = job->scale + picture * channels, *shift = job->shift + picture * channels;
    vector least = broadcast(job->least);
    for (int64_t x = 0; x < job->width + 2; x++, to += channels) {
        if (job->columns[x] < 0) {
            memset(to, 0, channels * sizeof(float));
            continue;
        }
        const float *from = cells + job->columns[x] * channels;
        for (int64_t c = 0; c < channels; c += LANES) {
            vector v = load(from + c) * load(scale + c) + load(shift + c);
            store(to + c, choose(v < least, least, v));
        }
    }
}

/* Adds to a row of the output, of a panel, what the filter's row says of the cells in `row`. Meanwhile it asks for those
   of `next`, if there are any. */
static void NAME(add_row)(const strided_job *job, const float *row, const float *weights, float *out, const float *next) {
    int64_t outputs = job->panels * job->panel_outputs, taps = 3 * job->channels;
    int64_t parts = parts_of(taps, TAPS_AT_ONCE) * parts_of(job->out_width, CELLS_AT_ONCE);
    soon cells = all_of(next, job->width * job->channels);
    for (int64_t tap = 0; tap < taps; tap += TAPS_AT_ONCE)
        for (int64_t x = 0; x < job->out_width; x += CELLS_AT_ONCE) {
            ask_for_part(&cells, parts);
            NAME(product)(TO_OUT, LINEAR, least_of(CELLS_AT_ONCE, job->out_width - x), least_of(TAPS_AT_ONCE, taps - tap),
                          row + 2 * x * job->channels + tap, 2 * job->channels, weights + tap * job->panel_outputs,
                          job->panel_outputs, 0, out + x * outputs, outputs, 0);
        }
}

/* `next` is the item after this one, or -1 if that is not known; in `row` there is room for a padded row. */
static void NAME(strided_item)(const strided_job *job, int64_t item, int64_t next, float *row) {
    int64_t place = row_of(job, item), panel = item % job->panels, outputs = job->panels * job->panel_outputs;
    float *out = job->out + place * job->out_width * outputs + panel * job->panel_outputs;
    for (int64_t x = 0; x < job->out_width; x++) memset(out + x * outputs, 0, job->panel_outputs * sizeof(float));
    for (int i = 0; i < 3; i++) {
        const float *source = source_of(job, item, i);
        if (!source) continue;
        NAME(padded_row)(job, place / job->out_height, source, row);
        const float *weights = job->weights + (panel * 3 + i) * 3 * job->channels * job->panel_outputs;
        NAME(add_row)(job, row, weights, out, i < 2 ? source_of(job, item, i + 1) : source_of(job, next, 0));
    }
    float *statistics = job->statistics + place * 2 * outputs + panel * job->panel_outputs;
    memset(statistics, 0, job->panel_outputs * sizeof(float));
    memset(statistics + outputs, 0, job->panel_outputs * sizeof(float));
    measure(out, outputs, job->panel_outputs, job->out_width, 0, statistics, statistics + outputs);
}

void NAME(strided)(strided_job *job) {
    size_t bytes = ((job->width + 2) * job->channels * sizeof(float) + 63) / 64 * 64;
    float *row = aligned_alloc(64, bytes);
    if (!row) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    for (int64_t item = take(&job->work), next; item >= 0; item = next < 0 ? take(&job->work) : next) {
        next = take_ahead(&job->work);
        NAME(strided_item)(job, item, next, row);
    }
    free(row);
}
