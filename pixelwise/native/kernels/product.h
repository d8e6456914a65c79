/* Products of matrices whose right side is packed once, and the 1x1 convolution that makes parameters of them.

   All products are of 16 rows with a panel of 32 columns, over a run of inputs:

       sums[row][column] += left[input][row] * right[input][column]

   Both sides lie in memory in the order in which they are read, whatever the instruction set: for each input 16 and 32
   numbers, whole lines of the cache. ROWS x COLUMNS sums stay in registers (8 x 32 with AVX-512, 4 x 16 with AVX2): a
   line of the right side is loaded as vectors, each row's number is broadcast, and loads hide behind multiply-adds. A
   run is short: both sides fit into the first cache, and to add up the sums of short runs lessens the rounding error.

   Weights come from memory, and the processor would wait for them. So what is needed soon is asked for meanwhile, evenly
   spread: `step` floats for each input, from `ahead` on; 0 for nothing. */

#define SIDE 16
#define PANEL 32
#define RUN 64
#define PANELS 2

#if LANES == 16
#define ROWS 8
#define COLUMNS 32
#elif LANES == 8 || defined(__aarch64__)
#define ROWS 4
#define COLUMNS 16
#else
#define ROWS 2
#define COLUMNS 16
#endif

INLINE void add_part(const float *left, const float *right, int64_t inputs, float *sums, const float *ahead,
                     int64_t step) {
    vector sum[ROWS][COLUMNS / LANES] = {0};
    for (int64_t input = 0; input < inputs; input++) {
        if (step) __builtin_prefetch(ahead + input * step);
        for (int v = 0; v < COLUMNS / LANES; v++) {
            vector column = load(right + input * PANEL + v * LANES);
            for (int row = 0; row < ROWS; row++) sum[row][v] += left[input * SIDE + row] * column;
        }
    }
    for (int row = 0; row < ROWS; row++)
        for (int v = 0; v < COLUMNS / LANES; v++) {
            float *to = sums + row * PANEL + v * LANES;
            store(to, load(to) + sum[row][v]);
        }
}

static void NAME(add_product)(const float *left, const float *right, int64_t inputs, float *sums, const float *ahead,
                              int64_t step) {
    add_part(left, right, inputs, sums, ahead, step);
    for (int part = 1; part < SIDE / ROWS * (PANEL / COLUMNS); part++) {
        int row = part * COLUMNS / PANEL * ROWS, column = part * COLUMNS % PANEL;
        add_part(left + row, right + column, inputs, sums + row * PANEL + column, 0, 0);
    }
}

/* out[cell][parameter] = bias[parameter] + sum over inputs, or 0 where it is not needed. An item is a panel, for all cells:
   its weights come from memory once, while those before it are multiplied, and stay in the second cache. Cells may be
   too many for that; so PANELS are multiplied with a run of them as long as it is in the first one. */

typedef struct {
    work work;
    const float *cells;    /* [groups of 16 cells][input][16] */
    const float *weights;  /* [panel of 32 parameters][input][32] */
    const float *bias;     /* [panel][32] */
    const int32_t *needed; /* [panel][32]: -1, or 0 for what is not */
    float *out;            /* [cell][parameter] */
    int64_t num_cells, inputs, parameters;
} parameter_job;

/* Those of a panel that are needed, of a group of cells. */
INLINE void write_parameters(const parameter_job *job, int64_t group, int64_t panel, const float sums[SIDE][PANEL]) {
    int64_t first = group * SIDE, rows = job->num_cells - first, columns = job->parameters - panel * PANEL;
    for (int row = 0; row < SIDE && row < rows; row++) {
        float kept[PANEL];
        for (int lane = 0; lane < PANEL; lane += LANES) {
            mask needed;
            memcpy(&needed, job->needed + panel * PANEL + lane, sizeof needed);
            store(kept + lane, (vector)((mask)load(&sums[row][lane]) & needed));
        }
        memcpy(job->out + (first + row) * job->parameters + panel * PANEL, kept,
               least_of(columns, PANEL) * sizeof(float));
    }
}

typedef struct {
    int count;
    int64_t panel[PANELS];
} panels;

/* A group's parameters of some panels. Of the weights of the panels to come, each group asks for `step` floats for each
   of its inputs. */
static void NAME(parameters_of_group)(const parameter_job *job, int64_t group, const panels *now, const panels *next,
                                      int64_t step) {
    float sums[PANELS][SIDE][PANEL];
    for (int p = 0; p < now->count; p++)
        for (int row = 0; row < SIDE; row++)
            memcpy(sums[p][row], job->bias + now->panel[p] * PANEL, sizeof sums[p][row]);
    for (int64_t input = 0; input < job->inputs; input += RUN) {
        int64_t run = least_of(job->inputs - input, RUN), place = group * job->inputs + input;
        for (int p = 0; p < now->count; p++) {
            const float *ahead = job->weights + (p < next->count ? next->panel[p] * job->inputs * PANEL : 0);
            NAME(add_product)(job->cells + place * SIDE, job->weights + (now->panel[p] * job->inputs + input) * PANEL,
                              run, sums[p][0], ahead + place * step, p < next->count ? step : 0);
        }
    }
    for (int p = 0; p < now->count; p++) write_parameters(job, group, now->panel[p], sums[p]);
}

/* The next panels of which anything is needed; of those before them there are zeros then. */
static panels NAME(take_needed)(parameter_job *job, int64_t groups) {
    panels found = {0};
    for (int64_t panel; found.count < PANELS && (panel = take(&job->work)) >= 0;) {
        int needed = 0;
        for (int column = 0; column < PANEL; column++) needed |= job->needed[panel * PANEL + column];
        if (needed)
            found.panel[found.count++] = panel;
        else
            for (int64_t group = 0; group < groups; group++)
                write_parameters(job, group, panel, (float[SIDE][PANEL]){0});
    }
    return found;
}

void NAME(parameters)(parameter_job *job) {
    int64_t groups = parts_of(job->num_cells, SIDE);
    for (panels now = NAME(take_needed)(job, groups), next; now.count; now = next) {
        next = NAME(take_needed)(job, groups);
        int64_t step = parts_of(PANEL, groups);
        for (int64_t group = 0; group < groups; group++) {
            if (group * step >= PANEL) step = 0; /* all of it has been asked for */
            NAME(parameters_of_group)(job, group, &now, &next, step);
        }
    }
}
