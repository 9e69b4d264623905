#include "scenarios/import/foreign_object.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace stepcast {

using nlohmann::json;

ForeignObject::ForeignObject(const json& object, InputPlace place)
    : object_(&object),
      place_(std::move(place)),
      taken_(std::make_shared<std::set<std::string>>()) {
  if (!object.is_object()) throw InputError(place_, "expected an object");
}

InputPlace ForeignObject::place_of(std::string_view key) const { return child_of(place_, key); }

ForeignObject::Found ForeignObject::find(Names names) {
  Found first;
  for (const char* name : names) {
    const auto found = object_->find(name);
    if (found == object_->end()) continue;
    taken_->insert(place_of(name).pointer);
    if (first.value == nullptr && !found->is_null()) first = {name, &*found};
  }
  return first;
}

void ForeignObject::refuse(const Found& found, const char* expected) const {
  throw InputError(place_of(found.name), fmt::format("found {}, expected {}",
                                                     found.value->dump().substr(0, 60), expected));
}

std::optional<int> ForeignObject::count(Names names) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  const bool whole = found.value->is_number_integer();
  const auto number = whole ? found.value->get<std::int64_t>() : -1;
  if (number < 0 || number > std::numeric_limits<int>::max()) refuse(found, "a whole number");
  return static_cast<int>(number);
}

int ForeignObject::required_count(Names names) {
  const std::optional<int> number = count(names);
  const char* name = names.begin()[0];
  if (!number) throw InputError(place_, fmt::format("\"{}\" is missing", name));
  if (*number < 1) throw InputError(place_of(name), "found 0, expected at least 1");
  return *number;
}

std::optional<double> ForeignObject::number(Names names) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  if (!found.value->is_number()) refuse(found, "a number");
  return found.value->get<double>();
}

std::optional<bool> ForeignObject::flag(Names names) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  if (!found.value->is_boolean()) refuse(found, "true or false");
  return found.value->get<bool>();
}

std::optional<std::string> ForeignObject::text(Names names) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  if (!found.value->is_string()) refuse(found, "text");
  return found.value->get<std::string>();
}

std::optional<ForeignObject> ForeignObject::object(const char* name) {
  const Found found = find({name});
  if (found.value == nullptr) return std::nullopt;
  ForeignObject inside(*found.value, place_of(name));
  inside.taken_ = taken_;
  return inside;
}

const json* ForeignObject::value(Names names) { return find(names).value; }

std::vector<std::string> ForeignObject::take(const std::set<std::string, std::less<>>& names) {
  std::vector<std::string> there;
  for (const auto& [key, unused] : object_->items()) {
    if (asked_for(place_of(key)) || names.count(key) == 0) continue;
    taken_->insert(place_of(key).pointer);
    there.push_back(key);
  }
  return there;
}

std::vector<std::string> ForeignObject::left() const {
  std::vector<std::string> names;
  collect_left(*object_, place_, "", names);
  return names;
}

void ForeignObject::collect_left(const json& object, const InputPlace& place,
                                 const std::string& path, std::vector<std::string>& names) const {
  for (const auto& [key, value] : object.items()) {
    const InputPlace at = child_of(place, key);
    if (!asked_for(at)) {
      names.push_back(path + key);
      continue;
    }
    // An object that was taken as a whole has nothing left; one that was opened may have.
    const auto opened = taken_->lower_bound(at.pointer + "/");
    const bool looked_into = opened != taken_->end() && opened->starts_with(at.pointer + "/");
    if (value.is_object() && looked_into) collect_left(value, at, path + key + ".", names);
  }
}

}  // namespace stepcast
