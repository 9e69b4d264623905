// What a layout is worth to a search. Less is better throughout, and everything here grows with
// time and memory, so that lower bounds of both give a lower bound of the worth.
#pragma once

#include <cstddef>
#include <vector>

#include "scenarios/scenario.h"
#include "scenarios/search_keys.h"

namespace stepcast {

/// What is judged of a layout: as predicted, or lower bounds of it.
struct LayoutFigures {
  Seconds step_time;
  Bytes memory;  ///< device memory of the fullest GPU
  double oom_probability = 0;
};

/// One number for each of the goal's objectives. `scenario` is the layout's or one that differs
/// from it in the plan only.
std::vector<double> costs(const SearchGoal& goal, const Scenario& scenario, const Batch& batch,
                          const LayoutFigures& figures);

/// Whether memory, deadline and money allow the layout. False for lower bounds: then they do not
/// allow it.
bool is_allowed(const SearchGoal& goal, const Scenario& scenario, const Batch& batch,
                const LayoutFigures& figures);
bool fits(const SearchGoal& goal, double oom_probability);

/// Layouts that no other beats in every objective.
class Front {
 public:
  struct Member {
    std::size_t layout = 0;
    std::vector<double> costs;
  };

  /// Whether a member is as good or better in every objective. One that is better by less than
  /// 1e-9 counts as no better: bounds are right to rounding only.
  bool covers(const std::vector<double>& costs) const;
  /// Takes the layout in, and out whom it beats, unless it is covered.
  void add(std::size_t layout, const std::vector<double>& costs);

  /// By the first objective, best first.
  const std::vector<Member>& members() const { return members_; }

 private:
  std::vector<Member> members_;
};

}  // namespace stepcast
