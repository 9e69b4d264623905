// What a misspelt name may have meant, for the hints of errors.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

/// At most three of `known`, nearest first: those within 1 + length / 5 edits of `name` (one edit
/// inserts, removes or replaces a character), then those that contain it.
std::vector<std::string> near_names(std::string_view name, std::span<const std::string> known);

/// A hint such as `did you mean "a" or "b"?`; empty where nothing known is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace stepcast
