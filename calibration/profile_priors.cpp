#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/contract.h"
#include "calibration/profile_fit.h"
#include "models/profile_constants.h"
#include "scenarios/catalogue.h"

namespace stepcast {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kinds{"gpu", "network", "framework"};

struct ProfileName {
  std::string kind;
  std::string name;
};

ProfileName split(const std::string& profile, const InputPlace& place) {
  const std::size_t slash = profile.find('/');
  const std::string kind = profile.substr(0, slash);
  const bool known = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  if (!known || slash == std::string::npos) {
    throw InputError(child_of(place, profile),
                     "a profile is named gpu/NAME, network/NAME or "
                     "framework/NAME");
  }
  return {kind, profile.substr(slash + 1)};
}

// Paths of the constants that are written, in their order.
void list_constants(const json& object, const std::string& path, std::vector<std::string>& paths) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) continue;
    const std::string inner = path.empty() ? key : path + "/" + key;
    if (value.contains("value")) {
      paths.push_back(inner);
    } else {
      list_constants(value, inner, paths);
    }
  }
}

template <class Part>
std::vector<ProfilePrior> read_part(const json& changes, const std::string& profile,
                                    const ProfileName& name, const InputPlace& place,
                                    Catalogue& catalogue) {
  json request = {{profile, changes}};
  request[profile]["base"] = name.name;
  Part part;
  read_fields(request, place, catalogue, [&](Fields& f) {
    f.part(profile, "profiles/" + name.kind, part.name, [&](Fields& g) { describe(g, part); }, {});
  });
  std::vector<std::string> paths;
  list_constants(changes, "", paths);
  std::vector<ProfilePrior> priors;
  for (const ConstantRef& constant : constants_of(part)) {
    if (std::find(paths.begin(), paths.end(), constant.path()) == paths.end()) continue;
    priors.push_back(
        {profile, constant.path(), constant.value(), constant.spread(), constant.fitted_to()});
  }
  return priors;
}

std::vector<ProfilePrior> read_profile(const json& changes, const std::string& profile,
                                       const InputPlace& place, Catalogue& catalogue) {
  const ProfileName name = split(profile, place);
  if (!changes.is_object()) {
    throw InputError(child_of(place, profile), "the priors of a profile are an object");
  }
  if (name.kind == "gpu") {
    return read_part<GpuProfile>(changes, profile, name, place, catalogue);
  }
  if (name.kind == "network") {
    return read_part<NetworkProfile>(changes, profile, name, place, catalogue);
  }
  return read_part<FrameworkProfile>(changes, profile, name, place, catalogue);
}

}  // namespace

std::vector<ProfilePrior> read_priors(const std::string& file) {
  const json all = read_json_file(file);
  const InputPlace place{file, ""};
  if (!all.is_object()) throw InputError(place, "priors are an object of profiles");
  Catalogue catalogue(catalogue_folder());
  std::vector<ProfilePrior> priors;
  for (const auto& [profile, changes] : all.items()) {
    if (profile == "source" || profile == "comment") continue;
    for (ProfilePrior& prior : read_profile(changes, profile, place, catalogue)) {
      if (prior.spread <= 0 || prior.value <= 0) {
        throw InputError(child_of(place, profile),
                         "the prior of " + prior.constant + " needs a value and a spread above 0");
      }
      priors.push_back(std::move(prior));
    }
  }
  return priors;
}

}  // namespace stepcast
