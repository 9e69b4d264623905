#include "base/named_part.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/field_values.h"
#include "base/json_excerpt.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr int deepest_names = 8;

SourceObject named(const std::string& name, const InputPlace& place, std::string_view kind,
                   int name_depth, PartResolver& resolver) {
  if (name_depth == deepest_names) {
    throw InputError(place,
                     fmt::format("parts name further parts more than {} deep", deepest_names),
                     fmt::format("does {} name itself?", excerpt(name)));
  }
  const PartResolver::Part part = resolver.resolve(kind, name, place);
  SourceObject object = part_object(*part.json, {part.file, ""}, kind, name_depth + 1, resolver);
  if (object.json.get() == part.json.get()) object.json = part.json;  // keeps it alive
  return object;
}

/// An object over a name changes what the name stands for: RFC 7396 alone would replace it.
void keep_inner_names(const json& base, json& changes) {
  for (const auto& [key, change] : changes.items()) {
    const auto name = base.find(key);
    if (name == base.end() || !name->is_string()) continue;
    if (change.is_object() && !change.contains("base")) change["base"] = *name;
  }
}

/// `base` with the keys of `changes` merged over it.
SourceObject merged(const SourceObject& base, json changes, const InputPlace& place) {
  changes.erase("base");
  keep_inner_names(*base.json, changes);
  SourceObject result{nullptr, place, base.name_depth};
  for (const auto& [key, value] : base.json->items()) {
    if (!changes.contains(key)) result.elsewhere.emplace(key, base.object_of(key));
  }
  json object = *base.json;
  object.merge_patch(changes);
  result.json = std::make_shared<const json>(std::move(object));
  return result;
}

}  // namespace

InputPlace SourceObject::object_of(std::string_view key) const {
  const auto other = elsewhere.find(key);
  return other == elsewhere.end() ? place : other->second;
}

SourceObject plain_object(const json& json, const InputPlace& place, int name_depth) {
  check_object(json, place);
  const std::shared_ptr<const nlohmann::json> not_owned(std::shared_ptr<void>(), &json);
  return {not_owned, place, name_depth};
}

SourceObject part_object(const json& value, const InputPlace& place, std::string_view kind,
                         int name_depth, PartResolver& resolver) {
  if (value.is_string()) {
    return named(value.get<std::string>(), place, kind, name_depth, resolver);
  }
  if (!value.is_object()) {
    throw InputError(place,
                     fmt::format("found {}, expected a name or an object", found_text(value)));
  }
  const auto base = value.find("base");
  if (base == value.end()) return plain_object(value, place, name_depth);
  const InputPlace base_place = child_of(place, "base");
  std::string name;
  read_value(*base, base_place, {}, name);
  return merged(named(name, base_place, kind, name_depth, resolver), value, place);
}

}  // namespace stepcast
