// Colours of what people read on a terminal: reports on stdout, complaints on stderr.
#pragma once

#include <string>

namespace stepcast {

enum class ColorChoice {
  Auto,    ///< on a terminal that knows colours, unless the environment has NO_COLOR
  Always,  ///< in pipes too
  Never,
};

/// Whether what goes to the file descriptor is to be coloured.
bool wants_color(ColorChoice choice, int descriptor);

/// A report with its headings (lines that stand at the margin over indented ones) in bold, its bars
/// and verdicts in colour. Without the colours it is the same text.
std::string colored_report(const std::string& report);

/// Notes, a line each: what they are about, up to a colon, in yellow.
std::string colored_notes(const std::string& notes);

/// A complaint: where in bold, what is wrong in red, the hint in green.
std::string colored_complaint(const std::string& complaint);

}  // namespace stepcast
