/* Rendering: every pixel through the MLP of its cell.

   An item of work is a block: the pixels on which the same MLPs act, one MLP with nearest parameters, with bilinear ones
   the four of the cells between whose centres the block lies. The cell's weights are copied once, each layer's rows
   padded to whole vectors, and then all of the block's pixels pass through, PIXELS_AT_ONCE at a time, so that weights and
   activations stay in the first-level cache.

   The first layer is never multiplied out. A one-hot label selects one row of its weights; what the layer makes of the
   pixel code is a sum of one term per row and one per column of the block:

       h[y][x] = row(y) + column(x) + W[label[y][x]] + sum over planes c of W[c] * plane[c][y][x]

   Bilinear parameters: along y, the two left and the two right MLPs are mixed once for each row of pixels. Along x, a
   pixel's output is the mix of what the left and the right MLP make of it, since a layer is linear before its
   activation. Left and right lie side by side in the rows of weights, so that they are one product of twice the width. */

#define PIXELS_AT_ONCE 48

/* One axis of the output: where blocks begin, which cells act on each, and what belongs to each pixel. */
typedef struct {
    int64_t num_blocks;
    const int32_t *starts; /* num_blocks + 1 */
    const int32_t *cells;  /* num_blocks x 2: of the block before and after; with nearest parameters twice the same */
    const float *shares;   /* per pixel: of the cell after */
    const float *code;     /* per pixel: cosine and sine for each period */
} axis;

/* One input plane: labels, of which `input` is the first one-hot plane, or floats. Strides in elements. */
typedef struct {
    const void *pixels;
    int64_t input, picture_stride, row_stride, column_stride;
} plane;

typedef struct {
    work work; /* pictures x row blocks x column blocks */
    const float *parameters; /* readable for LANES floats beyond their end */
    int64_t picture_stride, cell_row_stride, cell_column_stride; /* of parameters; one cell's are contiguous */
    const int64_t *widths;                                      /* of the MLP, num_layers + 1 */
    int64_t num_layers, num_sides;                              /* sides: 1 nearest, 2 bilinear */
    int64_t num_periods, num_labels, num_planes;
    axis rows, columns;
    const plane *labels, *planes; /* of int64 or uint8, and of float */
    float *out;
    int64_t out_picture_stride, out_channel_stride, out_row_stride;
    float negative_slope;
    int32_t tanh, label_bytes, out_of_memory;
} render_job;

/* What one thread works with. All rows of `weights` belong to one layer after the other: its biases, then a row for each
   input; of the first layer's inputs those that are multiplied out: row code, column code, planes. */
typedef struct {
    float *weights, *above, *change; /* of this row of pixels; of the cells above; from those to the cells below */
    float *column_terms, *row_term;
    float *now, *next, *mixed, *values;
    size_t num_weights;
} scratch;

