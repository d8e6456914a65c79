/* 3 x 3 convolution that makes every second row and column of the output.

   Nothing is unfolded. Cells lie with their channels contiguous, so the three cells that a row of the filter meets are
   3 C numbers in a row, and those of the next output begin 2 C further: for each row of the filter, one product of all
   of a row's outputs, whose inputs overlap. Only the row itself is copied, with its padding, and normalised on the way:
   what is read is max(least, cell * scale + shift).

   An item of work is a row of the output and a panel of its channels, so that a panel's weights stay in the cache. Sums
   of TAPS_AT_ONCE are made anew and then added up: it lessens the rounding error. */

#define TAPS_AT_ONCE 64

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

/* One row of cells, normalised and padded. */
static void NAME(padded_row)(const strided_job *job, int64_t picture, int64_t row, float *to) {
    int64_t channels = job->channels;
    const float *scale = job->scale + picture * channels, *shift = job->shift + picture * channels;
    vector least = broadcast(job->least);
    for (int64_t x = 0; x < job->width + 2; x++, to += channels) {
        if (job->columns[x] < 0) {
            memset(to, 0, channels * sizeof(float));
            continue;
        }
        const float *from = job->cells + ((picture * job->height + row) * job->width + job->columns[x]) * channels;
        for (int64_t c = 0; c < channels; c += LANES) {
            vector v = load(from + c) * load(scale + c) + load(shift + c);
            store(to + c, choose(v < least, least, v));
        }
    }
}

void NAME(strided)(strided_job *job) {
    int64_t outputs = job->panels * job->panel_outputs, taps = 3 * job->channels;
    size_t bytes = ((job->width + 2) * job->channels * sizeof(float) + 63) / 64 * 64;
    float *row = aligned_alloc(64, bytes);
    if (!row) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t panel = item % job->panels, y = item / job->panels % job->out_height;
        int64_t picture = item / job->panels / job->out_height, place = picture * job->out_height + y;
        float *out = job->out + place * job->out_width * outputs + panel * job->panel_outputs;
        for (int64_t x = 0; x < job->out_width; x++) memset(out + x * outputs, 0, job->panel_outputs * sizeof(float));
        for (int64_t i = 0; i < 3; i++) {
            int64_t source = job->rows[2 * y + i];
            if (source < 0) continue;
            NAME(padded_row)(job, picture, source, row);
            const float *weights = job->weights + (panel * 3 + i) * taps * job->panel_outputs;
            for (int64_t tap = 0; tap < taps; tap += TAPS_AT_ONCE)
                NAME(product)(TO_OUT, LINEAR, job->out_width, taps - tap < TAPS_AT_ONCE ? taps - tap : TAPS_AT_ONCE,
                              row + tap, 2 * job->channels, weights + tap * job->panel_outputs, job->panel_outputs, 0, out,
                              outputs, 0);
        }
        float *statistics = job->statistics + place * 2 * outputs + panel * job->panel_outputs;
        memset(statistics, 0, job->panel_outputs * sizeof(float));
        memset(statistics + outputs, 0, job->panel_outputs * sizeof(float));
        measure(out, outputs, job->panel_outputs, job->out_width, 0, statistics, statistics + outputs);
    }
    free(row);
}
