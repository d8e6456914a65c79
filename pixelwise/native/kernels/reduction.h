/* The tent reduction of labels and float planes, without one-hot planes, to sparse planes.

   Most reduced pixels hold one to four labels, so what comes out is for each of them a list of entries (channel,
   value). Labels are channels 0 to num_labels - 1, float planes come after them; a plane's zeros are no entries
   either, which leaves little of a plane of edges.

   The taps 1, 3, .. 2S-1, 2S-1, .. 3, 1 rise over S pixels and fall over S. Hence the padded picture (S/2 mirrored
   pixels at each side) is cut into blocks of S x S, and a reduced pixel's window is 2 x 2 blocks. What a label has
   in a block is told by four integers: the sums over its pixels of 1, of the rising row taps, of the rising column
   taps, and of their products. A falling tap is 2S minus the rising one, so these four give the label's weights in
   all four windows that the block is in. A run of equal labels from x to end - 1 takes one step, as its taps sum to
   end*end - x*x. All weights of a pixel are 4 S^4 together, which uint32 holds for S <= 180; they are divided by
   that once, at the end.

   An item of work is some reduced rows. A thread keeps the blocks above and below the row that it makes, and makes
   each row's entries in its own memory before it takes as much as they need of the common one. */

typedef struct {
    float value;
    int32_t channel;
} entry;

typedef uint32_t weights_of_label __attribute__((vector_size(16)));

/* One label of a block, and its weights in the windows in which the block is top left, top right, bottom left and
   bottom right. */
typedef struct {
    weights_of_label weights;
    int32_t label;
} share;

typedef struct {
    work work; /* pictures x blocks of rows_per_item rows */
    const void *labels; /* [picture][row][column], uint8 or int64 by label_bytes; 0 for none */
    const float *planes; /* [picture][plane][row][column] */
    int64_t label_bytes, label_picture_stride, label_row_stride; /* strides in elements */
    int64_t plane_picture_stride, plane_stride, plane_row_stride;
    int64_t num_labels, num_planes;
    int64_t stride, height, width; /* S; of the whole picture */
    int64_t top;                   /* the picture's row to which labels and planes point */
    int64_t first_row, num_rows, num_columns, rows_per_item; /* of the reduced picture */
    entry *entries;
    int64_t capacity, used; /* of entries; when used is more than capacity, some were not written */
    int64_t *starts;  /* [picture][row]: where its entries begin */
    int32_t *ends;    /* [picture][row][num_columns + 1]: where each pixel's begin, counted from there */
    uint8_t *repeats; /* [picture][row][column]: whether a pixel is the same as the one before */
    int32_t unknown_label, out_of_memory;
} reduction_job;

/* What one thread works with. */
typedef struct {
    uint8_t *labels, *mixed; /* S padded rows; where these differ from the first of them */
    share *shares[2];        /* of the blocks above and below a reduced row, */
    int32_t *share_ends[2];  /* and where each block's begin */
    float *plane, *reduced;  /* a padded row, reduced along y; a reduced row of every plane */
    entry *entries;          /* a reduced row's */
    weights_of_label sums[256];
    uint32_t totals[256];
    uint8_t seen[257]; /* one more, which is written and not read */
} reduction;

INLINE int64_t mirrored(int64_t i, int64_t size) { return i < 0 ? -i : i < size ? i : 2 * size - 2 - i; }

INLINE int64_t padded_width(const reduction_job *job) {
    return job->stride == 1 ? job->num_columns : (job->num_columns + 1) * job->stride;
}

INLINE int64_t most_labels(const reduction_job *job, int64_t pixels) { return least_of(job->num_labels, pixels); }

/* Bytes may alias anything, so loops over them read and write through restricted pointers, or they stay scalar. */

/* to[x] = from[x]; whether some label is not known. */
INLINE int copy_labels(const uint64_t *restrict from, int64_t count, int64_t num_labels, uint8_t *restrict to) {
    uint64_t all = 0;
    uint8_t most = 0;
    for (int64_t x = 0; x < count; x++) to[x] = (uint8_t)from[x], all |= from[x];
    for (int64_t x = 0; x < count; x++) most = to[x] > most ? to[x] : most;
    return all > 255 || most >= num_labels;
}

