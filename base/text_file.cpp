#include "base/text_file.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <system_error>

#include "base/input_error.h"

namespace stepcast {

namespace {

constexpr std::size_t largest_file = std::size_t{64} << 20U;

[[noreturn]] void refuse(const std::string& file, int error) {
  if (error == EISDIR) throw InputError({file, ""}, "this is a folder, expected a file");
  if (error == ENOENT) throw InputError({file, ""}, "there is no such file");
  throw InputError({file, ""},
                   "the file cannot be read: " + std::generic_category().message(error));
}

}  // namespace

std::string read_text_file(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"),
                                                               &std::fclose);
  if (!stream) refuse(file, errno);
  std::string text;
  std::array<char, 65536> block{};
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), stream.get())) {
    text.append(block.data(), count);
    if (text.size() > largest_file) {
      throw InputError({file, ""}, "the file is larger than 64 MiB, which no input needs to be");
    }
  }
  if (std::ferror(stream.get()) != 0) refuse(file, errno);
  return text;
}

}  // namespace stepcast
