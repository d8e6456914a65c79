/* The kernels for processors with AVX2 and FMA: 8 floats at once. */

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define LANES 8
#define NAME(function) function##_avx2
#define MAXIMUM(a, b) (vector)_mm256_max_ps((__m256)(a), (__m256)(b)) /* NaN stays NaN where both are */
#include <immintrin.h>
#include "kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
