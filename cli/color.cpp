#include "cli/color.h"

#include <fmt/color.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace stepcast {
namespace {

const fmt::text_style heading = fmt::emphasis::bold;
const fmt::text_style good = fg(fmt::terminal_color::green);
const fmt::text_style bad = fg(fmt::terminal_color::red);
const fmt::text_style mind = fg(fmt::terminal_color::yellow);
const fmt::text_style bar = fg(fmt::terminal_color::cyan);

// Words of the reports that judge. The first that a line holds is painted.
const std::array<std::pair<std::string_view, fmt::text_style>, 5> verdicts{{
    {"does not fit", bad},
    {"does not agree", bad},
    {"Mind:", mind},
    {" fits ", good},
    {" agrees ", good},
}};

std::string painted(std::string_view text, const fmt::text_style& style) {
  return fmt::format(style, "{}", text);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

bool is_indented(const std::string& line) { return line.starts_with("  "); }

// Bars are runs of # that end a line.
std::string with_colored_bar(const std::string& line) {
  const std::size_t before = line.find_last_not_of('#');
  if (before == std::string::npos || before + 1 == line.size() || line[before] != ' ') return line;
  return line.substr(0, before + 1) + painted(line.substr(before + 1), bar);
}

std::string colored_line(const std::string& line) {
  for (const auto& [words, style] : verdicts) {
    const std::size_t at = line.find(words);
    if (at == std::string::npos) continue;
    return line.substr(0, at) + painted(words, style) + line.substr(at + words.size());
  }
  return with_colored_bar(line);
}

// "FILE: at POINTER: PROBLEM" (input_error.h), or "stepcast: PROBLEM".
std::string colored_problem(const std::string& line) {
  const std::size_t at = line.find(": at ");
  const std::size_t colon = line.find(": ", at == std::string::npos ? 0 : at + 2);
  const std::size_t problem = colon == std::string::npos ? 0 : colon + 2;
  return painted(line.substr(0, problem), heading) + painted(line.substr(problem), bad);
}

}  // namespace

bool wants_color(ColorChoice choice, int descriptor) {
  if (choice != ColorChoice::Auto) return choice == ColorChoice::Always;
  const char* none = std::getenv("NO_COLOR");  // https://no-color.org: set and not empty
  if (none != nullptr && *none != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

std::string colored_report(const std::string& report) {
  const std::vector<std::string> lines = lines_of(report);
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool leads = i + 1 < lines.size() && is_indented(lines[i + 1]);
    const bool is_heading = leads && !lines[i].empty() && !is_indented(lines[i]);
    text += (is_heading ? painted(lines[i], heading) : colored_line(lines[i])) + "\n";
  }
  if (!report.ends_with('\n') && !text.empty()) text.pop_back();
  return text;
}

std::string colored_notes(const std::string& notes) {
  std::string text;
  for (const std::string& line : lines_of(notes)) {
    const std::size_t colon = line.find(": ");
    const std::size_t label = colon == std::string::npos ? 0 : colon + 1;
    text += painted(line.substr(0, label), mind) + line.substr(label) + "\n";
  }
  return text;
}

std::string colored_complaint(const std::string& complaint) {
  constexpr std::string_view hint = "  hint: ";
  std::string text;
  for (const std::string& line : lines_of(complaint)) {
    if (text.empty()) {
      text = colored_problem(line);
    } else if (line.starts_with(hint)) {
      text += "\n" + painted(hint, good) + line.substr(hint.size());
    } else {
      text += "\n" + line;
    }
  }
  return text;
}

}  // namespace stepcast
