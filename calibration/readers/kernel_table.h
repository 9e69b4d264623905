// Tables of measured kernels in CSV: matrix products and memory-bound kernels.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/kernels.h"

namespace stepcast {

struct MeasuredGemm {
  GemmShape shape;
  Precision precision = Precision::Bf16;
};

struct MeasuredTraffic {
  Bytes traffic;  ///< reads plus writes
};

struct MeasuredKernel {
  std::variant<MeasuredGemm, MeasuredTraffic> kernel;
  Seconds time;
  int line = 0;  ///< of the file, from 1
};

/// Columns, in any order: `m`, `n`, `k` (with `batch` and `precision` where they are not 1 and
/// bf16) or `bytes`, and one of `time_us`, `latency_us`, `time_ms`, `time_s`. Others are not looked
/// at. Throws InputError with the line where a cell holds no number, and where columns lack.
std::vector<MeasuredKernel> parse_kernel_table(std::string_view text, const std::string& file);
std::vector<MeasuredKernel> read_kernel_table(const std::string& file);

}  // namespace stepcast
