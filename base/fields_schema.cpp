// Prints the JSON Schema of a description.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/dimension.h"
#include "base/field_values.h"
#include "base/fields.h"
#include "base/schema_changes.h"

namespace stepcast {

namespace {

using nlohmann::json;

json with_bounds(json schema, const FieldRules& rules) {
  if (rules.at_least) schema["minimum"] = *rules.at_least;
  if (rules.more_than) schema["exclusiveMinimum"] = *rules.more_than;
  if (rules.at_most) schema["maximum"] = *rules.at_most;
  return schema;
}

json typed(std::string_view type) { return {{"type", type}}; }

json list_of(json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

json any_of(json choices) { return {{"anyOf", std::move(choices)}}; }

json one_of_words(std::span<const std::string_view> names) {
  return {{"type", "string"}, {"enum", names}};
}

json text_schema(std::string_view key) {
  if (key != "caveats") return typed("string");
  return any_of(json::array({typed("string"), list_of(typed("string"))}));
}

json reference(const std::string& definition) { return {{"$ref", "#/$defs/" + definition}}; }

/// Where the schema of a part stands: "profiles_gpu" of the kind "profiles/gpu".
std::string definition_of(std::string_view kind) {
  std::string name(kind);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

/// Where the schema of changes to that part stands.
std::string changes_of(const std::string& definition) { return definition + "_changes"; }

/// Bounds and patterns say nothing of a null; a list of words does.
json nullable(json schema) {
  if (schema.contains("anyOf")) {
    schema["anyOf"].push_back(typed("null"));
  } else if (schema.contains("enum")) {
    schema["enum"].push_back(nullptr);
  }
  if (schema.contains("type")) schema["type"] = json::array({schema["type"], "null"});
  return schema;
}

/// Of a part: an object over its name changes it, with a `base` or without.
json changes_of_reference(const json& schema) {
  const auto definition = schema["$ref"].get<std::string>();
  if (definition.ends_with(changes_of(""))) return schema;  // is of changes already
  json either = any_of(json::array({typed("string"), {{"$ref", changes_of(definition)}}}));
  if (schema.contains("description")) either["description"] = schema["description"];
  return either;
}

/// Changes to a part, with the `base` that is changed or, over a name, without.
json changes_of_part(const json& object) {
  json changes = schema_of_changes(object);
  changes["properties"]["base"] = typed("string");
  return changes;
}

class FieldsSchema final : public Fields {
 public:
  /// `definitions` receives the schemas of named parts, which the result refers to.
  static json of(const Describe& describe, json& definitions) {
    FieldsSchema fields(definitions);
    for (const std::string_view key : text_keys()) {
      fields.properties_[std::string(key)] = text_schema(key);
    }
    describe(fields);
    return {{"type", "object"},
            {"properties", std::move(fields.properties_)},
            {"required", std::move(fields.required_)},
            {"additionalProperties", false}};
  }

  void field(std::string_view key, int&, const FieldRules& rules) override {
    put(key, with_bounds(typed("integer"), rules), rules);
  }
  void field(std::string_view key, std::int64_t&, const FieldRules& rules) override {
    put(key, with_bounds(typed("integer"), rules), rules);
  }
  void field(std::string_view key, double&, const FieldRules& rules) override {
    put(key, with_bounds(typed("number"), rules), rules);
  }
  void field(std::string_view key, bool&, const FieldRules& rules) override {
    put(key, typed("boolean"), rules);
  }
  void field(std::string_view key, std::string&, const FieldRules& rules) override {
    put(key, typed("string"), rules);
  }
  void field(std::string_view key, Bytes& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, Seconds& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, BytesPerSecond& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, FlopPerSecond& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, Flop& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, Watts& v, const FieldRules& rules) override {
    put_quantity(key, dimension_of(v), rules);
  }
  void field(std::string_view key, std::vector<int>&, const FieldRules& rules) override {
    put(key, list_of(with_bounds(typed("integer"), rules)), rules);
  }

  void word_list(std::string_view key, std::vector<std::size_t>&,
                 std::span<const std::string_view> names, const FieldRules& rules) override {
    json words = list_of(one_of_words(names));
    words["uniqueItems"] = true;
    put(key, any_of(json::array({one_of_words(names), std::move(words)})), rules);
  }

  void object(std::string_view key, const Describe& describe, const FieldRules& rules) override {
    put(key, of(describe, definitions_), rules);
  }

  void list(std::string_view key, std::size_t size, const std::function<void(std::size_t)>& resize,
            const std::function<void(Fields&, std::size_t)>& describe,
            const FieldRules& rules) override {
    if (size == 0) resize(1);
    put(key, list_of(of([&](Fields& f) { describe(f, 0); }, definitions_)), rules);
    if (size == 0) resize(0);
  }

  void part(std::string_view key, std::string_view kind, std::string&, const Describe& describe,
            const FieldRules& rules) override {
    const std::string name = definition_of(kind);
    if (!definitions_.contains(name)) define_part(name, of(describe, definitions_));
    put(key, reference(name), rules);
  }

  void fault(std::string_view, std::string, std::string, std::vector<std::string>) const override {}

  bool reading() const override { return false; }

 protected:
  bool begin_optional(std::string_view, bool, const FieldRules&) override { return true; }

  void word(std::string_view key, std::size_t&, std::span<const std::string_view> names,
            const FieldRules& rules) override {
    put(key, one_of_words(names), rules);
  }

 private:
  explicit FieldsSchema(json& definitions) : definitions_(definitions) {}

  void define_part(const std::string& name, const json& object) {
    definitions_[changes_of(name)] = changes_of_part(object);
    const json with_base{
        {"allOf", {reference(changes_of(name)), {{"required", json::array({"base"})}}}}};
    definitions_[name] = any_of(json::array({typed("string"), object, with_base}));
  }

  void put_quantity(std::string_view key, const Dimension& dimension, const FieldRules& rules) {
    put(key, {{"type", "string"}, {"pattern", amount_pattern(dimension)}}, rules);
  }

  void put(std::string_view key, json schema, const FieldRules& rules) {
    if (!rules.doc.empty()) schema["description"] = rules.doc;
    properties_[std::string(key)] = std::move(schema);
    if (rules.presence == Presence::Required) required_.push_back(key);
  }

  json& definitions_;
  json properties_ = json::object();
  json required_ = json::array();
};

}  // namespace

json schema_of_fields(const Fields::Describe& describe) {
  json definitions = json::object();
  json schema = FieldsSchema::of(describe, definitions);
  if (!definitions.empty()) schema["$defs"] = std::move(definitions);
  return schema;
}

json schema_of_changes(json schema) {
  if (schema.contains("$ref")) return changes_of_reference(schema);
  if (schema.contains("anyOf")) {
    for (json& form : schema["anyOf"]) form = schema_of_changes(form);
  }
  if (schema.contains("properties")) {
    schema.erase("required");
    for (json& property : schema["properties"]) property = nullable(schema_of_changes(property));
  }
  return schema;
}

}  // namespace stepcast
