/* The kernels for every other processor, with what its compiler assumes by default: NEON on arm64, SSE2 on x86-64,
   plain floats elsewhere. */

#define LANES 4
#define NAME(function) function##_portable
#include "kernels.h"