INLINE int64_t whole_vectors(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

INLINE int64_t layer_stride(const render_job *job, int64_t layer) {
    return whole_vectors(job->num_sides * job->widths[layer + 1]);
}

/* Inputs of the first layer that are multiplied out. */
INLINE int64_t num_dense(const render_job *job) { return 4 * job->num_periods + job->num_planes; }

INLINE int64_t num_rows(const render_job *job, int64_t layer) {
    return 1 + (layer ? job->widths[layer] : num_dense(job));
}

/* Which input of the MLP is the first layer's i-th that is multiplied out. The MLP reads cos x, sin x, cos y, sin y for
   each period, last of all. */
INLINE int64_t dense_input(const render_job *job, int64_t i) {
    int64_t half = 2 * job->num_periods, code = job->widths[0] - 2 * half;
    if (i < half) return code + i / 2 * 4 + 2 + i % 2;
    if (i < 2 * half) return code + (i - half) / 2 * 4 + i % 2;
    return job->planes[i - 2 * half].input;
}

INLINE const float *cell(const render_job *job, int64_t picture, int32_t row, int32_t column) {
    return job->parameters + picture * job->picture_stride + row * job->cell_row_stride +
           column * job->cell_column_stride;
}

/* Copies the parameters of a block's cells to padded rows, left and right side by side: those of the cells above, and
   with bilinear parameters how those of the cells below differ. Rows are copied by whole vectors; what is too much of
   one is overwritten by the next. */
INLINE void pack(const render_job *job, const float *const corners[2][2], float *above, float *change) {
    int64_t first = 0;
    for (int64_t layer = 0; layer < job->num_layers; layer++) {
        int64_t outputs = job->widths[layer + 1], stride = layer_stride(job, layer), rows = num_rows(job, layer);
        for (int64_t row = 0; row < rows; row++, above += stride, change += stride)
            for (int64_t side = 0; side < job->num_sides; side++) {
                int64_t input = row == 0 ? -1 : layer ? row - 1 : dense_input(job, row - 1);
                int64_t from = first + (1 + input) * outputs, to = side * outputs;
                for (int64_t o = 0; o < outputs; o += LANES) {
                    vector top = load(corners[0][side] + from + o);
                    store(above + to + o, top);
                    if (job->num_sides == 2) store(change + to + o, load(corners[1][side] + from + o) - top);
                }
            }
        first += outputs * (1 + job->widths[layer]);
    }
}

/* Adds the first layer's row of weights of one label, on each side, to a pixel's sums. */
INLINE void add_label(const render_job *job, const float *const corners[2][2], int64_t input, float below, float *sums) {
    int64_t outputs = job->widths[1], from = (1 + input) * outputs;
    for (int64_t side = 0; side < job->num_sides; side++, sums += outputs)
        for (int64_t o = 0; o < outputs; o += LANES) {
            vector row = load(corners[0][side] + from + o);
            if (job->num_sides == 2) row += below * (load(corners[1][side] + from + o) - row);
            /* What follows the row in the last vector is another row's. */
            store(sums + o, load(sums + o) + choose(lanes_below(outputs - o), row, (vector){0}));
        }
}

INLINE int64_t label_at(const render_job *job, const plane *labels, int64_t picture, int64_t y, int64_t x) {
    int64_t place = picture * labels->picture_stride + y * labels->row_stride + x * labels->column_stride;
    if (job->label_bytes == 1) return ((const uint8_t *)labels->pixels)[place];
    return ((const int64_t *)labels->pixels)[place];
}

/* The first layer's sums of the pixels (y, x), y0 <= y < y1, x0 <= x < x1, row by row into `now`. */
INLINE void first_layer(const render_job *job, scratch *s, const float *const corners[2][2], int64_t picture,
                        int64_t y0, int64_t y1, int64_t x0, int64_t x1, int64_t block_left) {
    int64_t stride = layer_stride(job, 0), num_pixels = (y1 - y0) * (x1 - x0), half = 2 * job->num_periods;
    float *sums = s->now;
    for (int64_t y = y0; y < y1; y++) {
        /* The row's term, and with it the bias. */
        NAME(product)(TO_BIAS, LINEAR, 1, half, job->rows.code + y * half, half, s->weights + stride, stride, s->weights,
                s->row_term, stride, 0);
        for (int64_t x = x0; x < x1; x++, sums += stride) {
            const float *column_term = s->column_terms + (x - block_left) * stride;
            for (int64_t o = 0; o < stride; o += LANES) store(sums + o, load(column_term + o) + load(s->row_term + o));
            for (int64_t l = 0; l < job->num_labels; l++) {
                int64_t input = job->labels[l].input + label_at(job, &job->labels[l], picture, y, x);
                add_label(job, corners, input, job->rows.shares[y], sums);
            }
        }
    }
    if (job->num_planes == 0) return;
    float *values = s->values;
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++)
            for (int64_t c = 0; c < job->num_planes; c++) {
                const plane *from = &job->planes[c];
                *values++ = ((const float *)from->pixels)[picture * from->picture_stride + y * from->row_stride +
                                                           x * from->column_stride];
            }
    NAME(product)(TO_OUT, LINEAR, num_pixels, job->num_planes, s->values, job->num_planes,
            s->weights + (1 + 2 * half) * stride, stride, s->weights, s->now, stride, 0);
}

/* The terms of the block's columns, which all of its rows share (nearest) or this one alone has (bilinear). */
INLINE void column_terms(const render_job *job, scratch *s, int64_t x0, int64_t x1) {
    int64_t stride = layer_stride(job, 0), half = 2 * job->num_periods;
    memset(s->column_terms, 0, (x1 - x0) * stride * sizeof(float));
    NAME(product)(TO_OUT, LINEAR, x1 - x0, half, job->columns.code + x0 * half, half, s->weights + (1 + half) * stride,
            stride, s->weights, s->column_terms, stride, 0);
}

