// What a caller promised: a broken `Requires` is a bug of ours, so it stops the program, in release
// builds too. Wrong input from a user is InputError's job.
#pragma once

#include <source_location>

namespace stepcast {

[[noreturn]] void contract_broken(const char* condition, std::source_location where);

}  // namespace stepcast

#define STEPCAST_REQUIRES(condition)                                                            \
  do {                                                                                          \
    if (!(condition)) ::stepcast::contract_broken(#condition, std::source_location::current()); \
  } while (false)
