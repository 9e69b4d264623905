// What an upgrade saves, and when it has earned what it costs to buy.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "reports/prediction.h"

namespace stepcast {

/// What is bought.
struct Purchase {
  std::string patch;  ///< the JSON merge patch that makes the scenario after of the one before
  double capital_usd = 0;
  std::optional<double> horizon_hours{};  ///< how long it is used; empty: for the training run
};

struct Payback {
  /// In an hour of training after the upgrade: what the same tokens cost before, less what they
  /// cost now. Negative where tokens became dearer.
  double usd_saved_per_hour = 0;
  std::optional<double> horizon_hours;   ///< empty: neither a horizon nor tokens to train are known
  std::optional<double> payback_hours;   ///< of training after the upgrade; empty: never
  std::optional<double> break_even_usd;  ///< the capital that the horizon's saving just pays
};

/// Requires that both reports have a cost.
Payback payback(const StepReport& before, const StepReport& after, const Purchase& purchase);

/// The figures before and after, the payback, and one closing sentence. Requires costs as above.
std::string upgrade_text(const Prediction& before, const Prediction& after,
                         const Purchase& purchase);

/// "before" and "after" (results), the purchase and its payback, and "answer"; null where there is
/// none. Requires costs as above.
nlohmann::ordered_json upgrade_json(const Prediction& before, const Prediction& after,
                                    const Purchase& purchase);

}  // namespace stepcast
