// One description of a JSON object's keys, used three ways: to read it strictly, to write it back,
// and to print its JSON Schema. A struct's description is one function:
//
//   void describe(Fields& f, Batch& batch) {
//     f.field("global_batch", batch.global_batch,
//             {.presence = Presence::Required, .at_least = 1, .doc = "sequences a step"});
//     f.field("micro_batch", batch.micro_batch, {.at_least = 1, .doc = "sequences at a time"});
//   }
//
// Reading: an absent optional key leaves the member as it is (its default); an absent required key,
// an unknown key, a bare number where a quantity is due, or a value out of range is an InputError
// that names file, pointer, found and expected.
//
// The text keys `source`, `caveats`, `comment` and `title` are allowed in every object without
// being described: strings (`caveats` also a list of strings) that nobody reads. Where a
// description lists one of them as a field, it is that field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/input_error.h"
#include "base/units.h"

namespace stepcast {

enum class Presence { Required, Optional };

/// What a value must obey, beyond its type. Bounds of quantities are in base units, bounds of lists
/// hold for each element.
struct FieldRules {
  Presence presence = Presence::Optional;
  std::optional<double> at_least = {};   ///< value >= this
  std::optional<double> more_than = {};  ///< value > this
  std::optional<double> at_most = {};    ///< value <= this
  std::string_view doc = {};             ///< one line for the schema and the docs
};

/// The words of an enumeration, in the order they are listed in errors and schema.
template <class Enum>
using Words = std::span<const std::pair<Enum, std::string_view>>;

class Fields {
 public:
  using Describe = std::function<void(Fields&)>;

  virtual ~Fields() = default;

  /// A whole number is a JSON integer; for std::int64_t also 1.4e12, whole numbers up to 2^53.
  virtual void field(std::string_view key, int& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::int64_t& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, double& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, bool& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::string& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Bytes& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Seconds& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, BytesPerSecond& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, FlopPerSecond& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Flop& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Watts& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::vector<int>& value, const FieldRules& rules) = 0;

  /// An optional member: absent leaves it as it is, present fills it. Writing skips an empty one.
  template <class Value>
  void field(std::string_view key, std::optional<Value>& value, const FieldRules& rules);

  /// One word of a closed set. Writing requires that the value has a word.
  template <class Enum>
  void field(std::string_view key, Enum& value, std::type_identity_t<Words<Enum>> words,
             const FieldRules& rules);
  template <class Enum>
  void field(std::string_view key, std::optional<Enum>& value,
             std::type_identity_t<Words<Enum>> words, const FieldRules& rules);

  /// A word or a list of words of a closed set (both forms are read; a list is written).
  virtual void word_list(std::string_view key, std::vector<std::size_t>& indices,
                         std::span<const std::string_view> names, const FieldRules& rules) = 0;

  /// A nested object with its own description. Absent and optional: `describe` is not called.
  virtual void object(std::string_view key, const Describe& describe, const FieldRules& rules) = 0;

  /// An optional nested object of a type that has a `describe(Fields&, Value&)` of its own.
  template <class Value>
  void object(std::string_view key, std::optional<Value>& value, const FieldRules& rules);

  /// A list of nested objects: `resize` is called once with the number of elements (when reading),
  /// `size` says how many there are (when writing), `describe(f, i)` describes element i. For a
  /// schema an empty list is resized to one element, which is described, and back to none.
  virtual void list(std::string_view key, std::size_t size,
                    const std::function<void(std::size_t)>& resize,
                    const std::function<void(Fields&, std::size_t)>& describe,
                    const FieldRules& rules) = 0;

  /// A list of nested objects of a type that has a `describe(Fields&, Value&)` of its own.
  template <class Value>
  void list(std::string_view key, std::vector<Value>& values, const FieldRules& rules);

  /// A named part, read from one of
  ///
  ///   "node": "dgx_a100_80gb"                          a catalogue name or a path
  ///   "node": { "gpus": 8, ... }                       an inline object
  ///   "node": { "base": "dgx_a100_80gb", "gpus": 4 }   the named part with this object merged over
  ///                                                    it (RFC 7396; null takes a key away; an
  ///                                                    object over a name changes that part)
  ///
  /// `kind` is the catalogue's folder, such as "models"; `describe` describes the object that the
  /// name stands for; `name` receives the name as written and is empty in the other two forms. An
  /// error inside a named part gives the part's own file and pointer, also for keys that an object
  /// with a `base` takes from it unchanged. Names inside named parts go at most 8 deep.
  virtual void part(std::string_view key, std::string_view kind, std::string& name,
                    const Describe& describe, const FieldRules& rules) = 0;

