// --report FILE: the answer as a page, beside what goes to stdout.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"

namespace stepcast {

void add_report_option(CLI::App& command, std::optional<std::string>& file);

/// Throws InputError where a page is asked for and cannot be written: told before minutes of
/// predicting.
void check_report_file(const std::optional<std::string>& file);

/// Writes the page whole or not at all: beside `file` first, then in its place.
void write_report_file(const std::string& file, const std::string& page);

}  // namespace stepcast
