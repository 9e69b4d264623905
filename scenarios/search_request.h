// What a sweep is asked: the scenario, the clusters to choose among, the layouts to try, what is
// best.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "scenarios/search_keys.h"

namespace stepcast {

/// One of the clusters that the scenario's lists leave to choose from.
struct SearchVariant {
  std::string name;                  ///< "nodes 4, fabric hdr_rail"; empty where there is no choice
  std::optional<Scenario> scenario;  ///< its plan and batch as written, not completed nor checked
  std::string error;                 ///< why there is no scenario
};

struct SearchRequest {
  std::string title;
  std::string file;
  SearchKeys keys;  ///< without dimensions in the file: the default ones
  std::vector<SearchVariant> variants;
};

/// Reads a file with one scenario. A variant that cannot be read is kept with its error beside the
/// others. Throws InputError where none can be, or where the goal asks for what the scenario does
/// not say (a price, training_tokens).
SearchRequest read_search(const std::string& path, const ReadOptions& options);

/// The same from JSON already in memory.
SearchRequest search_from_json(const nlohmann::json& json, const std::string& file,
                               const ReadOptions& options);

/// Everything that the answer depends on, as text: equal for the same search.
std::string fingerprint(const SearchRequest& request);

}  // namespace stepcast
