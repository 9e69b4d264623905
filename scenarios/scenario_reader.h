// Reads scenarios from JSON, with what the command line changes in them. Private to scenarios/.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/fields.h"
#include "scenarios/catalogue.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario.h"
#include "scenarios/settings.h"

namespace stepcast {

/// The value of a key, which is taken out of the object.
std::optional<nlohmann::json> take(nlohmann::json& object, const char* key);

/// The title of a scenario that may not be readable: its own, or the file's name.
std::string title_of(const nlohmann::json& scenario, const InputPlace& place);

class ScenarioReader {
 public:
  explicit ScenarioReader(const ReadOptions& options);
  /// The same; paths in scenarios may lead into `readable` and the catalogue only.
  ScenarioReader(const ReadOptions& options, const std::string& readable);

  /// Hands over each scenario of a file as JSON.
  void for_each(const nlohmann::json& file_json, const std::string& file,
                const std::function<void(const nlohmann::json&, const InputPlace&)>& use);

  /// The scenario as written with the command line's settings.
  nlohmann::json with_settings(const nlohmann::json& written, const InputPlace& place) const;

  /// A scenario that is complete and can run. `changed` is with its settings.
  Scenario read(const nlohmann::json& changed, const InputPlace& place);
  /// The same with its plan and batch as written, neither completed nor checked.
  Scenario read_without_plan(const nlohmann::json& changed, const InputPlace& place);

 private:
  ScenarioReader(const ReadOptions& options, Catalogue catalogue);

  Scenario read_parts(nlohmann::json changed, const InputPlace& place);
  void check_fabric(const Scenario& scenario, const InputPlace& place) const;
  [[noreturn]] void refuse(const InputError& error) const;

  Catalogue catalogue_;
  Settings settings_;
  ProfileChoice profiles_;
};

}  // namespace stepcast
