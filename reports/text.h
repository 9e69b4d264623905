// One prediction as a report for people, about 100 columns wide.
#pragma once

#include <string>

#include "reports/prediction.h"

namespace stepcast {

/// A claim agrees with the model within this share of the claimed figure.
inline constexpr double claim_tolerance = 0.1;

/// What was predicted; step time, throughput, memory, cost; where the time goes and what limits it;
/// memory by stage; claims; warnings; the engine with its settings. The same prediction gives the
/// same text: how long the engine took is not in it.
std::string text_report(const Prediction& prediction);

/// An activity as a row of a report: "tensor communication".
std::string activity_text(Activity activity);

bool agrees(const ClaimCheck& claim);

/// Which engine gave the times, and of how much it simulated.
std::string engine_text(const EngineReport& engine);
/// What its times rest on: every setting of SimGrid, or what the analytic engine leaves out.
std::string engine_note(const EngineReport& engine);

}  // namespace stepcast
