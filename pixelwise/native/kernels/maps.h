/* What is asked of maps of labels and of instances before anything is computed of them: labels as bytes, which of them
   there are, and where instances meet. An item of work is some rows of a picture.

   Bytes may alias anything, so loops over them read and write through restricted pointers, or they stay scalar. */

#define MAP_BLOCK 64 /* labels that are mostly all the same */

typedef struct {
    work work;       /* pictures x runs of rows_per_item rows */
    const void *ids; /* [picture][row][column], integers of so many bytes */
    int64_t id_bytes, picture_stride, row_stride; /* strides in elements */
    int64_t height, width, rows_per_item;
    void *out; /* label_bytes: [picture][row][column] bytes; label_occurrences: [256] bytes; instance_edges: floats */
    int64_t num_labels;
    int32_t unknown_label;
} map_job;

/* Some rows of a picture; none when there is no work left. */
typedef struct {
    int64_t picture, start, stop;
} map_rows;

INLINE map_rows take_rows(map_job *job) {
    int64_t per_picture = parts_of(job->height, job->rows_per_item), item = take(&job->work);
    if (item < 0) return (map_rows){0, 0, 0};
    int64_t start = item % per_picture * job->rows_per_item;
    return (map_rows){item / per_picture, start, least_of(start + job->rows_per_item, job->height)};
}

INLINE const void *ids_at(const map_job *job, int64_t picture, int64_t row) {
    return (const char *)job->ids + (picture * job->picture_stride + row * job->row_stride) * job->id_bytes;
}

INLINE int64_t made_at(const map_job *job, int64_t picture, int64_t row) { return (picture * job->height + row) * job->width; }

/* to[x] = from[x] for labels of an unsigned type, in which a negative one is large; whether some label is not known. */
#define LABEL_BYTES(type)                                                                                        \
    INLINE int label_bytes_of_##type(const type *restrict from, int64_t count, int64_t num_labels, uint8_t *restrict to) { \
        type all = 0;                                                                                            \
        uint8_t most = 0;                                                                                        \
        for (int64_t x = 0; x < count; x++) to[x] = (uint8_t)from[x], all |= from[x];                            \
        for (int64_t x = 0; x < count; x++) most = to[x] > most ? to[x] : most;                                  \
        return all > 255 || most >= num_labels;                                                                  \
    }
LABEL_BYTES(uint16_t)
LABEL_BYTES(uint32_t)
LABEL_BYTES(uint64_t)
#undef LABEL_BYTES

void NAME(label_bytes)(map_job *job) {
    for (map_rows rows; (rows = take_rows(job)).stop;)
        for (int64_t y = rows.start; y < rows.stop; y++) {
            const void *from = ids_at(job, rows.picture, y);
            uint8_t *to = (uint8_t *)job->out + made_at(job, rows.picture, y);
            int unknown = job->id_bytes == 2   ? label_bytes_of_uint16_t(from, job->width, job->num_labels, to)
                          : job->id_bytes == 4 ? label_bytes_of_uint32_t(from, job->width, job->num_labels, to)
                                               : label_bytes_of_uint64_t(from, job->width, job->num_labels, to);
            if (unknown) __atomic_store_n(&job->unknown_label, 1, __ATOMIC_RELAXED);
        }
}

INLINE void mark_labels(const uint8_t *restrict row, int64_t count, uint8_t *restrict seen) {
    int64_t x = 0;
    for (; x + MAP_BLOCK <= count; x += MAP_BLOCK) {
        uint8_t first = row[x], differences = 0;
        for (int i = 0; i < MAP_BLOCK; i++) differences |= row[x + i] ^ first;
        seen[first] = 1;
        if (differences)
            for (int i = 1; i < MAP_BLOCK; i++) seen[row[x + i]] = 1;
    }
    for (; x < count; x++) seen[row[x]] = 1;
}

void NAME(label_occurrences)(map_job *job) {
    uint8_t seen[256] = {0};
    for (map_rows rows; (rows = take_rows(job)).stop;)
        for (int64_t y = rows.start; y < rows.stop; y++) mark_labels(ids_at(job, rows.picture, y), job->width, seen);
    for (int label = 0; label < 256; label++)
        if (seen[label]) __atomic_store_n((uint8_t *)job->out + label, 1, __ATOMIC_RELAXED);
}

/* 1 where a pixel differs from one of the four beside it, otherwise 0. Beyond the border there is none: `above` or
   `below` may be the row itself. */
#define EDGES(type)                                                                                                     \
    INLINE void edges_of_##type(const type *restrict above, const type *restrict row, const type *restrict below,       \
                                int64_t width, float *restrict to) {                                                    \
        for (int64_t x = 0; x < width; x++) to[x] = (row[x] != above[x]) | (row[x] != below[x]) ? 1.0f : 0.0f;          \
        for (int64_t x = 1; x < width; x++) to[x] = row[x] != row[x - 1] ? 1.0f : to[x];                                \
        for (int64_t x = 0; x + 1 < width; x++) to[x] = row[x] != row[x + 1] ? 1.0f : to[x];                            \
    }
EDGES(uint8_t)
EDGES(uint16_t)
EDGES(uint32_t)
EDGES(uint64_t)
#undef EDGES

void NAME(instance_edges)(map_job *job) {
    for (map_rows rows; (rows = take_rows(job)).stop;)
        for (int64_t y = rows.start; y < rows.stop; y++) {
            const void *row = ids_at(job, rows.picture, y);
            const void *above = y ? ids_at(job, rows.picture, y - 1) : row;
            const void *below = y + 1 < job->height ? ids_at(job, rows.picture, y + 1) : row;
            float *to = (float *)job->out + made_at(job, rows.picture, y);
            if (job->id_bytes == 1)
                edges_of_uint8_t(above, row, below, job->width, to);
            else if (job->id_bytes == 2)
                edges_of_uint16_t(above, row, below, job->width, to);
            else if (job->id_bytes == 4)
                edges_of_uint32_t(above, row, below, job->width, to);
            else
                edges_of_uint64_t(above, row, below, job->width, to);
        }
}
