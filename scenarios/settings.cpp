#include "scenarios/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/fields.h"
#include "base/near_names.h"
#include "scenarios/catalogue.h"
#include "scenarios/scenario.h"

namespace stepcast {

namespace {

using nlohmann::json;

std::string option(const std::string& argument) { return "--set " + argument; }

std::vector<std::string> keys_of(std::string_view path) {
  std::vector<std::string> keys;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const std::size_t end = path.find_first_of("/.");
    keys.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) return keys;
    path.remove_prefix(end + 1);
  }
}

/// Lists, objects and quoted text must be JSON; numbers, true, false and null may be, and anything
/// else is text.
json value_of(std::string_view text, const std::string& argument) {
  if (text.starts_with('{') || text.starts_with('[') || text.starts_with('"')) {
    return parse_json(text, option(argument));
  }
  json value = json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  value = text;
  if (json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace)) != value) {
    throw InputError({option(argument), ""}, "the value is not UTF-8 text");
  }
  return value;
}

Setting parse_setting(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw InputError({option(argument), ""}, "expected PATH=VALUE",
                     "as in --set plan/tensor_parallel=4");
  }
  const std::string_view text = argument;
  json value = value_of(text.substr(equals + 1), argument);
  return {argument, keys_of(text.substr(0, equals)),
          std::make_shared<const json>(std::move(value))};
}

std::optional<std::size_t> index_of(const std::string& key) {
  std::size_t index = 0;
  const char* end = key.data() + key.size();
  const auto [parsed, error] = std::from_chars(key.data(), end, index);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return index;
}

using Forms = std::vector<const json*>;

/// Collects the forms that a value may take: one, or the alternatives of a part. `scenario` holds
/// the definitions that schemas refer to.
void add_forms(Forms& forms, const json& schema, const json& scenario) {
  if (schema.contains("$ref")) {
    const json::json_pointer definition(schema["$ref"].get<std::string>().substr(1));
    return add_forms(forms, scenario.at(definition), scenario);
  }
  for (const char* several : {"anyOf", "allOf"}) {
    if (!schema.contains(several)) continue;
    for (const json& form : schema[several]) add_forms(forms, form, scenario);
    return;
  }
  forms.push_back(&schema);
}

Forms forms_of(const json& schema, const json& scenario) {
  Forms forms;
  add_forms(forms, schema, scenario);
  return forms;
}

/// The schema of a key or of an element inside a value; null where there is none.
const json* schema_inside(const Forms& forms, const std::string& key) {
  for (const json* form : forms) {
    if (form->contains("items") && index_of(key)) return &(*form)["items"];
    if (form->contains("properties") && (*form)["properties"].contains(key)) {
      return &(*form)["properties"][key];
    }
  }
  return nullptr;
}

/// The keys that a value may have; none where it is no object.
std::vector<std::string> known_keys(const Forms& forms) {
  std::vector<std::string> known;
  for (const json* form : forms) {
    if (!form->contains("properties")) continue;
    for (const auto& [key, unused] : (*form)["properties"].items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) known.push_back(key);
    }
  }
  return known;
}

[[noreturn]] void refuse_path(const InputPlace& place, const std::string& key, const Forms& forms) {
  const std::vector<std::string> known = known_keys(forms);
  const std::string expected = known.empty()
                                   ? "no key is expected here"
                                   : fmt::format("expected keys: {}", fmt::join(known, ", "));
  throw InputError(place, fmt::format("unknown key \"{}\"", key), did_you_mean(key, known),
                   {expected});
}

/// Whether a value may be a named part: then it may be given as an object with a `base`.
bool is_part(const Forms& forms) {
  for (const json* form : forms) {
    if (form->contains("properties") && (*form)["properties"].contains("base")) return true;
  }
  return false;
}

/// A path on the command line is relative to where the command runs, one in a file to the file.
void anchor_path(Setting& setting, const Forms& forms) {
  if (!is_part(forms) || !setting.value->is_string()) return;
  const auto name = setting.value->get<std::string>();
  if (!is_path_name(name)) return;
  setting.value = std::make_shared<const json>(std::filesystem::absolute(name).string());
}

/// Whether a schema allows text of any form and nothing else, but for null.
bool is_free_text(const json& schema) {
  if (!schema.contains("type") || schema.contains("pattern")) return false;
  return schema["type"] == "string" || schema["type"] == json::array({"string", "null"});
}

/// A version such as 2.20 reads as a number, and is text as written.
void keep_as_text(Setting& setting, const Forms& forms) {
  if (forms.size() > 1 || !is_free_text(*forms.front()) || !setting.value->is_number()) return;
  setting.value = std::make_shared<const json>(setting.text.substr(setting.text.find('=') + 1));
}

void check_path(Setting& setting, const json& scenario) {
  InputPlace place{option(setting.text), ""};
  Forms forms = forms_of(scenario, scenario);
  for (const std::string& key : setting.path) {
    const json* inside = schema_inside(forms, key);
    if (inside == nullptr) refuse_path(place, key, forms);
    forms = forms_of(*inside, scenario);
    place = child_of(place, key);
  }
  anchor_path(setting, forms);
  keep_as_text(setting, forms);
}

json& element(json& list, const std::string& key, const InputPlace& place) {
  const std::optional<std::size_t> index = index_of(key);
  if (index && *index < list.size()) return list[*index];
  throw InputError(place, fmt::format("there is no element {}, the list has {}", key, list.size()));
}

/// The value of a key, made where it is absent.
json& value_at(json& parent, const std::string& key, const InputPlace& place) {
  if (parent.is_string()) parent = {{"base", parent}};
  if (parent.is_array()) return element(parent, key, place);
  if (parent.is_object() || parent.is_null()) return parent[key];
  throw InputError(place, "expected an object");
}

void apply_setting(const Setting& setting, json& scenario, InputPlace place) {
  json* parent = &scenario;
  json* at = &scenario;
  for (const std::string& key : setting.path) {
    parent = at;
    at = &value_at(*parent, key, place);
    place = child_of(place, key);
  }
  *at = *setting.value;
  // In an object with a `base`, null says that the base's key is not wanted.
  if (at->is_null() && parent->is_object() && !parent->contains("base")) {
    parent->erase(setting.path.back());
  }
}

std::shared_ptr<const json> parse_patch(const std::string& text) {
  const InputPlace place{"--to", ""};
  auto patch = std::make_shared<const json>(parse_json(text, place.file));
  if (!patch->is_object() || patch->empty()) {
    throw InputError(place, "expected a JSON object with the keys that change",
                     R"(as in --to '{"cluster": {"fabric": "ndr_rail"}}')");
  }
  return patch;
}

}  // namespace

Settings::Settings(const std::vector<std::string>& arguments,
                   const std::optional<std::string>& merge_patch) {
  if (merge_patch) patch_ = parse_patch(*merge_patch);
  if (arguments.empty()) return;
  const json schema = scenario_schema();
  for (const std::string& argument : arguments) {
    settings_.push_back(parse_setting(argument));
    check_path(settings_.back(), schema);
  }
}

void Settings::apply(json& scenario, const InputPlace& place) const {
  for (const Setting& setting : settings_) apply_setting(setting, scenario, place);
  if (patch_) scenario.merge_patch(*patch_);
}

std::string Settings::text() const {
  std::string all;
  for (const Setting& setting : settings_) {
    if (!all.empty()) all += ' ';
    all += option(setting.text);
  }
  if (patch_) all += (all.empty() ? "--to " : " --to ") + patch_->dump();
  return all;
}

}  // namespace stepcast
