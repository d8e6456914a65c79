/* 3x3 convolution by Winograd's minimal filtering F(4x4, 3x3), between two norms: what comes before it, a scale, a
   shift and a ReLU per channel, happens as its input is read, and what comes after it, mean and variance per channel,
   as its output is written.

   A tile of 4x4 outputs is computed from 6x6 inputs d and the 3x3 filter g as A'[(G g G') * (B' d B)]A, where * is a
   product number by number, and so for all channels 36 matrix products: a quarter of the multiplications. The matrices
   interpolate at 0, +-sqrt(1/2), +-sqrt(2) and infinity. These points keep all constants near 1, which makes the
   rounding error half of what it is with the usual 0, +-1, +-2. G's rows are 1, point, point^2, without the factors that
   belong to them; A has those.

   A small picture has few tiles, and then to read the weights takes longer than to multiply with them. So filters are
   packed half transformed, G g, 18 numbers for a filter; each row of these becomes six, (G g) G', in the first cache, 32
   channels at a time, just before their products. That is half of the memory, for one operation beside every 16
   multiply-adds of a group.

   Activations are [image][cell][channel]. Tiles are taken in groups of 16, the rows of product.h, which never hold two
   images, and at most GROUPS groups at a time, so that a panel of weights is read once for all of them. Weights and
   tiles are read in the order of memory, and what is between product and transform back stays in the second cache
   (GROUPS * 72 KB).
   There are two ways to share the work, since processors may have no cache in common:
   winograd_groups   Many groups: an item is GROUPS of them from input to output; its tiles stay with its thread.
   winograd_tiles    Few groups: first the tiles, an item is 16 channels of a group;
   winograd_outputs  then the outputs, an item is a panel of 32 output channels for GROUPS groups.
   Channels and outputs are multiples of 32; the caller pads with zeros. */

#define POSITIONS 36
#define GROUPS 2
#define CHANNELS 32 /* that are added up before their sum joins the others */
#define AHEAD 3 /* squares of weights between those that are used and those that are asked for */

typedef struct {
    work work;
    work threads;              /* winograd_groups: which part of tiles is whose */
    const float *cells;        /* [image][row][column][channel] */
    const float *scale;        /* [image][channel] */
    const float *shift;        /* [image][channel] */
    const int32_t *rows;       /* [4 * tiles_high + 2]: the row that each row of tiles reads; -1 for zeros */
    const int32_t *columns;    /* [4 * tiles_wide + 2] */
    float *tiles;              /* [group][6][channel / 32][6][32 channels][16]; for winograd_groups [thread][GROUPS] */
    const float *weights;      /* [panel][6][channel / 32][3][32 channels][32] */
    float *out;                /* [image][row][column][output] */
    float *statistics;         /* [image][group][mean, sum of squared deviations][output] */
    int64_t height, width, channels, outputs;
    int64_t tiles_high, tiles_wide;
    int64_t groups_per_image, num_groups; /* of one image, of all */
    float least;               /* what is read is at least this: 0 for a ReLU, -infinity for none */
} winograd_job;

/* to[j][i] = from[i][j] for LANES x LANES of a 16x16 square. Interleaving the first half of the rows with the second
   turns the bits of (row, column) by one place; after log2(LANES) times rows are columns. */
