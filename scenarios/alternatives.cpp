#include "scenarios/alternatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace stepcast {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> cluster_keys{"node", "nodes", "gpus_per_node", "fabric"};

/// A list at a key of an object; null where there is none.
const json* list_at(const json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

const json* cluster_of(const json& scenario) {
  return scenario.is_object() && scenario.contains("cluster") ? &scenario["cluster"] : nullptr;
}

void check_list(const json& list, const InputPlace& place) {
  if (list.empty()) throw InputError(place, "the list is empty, expected what to choose from");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (std::find(list.begin(), list.begin() + std::ptrdiff_t(i), list[i]) !=
        list.begin() + std::ptrdiff_t(i)) {
      throw InputError(child_of(place, i), fmt::format("{} is listed twice", list[i].dump()));
    }
  }
}

/// "nodes 4"; parts that are written out have no name but their number.
std::string choice_text(std::string_view key, const json& value, std::size_t index) {
  if (value.is_string()) return fmt::format("{} {}", key, value.get<std::string>());
  if (value.is_number()) return fmt::format("{} {}", key, value.dump());
  return fmt::format("{} #{}", key, index + 1);
}

struct Choice {
  std::string name;
  json scenario;
};

/// Each choice once for every element of the list at a key of the cluster.
std::vector<Choice> spread(const std::vector<Choice>& choices, std::string_view key,
                           const json& list, const json* prices) {
  std::vector<Choice> all;
  for (const Choice& choice : choices) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      Choice& chosen = all.emplace_back(choice);
      chosen.name += (choice.name.empty() ? "" : ", ") + choice_text(key, list[i], i);
      chosen.scenario["cluster"][std::string(key)] = list[i];
      if (prices != nullptr) chosen.scenario["price"] = (*prices)[i];
    }
  }
  return all;
}

/// The list of prices, one for each node of the list of nodes; null where there is none.
const json* prices_of(const json& scenario, const json* nodes, const InputPlace& place) {
  const json* prices = list_at(scenario, "price");
  if (prices == nullptr) return nullptr;
  const std::size_t count = nodes == nullptr ? 1 : nodes->size();
  if (nodes != nullptr && prices->size() == count) return prices;
  throw InputError(
      child_of(place, "price"),
      fmt::format("{} prices for {} kind{} of node", prices->size(), count, count == 1 ? "" : "s"),
      "a list of prices goes with a list at /cluster/node, in its order");
}

}  // namespace

std::vector<Alternative> alternatives_of(const json& scenario, const InputPlace& place) {
  std::vector<Choice> choices{{"", scenario}};
  const json* cluster = cluster_of(scenario);
  const json* prices =
      prices_of(scenario, cluster == nullptr ? nullptr : list_at(*cluster, "node"), place);
  for (const std::string_view key : cluster_keys) {
    const json* list = cluster == nullptr ? nullptr : list_at(*cluster, key);
    if (list == nullptr) continue;
    check_list(*list, child_of(child_of(place, "cluster"), key));
    choices = spread(choices, key, *list, key == "node" ? prices : nullptr);
  }
  std::vector<Alternative> alternatives;
  alternatives.reserve(choices.size());
  for (Choice& choice : choices) {
    alternatives.push_back(
        {std::move(choice.name), std::make_shared<const json>(std::move(choice.scenario))});
  }
  return alternatives;
}

void refuse_alternatives(const json& scenario, const InputPlace& place) {
  const json* cluster = cluster_of(scenario);
  if (cluster == nullptr) return;
  for (const std::string_view key : cluster_keys) {
    if (list_at(*cluster, key) == nullptr) continue;
    throw InputError(
        child_of(child_of(place, "cluster"), key),
        "found a list, expected one value: a list is for a search to choose from",
        fmt::format("stepcast sweep searches them all; --set cluster.{}=... takes one", key));
  }
}

void allow_alternatives(json& schema) {
  const auto allow = [](json& value) {
    const json list{{"type", "array"}, {"items", value}, {"minItems", 1}, {"uniqueItems", true}};
    json forms = value.contains("anyOf") ? value["anyOf"] : json::array({value});
    forms.push_back(list);
    json either{{"anyOf", std::move(forms)}};
    if (value.contains("description")) either["description"] = value["description"];
    value = std::move(either);
  };
  json& cluster = schema["properties"]["cluster"]["properties"];
  for (const std::string_view key : cluster_keys) allow(cluster[std::string(key)]);
  allow(schema["properties"]["price"]);
}

}  // namespace stepcast
