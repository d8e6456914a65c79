/* The kernels for processors with AVX-512: 16 floats at once. */

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#endif

#define LANES 16
#define NAME(function) function##_avx512
#define MAXIMUM(a, b) (vector)_mm512_max_ps((__m512)(a), (__m512)(b)) /* NaN stays NaN where both are */
#include <immintrin.h>
#include "kernels.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