/* What the left and the right MLP made of each pixel, mixed by the pixel's share; then the activation. */
INLINE void mix_sides(const render_job *job, scratch *s, int64_t layer, int64_t x0, int64_t num_pixels) {
    int64_t outputs = job->widths[layer + 1], stride = layer_stride(job, layer), mixed_stride = whole_vectors(outputs);
    for (int64_t p = 0; p < num_pixels; p++) {
        const float *left = s->now + p * stride, *right = left + outputs;
        float share = job->columns.shares[x0 + p];
        for (int64_t o = 0; o < outputs; o += LANES) {
            vector sum = load(left + o) + share * (load(right + o) - load(left + o));
            if (layer + 1 < job->num_layers) sum = leaky_relu(sum, job->negative_slope);
            store(s->mixed + p * mixed_stride + o, sum);
        }
    }
    float *free = s->now;
    s->now = s->mixed;
    s->mixed = free;
}

INLINE void activate(const render_job *job, scratch *s, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES)
        store(s->now + i, leaky_relu(load(s->now + i), job->negative_slope));
}

/* All layers, for the pixels of one chunk; their outputs end up in `now`, `out_stride` apart. */
INLINE int64_t run_layers(const render_job *job, scratch *s, int64_t x0, int64_t num_pixels) {
    const float *weights = s->weights;
    int64_t sides = job->num_sides, stride = layer_stride(job, 0);
    if (sides == 2)
        mix_sides(job, s, 0, x0, num_pixels);
    else if (job->num_layers > 1)
        activate(job, s, num_pixels * stride);
    for (int64_t layer = 1; layer < job->num_layers; layer++) {
        weights += num_rows(job, layer - 1) * layer_stride(job, layer - 1);
        int64_t inputs = job->widths[layer], x_stride = whole_vectors(inputs);
        stride = layer_stride(job, layer);
        if (layer + 1 == job->num_layers && sides * job->widths[layer + 1] <= 4)
            NAME(narrow_product)(num_pixels, inputs, s->now, x_stride, weights + stride, stride, weights, s->next,
                                 stride);
        else if (sides == 1 && layer + 1 < job->num_layers)
            NAME(product)(TO_BIAS, LEAKY_RELU, num_pixels, inputs, s->now, x_stride, weights + stride, stride, weights,
                    s->next, stride, job->negative_slope);
        else
            NAME(product)(TO_BIAS, LINEAR, num_pixels, inputs, s->now, x_stride, weights + stride, stride, weights, s->next,
                    stride, 0);
        float *free = s->now;
        s->now = s->next;
        s->next = free;
        if (sides == 2) mix_sides(job, s, layer, x0, num_pixels);
    }
    return whole_vectors(job->widths[job->num_layers]);
}

/* Pixel-major values in `now` to the planes of the output. */
INLINE void write_pixels(const render_job *job, scratch *s, int64_t stride, int64_t picture, int64_t y0, int64_t y1,
                         int64_t x0, int64_t x1) {
    for (int64_t c = 0; c < job->widths[job->num_layers]; c++) {
        const float *from = s->now + c;
        for (int64_t y = y0; y < y1; y++) {
            float row[PIXELS_AT_ONCE + LANES];
            for (int64_t x = 0; x < x1 - x0; x++, from += stride) row[x] = *from;
            if (job->tanh)
                for (int64_t x = 0; x < x1 - x0; x += LANES) store(row + x, hyperbolic_tangent(load(row + x)));
            memcpy(job->out + picture * job->out_picture_stride + c * job->out_channel_stride + y * job->out_row_stride + x0,
                   row, (x1 - x0) * sizeof(float));
        }
    }
}

INLINE void render_chunk(const render_job *job, scratch *s, const float *const corners[2][2], int64_t picture,
                         int64_t y0, int64_t y1, int64_t x0, int64_t x1, int64_t block_left) {
    first_layer(job, s, corners, picture, y0, y1, x0, x1, block_left);
    int64_t stride = run_layers(job, s, x0, (y1 - y0) * (x1 - x0));
    write_pixels(job, s, stride, picture, y0, y1, x0, x1);
}