INLINE void transpose_part(const float *from, float *to) {
    vector a[LANES], b[LANES];
    for (int i = 0; i < LANES; i++) a[i] = load(from + i * SIDE);
    for (int done = 1; done < LANES; done *= 2) {
        for (int i = 0; i < LANES / 2; i++) {
            b[2 * i] = SHUFFLE(a[i], a[i + LANES / 2], LOW);
            b[2 * i + 1] = SHUFFLE(a[i], a[i + LANES / 2], HIGH);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < LANES; i++) store(to + i * SIDE, a[i]);
}

#define ROOT_HALF 0.70710678f
#define ROOT_TWO 1.41421356f

/* B' d: six numbers that lie `step` vectors apart. */
INLINE void transform_input(const vector *d, int step, vector *to) {
    vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    vector even_half = d4 - 2 * d2, odd_half = ROOT_HALF * (d3 - 2 * d1);
    vector even_two = d4 - 0.5f * d2, odd_two = ROOT_TWO * (d3 - 0.5f * d1);
    to[0] = d4 - 2.5f * d2 + d0;
    to[step] = even_half + odd_half;
    to[2 * step] = even_half - odd_half;
    to[3 * step] = even_two + odd_two;
    to[4 * step] = even_two - odd_two;
    to[5 * step] = d5 - 2.5f * d3 + d1;
}

/* What CHANNELS say to 32 outputs. */
typedef float square[CHANNELS * PANEL];

/* g G', without G's factors, where that is not g itself: three numbers of each filter to those for +-sqrt(1/2), +-sqrt(2). */
INLINE void transform_filters(const square *g, square *to) {
    for (int i = 0; i < CHANNELS * PANEL; i += LANES) {
        vector g0 = load(g[0] + i), g1 = load(g[1] + i), g2 = load(g[2] + i);
        vector even_half = g0 + 0.5f * g2, even_two = g0 + 2 * g2;
        store(to[0] + i, even_half + ROOT_HALF * g1);
        store(to[1] + i, even_half - ROOT_HALF * g1);
        store(to[2] + i, even_two + ROOT_TWO * g1);
        store(to[3] + i, even_two - ROOT_TWO * g1);
    }
}

#define FACTOR_HALF (-2.0f / 3) /* of the rows of G for +-sqrt(1/2) */
#define FACTOR_TWO (1.0f / 6)   /* and for +-sqrt(2) */

/* A' m with G's factors: six numbers `step` apart to four. */
INLINE void transform_output(const vector *m, int step, vector *to, int to_step) {
    vector sum_half = FACTOR_HALF * (m[step] + m[2 * step]);
    vector difference_half = FACTOR_HALF * ROOT_HALF * (m[step] - m[2 * step]);
    vector sum_two = FACTOR_TWO * (m[3 * step] + m[4 * step]);
    vector difference_two = FACTOR_TWO * ROOT_TWO * (m[3 * step] - m[4 * step]);
    to[0] = m[0] + sum_half + sum_two;
    to[to_step] = difference_half + difference_two;
    to[2 * to_step] = 0.5f * sum_half + 2 * sum_two;
    to[3 * to_step] = 0.5f * difference_half + 2 * difference_two + m[5 * step];
}

/* One tile of LANES channels from `channel` on, to to[position][0]. */
INLINE void transform_tile(const winograd_job *job, int64_t image, int64_t tile, int64_t channel, float *to) {
    const float *cells = job->cells + image * job->height * job->width * job->channels + channel;
    const int32_t *rows = job->rows + tile / job->tiles_wide * 4, *columns = job->columns + tile % job->tiles_wide * 4;
    vector scale = load(job->scale + image * job->channels + channel);
    vector shift = load(job->shift + image * job->channels + channel);
    vector least = broadcast(job->least), d[POSITIONS];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            d[6 * i + j] = (vector){0};
            if (rows[i] < 0 || columns[j] < 0) continue;
            vector v = load(cells + (rows[i] * job->width + columns[j]) * job->channels) * scale + shift;
            d[6 * i + j] = choose(v < least, least, v);
        }
    for (int i = 0; i < 6; i++) transform_input(d + 6 * i, 1, d + 6 * i);
    for (int j = 0; j < 6; j++) transform_input(d + j, 6, d + j);
    for (int p = 0; p < POSITIONS; p++) store(to + p * SIDE * SIDE, d[p]);
}

INLINE int64_t group_floats(const winograd_job *job) { return POSITIONS * job->channels * SIDE; }

/* Where a group's tiles of a position and a channel begin. */
INLINE int64_t tiles_at(const winograd_job *job, int64_t position, int64_t channel) {
    int64_t within = channel % CHANNELS;
    return ((position / 6 * job->channels + channel - within) * 6 + position % 6 * CHANNELS + within) * SIDE;
}

/* 16 channels of a group, to its tiles. */
static void NAME(make_tiles)(const winograd_job *job, int64_t group, int64_t channel, float *to) {
    float squares[POSITIONS][SIDE][SIDE];
    int64_t image = group / job->groups_per_image, first = group % job->groups_per_image * SIDE;
    for (int t = 0; t < SIDE; t++) {
        if (first + t < job->tiles_high * job->tiles_wide)
            for (int lane = 0; lane < SIDE; lane += LANES)
                transform_tile(job, image, first + t, channel + lane, &squares[0][t][lane]);
        else
            for (int p = 0; p < POSITIONS; p++) memset(squares[p][t], 0, sizeof squares[p][t]);
    }
    for (int p = 0; p < POSITIONS; p++)
        for (int i = 0; i < SIDE; i += LANES)
            for (int j = 0; j < SIDE; j += LANES)
                transpose_part(&squares[p][i][j], to + tiles_at(job, p, channel) + j * SIDE + i);
}

/* What is known of a channel's numbers so far. */
typedef struct {
    float count;
    vector mean, deviations;
} moments;

