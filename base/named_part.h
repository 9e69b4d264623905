// What stands at a part's key once names and `base` are followed. Private to base/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "base/input_error.h"

namespace stepcast {

/// An object to read, and where it was written.
struct SourceObject {
  std::shared_ptr<const nlohmann::json> json;
  InputPlace place;
  int name_depth = 0;                                             ///< names followed to get here
  std::map<std::string, InputPlace, std::less<>> elsewhere = {};  ///< objects of keys not from here

  /// The place of the object that `key` is written in, and of the key itself.
  InputPlace object_of(std::string_view key) const;
  InputPlace place_of(std::string_view key) const { return child_of(object_of(key), key); }
};

/// The object as it stands. `json` must outlive it.
SourceObject plain_object(const nlohmann::json& json, const InputPlace& place, int name_depth);

/// Follows a name, a `base` or neither. `value` is what is written at `place`, inside an object
/// that took `name_depth` names to reach, and must outlive the result.
SourceObject part_object(const nlohmann::json& value, const InputPlace& place,
                         std::string_view kind, int name_depth, PartResolver& resolver);

}  // namespace stepcast
