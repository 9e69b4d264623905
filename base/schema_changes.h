// JSON Schema of changes: what is merged over an object, as a suite's run over its defaults.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace stepcast {

/// The schema of what is merged (RFC 7396) over values of `schema`, which schema_of_fields gave or
/// holds: no key is required, null takes one away, a list is replaced whole. Named parts and their
/// changes stand under `$defs` of what schema_of_fields gave, once each.
nlohmann::json schema_of_changes(nlohmann::json schema);

}  // namespace stepcast
