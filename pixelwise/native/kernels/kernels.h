/* All kernels for one instruction set, in one translation unit. */

#include "vector.h"
#include "work.h"
#include "peak.h"
#include "tile.h"
#include "cells.h"
#include "first_layer.h"
#include "pixels.h"
#include "product.h"
#include "winograd.h"
#include "reduction.h"
#include "front.h"
#include "strided.h"
