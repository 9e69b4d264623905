// The peak memory of one scenario under many profiles, for fits: no engine runs, since a peak does
// not depend on when things happen.
#pragma once

#include "scenarios/scenario.h"
#include "sim/search/layout_grid.h"
#include "sim/step_report.h"

namespace stepcast {

class MemoryGauge {
 public:
  /// `scenario` must be as read_scenarios gives it: complete and without violations.
  explicit MemoryGauge(Scenario scenario);

  /// The stage whose peak of this kind a figure of that place gives, without instants. What is
  /// reserved is worked out only where the kind asks for it.
  StageMemory peak_stage(const Profile& profile, MemoryKind kind, MemoryPlace place) const;

 private:
  Scenario scenario_;
  LayoutGrid grid_;
};

/// The peak with its uncertain tensors and without them.
struct PeakCases {
  Bytes with;
  Bytes without;
  double likelihood = 0;  ///< of the former
};
PeakCases peak_cases(const StageMemory& stage, MemoryKind kind);

}  // namespace stepcast
