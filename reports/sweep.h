// The answer of a sweep, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "reports/prediction.h"
#include "sim/search/sweep.h"

namespace stepcast {

struct SweepAnswer {
  const LayoutSpace* space = nullptr;
  SweepResult result;
  std::vector<Prediction> front;  ///< the best layout, then the others on the front
  Seconds wall_time;
};

/// The best layout and how it was proven to be best, the Pareto front, the layouts that come next,
/// and the best one's prediction in full. `rows`: every layout that was predicted.
std::string sweep_text(const SweepAnswer& answer, bool rows);

/// `layouts_*`, `proven`, `gap`, `best` (a result with its `scenario`), `pareto`, and on request
/// `rows`. Base units.
nlohmann::ordered_json sweep_json(const SweepAnswer& answer, bool rows);

/// The layouts that were predicted, best first, then those that are not allowed, then those that
/// failed.
std::vector<LayoutRow> ranked_rows(const LayoutSpace& space, const std::vector<LayoutRow>& rows);

nlohmann::ordered_json sweep_rows_json(const SweepAnswer& answer);
std::string sweep_rows_csv(const SweepAnswer& answer);
/// JSON lines: one object for each row.
std::string sweep_rows_jsonl(const SweepAnswer& answer);

/// "the best of 21,504 layouts is proven" or how far it may be from the best: one sentence.
std::string proof_sentence(const SweepResult& result);

/// The clusters that a search left out or could not read, a line each.
std::vector<std::string> variant_notes(const LayoutSpace& space);

}  // namespace stepcast
