/* What is rendered, and what one thread works with: the weights of a block's cells, each layer's rows padded to whole
   vectors, and room for the pixels under way. See pixels.h. */

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
    float *columns; /* of the last layer's weights, each padded with zeros; or nothing */
    float *column_terms, *row_term;
    float *now, *next, *mixed;
    size_t num_weights;
    soon parameters; /* of the block after this one */
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

/* A cell's parameters but for the first ones, which are mostly rows of labels: few of them are read. */
INLINE soon behind_labels(const render_job *job, const float *cell) {
    int64_t first = job->widths[1] * (1 + job->widths[0] - num_dense(job)), all = 0;
    for (int64_t layer = 0; layer < job->num_layers; layer++) all += job->widths[layer + 1] * (1 + job->widths[layer]);
    return all_of(cell + first, all - first);
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

/* Whether a layer is the last one of a few outputs with nearest parameters, a kind of its own: see narrow_product. */
INLINE int is_narrow(const render_job *job, int64_t layer) {
    return layer > 0 && layer + 1 == job->num_layers && job->num_sides == 1 && job->widths[layer + 1] <= MOST_NARROW;
}

/* The last layer's weights, of each output by itself, as narrow_product reads them. */
INLINE void transpose_last_layer(const render_job *job, scratch *s) {
    int64_t layer = job->num_layers - 1, inputs = job->widths[layer], stride = layer_stride(job, layer);
    const float *rows = s->weights + s->num_weights - inputs * stride;
    for (int64_t o = 0; o < job->widths[layer + 1]; o++)
        for (int64_t i = 0; i < inputs; i++) s->columns[o * whole_vectors(inputs) + i] = rows[i * stride + o];
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
    size_t activations = PIXELS_AT_ONCE * widest, column_terms = widest_block * layer_stride(job, 0);
    size_t columns = MOST_NARROW * whole_vectors(job->widths[job->num_layers - 1]), line = LINE;
    size_t sizes[] = {s->num_weights, s->num_weights * (job->num_sides - 1), s->num_weights * (job->num_sides - 1),
                      columns, column_terms, layer_stride(job, 0), activations, activations, activations};
    float **parts[] = {&s->weights, &s->above, &s->change, &s->columns, &s->column_terms, &s->row_term,
                       &s->now, &s->next, &s->mixed};
    size_t total = 0, count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count; i++) total += (sizes[i] + line - 1) / line * line + line;
    float *memory = aligned_alloc(64, total * sizeof(float));
    if (!memory) return 0;
    /* What nobody has written must not be slow to add, as denormals and NaN may be. */
    memset(memory, 0, total * sizeof(float));
    float *next = memory;
    for (size_t i = 0; i < count; i++) {
        *parts[i] = next;
        next += (sizes[i] + line - 1) / line * line + line;
    }
    return memory;
}