/* Takes in the first rows x columns of a tile (Chan, Golub, LeVeque 1979, Eq. 2.1: exact even far from zero). */
INLINE void take_in(moments *known, const vector *y, int rows, int columns) {
    float count = rows * columns, together = known->count + count;
    vector sum = {0}, deviations = {0};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) sum += y[4 * i + j];
    vector mean = sum * (1 / count), change = mean - known->mean;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) deviations += (y[4 * i + j] - mean) * (y[4 * i + j] - mean);
    known->deviations += deviations + change * change * (known->count * count / together);
    known->mean += change * (count / together);
    known->count = together;
}

/* The outputs of LANES channels from `output` on for one group, from products[position][tile][0]. */
INLINE void finish_group(const winograd_job *job, int64_t group, int64_t output, const float *products) {
    int64_t image = group / job->groups_per_image, first = group % job->groups_per_image * SIDE;
    int64_t num_tiles = job->tiles_high * job->tiles_wide;
    float *out = job->out + image * job->height * job->width * job->outputs + output;
    moments known = {0};
    for (int64_t tile = first; tile < first + SIDE && tile < num_tiles; tile++, products += PANEL) {
        vector m[POSITIONS], half[24], y[16];
        for (int p = 0; p < POSITIONS; p++) m[p] = load(products + p * SIDE * PANEL);
        for (int i = 0; i < 6; i++) transform_output(m + 6 * i, 1, half + 4 * i, 1);
        for (int j = 0; j < 4; j++) transform_output(half + j, 4, y + j, 4);
        int64_t top = tile / job->tiles_wide * 4, left = tile % job->tiles_wide * 4;
        int rows = least_of(job->height - top, 4), columns = least_of(job->width - left, 4);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                store(out + ((top + i) * job->width + left + j) * job->outputs, y[4 * i + j]);
        take_in(&known, y, rows, columns);
    }
    float *statistics = job->statistics + group * 2 * job->outputs + output;
    store(statistics, known.mean);
    store(statistics + job->outputs, known.deviations);
}

typedef float group_products[POSITIONS][SIDE][PANEL];

/* A panel of GROUPS groups, or of as many as there are, whose tiles are given. */
static void NAME(make_outputs)(const winograd_job *job, int64_t group, int64_t panel, const float *tiles) {
    group_products products[GROUPS];
    square filters[4] __attribute__((aligned(64)));
    int64_t num_groups = least_of(job->num_groups - group, GROUPS);
    memset(products, 0, num_groups * sizeof *products);
    const square *weights = (const square *)job->weights + panel * 6 * job->channels / CHANNELS * 3;
    for (int i = 0; i < 6; i++)
        for (int64_t channel = 0; channel < job->channels; channel += CHANNELS, weights += 3) {
            transform_filters(weights, filters);
            const float *right[6] = {weights[0], filters[0], filters[1], filters[2], filters[3], weights[2]};
            for (int j = 0; j < 6; j++)
                for (int64_t g = 0; g < num_groups; g++)
                    NAME(add_product)(tiles + g * group_floats(job) + tiles_at(job, 6 * i + j, channel), right[j],
                                      CHANNELS, products[g][6 * i + j][0], weights[AHEAD] + j * CHANNELS * SIDE,
                                      g == 0 ? SIDE : 0);
        }
    for (int64_t g = 0; g < num_groups; g++)
        for (int lane = 0; lane < PANEL; lane += LANES)
            finish_group(job, group + g, panel * PANEL + lane, &products[g][0][0][lane]);
}

void NAME(winograd_tiles)(winograd_job *job) {
    int64_t blocks = job->channels / SIDE;
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t group = item / blocks;
        NAME(make_tiles)(job, group, item % blocks * SIDE, job->tiles + group * group_floats(job));
    }
}

void NAME(winograd_outputs)(winograd_job *job) {
    int64_t panels = job->outputs / PANEL;
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t group = item / panels * GROUPS;
        NAME(make_outputs)(job, group, item % panels, job->tiles + group * group_floats(job));
    }
}

void NAME(winograd_groups)(winograd_job *job) {
    float *tiles = job->tiles + take(&job->threads) * GROUPS * group_floats(job);
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t first = item * GROUPS;
        for (int64_t group = first; group < first + GROUPS && group < job->num_groups; group++)
            for (int64_t channel = 0; channel < job->channels; channel += SIDE)
                NAME(make_tiles)(job, group, channel, tiles + (group - first) * group_floats(job));
        for (int64_t panel = 0; panel < job->outputs / PANEL; panel++) NAME(make_outputs)(job, first, panel, tiles);
    }
}
