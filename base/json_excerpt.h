// JSON values and pieces of text as error messages quote them: short, printable, valid UTF-8.
// Private to base/.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace stepcast {

/// Whether a byte is inside a UTF-8 character rather than its start.
constexpr bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// At most the first 60 bytes of `text`, in quotes and escaped as JSON; "..." marks a cut.
std::string excerpt(std::string_view text);

/// What a value is, as an error names it: `the number 12.3`, `"12 GB"`, `a list`, `an object`.
std::string found_text(const nlohmann::json& value);

}  // namespace stepcast
