// What moved from one prediction to another, and what that means to a planner.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "reports/prediction.h"

namespace stepcast {

/// A figure in the first and in the other prediction, in base units.
struct Move {
  double from = 0;
  double to = 0;
  double change() const { return to - from; }
  double ratio() const { return to / from; }
};

/// A part of the breakdown.
struct PartMove {
  Move seconds;
  double share = 0;  ///< of the step time's change; NaN where that is zero
  Move gpu_seconds_per_million_tokens;
};

struct FigureMove {
  std::string key;  ///< as in a result: "tokens_per_s"
  Move move;
};

struct Moved {
  std::string title;  ///< of the other prediction
  Move step_seconds;
  Move gpu_seconds_per_million_tokens;  ///< GPUs / tokens per second x 1e6
  std::array<PartMove, kNumActivities> parts;
  std::vector<FigureMove> figures;  ///< those that both predictions have
  std::string answer;               ///< one sentence: what the other gives for what it takes
};

/// `from` against `to`, which the answer calls by these names.
Moved what_moved(const StepReport& from, const StepReport& to, const std::string& from_name,
                 const std::string& to_name);

/// The first prediction against each other one. Requires at least two.
std::vector<Moved> what_moved(std::span<const Prediction> predictions);

/// How a comparison's text calls prediction `index`: A, B, C ..., from 26 on #27, #28 ...
std::string short_name(std::size_t index);

/// "scenarios" (results), "moved" (the first against each other) and "answer". Requires at least
/// two predictions.
nlohmann::ordered_json comparison_json(std::span<const Prediction> predictions);

}  // namespace stepcast
