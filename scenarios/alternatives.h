// Lists in a scenario's cluster: what a search chooses among ("nodes": [4, 8]). Private to
// scenarios/.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/input_error.h"

namespace stepcast {

/// A scenario with one of each list's elements in its place.
struct Alternative {
  std::string name;  ///< what was chosen: "nodes 4, fabric hdr_rail"; empty where nothing was
  std::shared_ptr<const nlohmann::json> scenario;
};

/// Every combination, in the order of the lists. `node`, `nodes`, `gpus_per_node` and `fabric` of
/// the cluster may be lists; `price` may be one where `node` is: each node's own. Throws InputError
/// where a list is empty or names something twice.
std::vector<Alternative> alternatives_of(const nlohmann::json& scenario, const InputPlace& place);

/// Throws InputError where there are lists: who predicts one scenario cannot choose.
void refuse_alternatives(const nlohmann::json& scenario, const InputPlace& place);

/// Lets lists stand in a scenario's JSON Schema where they may.
void allow_alternatives(nlohmann::json& scenario_schema);

}  // namespace stepcast
