// `$((...))`: whole numbers, names, + - * / % and brackets. Private to scenarios/import.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stepcast {

/// Empty where a name has no number or the text is no such sum.
std::optional<std::int64_t> shell_sum(std::string_view text,
                                      const std::map<std::string, std::string>& variables);

}  // namespace stepcast
