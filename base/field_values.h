// Single JSON values to C++ values, by type and rules: what fields_reader.cpp does for one key.
// Private to base/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/input_error.h"
#include "base/units.h"

namespace stepcast {

/// The keys that every object may have: `source`, `caveats`, `comment`, `title`.
std::span<const std::string_view> text_keys();
bool is_text_key(std::string_view key);

/// Each throws InputError, naming `place`, where `json` is not such a value or breaks `rules`.
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                int& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                std::int64_t& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                double& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                bool& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                std::string& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                Bytes& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                Seconds& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                BytesPerSecond& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                FlopPerSecond& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                Flop& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                Watts& value);
void read_value(const nlohmann::json& json, const InputPlace& place, const FieldRules& rules,
                std::vector<int>& value);

/// The index of the word in `names`.
std::size_t read_word(const nlohmann::json& json, const InputPlace& place,
                      std::span<const std::string_view> names);

/// One word or a list of different words, as indices in `names`.
std::vector<std::size_t> read_words(const nlohmann::json& json, const InputPlace& place,
                                    std::span<const std::string_view> names);

/// Checks a text key's value: a string, for `caveats` also a list of strings.
void check_text(std::string_view key, const nlohmann::json& json, const InputPlace& place);

/// Throws unless `json` is an object, or a list.
void check_object(const nlohmann::json& json, const InputPlace& place);
void check_list(const nlohmann::json& json, const InputPlace& place);

}  // namespace stepcast
