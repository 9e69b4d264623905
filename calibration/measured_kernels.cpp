#include "calibration/measured_kernels.h"

#include <fmt/format.h>

#include "base/unit_text.h"

namespace stepcast {
namespace {

// --- Times -------------------------------------------------------------------------------------

Seconds time_of(const MeasuredGemm& gemm, const Device& device) {
  return gemm_time(gemm.shape, gemm.pass, gemm.precision, device);
}

Seconds time_of(const MeasuredAttention& attention, const Device& device) {
  const auto& [shape, kernel, pass] = attention;
  Seconds time;
  if (pass != AttentionPass::Backward) {
    time += flash_attention_forward_time(shape, kernel, Precision::Bf16, device);
  }
  if (pass != AttentionPass::Forward) {
    time += flash_attention_backward_time(shape, kernel, Precision::Bf16, device);
  }
  return time;
}

Seconds time_of(const MeasuredTraffic& moved, const Device& device) {
  return memory_bound_time(moved.traffic, device);
}

// --- Names -------------------------------------------------------------------------------------

std::string name_of(const MeasuredGemm& gemm) {
  return fmt::format("{} GEMM {} x {} x {}", word(gemm.precision), gemm.shape.m, gemm.shape.n,
                     gemm.shape.k);
}

std::string name_of(const MeasuredAttention& attention) {
  const AttentionShape& shape = attention.shape;
  return fmt::format("{} {} x {} heads of {}, {} tokens", word(attention.kernel), shape.micro_batch,
                     shape.heads, shape.head_size, shape.queries);
}

std::string name_of(const MeasuredTraffic& moved) {
  return "memory-bound kernel of " + to_text(moved.traffic);
}

std::string family_of(const MeasuredGemm& gemm) {
  switch (gemm.pass) {
    case GemmPass::Forward:
      return "GEMM forward";
    case GemmPass::InputGradient:
      return "GEMM input gradient";
    case GemmPass::WeightGradient:
      break;
  }
  return "GEMM weight gradient";
}

std::string family_of(const MeasuredAttention& attention) {
  return std::string(word(attention.kernel));
}
std::string family_of(const MeasuredTraffic&) { return "memory-bound"; }

}  // namespace

Seconds kernel_time(const MeasuredKernel& kernel, const Device& device) {
  return std::visit([&](const auto& one) { return time_of(one, device); }, kernel.kernel);
}

std::string kernel_name(const MeasuredKernel& kernel) {
  return std::visit([](const auto& one) { return name_of(one); }, kernel.kernel);
}

std::string kernel_family(const MeasuredKernel& kernel) {
  return std::visit([](const auto& one) { return family_of(one); }, kernel.kernel);
}

}  // namespace stepcast
