// Reads an object by its description, strictly: see fields.h for the rules.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/field_values.h"
#include "base/fields.h"
#include "base/json_excerpt.h"
#include "base/named_part.h"
#include "base/near_names.h"

namespace stepcast {

namespace {

using nlohmann::json;

class FieldsReader final : public Fields {
 public:
  FieldsReader(const SourceObject& source, PartResolver& resolver, const Describe& describe)
      : source_(source), object_(*source.json), resolver_(resolver), describe_(describe) {}

  /// The whole reading of one object.
  void read() {
    describe_(*this);
    refuse_unknown_keys();
  }

  void field(std::string_view key, int& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, std::int64_t& v, const FieldRules& r) override {
    value(key, v, r);
  }
  void field(std::string_view key, double& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, bool& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, std::string& v, const FieldRules& r) override {
    value(key, v, r);
  }
  void field(std::string_view key, Bytes& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, Seconds& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, BytesPerSecond& v, const FieldRules& r) override {
    value(key, v, r);
  }
  void field(std::string_view key, FlopPerSecond& v, const FieldRules& r) override {
    value(key, v, r);
  }
  void field(std::string_view key, Flop& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, Watts& v, const FieldRules& r) override { value(key, v, r); }
  void field(std::string_view key, std::vector<int>& v, const FieldRules& r) override {
    value(key, v, r);
  }

  void word_list(std::string_view key, std::vector<std::size_t>& indices,
                 std::span<const std::string_view> names, const FieldRules& rules) override {
    if (const json* found = find(key, rules)) indices = read_words(*found, place_of(key), names);
  }

  void object(std::string_view key, const Describe& describe, const FieldRules& rules) override {
    if (const json* found = find(key, rules)) read_object(*found, place_of(key), describe);
  }

  void list(std::string_view key, std::size_t, const std::function<void(std::size_t)>& resize,
            const std::function<void(Fields&, std::size_t)>& describe,
            const FieldRules& rules) override {
    const json* found = find(key, rules);
    if (found == nullptr) return;
    check_list(*found, place_of(key));
    resize(found->size());
    for (std::size_t i = 0; i < found->size(); ++i) {
      read_object((*found)[i], child_of(place_of(key), i), [&](Fields& f) { describe(f, i); });
    }
  }

  void part(std::string_view key, std::string_view kind, std::string& name,
            const Describe& describe, const FieldRules& rules) override {
    const json* found = find(key, rules);
    if (found == nullptr) return;
    name = found->is_string() ? found->get<std::string>() : std::string();
    const SourceObject part =
        part_object(*found, place_of(key), kind, source_.name_depth, resolver_);
    FieldsReader(part, resolver_, describe).read();
  }

  void fault(std::string_view key, std::string problem, std::string hint,
             std::vector<std::string> details) const override {
    throw InputError(key.empty() ? source_.place : place_of(key), std::move(problem),
                     std::move(hint), std::move(details));
  }

  bool reading() const override { return true; }

 protected:
  bool begin_optional(std::string_view key, bool, const FieldRules& rules) override {
    return find(key, rules) != nullptr;
  }

  void word(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
            const FieldRules& rules) override {
    if (const json* found = find(key, rules)) index = read_word(*found, place_of(key), names);
  }

 private:
  template <class Value>
  void value(std::string_view key, Value& value, const FieldRules& rules) {
    if (const json* found = find(key, rules)) read_value(*found, place_of(key), rules, value);
  }

  InputPlace place_of(std::string_view key) const { return source_.place_of(key); }

  bool is_known(const std::string& key) const {
    return std::find(known_.begin(), known_.end(), key) != known_.end();
  }

  /// The value of a described key; null where it is absent and need not be there.
  const json* find(std::string_view key, const FieldRules& rules) {
    if (!is_known(std::string(key))) known_.emplace_back(key);
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    if (rules.presence == Presence::Required) refuse_missing(key, rules);
    return nullptr;
  }

  void read_object(const json& value, const InputPlace& place, const Describe& describe) {
    const SourceObject source = plain_object(value, place, source_.name_depth);
    FieldsReader(source, resolver_, describe).read();
  }

  /// A misspelt key is both missing and unknown: the unknown one says more, so it goes first.
  [[noreturn]] void refuse_missing(std::string_view key, const FieldRules& rules) {
    const json schema = schema_of_fields(describe_);
    for (const auto& [described, unused] : schema["properties"].items()) {
      if (!is_text_key(described) && !is_known(described)) known_.push_back(described);
    }
    refuse_unknown_keys();
    std::vector<std::string> details;
    if (!rules.doc.empty()) details.push_back(fmt::format("{}: {}", key, rules.doc));
    throw InputError(source_.place, fmt::format("the key \"{}\" is missing", key), {}, details);
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, value] : object_.items()) {
      if (is_known(key)) continue;
      if (!is_text_key(key)) refuse_unknown(key);
      check_text(key, value, place_of(key));
    }
  }

  [[noreturn]] void refuse_unknown(const std::string& key) const {
    const std::string expected = known_.empty()
                                     ? "no key is expected here"
                                     : fmt::format("expected keys: {}", fmt::join(known_, ", "));
    throw InputError(source_.object_of(key), fmt::format("unknown key {}", excerpt(key)),
                     did_you_mean(key, known_), {expected});
  }

  const SourceObject& source_;
  const json& object_;
  PartResolver& resolver_;
  const Describe& describe_;
  std::vector<std::string> known_;  ///< the keys described so far
};

}  // namespace

void read_fields(const json& json, const InputPlace& place, PartResolver& resolver,
                 const Fields::Describe& describe) {
  const SourceObject source = plain_object(json, place, 0);
  FieldsReader(source, resolver, describe).read();
}

}  // namespace stepcast
