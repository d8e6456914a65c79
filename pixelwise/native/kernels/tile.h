/* The inner product of all that is expensive: a few pixels times a few vectors of outputs, kept in registers.

       out[p][o] = bias[o] or out[p][o] + sum over i of x[p][i] * w[i][o]

   Weights lie with their output index contiguous, so a vector holds LANES outputs of one input; a pixel's input is
   broadcast. A tile of 6 pixels x 4 vectors needs 24 accumulators, 4 weights and 1 broadcast: 29 of AVX-512's 32
   registers, and per input 10 loads for 24 multiply-adds, so that the loads hide. Instruction sets with 16 registers
   take 6 pixels x 2 vectors.

   Sizes are compile-time constants wherever tile() is called. That, with the loops unrolled by hand, is what lets the
   compiler keep the array of accumulators in registers. */

#define MOST_PIXELS 6
#define MOST_VECTORS (LANES == 16 ? 4 : 2)

/* What a sum is added to, and what happens to it before it is stored. A bias is what the sum starts from; what is in
   `out` joins at the end, so that a long sum may be made of short ones, with less rounding. */
typedef enum { TO_BIAS, TO_OUT } addend;
typedef enum { LINEAR, LEAKY_RELU } activation;

INLINE void tile(int pixels, int vectors, addend to, activation then, int64_t inputs, const float *x, int64_t x_stride,
                 const float *w, int64_t w_stride, const float *bias, float *out, int64_t out_stride, float slope) {
    vector sum[MOST_PIXELS][4];
#pragma GCC unroll 6
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sum[p][v] = to == TO_BIAS ? load(bias + v * LANES) : (vector){0};
#pragma GCC unroll 1
    for (int64_t i = 0; i < inputs; i++) {
        vector weights[4];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) weights[v] = load(w + i * w_stride + v * LANES);
#pragma GCC unroll 6
        for (int p = 0; p < pixels; p++) {
            vector input = broadcast(x[p * x_stride + i]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[p][v] += input * weights[v];
        }
    }
#pragma GCC unroll 6
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            float *made = out + p * out_stride + v * LANES;
            if (to == TO_OUT) sum[p][v] += load(made);
            store(made, then == LEAKY_RELU ? leaky_relu(sum[p][v], slope) : sum[p][v]);
        }
}

/* A few outputs, such as colours, whose weights would fill a part of a vector only: out[o][p] = bias[o] + sum over i of
   x[p][i] * columns[o][i]. A vector holds LANES inputs of a pixel, and the pixels' sums are added up across the lanes, so
   that they come out side by side. columns[o] is padded with zeros to whole vectors; of pixels and of each row of `out`
   there is room for a multiple of LANES. */
#define MOST_NARROW 4

static void NAME(narrow_product)(int64_t num_outputs, int64_t num_pixels, int64_t inputs, const float *x, int64_t x_stride,
                                 const float *columns, const float *bias, float *out, int64_t out_stride) {
    int64_t whole = inputs / LANES * LANES, stride = (inputs + LANES - 1) / LANES * LANES;
    mask rest = lanes_below(inputs - whole); /* what lies beyond may be NaN */
    for (int64_t first = 0; first < num_pixels; first += LANES)
        for (int64_t o = 0; o < num_outputs; o++) {
            const float *from = x + first * x_stride, *weights = columns + o * stride;
            vector sum[LANES];
#pragma GCC unroll 16
            for (int p = 0; p < LANES; p++) sum[p] = (vector){0};
#pragma GCC unroll 1
            for (int64_t i = 0; i < whole; i += LANES) {
                vector w = load(weights + i);
#pragma GCC unroll 16
                for (int p = 0; p < LANES; p++) sum[p] += load(from + p * x_stride + i) * w;
            }
            if (whole < inputs)
#pragma GCC unroll 16
                for (int p = 0; p < LANES; p++)
                    sum[p] += choose(rest, load(from + p * x_stride + whole), (vector){0}) * load(weights + whole);
            store(out + o * out_stride + first, sums_of(sum) + bias[o]);
        }
}

/* Tiles over any number of outputs (w_stride of them, a multiple of LANES), for a fixed number of pixels. */
INLINE void tile_outputs(int pixels, addend to, activation then, int64_t inputs, const float *x, int64_t x_stride,
                         const float *w, int64_t w_stride, const float *bias, float *out, int64_t out_stride,
                         float slope) {
    int64_t o = 0;
#define TILE(vectors) \
    tile(pixels, vectors, to, then, inputs, x, x_stride, w + o, w_stride, bias + o, out + o, out_stride, slope)
    for (; o + MOST_VECTORS * LANES <= w_stride; o += MOST_VECTORS * LANES) TILE(MOST_VECTORS);
    int64_t rest = (w_stride - o) / LANES;
    if (rest == 3) TILE(3);
    if (rest == 2) TILE(2);
    if (rest == 1) TILE(1);
#undef TILE
}

INLINE void tile_pixels(addend to, activation then, int64_t num_pixels, int64_t inputs, const float *x,
                        int64_t x_stride, const float *w, int64_t w_stride, const float *bias, float *out,
                        int64_t out_stride, float slope) {
    while (num_pixels > 0) {
        int64_t pixels;
#define TILES(count) \
    tile_outputs(pixels = count, to, then, inputs, x, x_stride, w, w_stride, bias, out, out_stride, slope)
        if (num_pixels >= 6 && num_pixels != 8)
            TILES(6);
        else if (num_pixels >= 4)
            TILES(4);
        else if (num_pixels >= 2)
            TILES(2);
        else
            TILES(1);
#undef TILES
        num_pixels -= pixels, x += pixels * x_stride, out += pixels * out_stride;
    }
}

/* The product of any number of pixels with any number of outputs, w_stride of them, a multiple of LANES. Not inline:
   every kind of it is a page of unrolled code. `slope` is read for LEAKY_RELU, `bias` for TO_BIAS. */
static void NAME(product)(addend to, activation then, int64_t num_pixels, int64_t inputs, const float *x,
                          int64_t x_stride, const float *w, int64_t w_stride, const float *bias, float *out,
                          int64_t out_stride, float slope) {
#define KIND(to, then) \
    tile_pixels(to, then, num_pixels, inputs, x, x_stride, w, w_stride, bias, out, out_stride, slope)
    if (to == TO_OUT)
        KIND(TO_OUT, LINEAR);
    else if (then == LINEAR)
        KIND(TO_BIAS, LINEAR);
    else
        KIND(TO_BIAS, LEAKY_RELU);
#undef KIND
}