INLINE int copy_label_bytes(const uint8_t *restrict from, int64_t count, int64_t num_labels, uint8_t *restrict to) {
    uint8_t most = 0;
    for (int64_t x = 0; x < count; x++) to[x] = from[x], most = from[x] > most ? from[x] : most;
    return most >= num_labels;
}

/* A row of labels as bytes, mirrored at its ends. `y` may lie beyond the picture. */
static void NAME(read_labels)(reduction_job *job, int64_t picture, int64_t y, uint8_t *to) {
    int64_t before = job->stride / 2, width = padded_width(job), count = least_of(job->width, width - before);
    int64_t row_at_hand = mirrored(y, job->height) - job->top;
    int64_t place = picture * job->label_picture_stride + row_at_hand * job->label_row_stride;
    uint8_t *row = to + before;
    int unknown = job->label_bytes == 1
                      ? copy_label_bytes((const uint8_t *)job->labels + place, count, job->num_labels, row)
                      : copy_labels((const uint64_t *)job->labels + place, count, job->num_labels, row);
    if (unknown) {
        /* The caller raises an error; until then there must not be more labels than there is room for. */
        __atomic_store_n(&job->unknown_label, 1, __ATOMIC_RELAXED);
        memset(row, 0, count);
    }
    for (int64_t x = 0; x < before; x++) to[x] = row[before - x];
    for (int64_t x = count, last = 2 * job->width - 2; x < width - before; x++) row[x] = row[last - x];
}

INLINE void mark_differences(const uint8_t *restrict a, const uint8_t *restrict b, int64_t count,
                             uint8_t *restrict to) {
    for (int64_t x = 0; x < count; x++) to[x] |= a[x] ^ b[x];
}

/* The shares of one block that has several labels, whose first pixel is labels[0]. */
INLINE share *mixed_block(const reduction_job *job, reduction *r, const uint8_t *labels, share *to) {
    int64_t width = padded_width(job), num_seen = 0;
    uint32_t s = (uint32_t)job->stride;
    for (uint32_t y = 0; y < s; y++, labels += width)
        for (uint32_t x = 0, end; x < s; x = end) {
            uint8_t label = labels[x];
            for (end = x + 1; end < s && labels[end] == label;) end++;
            r->seen[num_seen] = label; /* without a branch: among many labels, which one is new is hard to predict */
            num_seen += r->sums[label][0] == 0;
            uint32_t taps = end * end - x * x;
            r->sums[label] += (weights_of_label){end - x, (end - x) * (2 * y + 1), taps, taps * (2 * y + 1)};
        }
    for (int64_t i = 0; i < num_seen; i++, to++) {
        weights_of_label sum = r->sums[r->seen[i]];
        uint32_t column_falls = 2 * s * sum[1] - sum[3], row_falls = 2 * s * sum[2] - sum[3];
        uint32_t both_fall = 4 * s * s * sum[0] - column_falls - row_falls - sum[3];
        to->weights = (weights_of_label){sum[3], column_falls, row_falls, both_fall};
        to->label = r->seen[i];
        r->sums[r->seen[i]] = (weights_of_label){0};
    }
    return to;
}

/* The shares of a row of blocks. */
static void NAME(make_blocks)(reduction_job *job, reduction *r, int64_t picture, int64_t row, int side) {
    int64_t s = job->stride, width = padded_width(job);
    memset(r->mixed, 0, width);
    for (int64_t y = 0; y < s; y++) {
        uint8_t *labels = r->labels + y * width;
        NAME(read_labels)(job, picture, row * s - s / 2 + y, labels);
        mark_differences(labels, r->labels, width, r->mixed);
    }
    share *to = r->shares[side];
    uint32_t whole = (uint32_t)(s * s * s * s);
    for (int64_t block = 0; block <= job->num_columns; block++) {
        const uint8_t *labels = r->labels + block * s, *mixed = r->mixed + block * s;
        uint8_t any = 0;
        for (int64_t x = 0; x < s; x++) any |= mixed[x] | (labels[x] ^ labels[0]);
        r->share_ends[side][block] = (int32_t)(to - r->shares[side]);
        if (any)
            to = mixed_block(job, r, labels, to);
        else
            *to++ = (share){{whole, whole, whole, whole}, labels[0]};
    }
    r->share_ends[side][job->num_columns + 1] = (int32_t)(to - r->shares[side]);
}

