#include "base/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/contract.h"

namespace stepcast {

std::optional<double> quantile(std::vector<double> values, double share) {
  STEPCAST_REQUIRES(share >= 0 && share <= 1);
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(position));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], position - static_cast<double>(below));
}

}  // namespace stepcast
