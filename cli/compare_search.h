// compare --search: the best layout of each of several clusters, instead of the layouts as written.
#pragma once

#include "cli/command.h"
#include "cli/search.h"

namespace stepcast {

/// Searches every scenario named, each of the clusters that its lists leave to choose from by
/// itself, and sets the best layouts side by side.
Answer compare_best(const ScenarioOptions& options, const SearchOptions& search);

}  // namespace stepcast
