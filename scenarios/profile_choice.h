// Which profile a scenario is predicted by: the built-in one for its GPU, network and framework,
// and what is laid over it. Private to scenarios/.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/fields.h"
#include "scenarios/calibration_record.h"
#include "scenarios/scenario.h"

namespace stepcast {

void describe(Fields& f, Profile& profile);

/// Whether the scenario's profile is the one that ships for its GPU, network and framework. A part
/// that something was laid over has no name.
bool has_built_in_profile(const Scenario& scenario);

class ProfileChoice {
 public:
  /// `profile_file` is laid over every profile; empty: none.
  ProfileChoice(const std::string& profile_file, PartResolver& resolver);

  /// The profile of a scenario that has been read, `place` being its own. `calibration` is what its
  /// key of that name holds, null where it has none.
  Profile choose(const Scenario& scenario, const nlohmann::json* calibration,
                 const InputPlace& place);

  /// What a profile file of `stepcast calibrate` says of itself; null for others.
  std::shared_ptr<const CalibrationRecord> record() const { return record_; }

  /// A sentence for each part of that file that is not laid over this scenario's profile.
  std::vector<std::string> parts_left_out(const Scenario& scenario) const;

 private:
  struct Layer {
    std::shared_ptr<const nlohmann::json> json;  ///< objects at gpu, network and framework
    InputPlace place;
  };

  Layer layer_of(const nlohmann::json& written, const InputPlace& place);
  Profile read(const nlohmann::json& request, const InputPlace& place);
  nlohmann::json file_parts_for(const Scenario& scenario) const;

  PartResolver& resolver_;
  Layer file_layer_;
  std::shared_ptr<const CalibrationRecord> record_;
};

}  // namespace stepcast
