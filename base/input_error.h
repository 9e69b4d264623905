// The user's input is wrong: where, what was found, what was expected, and a way out where we can
// tell. Only cli/ catches it; the program then exits with 2.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace stepcast {

/// Where a value stands: the file it was read from and the JSON pointer inside it. For formats
/// without pointers (logs, XML) `pointer` is "line 12".
struct InputPlace {
  std::string file;
  std::string pointer;
};

/// Prints as
///
///   FILE: at POINTER: PROBLEM
///     DETAIL            (any number of lines)
///     hint: WAY OUT     (where there is one)
class InputError : public std::runtime_error {
 public:
  InputError(InputPlace place, std::string problem, std::string hint = {},
             std::vector<std::string> details = {});

  const InputPlace& place() const { return place_; }
  const std::string& problem() const { return problem_; }
  const std::string& hint() const { return hint_; }

 private:
  InputPlace place_;
  std::string problem_;
  std::string hint_;
};

}  // namespace stepcast
