// Reading whole files that a user names.
#pragma once

#include <string>

namespace stepcast {

/// The bytes of a file of at most 64 MiB. Throws InputError where there is none, where it is a
/// folder, cannot be read or is larger.
std::string read_text_file(const std::string& file);

}  // namespace stepcast
