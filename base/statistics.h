// What many numbers come to.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace stepcast {

/// The value that `share` of the values do not exceed, linear between neighbours (0 the least, 0.5
/// the median, 1 the largest). Empty where there are none. Requires 0 <= share <= 1.
std::optional<double> quantile(std::vector<double> values, double share);

inline std::optional<double> median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

}  // namespace stepcast
