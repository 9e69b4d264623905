// One description of a JSON object's keys, used three ways: to read it strictly, to write it back,
// and to print its JSON Schema. A struct's description is one function:
//
//   void describe(Fields& f, Batch& batch) {
//     f.field("global_batch", batch.global_batch, {.at_least = 1, .doc = "sequences a step"});
//     f.field("micro_batch", batch.micro_batch, {.at_least = 1, .presence = Optional, .doc = "..."});
//   }
//
// Reading: an absent optional key leaves the member as it is (its default); an absent required key,
// an unknown key, a bare number where a quantity is due, or a value out of range is an InputError
// that names file, pointer, found and expected.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/input_error.h"
#include "base/units.h"

namespace stepcast {

enum class Presence { Required, Optional };

struct FieldRules {
  Presence presence = Presence::Optional;
  std::optional<double> at_least;      ///< value >= this
  std::optional<double> more_than;     ///< value > this
  std::optional<double> at_most;       ///< value <= this
  std::string_view doc;                ///< one line for the schema and the docs
};

/// The words of an enumeration, in the order they are listed in errors and schema.
template <class Enum>
using Words = std::span<const std::pair<Enum, std::string_view>>;

class Fields {
 public:
  using Describe = std::function<void(Fields&)>;

  virtual ~Fields() = default;

  virtual void field(std::string_view key, int& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::int64_t& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, double& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, bool& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::string& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Bytes& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Seconds& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, BytesPerSecond& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, FlopPerSecond& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, Watts& value, const FieldRules& rules) = 0;
  virtual void field(std::string_view key, std::vector<int>& value, const FieldRules& rules) = 0;

  /// An optional member: absent leaves it empty, present fills it. Writing skips an empty one.
  template <class Value>
  void field(std::string_view key, std::optional<Value>& value, const FieldRules& rules) {
    if (!begin_optional(key, value.has_value())) return;
    Value inner = value.value_or(Value{});
    field(key, inner, rules);
    value = inner;
  }

  /// One word of a closed set.
  template <class Enum>
  void field(std::string_view key, Enum& value, Words<Enum> words, const FieldRules& rules) {
    std::vector<std::string_view> names;
    std::size_t index = 0;
    for (const auto& [word_value, name] : words) {
      if (word_value == value) index = names.size();
      names.push_back(name);
    }
    word(key, index, names, rules);
    value = words[index].first;
  }

  /// A word or a list of words of a closed set (both forms are read; a list is written).
  virtual void word_list(std::string_view key, std::vector<std::size_t>& indices,
                         std::span<const std::string_view> names, const FieldRules& rules) = 0;

  /// A nested object with its own description.
  virtual void object(std::string_view key, const Describe& describe, const FieldRules& rules) = 0;

  /// A list of nested objects: `resize` is called once with the number of elements (when reading),
  /// `size` says how many there are (when writing), `describe(f, i)` describes element i.
  virtual void list(std::string_view key, std::size_t size,
                    const std::function<void(std::size_t)>& resize,
                    const std::function<void(Fields&, std::size_t)>& describe,
                    const FieldRules& rules) = 0;

  /// A named part: a catalogue name, a path or an inline object (`kind` is the catalogue's folder,
  /// such as "models"). `describe` describes the object that the name stands for; `name` receives
  /// the name as written, or stays empty for an inline object.
  virtual void part(std::string_view key, std::string_view kind, std::string& name,
                    const Describe& describe, const FieldRules& rules) = 0;

  /// Text about the object: `source`, `caveats`, `comment`, `title`; allowed in every object, read by nobody.
  /// (Handled by the implementations; listed here because it is part of the contract.)

  /// Reports a fault found after reading: `key` names the offending key of this object (empty: the
  /// object itself). Does nothing when writing or printing a schema.
  virtual void fault(std::string_view key, std::string problem, std::string hint = {},
                     std::vector<std::string> details = {}) const = 0;

  /// True when values are being read from a file (so that cross-checks make sense).
  virtual bool reading() const = 0;

 protected:
  /// Whether the optional key takes part: present in the file, non-empty when writing, always in a schema.
  virtual bool begin_optional(std::string_view key, bool has_value) = 0;
  virtual void word(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
                    const FieldRules& rules) = 0;
};

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

/// Writes what `describe` lists, defaults included; parts by name where they have one and
/// `inline_parts` is false.
nlohmann::json write_fields(const Fields::Describe& describe, bool inline_parts);

/// JSON Schema (2020-12 object schema) of what `describe` lists.
nlohmann::json schema_of_fields(const Fields::Describe& describe);

}  // namespace stepcast
