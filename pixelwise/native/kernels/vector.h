/* Vectors of LANES floats, by the compiler's vector extensions: the same source for AVX-512, AVX2, NEON and SSE2.

   A file for one instruction set defines LANES and NAME(), then includes the kernels; see avx512.c. Everything here is
   static and inline, so that nothing compiled for one instruction set is ever called by another. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));

INLINE vector load(const float *from) {
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float *to, vector v) { memcpy(to, &v, sizeof v); }

INLINE vector broadcast(float value) { return value - (vector){0}; }

/* yes where the mask is set, no elsewhere; C has no ?: for vectors. */
INLINE vector choose(mask where, vector yes, vector no) {
    return (vector)(((mask)yes & where) | ((mask)no & ~where));
}

#ifndef MAXIMUM
#define MAXIMUM(a, b) choose((a) > (b), a, b)
#endif

INLINE vector leaky_relu(vector v, float slope) {
    return slope <= 1 ? MAXIMUM(v, v * slope) : choose(v > 0, v, v * slope);
}

/* The first `count` lanes. */
INLINE mask lanes_below(int64_t count) {
    mask lane;
    for (int32_t i = 0; i < LANES; i++) lane[i] = i;
    return lane < (int32_t)count;
}

/* e to the power of v, for -80 <= v <= 80, within 2 units in the last place: 2^n times a polynomial of what is left. */
INLINE vector exponential(vector v) {
    const float log2_e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const float to_integer = 12582912.0f; /* 1.5 * 2^23: adding it leaves a rounded integer in the low bits */
    vector shifted = v * log2_e + to_integer, n = shifted - to_integer;
    vector r = v - n * ln2_high - n * ln2_low;
    vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    mask power = (mask)shifted << 23;
    return (vector)((mask)p + power);
}

/* tanh, within 2e-7; NaN stays NaN. */
INLINE vector hyperbolic_tangent(vector v) {
    const vector far = broadcast(10.0f); /* where it is 1 in float32 */
    vector clamped = choose(v > far, far, choose(v < -far, -far, v));
    vector tanh = 1.0f - 2.0f / (exponential(2.0f * clamped) + 1.0f);
    return choose(v == v, tanh, v);
}

/* Numbers of a and b in turns: of their lower halves, or of their upper ones. */
#if LANES == 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif LANES == 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#endif

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#endif

/* The sum of each of LANES vectors, which are overwritten. Interleaved, two vectors are added up at once, each to half of
   the lanes, and so on. */
INLINE vector sums_of(vector v[LANES]) {
#pragma GCC unroll 5
    for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < half; i++) v[i] = SHUFFLE(v[i], v[i + half], LOW) + SHUFFLE(v[i], v[i + half], HIGH);
    return v[0];
}
