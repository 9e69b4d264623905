#include "models/recompute.h"

#include <algorithm>
#include <cmath>

namespace stepcast {

RecomputedLayers recomputed_layers(int layers, const ParallelPlan& plan) {
  if (plan.recompute != Recompute::Full) return {};
  const int stated = std::min(plan.recompute_num_layers, std::max(1, layers));
  if (!plan.recompute_method) return {layers, 1};
  switch (*plan.recompute_method) {
    case RecomputeMethod::Uniform:
      return {layers, stated};
    case RecomputeMethod::Block:
      return {std::min(stated, layers), 1};
    case RecomputeMethod::SquareRoot:
      return {layers, std::max(1, static_cast<int>(std::lround(std::sqrt(layers))))};
  }
  return {layers, 1};
}

}  // namespace stepcast
