// The best of all layouts, with proof: branch and bound over a layout space.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "sim/search/layout_space.h"
#include "sim/search/rank_crew.h"
#include "sim/search/sweep_database.h"
#include "sim/search/sweep_rows.h"

namespace stepcast {

/// How far a sweep is.
struct SweepProgress {
  bool bounding = true;        ///< false: the layouts that no bound rules out are predicted
  std::size_t done = 0;        ///< of this phase
  std::size_t total = 0;       ///< of this phase; predicting, as many as the best so far leaves
  std::optional<double> best;  ///< least cost so far by the first objective
  double bound = 0;            ///< what no layout can beat
};

struct SweepControl {
  std::function<bool()> stop = [] { return false; };  ///< asked often; true ends the sweep early
  std::function<void(const SweepProgress&)> progress = [](const SweepProgress&) {};
};

/// Every valid layout is in one of the five counts, unless the sweep was stopped.
struct SweepResult {
  std::size_t valid = 0;
  std::size_t not_allowed = 0;  ///< bounds rule them out by memory, deadline or money
  std::size_t bounded = 0;      ///< bounds show that they cannot be best
  std::size_t certified = 0;    ///< predicted by the analytic engine, which no contention corrects
  std::size_t simulated = 0;    ///< predicted by the event engine
  std::size_t failed = 0;       ///< neither bounded nor predicted: their rows say why
  bool proven = false;
  /// Where it is not proven: what may be missed, as a share of the best layout's cost. None where
  /// there is no best layout or no bound.
  std::optional<double> gap;
  std::vector<LayoutRow> rows;  ///< of the layouts that were predicted or failed, by bound
  Front front;                  ///< of the allowed ones: the best one, or the Pareto front
};

/// Layouts in the order of their lower bounds, until the next bound is no better than the best
/// layout (for two objectives: until none is left whose bounds no layout on the front beats). What
/// counts as predicted does not depend on how many work on it or when they answer: answers are
/// taken in order, and one that those before it make needless is dropped.
SweepResult sweep(const LayoutSpace& space, RankCrew& crew, SweepDatabase& database,
                  const SweepControl& control);

}  // namespace stepcast
