// Writes values in Python's pickle format, protocol 2: the opcodes that both Python and PyTorch's
// memory visualiser understand. Source: cpython Lib/pickletools.py; pytorch
// torch/utils/viz/MemoryViz.js, unpickle().
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

namespace stepcast {

/// Values are written one after the other, containers around their contents; a dictionary's
/// contents are keys and values in turn. Strings that come again are written once.
class PickleWriter {
 public:
  explicit PickleWriter(std::ostream& out);

  void begin_dictionary();
  void end_dictionary();
  void begin_list();
  void end_list();
  void text(std::string_view value);
  void integer(std::int64_t value);
  void boolean(bool value);
  /// A tuple of the two values before it.
  void pair();
  /// After the last value.
  void finish();

  void entry(std::string_view key, std::string_view value);
  void entry(std::string_view key, const char* value) { entry(key, std::string_view(value)); }
  void entry(std::string_view key, std::int64_t value);
  void entry(std::string_view key, bool value);

  /// Numbers the value just written, to write it again by `again`.
  int remember();
  void again(int number);

 private:
  void byte(int value) { out_.put(static_cast<char>(value)); }
  void little_endian(std::uint64_t value, int bytes);

  std::ostream& out_;
  std::map<std::string, int, std::less<>> texts_;
  int remembered_ = 0;
};

}  // namespace stepcast