  /// An optional named part of a type that has a `describe(Fields&, Value&)` of its own.
  template <class Value>
  void part(std::string_view key, std::string_view kind, std::string& name,
            std::optional<Value>& value, const FieldRules& rules);

  /// Reports a fault found after reading: `key` names the offending key of this object (empty: the
  /// object itself). Does nothing when writing or printing a schema.
  virtual void fault(std::string_view key, std::string problem, std::string hint = {},
                     std::vector<std::string> details = {}) const = 0;

  /// True when values are being read from a file (so that cross-checks make sense). Only then may a
  /// description change what it describes.
  virtual bool reading() const = 0;

 protected:
  /// Whether an optional member takes part: present in the file, non-empty when writing, always in
  /// a schema.
  virtual bool begin_optional(std::string_view key, bool has_value, const FieldRules& rules) = 0;
  /// `index` is names.size() where the value has no word, and stays so where none is read.
  virtual void word(std::string_view key, std::size_t& index,
                    std::span<const std::string_view> names, const FieldRules& rules) = 0;
};

template <class Value>
void Fields::field(std::string_view key, std::optional<Value>& value, const FieldRules& rules) {
  if (!begin_optional(key, value.has_value(), rules)) return;
  Value inner = value.value_or(Value{});
  field(key, inner, rules);
  if (reading()) value = std::move(inner);
}

template <class Enum>
void Fields::field(std::string_view key, Enum& value, std::type_identity_t<Words<Enum>> words,
                   const FieldRules& rules) {
  std::vector<std::string_view> names;
  std::size_t index = words.size();
  for (const auto& [word_value, name] : words) {
    if (word_value == value) index = names.size();
    names.push_back(name);
  }
  word(key, index, names, rules);
  if (reading() && index < words.size()) value = words[index].first;
}

template <class Enum>
void Fields::field(std::string_view key, std::optional<Enum>& value,
                   std::type_identity_t<Words<Enum>> words, const FieldRules& rules) {
  if (!begin_optional(key, value.has_value(), rules)) return;
  Enum inner = value.value_or(words.front().first);
  field(key, inner, words, rules);
  if (reading()) value = inner;
}

template <class Value>
void Fields::object(std::string_view key, std::optional<Value>& value, const FieldRules& rules) {
  if (!begin_optional(key, value.has_value(), rules)) return;
  Value inner = value.value_or(Value{});
  object(
      key, [&](Fields& f) { describe(f, inner); }, rules);
  if (reading()) value = std::move(inner);
}

template <class Value>
void Fields::list(std::string_view key, std::vector<Value>& values, const FieldRules& rules) {
  list(
      key, values.size(), [&](std::size_t size) { values.resize(size); },
      [&](Fields& f, std::size_t index) { describe(f, values[index]); }, rules);
}

template <class Value>
void Fields::part(std::string_view key, std::string_view kind, std::string& name,
                  std::optional<Value>& value, const FieldRules& rules) {
  if (!begin_optional(key, value.has_value(), rules)) return;
  Value inner = value.value_or(Value{});
  part(
      key, kind, name, [&](Fields& f) { describe(f, inner); }, rules);
  if (reading()) value = std::move(inner);
}

/// Finds what a catalogue name or a path stands for. Implemented by scenarios/catalogue.
class PartResolver {
 public:
  virtual ~PartResolver() = default;
  struct Part {
    std::string file;  ///< where the object was read from, for errors
    std::shared_ptr<const nlohmann::json> json;
  };
  /// `kind`: the catalogue folder. `name`: as written. `from`: where it is written.
  /// Throws InputError with near names where nothing is found.
  virtual Part resolve(std::string_view kind, const std::string& name, const InputPlace& from) = 0;
};

/// Parses `text` (strict JSON: no comments, no NaN, nesting at most 64 deep, no repeated keys);
/// throws InputError with line and column.
nlohmann::json parse_json(std::string_view text, const std::string& file);

/// Reads a file of at most 64 MiB and parses it. Throws InputError if it cannot be read.
nlohmann::json read_json_file(const std::string& file);

/// Reads `json` by `describe`. Every key must be described (or be one of the text keys above).
void read_fields(const nlohmann::json& json, const InputPlace& place, PartResolver& resolver,
                 const Fields::Describe& describe);

/// Writes what `describe` lists, defaults included and empty optional members left out; parts by
/// name where they have one and `inline_parts` is false.
nlohmann::json write_fields(const Fields::Describe& describe, bool inline_parts);

/// JSON Schema (2020-12 object schema, without its `$schema` line) of what `describe` lists.
/// Bounds of quantities and a part's `base` form are looser than what is read.
nlohmann::json schema_of_fields(const Fields::Describe& describe);

}  // namespace stepcast
