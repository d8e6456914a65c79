/* Products of matrices whose right side is packed once, and the 1x1 convolution that makes parameters of them.

   All products are of 16 rows with a panel of 16 columns, over a run of inputs:

       sums[row][column] += left[input][row] * right[input][column]

   Both sides lie in memory in the order in which they are read, whatever the instruction set: one line of 64 bytes for
   each input. ROWS rows are multiplied at once so that the sums stay in registers (16 with AVX-512, 8 with the others):
   a panel's line is loaded as vectors, each row's number is broadcast. The panel is the side that comes from memory;
   its lines are asked for AHEAD of their use. Sums start anew after RUN inputs and are then added up: it lessens the
   rounding error, and both sides of a run fit into the first cache. */

#define SIDE 16
#define VECTORS (SIDE / LANES)
#define RUN 64
#define AHEAD 64

#if LANES == 16
#define ROWS 16
#elif LANES == 8 || defined(__aarch64__)
#define ROWS 4
#else
#define ROWS 2
#endif

static void NAME(add_product)(const float *left, const float *right, int64_t inputs, float *sums) {
    for (int first = 0; first < SIDE; first += ROWS) {
        vector sum[ROWS][VECTORS] = {0};
        for (int64_t input = 0; input < inputs; input++) {
            __builtin_prefetch(right + (input + AHEAD) * SIDE);
            for (int v = 0; v < VECTORS; v++) {
                vector column = load(right + input * SIDE + v * LANES);
                for (int row = 0; row < ROWS; row++) sum[row][v] += left[input * SIDE + first + row] * column;
            }
        }
        for (int row = 0; row < ROWS; row++)
            for (int v = 0; v < VECTORS; v++) {
                float *to = sums + (first + row) * SIDE + v * LANES;
                store(to, load(to) + sum[row][v]);
            }
    }
}

/* out[cell][parameter] = bias[parameter] + sum over inputs. An item is one of the wanted panels, for all cells: its
   weights come from memory once, in order, and stay in the second cache. */

typedef struct {
    work work;
    const float *cells;    /* [groups of 16 cells][input][16] */
    const float *weights;  /* [panel of 16 parameters][input][16] */
    const float *bias;     /* [panel][16] */
    const int32_t *panels; /* those wanted */
    float *out;            /* [cell][parameter] */
    int64_t num_cells, inputs, parameters;
} parameter_job;

static void NAME(parameters_of_group)(const parameter_job *job, int64_t first_cell, int64_t panel) {
    float sums[SIDE][SIDE];
    for (int row = 0; row < SIDE; row++) memcpy(sums[row], job->bias + panel * SIDE, sizeof sums[row]);
    for (int64_t input = 0; input < job->inputs; input += RUN) {
        int64_t run = job->inputs - input < RUN ? job->inputs - input : RUN;
        NAME(add_product)(job->cells + first_cell * job->inputs + input * SIDE,
                          job->weights + (panel * job->inputs + input) * SIDE, run, sums[0]);
    }
    int64_t rows = job->num_cells - first_cell, columns = job->parameters - panel * SIDE;
    for (int row = 0; row < SIDE && row < rows; row++)
        memcpy(job->out + (first_cell + row) * job->parameters + panel * SIDE, sums[row],
               (columns < SIDE ? columns : SIDE) * sizeof(float));
}

void NAME(parameters)(parameter_job *job) {
    for (int64_t item; (item = take(&job->work)) >= 0;)
        for (int64_t cell = 0; cell < job->num_cells; cell += SIDE)
            NAME(parameters_of_group)(job, cell, job->panels[item]);
}
