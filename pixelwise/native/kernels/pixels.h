/* Rendering: every pixel through the MLP of its cell.

   An item of work is a block: the pixels on which the same MLPs act, one MLP with nearest parameters, with bilinear ones
   the four of the cells between whose centres the block lies. The cell's weights are copied once, each layer's rows
   padded to whole vectors, and then all of the block's pixels pass through, PIXELS_AT_ONCE at a time, so that weights and
   activations stay in the first-level cache. Meanwhile the next block's parameters are asked for.

   Bilinear parameters: along y, the two left and the two right MLPs are mixed once for each row of pixels. Along x, a
   pixel's output is the mix of what the left and the right MLP make of it, since a layer is linear before its
   activation. Left and right lie side by side in the rows of weights, so that they are one product of twice the width. */

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

/* Where what became of a chunk lies: pixel p's output c is values[p * pixel_stride + c * output_stride]. */
typedef struct {
    const float *values;
    int64_t pixel_stride, output_stride;
} results;

/* The layers after the first, for the pixels of one chunk. */
INLINE results run_layers(const render_job *job, scratch *s, int64_t x0, int64_t num_pixels) {
    const float *weights = s->weights;
    int64_t sides = job->num_sides;
    if (sides == 2) mix_sides(job, s, 0, x0, num_pixels);
    for (int64_t layer = 1; layer < job->num_layers; layer++) {
        weights += num_rows(job, layer - 1) * layer_stride(job, layer - 1);
        int64_t inputs = job->widths[layer], x_stride = whole_vectors(inputs);
        int64_t stride = layer_stride(job, layer);
        if (is_narrow(job, layer)) {
            NAME(narrow_product)(job->widths[layer + 1], num_pixels, inputs, s->now, x_stride, s->columns, weights, s->next,
                                 PIXELS_AT_ONCE);
            return (results){s->next, 1, PIXELS_AT_ONCE};
        }
        if (sides == 1 && layer + 1 < job->num_layers)
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
    return (results){s->now, whole_vectors(job->widths[job->num_layers]), 1};
}

/* A chunk's numbers to the planes of the output. */
INLINE void write_pixels(const render_job *job, results made, int64_t picture, int64_t y0, int64_t y1, int64_t x0,
                         int64_t x1) {
    int64_t width = x1 - x0, whole = width / LANES * LANES, outputs = job->widths[job->num_layers];
    int tanh = job->tanh;
    for (int64_t c = 0; c < outputs; c++) {
        const float *from = made.values + c * made.output_stride;
        float *to = job->out + picture * job->out_picture_stride + c * job->out_channel_stride + x0;
        for (int64_t y = y0; y < y1; y++, from += width * made.pixel_stride) {
            float gathered[PIXELS_AT_ONCE + LANES];
            const float *row = from;
            if (made.pixel_stride != 1) {
                for (int64_t x = 0; x < width; x++) gathered[x] = from[x * made.pixel_stride];
                row = gathered;
            }
            float *out = to + y * job->out_row_stride;
            for (int64_t x = 0; x < width; x += LANES) {
                vector v = tanh ? hyperbolic_tangent(load(row + x)) : load(row + x);
                if (x < whole)
                    store(out + x, v);
                else
                    memcpy(out + x, &v, (width - x) * sizeof(float));
            }
        }
    }
}

/* A block: where it lies, and which cells act on it, above and below, left and right. */
typedef struct {
    int64_t picture, y0, y1, x0, x1;
    const float *corners[2][2];
} block;

INLINE block block_of(const render_job *job, int64_t item) {
    int64_t per_picture = job->rows.num_blocks * job->columns.num_blocks;
    int64_t picture = item / per_picture, row = item % per_picture / job->columns.num_blocks;
    int64_t column = item % job->columns.num_blocks;
    const int32_t *y = job->rows.cells + 2 * row, *x = job->columns.cells + 2 * column;
    return (block){picture,
                   job->rows.starts[row],
                   job->rows.starts[row + 1],
                   job->columns.starts[column],
                   job->columns.starts[column + 1],
                   {{cell(job, picture, y[0], x[0]), cell(job, picture, y[0], x[1])},
                    {cell(job, picture, y[1], x[0]), cell(job, picture, y[1], x[1])}}};
}

INLINE void render_chunk(const render_job *job, scratch *s, const block *b, int64_t y0, int64_t y1, int64_t x0,
                         int64_t x1) {
    first_layer(job, s, b->corners, b->picture, y0, y1, x0, x1, b->x0);
    results made = run_layers(job, s, x0, (y1 - y0) * (x1 - x0));
    write_pixels(job, made, b->picture, y0, y1, x0, x1);
}

INLINE void render_nearest(const render_job *job, scratch *s, const block *b) {
    pack(job, b->corners, s->weights, s->weights);
    if (is_narrow(job, job->num_layers - 1)) transpose_last_layer(job, s);
    column_terms(job, s, b->x0, b->x1);
    int64_t width = least_of(b->x1 - b->x0, PIXELS_AT_ONCE), height = PIXELS_AT_ONCE / width;
    int64_t chunks = parts_of(b->y1 - b->y0, height) * parts_of(b->x1 - b->x0, width);
    for (int64_t y = b->y0; y < b->y1; y += height)
        for (int64_t x = b->x0; x < b->x1; x += width) {
            ask_for_part(&s->parameters, chunks);
            render_chunk(job, s, b, y, least_of(y + height, b->y1), x, least_of(x + width, b->x1));
        }
}

INLINE void render_bilinear(const render_job *job, scratch *s, const block *b) {
    pack(job, b->corners, s->above, s->change);
    for (int64_t y = b->y0; y < b->y1; y++) {
        float below = job->rows.shares[y];
        for (size_t i = 0; i < s->num_weights; i += LANES)
            store(s->weights + i, load(s->above + i) + below * load(s->change + i));
        column_terms(job, s, b->x0, b->x1);
        ask_for_part(&s->parameters, b->y1 - b->y0);
        for (int64_t x = b->x0; x < b->x1; x += PIXELS_AT_ONCE)
            render_chunk(job, s, b, y, y + 1, x, least_of(x + PIXELS_AT_ONCE, b->x1));
    }
}

void NAME(render)(render_job *job) {
    scratch s;
    float *memory = NAME(make_scratch)(job, &s);
    if (!memory) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    for (int64_t item = take(&job->work), next; item >= 0; item = next < 0 ? take(&job->work) : next) {
        next = take_ahead(&job->work);
        block now = block_of(job, item);
        /* With bilinear parameters, of its four cells mostly the one that the blocks before have not read. */
        s.parameters = next < 0 ? all_of(0, 0) : behind_labels(job, block_of(job, next).corners[1][1]);
        if (job->num_sides == 1)
            render_nearest(job, &s, &now);
        else
            render_bilinear(job, &s, &now);
    }
    free(memory);
}
