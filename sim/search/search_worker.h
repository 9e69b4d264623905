// What a sweep's worker processes do: bound a run of layouts, bound one as tightly as can be, or
// predict one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "sim/search/layout_bound.h"
#include "sim/search/layout_space.h"
#include "sim/search/sweep_rows.h"

namespace stepcast {

struct SearchTask {
  enum class Kind { Bound, Tighten, Predict };
  Kind kind = Kind::Bound;
  std::size_t first = 0;  ///< layout
  std::size_t count = 1;
};

/// Predicts one scenario.
using LayoutPredictor = std::function<StepReport(const Scenario&)>;

class SearchWorker {
 public:
  SearchWorker(const LayoutSpace& space, LayoutPredictor predictor)
      : space_(space), predictor_(std::move(predictor)) {}

  /// To a task as bytes: std::vector<LayoutBounds> of its layouts, or the LayoutRow of its first
  /// where it is to be predicted.
  std::string answer(std::string_view task);

  LayoutBounds bound(std::size_t layout) const;
  /// The same with the analytic time, however long that takes.
  LayoutBounds tighten(std::size_t layout) const;

 private:
  LayoutRow predict(std::size_t layout) const;

  const LayoutSpace& space_;
  LayoutPredictor predictor_;
  LayoutBound& bound_of(int variant) const;

  mutable std::map<int, LayoutBound>
      bounds_;  // by variant; what its layouts share is worked out once
};

}  // namespace stepcast
