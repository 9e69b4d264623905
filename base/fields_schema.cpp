// Prints the JSON Schema of a description.
#include <nlohmann/json.hpp>

#include "base/dimension.h"
#include "base/field_values.h"
#include "base/fields.h"

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

/// A part's object form with a `base`: what else it holds is checked once it is merged.
json changed_part() {
  return {{"type", "object"},
          {"properties", {{"base", typed("string")}}},
          {"required", json::array({"base"})}};
}

class FieldsSchema final : public Fields {
 public:
  static json of(const Describe& describe) {
    FieldsSchema fields;
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
    put(key, of(describe), rules);
  }

  void list(std::string_view key, std::size_t size, const std::function<void(std::size_t)>& resize,
            const std::function<void(Fields&, std::size_t)>& describe,
            const FieldRules& rules) override {
    if (size == 0) resize(1);
    put(key, list_of(of([&](Fields& f) { describe(f, 0); })), rules);
    if (size == 0) resize(0);
  }

  void part(std::string_view key, std::string_view, std::string&, const Describe& describe,
            const FieldRules& rules) override {
    put(key, any_of(json::array({typed("string"), of(describe), changed_part()})), rules);
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
  void put_quantity(std::string_view key, const Dimension& dimension, const FieldRules& rules) {
    put(key, {{"type", "string"}, {"pattern", amount_pattern(dimension)}}, rules);
  }

  void put(std::string_view key, json schema, const FieldRules& rules) {
    if (!rules.doc.empty()) schema["description"] = rules.doc;
    properties_[std::string(key)] = std::move(schema);
    if (rules.presence == Presence::Required) required_.push_back(key);
  }

  json properties_ = json::object();
  json required_ = json::array();
};

}  // namespace

json schema_of_fields(const Fields::Describe& describe) { return FieldsSchema::of(describe); }

}  // namespace stepcast
