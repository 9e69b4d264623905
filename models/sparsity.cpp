#include "models/sparsity.h"

namespace stepcast {
namespace {

constexpr double kWeight = 2.0;
constexpr double kMask = 1.0 / 8.0;
constexpr double kSparseTensorCores = 1.6;

// Half of the values and an index of 2 bits for each.
constexpr double kCompressed = (kWeight + 2.0 / 8.0) / 2.0;

bool two_of_four(const TrainingJob& job) {
  return job.sparsity && job.sparsity->pattern == SparsityPattern::TwoOfFour;
}

double copies_bytes(const TrainingJob& job) { return two_of_four(job) ? 2.0 * kCompressed : 0.0; }

}  // namespace

double sparse_speed_up(GemmPass pass, const TrainingJob& job) {
  return two_of_four(job) && pass != GemmPass::WeightGradient ? kSparseTensorCores : 1.0;
}

double mask_bytes(const TrainingJob& job) { return job.sparsity ? kMask + copies_bytes(job) : 0.0; }

double mask_traffic_bytes(const TrainingJob& job) {
  if (!job.sparsity) return 0.0;
  const double applied = kWeight + kMask + kWeight + copies_bytes(job);
  const double chosen = kWeight + kMask;
  return applied + chosen / job.sparsity->mask_update_interval;
}

}  // namespace stepcast
