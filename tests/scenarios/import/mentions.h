// Whether one of the lines that an import lists says something.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace stepcast::test {

inline bool mentions(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace stepcast::test
