#include "scenarios/suite.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>

#include "base/schema_changes.h"
#include "scenarios/scenario.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr int schema_version = 1;

/// The suite's own keys. What `defaults` and the runs hold is read run by run, after merging.
void describe_suite(Fields& f) {
  describe_schema_version(f);
  const auto nothing = [](Fields&) {};
  f.object("defaults", nothing, {.doc = "what the runs have in common: any keys of a scenario"});
  std::size_t runs = 0;
  f.list(
      "runs", runs, [&](std::size_t size) { runs = size; }, [](Fields&, std::size_t) {},
      {.presence = Presence::Required, .doc = "scenarios; each is merged over the defaults"});
}

/// The suite without the contents of `defaults` and `runs`.
json frame_of(const json& suite) {
  json frame = json::object();
  for (const auto& [key, value] : suite.items()) {
    const bool has_content =
        (key == "defaults" && value.is_object()) || (key == "runs" && value.is_array());
    frame[key] = has_content ? json(value.type()) : value;
  }
  return frame;
}

}  // namespace

void describe_schema_version(Fields& f) {
  int version = schema_version;
  FieldRules rules{.presence = Presence::Required, .doc = "version of the file's format"};
  if (!f.reading()) rules.at_least = rules.at_most = schema_version;
  f.field("schema", version, rules);
  if (version != schema_version) {
    f.fault("schema", fmt::format("the file's format is version {}, this program reads version {}",
                                  version, schema_version));
  }
}

bool is_suite(const json& file) {
  return file.is_object() && (file.contains("runs") || file.contains("defaults"));
}

void for_each_run(const json& suite, const InputPlace& place, PartResolver& resolver,
                  const std::function<void(const json&, const InputPlace&)>& use) {
  read_fields(frame_of(suite), place, resolver, describe_suite);
  const json defaults = suite.value("defaults", json::object());
  const InputPlace runs = child_of(place, "runs");
  if (suite["runs"].empty()) throw InputError(runs, "the suite has no runs");
  for (std::size_t i = 0; i < suite["runs"].size(); ++i) {
    json run = defaults;
    run.merge_patch(suite["runs"][i]);
    if (run.is_object()) run.emplace("schema", schema_version);  // stated once, for the whole file
    use(run, child_of(runs, i));
  }
}

json suite_schema() {
  json run = schema_of_changes(scenario_schema());
  run.erase("$schema");
  run["title"] = "one run, or what runs have in common";
  json schema = schema_of_fields(describe_suite);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Stepcast suite";
  schema["$defs"] = std::move(run["$defs"]);
  run.erase("$defs");
  schema["$defs"]["run"] = std::move(run);
  const json reference{{"$ref", "#/$defs/run"}};
  schema["properties"]["defaults"] = reference;
  schema["properties"]["runs"]["items"] = reference;
  schema["properties"]["runs"]["minItems"] = 1;
  return schema;
}

}  // namespace stepcast
