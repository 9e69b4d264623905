// Writes an object by its description: every key, in base units.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/contract.h"
#include "base/fields.h"
#include "base/unit_text.h"

namespace stepcast {

namespace {

using nlohmann::json;

class FieldsWriter final : public Fields {
 public:
  explicit FieldsWriter(bool inline_parts) : inline_parts_(inline_parts) {}

  json written(const Describe& describe) {
    describe(*this);
    return std::move(object_);
  }

  void field(std::string_view key, int& v, const FieldRules&) override { put(key, v); }
  void field(std::string_view key, std::int64_t& v, const FieldRules&) override { put(key, v); }
  void field(std::string_view key, double& v, const FieldRules&) override {
    STEPCAST_REQUIRES(std::isfinite(v));  // JSON has no other numbers
    put(key, v);
  }
  void field(std::string_view key, bool& v, const FieldRules&) override { put(key, v); }
  void field(std::string_view key, std::string& v, const FieldRules&) override { put(key, v); }
  void field(std::string_view key, Bytes& v, const FieldRules&) override {
    put(key, exact_text(v));
  }
  void field(std::string_view key, Seconds& v, const FieldRules&) override {
    put(key, exact_text(v));
  }
  void field(std::string_view key, BytesPerSecond& v, const FieldRules&) override {
    put(key, exact_text(v));
  }
  void field(std::string_view key, FlopPerSecond& v, const FieldRules&) override {
    put(key, exact_text(v));
  }
  void field(std::string_view key, Flop& v, const FieldRules&) override { put(key, exact_text(v)); }
  void field(std::string_view key, Watts& v, const FieldRules&) override {
    put(key, exact_text(v));
  }
  void field(std::string_view key, std::vector<int>& v, const FieldRules&) override { put(key, v); }

  void word_list(std::string_view key, std::vector<std::size_t>& indices,
                 std::span<const std::string_view> names, const FieldRules&) override {
    if (indices.empty()) return;  // absent means none
    json words = json::array();
    for (const std::size_t index : indices) words.push_back(word_at(names, index));
    put(key, std::move(words));
  }

  void object(std::string_view key, const Describe& describe, const FieldRules&) override {
    put(key, FieldsWriter(inline_parts_).written(describe));
  }

  void list(std::string_view key, std::size_t size, const std::function<void(std::size_t)>&,
            const std::function<void(Fields&, std::size_t)>& describe, const FieldRules&) override {
    json elements = json::array();
    for (std::size_t i = 0; i < size; ++i) {
      elements.push_back(FieldsWriter(inline_parts_).written([&](Fields& f) { describe(f, i); }));
    }
    put(key, std::move(elements));
  }

  void part(std::string_view key, std::string_view, std::string& name, const Describe& describe,
            const FieldRules& rules) override {
    if (name.empty() || inline_parts_) {
      object(key, describe, rules);
    } else {
      put(key, name);
    }
  }

  void fault(std::string_view, std::string, std::string, std::vector<std::string>) const override {}

  bool reading() const override { return false; }

 protected:
  bool begin_optional(std::string_view, bool has_value, const FieldRules&) override {
    return has_value;
  }

  void word(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
            const FieldRules&) override {
    put(key, word_at(names, index));
  }

 private:
  static std::string_view word_at(std::span<const std::string_view> names, std::size_t index) {
    STEPCAST_REQUIRES(index < names.size());
    return names[index];
  }

  void put(std::string_view key, json value) { object_[std::string(key)] = std::move(value); }

  bool inline_parts_;
  json object_ = json::object();
};

}  // namespace

json write_fields(const Fields::Describe& describe, bool inline_parts) {
  return FieldsWriter(inline_parts).written(describe);
}

}  // namespace stepcast
