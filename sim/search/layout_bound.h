// Step times of many layouts of one job, for search: the analytic engine's answer without its
// generality. What layouts share is worked out once: grids, layer times, times of collectives.
#pragma once

#include <memory>

#include "scenarios/scenario.h"

namespace stepcast {

class LayoutBound {
 public:
  /// Model, cluster, profile and everything of the job but plan and batch come from the scenario,
  /// which must outlive this.
  explicit LayoutBound(const Scenario& scenario);
  ~LayoutBound();
  LayoutBound(LayoutBound&&) noexcept;
  LayoutBound& operator=(LayoutBound&&) noexcept;

  /// What the analytic engine gives for the folded step: a lower bound of the event engine's time.
  /// Requires a completed plan without violations that uses every GPU.
  Seconds step_time(const ParallelPlan& plan, const Batch& batch);

  /// At most step_time, in a fraction of its time: whatever a search would discard by this, it
  /// would discard by step_time.
  Seconds stage_bound(const ParallelPlan& plan, const Batch& batch);

  /// Whether step_time is cheap; else it takes the general engine some hundred times longer.
  bool is_walkable(const ParallelPlan& plan, const Batch& batch);

  /// At most the device memory of the fullest GPU: what is allocated at the peak, and what lies
  /// outside the allocator. Zero where ranks of a stage are not all alike.
  Bytes memory(const ParallelPlan& plan, const Batch& batch);

 private:
  struct Caches;
  std::unique_ptr<Caches> caches_;
};

}  // namespace stepcast