/* The entries of the labels of one reduced pixel, from the four blocks of its window. Those of its upper half are on
   the side `above` of the scratch. */
INLINE entry *label_entries(const reduction_job *job, reduction *r, int above, int64_t x, entry *to) {
    const share *first[4], *end[4];
    int alike = 1;
    for (int i = 0; i < 4; i++) {
        int side = i < 2 ? above : !above;
        const int32_t *ends = r->share_ends[side] + x + i % 2;
        first[i] = r->shares[side] + ends[0], end[i] = r->shares[side] + ends[1];
        alike &= end[i] - first[i] == 1 && first[i]->label == first[0]->label;
    }
    if (alike) {
        *to = (entry){1.0f, first[0]->label};
        return to + 1;
    }
    int64_t num_seen = 0;
    for (int i = 0; i < 4; i++)
        for (const share *from = first[i]; from < end[i]; from++) {
            r->seen[num_seen] = (uint8_t)from->label;
            num_seen += r->totals[from->label] == 0;
            r->totals[from->label] += from->weights[i];
        }
    float scale = 0.25f / ((float)(job->stride * job->stride) * (float)(job->stride * job->stride));
    for (int64_t i = 0; i < num_seen; i++, to++) {
        *to = (entry){scale * (float)r->totals[r->seen[i]], r->seen[i]};
        r->totals[r->seen[i]] = 0;
    }
    return to;
}

/* A row of one plane, reduced. Sums over rows first, which lie together in memory. */
static void NAME(reduce_plane)(const reduction_job *job, reduction *r, const float *plane, int64_t row, float *to) {
    int64_t s = job->stride, before = s / 2, width = padded_width(job), count = least_of(job->width, width - before);
    float *sums = r->plane + before, scale = 0.5f / (float)(s * s);
    memset(to, 0, job->num_columns * sizeof(float));
    memset(sums, 0, count * sizeof(float));
    for (int64_t i = 0; i < 2 * s; i++) {
        const float *from = plane + (mirrored(row * s - before + i, job->height) - job->top) * job->plane_row_stride;
        float tap = scale * (float)(i < s ? 2 * i + 1 : 4 * s - 1 - 2 * i);
        for (int64_t x = 0; x < count; x++) sums[x] += tap * from[x];
    }
    for (int64_t x = 0; x < before; x++) r->plane[x] = sums[before - x];
    for (int64_t x = count; x < width - before; x++) sums[x] = sums[2 * job->width - 2 - x];
    for (int64_t i = 0; i < 2 * s; i++) {
        float tap = scale * (float)(i < s ? 2 * i + 1 : 4 * s - 1 - 2 * i);
        for (int64_t x = 0; x < job->num_columns; x++) to[x] += tap * r->plane[x * s + i];
    }
}

static void NAME(reduce_planes)(const reduction_job *job, reduction *r, int64_t picture, int64_t row) {
    for (int64_t i = 0; i < job->num_planes; i++) {
        const float *plane = job->planes + picture * job->plane_picture_stride + i * job->plane_stride;
        float *to = r->reduced + i * job->num_columns;
        if (job->stride == 1)
            memcpy(to, plane + (row - job->top) * job->plane_row_stride, job->num_columns * sizeof(float));
        else
            NAME(reduce_plane)(job, r, plane, row, to);
    }
}

/* Whether the entries from `before` to `first` are those from `first` to `end`. */
INLINE int same_entries(const entry *before, const entry *first, const entry *end) {
    if (end - first != first - before) return 0;
    for (int64_t i = 0; i < end - first; i++)
        if (before[i].channel != first[i].channel || before[i].value != first[i].value) return 0;
    return 1;
}

