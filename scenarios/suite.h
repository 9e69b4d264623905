// Files that hold several scenarios: defaults, and runs that are merged over them. Private to
// scenarios/.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/fields.h"

namespace stepcast {

/// Whether the file is a suite rather than a scenario.
bool is_suite(const nlohmann::json& file);

/// Hands over each run of a suite, the defaults merged under it (RFC 7396), as a scenario that
/// stands at /runs/N. Throws InputError where anything but a run is wrong.
void for_each_run(const nlohmann::json& suite, const InputPlace& place, PartResolver& resolver,
                  const std::function<void(const nlohmann::json&, const InputPlace&)>& use);

/// The key `schema` of a file: the version of its format, which is 1.
void describe_schema_version(Fields& f);

}  // namespace stepcast
