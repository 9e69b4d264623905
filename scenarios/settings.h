// What the command line changes in scenarios: "--set plan/tensor_parallel=4". Private to
// scenarios/.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/input_error.h"

namespace stepcast {

/// One argument, taken apart.
struct Setting {
  std::string text;               ///< as written
  std::vector<std::string> path;  ///< keys from the scenario's root down
  std::shared_ptr<const nlohmann::json> value;
};

class Settings {
 public:
  /// Throws InputError where an argument is not PATH=VALUE or its path is no key of a scenario, and
  /// where the patch is no JSON object with keys.
  explicit Settings(const std::vector<std::string>& arguments,
                    const std::optional<std::string>& merge_patch = {});

  /// Sets the values in a scenario that stands at `place`. A named part on a path becomes an object
  /// with that name as its `base`; a value of null takes the key away. Then merges the patch.
  void apply(nlohmann::json& scenario, const InputPlace& place) const;

  /// "--set a=1 --set b=2 --to {...}"; empty where there is nothing.
  std::string text() const;

 private:
  std::vector<Setting> settings_;
  std::shared_ptr<const nlohmann::json> patch_;  ///< null: none
};

}  // namespace stepcast
