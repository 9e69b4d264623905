// Scenarios that come from elsewhere than the user's own files, such as a page in a browser: what
// they name may be read from one folder and the catalogue only.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

/// A scenario of a file as it is written; a suite's run with the suite's defaults merged under it.
struct WrittenScenario {
  std::string title;
  std::string json;
};

/// The scenarios of a path (a file, a suite or a folder of them), in order, unread. Throws
/// InputError where a file is no JSON.
std::vector<WrittenScenario> written_scenarios(const std::string& path);

/// Reads one scenario as if its text stood in a file of `folder`. Throws InputError as
/// read_scenarios does, and where it, or a part that it names, names a path that leads out of
/// `folder`, links followed. The place of an error in the text itself has no file.
Scenario read_confined(std::string_view text, const std::string& folder);

}  // namespace stepcast
