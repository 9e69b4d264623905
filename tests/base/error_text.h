// The whole message of the InputError that an action throws, to compare with.
#pragma once

#include <string>

#include "base/input_error.h"

namespace stepcast {

template <class Action>
std::string error_text(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace stepcast
