// The step time of one scenario under many profiles, for fits: the analytic engine's answer, with
// what does not depend on constants (places, groups, schedule order) worked out once.
#pragma once

#include <memory>
#include <optional>

#include "scenarios/scenario.h"
#include "sim/search/layout_grid.h"
#include "sim/search/layout_walk.h"

namespace stepcast {

class StepClock {
 public:
  /// `scenario` must be as read_scenarios gives it: complete and without violations.
  explicit StepClock(Scenario scenario);

  const Scenario& scenario() const { return scenario_; }

  /// The analytic engine's time with this profile in place of the scenario's.
  Seconds step_time(const Profile& profile);

 private:
  Seconds general_time(const Profile& profile) const;

  Scenario scenario_;
  PipelineShape shape_;
  LayoutGrid grid_;
  std::optional<SlotOrder> order_;
  LayoutWalk walk_;
};

}  // namespace stepcast
