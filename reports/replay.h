// What a traced run takes on another cluster, for people and programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/predict.h"

namespace stepcast {

struct Replay {
  std::string cluster;  ///< its name
  SimulatedStep step;
  std::vector<std::string> caveats;  ///< what is assumed and what is not carried over
};

/// The step's time and where that of the rank goes that ends last. All collectives of a trace are
/// one part: it does not say what they are for.
std::string replay_text(const Replay& replay);
nlohmann::ordered_json replay_json(const Replay& replay);

}  // namespace stepcast
