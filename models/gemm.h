// How long a matrix product runs on one GPU: tiles, split-K and waves.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "models/device.h"

namespace stepcast {

enum class GemmPass { Forward, InputGradient, WeightGradient };

/// D[m, n] = A[m, k] B[k, n], `batch` of them in one kernel.
struct GemmShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t batch = 1;
};

/// The output is cut into tiles of t_m x t_n, each of which one multiprocessor computes; all of
/// them at once are a wave. Few tiles may be split along k, the parts then added up by a further
/// kernel. Of all tiles from 256 x 128 down to 64 x 32 and splits from 1 to 24 the fastest is
/// taken:
///
///   t       = (compute^4 + memory^4)^(1/4) + launch  [+ launch where split]
///   compute = waves (2 t_m t_n k' / rate + wave)
///   waves   = w + q (ceil(w) - w),  w = max(1, batch ceil(m / t_m) ceil(n / t_n) splits /
///             multiprocessors): what a last wave leaves idle is lost in part, since fewer tiles
///             share caches, memory and power
///   rate    = share clock peak / multiprocessors  x  a / (a + a0),      a = t_m t_n / 128^2
///   k'      = k / splits in whole steps of 64 bytes
///   memory  = (operands + result [+ 8 bytes an element and split: fp32 parts out and in]) /
///             (share bandwidth)
///
/// and weight gradients, which add to fp32, are slower by their factor. Zero-size shapes take no
/// time. Persistent kernels (Hopper on) even waves out: there q is next to nothing.
/// Source of the form: NVIDIA, Matrix Multiplication Background, sections 2 to 4.
Seconds gemm_time(const GemmShape& shape, GemmPass pass, Precision precision, const Device& device);

}  // namespace stepcast