INLINE void render_nearest(const render_job *job, scratch *s, const float *const corners[2][2], int64_t picture,
                           int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
    pack(job, corners, s->weights, s->weights);
    column_terms(job, s, x0, x1);
    int64_t width = x1 - x0 < PIXELS_AT_ONCE ? x1 - x0 : PIXELS_AT_ONCE, height = PIXELS_AT_ONCE / width;
    for (int64_t y = y0; y < y1; y += height)
        for (int64_t x = x0; x < x1; x += width)
            render_chunk(job, s, corners, picture, y, y + height < y1 ? y + height : y1, x,
                         x + width < x1 ? x + width : x1, x0);
}

INLINE void render_bilinear(const render_job *job, scratch *s, const float *const corners[2][2], int64_t picture,
                            int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
    pack(job, corners, s->above, s->change);
    for (int64_t y = y0; y < y1; y++) {
        float below = job->rows.shares[y];
        for (size_t i = 0; i < s->num_weights; i += LANES)
            store(s->weights + i, load(s->above + i) + below * load(s->change + i));
        column_terms(job, s, x0, x1);
        for (int64_t x = x0; x < x1; x += PIXELS_AT_ONCE)
            render_chunk(job, s, corners, picture, y, y + 1, x, x + PIXELS_AT_ONCE < x1 ? x + PIXELS_AT_ONCE : x1, x0);
    }
}

/* Room for everything, in one piece, all of it on whole cache lines, and after each part one line more for what whole
   vectors read or write too much; 0 when there is no memory. */
static float *NAME(make_scratch)(const render_job *job, scratch *s) {
    int64_t widest = LANES, widest_block = 1;
    s->num_weights = 0;
    for (int64_t layer = 0; layer < job->num_layers; layer++) {
        int64_t stride = layer_stride(job, layer);
        s->num_weights += num_rows(job, layer) * stride;
        widest = stride > widest ? stride : widest;
    }
    for (int64_t b = 0; b < job->columns.num_blocks; b++) {
        int64_t width = job->columns.starts[b + 1] - job->columns.starts[b];
        widest_block = width > widest_block ? width : widest_block;
    }
    size_t activations = PIXELS_AT_ONCE * widest, columns = widest_block * layer_stride(job, 0);
    size_t values = PIXELS_AT_ONCE * job->num_planes, line = 16;
    size_t sizes[] = {s->num_weights, s->num_weights * (job->num_sides - 1), s->num_weights * (job->num_sides - 1),
                      columns, layer_stride(job, 0), activations, activations, activations, values};
    float **parts[] = {&s->weights, &s->above, &s->change, &s->column_terms, &s->row_term,
                       &s->now, &s->next, &s->mixed, &s->values};
    size_t total = 0, count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count; i++) total += (sizes[i] + line - 1) / line * line + line;
    float *memory = aligned_alloc(64, total * sizeof(float));
    if (!memory) return 0;
    /* Padding is multiplied by nobody's weights, but must not be slow to add, as denormals and NaN may be. */
    memset(memory, 0, total * sizeof(float));
    float *next = memory;
    for (size_t i = 0; i < count; i++) {
        *parts[i] = next;
        next += (sizes[i] + line - 1) / line * line + line;
    }
    return memory;
}

void NAME(render)(render_job *job) {
    scratch s;
    float *memory = NAME(make_scratch)(job, &s);
    if (!memory) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    int64_t per_picture = job->rows.num_blocks * job->columns.num_blocks;
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t picture = item / per_picture, row = item % per_picture / job->columns.num_blocks;
        int64_t column = item % job->columns.num_blocks;
        const int32_t *y = job->rows.cells + 2 * row, *x = job->columns.cells + 2 * column;
        const float *const corners[2][2] = {{cell(job, picture, y[0], x[0]), cell(job, picture, y[0], x[1])},
                                            {cell(job, picture, y[1], x[0]), cell(job, picture, y[1], x[1])}};
        int64_t y0 = job->rows.starts[row], y1 = job->rows.starts[row + 1];
        int64_t x0 = job->columns.starts[column], x1 = job->columns.starts[column + 1];
        if (job->num_sides == 1)
            render_nearest(job, &s, corners, picture, y0, y1, x0, x1);
        else
            render_bilinear(job, &s, corners, picture, y0, y1, x0, x1);
    }
    free(memory);
}
