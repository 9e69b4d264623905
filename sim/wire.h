// Values as bytes, between a process and the children that it forked: the same program on both
// sides, so neither versions nor byte order matter. One function `pass` for each type both writes
// and reads it.
#pragma once

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace stepcast {

class WireWriter {
 public:
  void raw(void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Throws std::runtime_error where the bytes end early.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}
  void raw(void* data, std::size_t size) {
    if (size > bytes_.size()) throw std::runtime_error("a child process sent too little");
    if (size > 0) std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

 private:
  std::string_view bytes_;
};

template <class Wire, class Value>
requires std::is_trivially_copyable_v<Value>
void pass(Wire& wire, Value& value) { wire.raw(&value, sizeof value); }

template <class Wire>
void pass(Wire& wire, std::string& text) {
  std::size_t size = text.size();
  pass(wire, size);
  text.resize(size);
  wire.raw(text.data(), size);
}

template <class Wire, class Value>
void pass(Wire& wire, std::vector<Value>& values) {
  std::size_t size = values.size();
  pass(wire, size);
  values.resize(size);
  if constexpr (std::is_trivially_copyable_v<Value>) {
    wire.raw(values.data(), size * sizeof(Value));
  } else {
    for (Value& value : values) pass(wire, value);
  }
}

template <class Wire, class Value>
requires(!std::is_trivially_copyable_v<Value>) void pass(Wire& wire, std::optional<Value>& value) {
  bool has_value = value.has_value();
  pass(wire, has_value);
  if (!has_value) return;
  if (!value) value.emplace();
  pass(wire, *value);
}

template <class Value>
std::string to_bytes(Value value) {
  WireWriter wire;
  pass(wire, value);
  return wire.take();
}

template <class Value>
Value from_bytes(std::string_view bytes) {
  Value value{};
  WireReader wire(bytes);
  pass(wire, value);
  return value;
}

}  // namespace stepcast
