#include "base/near_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>

namespace stepcast {

namespace {

constexpr std::size_t max_names = 3;
constexpr std::size_t shortest_part = 3;  // a shorter text is part of too many names to help

/// Levenshtein's distance, row by row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// How far `known` is from `name`; empty where it is too far to be meant.
std::optional<std::size_t> distance(std::string_view name, std::string_view known) {
  const std::size_t limit = 1 + name.size() / 5;
  const std::size_t length_difference =
      std::max(name.size(), known.size()) - std::min(name.size(), known.size());
  if (length_difference <= limit) {
    const std::size_t edits = edit_distance(name, known);
    if (edits <= limit) return edits;
  }
  if (name.size() >= shortest_part && known.find(name) != std::string_view::npos) {
    return limit + length_difference;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> near_names(std::string_view name, std::span<const std::string> known) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : known) {
    if (const auto far = distance(name, candidate)) near.emplace_back(*far, candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [far, candidate] : near) {
    if (names.size() < max_names) names.push_back(std::move(candidate));
  }
  return names;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const std::vector<std::string> names = near_names(name, known);
  if (names.empty()) return {};
  std::string text = "did you mean ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += fmt::format("\"{}\"", names[i]);
  }
  return text + "?";
}

}  // namespace stepcast
