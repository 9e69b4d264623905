// Values of models/ read from JSON text or from the catalogue, without named parts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/fields.h"
#include "models/training_job.h"

namespace stepcast {

class NoParts : public PartResolver {
 public:
  Part resolve(std::string_view, const std::string& name, const InputPlace& from) override {
    throw InputError(from, "no part named " + name);
  }
};

template <class Value>
Value read_value(const nlohmann::json& json, const std::string& file = "x.json") {
  NoParts parts;
  Value value;
  read_fields(json, {file, ""}, parts, [&](Fields& f) { describe(f, value); });
  return value;
}

template <class Value>
Value read_text(const std::string& json) {
  return read_value<Value>(parse_json(json, "x.json"));
}

/// A file that names a base holds what differs from it.
inline nlohmann::json catalogue_json(const std::string& kind, const std::string& name) {
  nlohmann::json json = read_json_file("scenarios/catalogue/" + kind + "/" + name + ".json");
  if (!json.contains("base")) return json;
  nlohmann::json whole = catalogue_json(kind, json["base"]);
  json.erase("base");
  whole.merge_patch(json);
  return whole;
}

template <class Value>
Value from_catalogue(const std::string& kind, const std::string& name) {
  return read_value<Value>(catalogue_json(kind, name), kind + "/" + name);
}

inline TrainingJob read_settings(const std::string& json) {
  NoParts parts;
  TrainingJob job;
  read_fields(parse_json(json, "x.json"), {"x.json", ""}, parts,
              [&](Fields& f) { describe_settings(f, job); });
  return job;
}

}  // namespace stepcast
