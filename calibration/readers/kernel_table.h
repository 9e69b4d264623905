// Tables of measured kernels in CSV: matrix products, fused attention and memory-bound kernels.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/gemm.h"
#include "models/kernels.h"

namespace stepcast {

struct MeasuredGemm {
  GemmShape shape;
  Precision precision = Precision::Bf16;
  GemmPass pass = GemmPass::Forward;
};

enum class AttentionPass { Forward, Backward, Both };

struct MeasuredAttention {
  AttentionShape shape;
  AttentionKernel kernel = AttentionKernel::Flash2;
  AttentionPass pass = AttentionPass::Forward;
};

struct MeasuredTraffic {
  Bytes traffic;  ///< reads plus writes
};

struct MeasuredKernel {
  std::variant<MeasuredGemm, MeasuredAttention, MeasuredTraffic> kernel;
  Seconds time;
  int line = 0;  ///< of the file, from 1
};

/// Columns, in any order, with one of `time_us`, `latency_us`, `time_ms`, `time_s`:
///
///   products   `m`, `n`, `k`; `batch`, `precision` and `pass` (forward, input_gradient,
///              weight_gradient) where they are not 1, bf16 and forward
///   attention  `attention` (flash1, flash2, flash3), `micro_batch`, `heads`, `head_size`,
///              `sequence_length`; `groups`, `causal` (0 or 1) and `pass` (forward, backward, both)
///              where they are not `heads`, 1 and forward
///   others     `bytes`
///
/// Further columns are not looked at. Throws InputError with the line where a cell holds no number
/// or no known word, and where columns lack.
std::vector<MeasuredKernel> parse_kernel_table(std::string_view text, const std::string& file);
std::vector<MeasuredKernel> read_kernel_table(const std::string& file);

}  // namespace stepcast
