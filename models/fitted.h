// A constant that was fitted, with how well it is known.
#pragma once

#include <string>

namespace stepcast {

/// A constant and its relative uncertainty (one standard deviation over the value).
template <class Value>
struct Fitted {
  Value value{};
  double spread = 0.0;
  std::string fitted_to{};  ///< what it was fitted to, or where it was read
};

}  // namespace stepcast
