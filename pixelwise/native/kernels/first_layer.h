/* The first layer of a cell's MLP. Labels and pixel code are never multiplied out: a one-hot label selects one row of the
   weights; what the layer makes of the code is a sum of one term per row and one per column of the block:

       h[y][x] = row(y) + column(x) + W[label[y][x]] + sum over planes c of W[c] * plane[c][y][x] */

INLINE int64_t label_at(const render_job *job, const plane *labels, int64_t picture, int64_t y, int64_t x) {
    int64_t place = picture * labels->picture_stride + y * labels->row_stride + x * labels->column_stride;
    if (job->label_bytes == 1) return ((const uint8_t *)labels->pixels)[place];
    return ((const int64_t *)labels->pixels)[place];
}

INLINE float value_at(const plane *values, int64_t picture, int64_t y, int64_t x) {
    int64_t place = picture * values->picture_stride + y * values->row_stride + x * values->column_stride;
    return ((const float *)values->pixels)[place];
}

/* Where one label's row of the first layer begins among a cell's parameters. */
INLINE int64_t label_row(const render_job *job, int64_t label, int64_t picture, int64_t y, int64_t x) {
    return (1 + job->labels[label].input + label_at(job, &job->labels[label], picture, y, x)) * job->widths[1];
}

/* Some vectors of what the first layer makes of the pixels x0 to x1 of row y: with nearest parameters of `mlp` all of it,
   with bilinear ones all but what labels say. What a label's row has beyond its end falls on padding. */
INLINE void first_layer_part(const render_job *job, scratch *s, int vectors, int64_t output, const float *mlp,
                             int64_t picture, int64_t y, int64_t x0, int64_t x1, const float *column_term, float *sums) {
    /* A store might change the job, for all the compiler knows: what the loop reads of it most is read before. */
    int64_t stride = layer_stride(job, 0), num_labels = mlp ? job->num_labels : 0, num_planes = job->num_planes;
    const float *plane_rows = s->weights + (1 + 4 * job->num_periods) * stride + output;
    const plane *planes = job->planes;
    float slope = mlp && job->num_layers > 1 ? job->negative_slope : 1;
    vector row_term[4];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) row_term[v] = load(s->row_term + output + v * LANES);
    column_term += output, sums += output;
    for (int64_t x = x0; x < x1; x++, column_term += stride, sums += stride) {
        vector sum[4];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[v] = load(column_term + v * LANES) + row_term[v];
        for (int64_t l = 0; l < num_labels; l++) {
            const float *row = mlp + label_row(job, l, picture, y, x) + output;
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[v] += load(row + v * LANES);
        }
        for (int64_t c = 0; c < num_planes; c++) {
            const float *row = plane_rows + c * stride;
            vector value = broadcast(value_at(&planes[c], picture, y, x));
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[v] += value * load(row + v * LANES);
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) store(sums + v * LANES, leaky_relu(sum[v], slope));
    }
}

/* What labels say with bilinear parameters: adds the mixed rows of each side to a pixel's sums. */
INLINE void add_labels(const render_job *job, const float *const corners[2][2], int64_t picture, int64_t y, int64_t x,
                       float *sums) {
    int64_t outputs = job->widths[1];
    float below = job->rows.shares[y];
    for (int64_t l = 0; l < job->num_labels; l++) {
        int64_t from = label_row(job, l, picture, y, x);
        for (int64_t side = 0; side < 2; side++)
            for (int64_t o = 0; o < outputs; o += LANES) {
                vector row = load(corners[0][side] + from + o);
                row += below * (load(corners[1][side] + from + o) - row);
                float *to = sums + side * outputs + o;
                /* What follows the row in the last vector is another row's. */
                store(to, load(to) + choose(lanes_below(outputs - o), row, (vector){0}));
            }
    }
}

/* The first layer of the pixels (y, x), y0 <= y < y1, x0 <= x < x1, row by row into `now`: with nearest parameters its
   activations, with bilinear ones the sums of both sides. */
INLINE void first_layer(const render_job *job, scratch *s, const float *const corners[2][2], int64_t picture,
                        int64_t y0, int64_t y1, int64_t x0, int64_t x1, int64_t block_left) {
    int64_t stride = layer_stride(job, 0), half = 2 * job->num_periods;
    const float *mlp = job->num_sides == 1 ? corners[0][0] : 0;
    float *sums = s->now;
    for (int64_t y = y0; y < y1; y++) {
        /* The row's term, and with it the bias. */
        NAME(product)(TO_BIAS, LINEAR, 1, half, job->rows.code + y * half, half, s->weights + stride, stride, s->weights,
                s->row_term, stride, 0);
        int64_t o = 0;
#define PART(vectors) \
    first_layer_part(job, s, vectors, o, mlp, picture, y, x0, x1, s->column_terms + (x0 - block_left) * stride, sums)
        for (; o + 4 * LANES <= stride; o += 4 * LANES) PART(4);
        for (; o < stride; o += LANES) PART(1);
#undef PART
        for (int64_t x = x0; x < x1; x++, sums += stride)
            if (job->num_sides == 2) add_labels(job, corners, picture, y, x, sums);
    }
}

/* The terms of the block's columns, which all of its rows share (nearest) or this one alone has (bilinear). */
INLINE void column_terms(const render_job *job, scratch *s, int64_t x0, int64_t x1) {
    int64_t stride = layer_stride(job, 0), half = 2 * job->num_periods;
    memset(s->column_terms, 0, (x1 - x0) * stride * sizeof(float));
    NAME(product)(TO_OUT, LINEAR, x1 - x0, half, job->columns.code + x0 * half, half, s->weights + (1 + half) * stride,
            stride, s->weights, s->column_terms, stride, 0);
}