/* All entries of a reduced row, from what the scratch holds of it. `row` counts through all pictures. */
static void NAME(write_row)(reduction_job *job, reduction *r, int64_t row, int above) {
    int32_t *ends = job->ends + row * (job->num_columns + 1);
    uint8_t *repeats = job->repeats + row * job->num_columns;
    entry *first = r->entries, *before = first, *to = first;
    for (int64_t x = 0; x < job->num_columns; x++) {
        ends[x] = (int32_t)(to - r->entries);
        first = to;
        if (job->labels && job->stride == 1)
            *to++ = (entry){1.0f, r->labels[x]};
        else if (job->labels)
            to = label_entries(job, r, above, x, to);
        for (int64_t i = 0; i < job->num_planes; i++) {
            float value = r->reduced[i * job->num_columns + x];
            if (value != 0) *to++ = (entry){value, (int32_t)(job->num_labels + i)};
        }
        repeats[x] = x > 0 && same_entries(before, first, to);
        before = first;
    }
    int64_t count = to - r->entries;
    ends[job->num_columns] = (int32_t)count;
    int64_t start = __atomic_fetch_add(&job->used, count, __ATOMIC_RELAXED);
    job->starts[row] = start;
    if (start + count <= job->capacity) memcpy(job->entries + start, r->entries, count * sizeof(entry));
}

static void NAME(reduce_rows)(reduction_job *job, reduction *r, int64_t picture, int64_t first, int64_t end) {
    if (job->labels && job->stride > 1) NAME(make_blocks)(job, r, picture, job->first_row + first, first % 2);
    for (int64_t row = first; row < end; row++) {
        int64_t reduced_row = job->first_row + row;
        if (job->labels && job->stride == 1) NAME(read_labels)(job, picture, reduced_row, r->labels);
        if (job->labels && job->stride > 1) NAME(make_blocks)(job, r, picture, reduced_row + 1, !(row % 2));
        NAME(reduce_planes)(job, r, picture, reduced_row);
        NAME(write_row)(job, r, picture * job->num_rows + row, row % 2);
    }
}

/* Room for everything, in one piece; 0 when there is no memory. */
static void *NAME(make_reduction)(const reduction_job *job, reduction *r) {
    int64_t width = padded_width(job), s = job->stride, blocks = job->num_columns + 1;
    size_t shares = blocks * most_labels(job, s * s) * sizeof(share), ends = (blocks + 1) * sizeof(int32_t);
    size_t entries = job->num_columns * (most_labels(job, 4 * s * s) + job->num_planes) * sizeof(entry);
    size_t sizes[] = {s * width, width, shares, shares, ends, ends, width * sizeof(float),
                      job->num_planes * job->num_columns * sizeof(float), entries};
    void **parts[] = {(void **)&r->labels, (void **)&r->mixed, (void **)&r->shares[0], (void **)&r->shares[1],
                      (void **)&r->share_ends[0], (void **)&r->share_ends[1], (void **)&r->plane,
                      (void **)&r->reduced, (void **)&r->entries};
    size_t total = 0, count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count; i++) total += (sizes[i] + 63) / 64 * 64;
    char *memory = aligned_alloc(64, total);
    if (!memory) return 0;
    for (size_t i = 0, place = 0; i < count; place += (sizes[i++] + 63) / 64 * 64) *parts[i] = memory + place;
    return memory;
}

void NAME(reduce)(reduction_job *job) {
    reduction r = {0};
    void *memory = NAME(make_reduction)(job, &r);
    if (!memory) {
        __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
        return;
    }
    int64_t per_picture = parts_of(job->num_rows, job->rows_per_item);
    for (int64_t item; (item = take(&job->work)) >= 0;) {
        int64_t first = item % per_picture * job->rows_per_item;
        NAME(reduce_rows)(job, &r, item / per_picture, first, least_of(first + job->rows_per_item, job->num_rows));
    }
    free(memory);
}
