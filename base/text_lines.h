// Text of other programs (logs, tables) taken apart into lines and words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"

namespace stepcast {

/// The lines of a text, without their ends ("\n" or "\r\n"). Throws InputError, naming `file`,
/// where the text is empty or holds bytes that no text has.
std::vector<std::string_view> text_lines(std::string_view text, const std::string& file);

/// What stands between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);

std::string_view without_blanks_around(std::string_view text);

/// The place of a line of a file, counted from 0 here and from 1 by people.
InputPlace line_place(const std::string& file, std::size_t line);

/// The whole word as a number; empty where it is none.
std::optional<std::int64_t> whole_number(std::string_view word);
std::optional<double> finite_number(std::string_view word);

}  // namespace stepcast
