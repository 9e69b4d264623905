// The user's input is wrong: where, what was found, what was expected, and a way out where we can
// tell. Only cli/ catches it; the program then exits with 2.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

/// Where a value stands: the file it was read from and the JSON pointer inside it (empty: the
/// root). For formats without pointers (logs, XML, broken JSON) `pointer` is "line 12".
struct InputPlace {
  std::string file;
  std::string pointer;
};

/// The place of a key or an element inside the object or list at `parent`, escaped as RFC 6901
/// asks ("~" is "~0", "/" is "~1").
InputPlace child_of(const InputPlace& parent, std::string_view key);
InputPlace child_of(const InputPlace& parent, std::size_t index);

/// Prints as
///
///   FILE: at POINTER: PROBLEM
///     DETAIL            (any number of lines)
///     hint: WAY OUT     (where there is one)
///
/// The root prints as "at /"; "FILE: " is left out where there is no file.
class InputError : public std::runtime_error {
 public:
  InputError(InputPlace place, std::string problem, std::string hint = {},
             std::vector<std::string> details = {});

  const InputPlace& place() const { return place_; }
  const std::string& problem() const { return problem_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& details() const { return details_; }

 private:
  InputPlace place_;
  std::string problem_;
  std::string hint_;
  std::vector<std::string> details_;
};

}  // namespace stepcast
