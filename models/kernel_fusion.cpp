#include "models/kernel_fusion.h"

namespace stepcast {
namespace {

constexpr double kMlpElements = 4.0;   // of the MLP for each of the hidden state
constexpr double kOtherKernels = 5.0;  // four GEMMs and the attention core, in any case

// Two norms, two residuals and the activation; with RMSNorm a rotary embedding.
struct Count {
  double bytes;
  double kernels;
};
constexpr Count kPlainFused{2 * 4 + 2 * 7 + kMlpElements * 4, 5};
constexpr Count kPlainUnfused{2 * 4 + 2 * (4 + 5 + 6) + kMlpElements * (4 + 4), 2 + 2 * 3 + 2};
constexpr Count kGatedFused{2 * 4 + 4 + 2 * 6 + kMlpElements * 6, 6};
constexpr Count kGatedUnfused{2 * 30 + 20 + 2 * 6 + kMlpElements * 10, 2 * 6 + 5 + 2 + 2};

}  // namespace

bool fuses_kernels(const WorkContext& c) {
  return c.job.runtime.kernel_fusion.value_or(c.framework.kernels.fused_elementwise);
}

FusionFactors fusion_factors(const WorkContext& c) {
  const bool habit = c.framework.kernels.fused_elementwise;
  if (fuses_kernels(c) == habit) return {1.0, 1.0, 1.0};
  const bool gated = c.job.model.gated_mlp;
  const Count& fused = gated ? kGatedFused : kPlainFused;
  const Count& unfused = gated ? kGatedUnfused : kPlainUnfused;
  const Count& now = habit ? unfused : fused;
  const Count& before = habit ? fused : unfused;
  return {now.bytes / before.bytes, now.kernels / before.kernels,
          (kOtherKernels + now.kernels) / (kOtherKernels + before.kernels)};
}

}  // namespace stepcast
