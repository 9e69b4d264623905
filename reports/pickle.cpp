#include "reports/pickle.h"

#include <cstdlib>

namespace stepcast {
namespace {

// Opcodes, by the names of pickletools.
constexpr int kProto = 0x80;
constexpr int kStop = '.';
constexpr int kMark = '(';
constexpr int kEmptyDict = '}';
constexpr int kSetItems = 'u';
constexpr int kEmptyList = ']';
constexpr int kAppends = 'e';
constexpr int kBinUnicode = 'X';
constexpr int kBinInt = 'J';
constexpr int kBinInt1 = 'K';
constexpr int kBinInt2 = 'M';
constexpr int kLong1 = 0x8a;
constexpr int kNewTrue = 0x88;
constexpr int kNewFalse = 0x89;
constexpr int kTuple2 = 0x86;
constexpr int kBinPut = 'q';
constexpr int kLongBinPut = 'r';
constexpr int kBinGet = 'h';
constexpr int kLongBinGet = 'j';
constexpr int kProtocol = 2;

}  // namespace

PickleWriter::PickleWriter(std::ostream& out) : out_(out) {
  byte(kProto);
  byte(kProtocol);
}

void PickleWriter::begin_dictionary() {
  byte(kEmptyDict);
  byte(kMark);
}

void PickleWriter::end_dictionary() { byte(kSetItems); }

void PickleWriter::begin_list() {
  byte(kEmptyList);
  byte(kMark);
}

void PickleWriter::end_list() { byte(kAppends); }

void PickleWriter::text(std::string_view value) {
  if (const auto known = texts_.find(value); known != texts_.end()) return again(known->second);
  byte(kBinUnicode);
  little_endian(value.size(), 4);
  out_ << value;
  texts_.emplace(value, remember());
}

void PickleWriter::integer(std::int64_t value) {
  if (value >= 0 && value < 0x100) {
    byte(kBinInt1);
    little_endian(static_cast<std::uint64_t>(value), 1);
  } else if (value >= 0 && value < 0x10000) {
    byte(kBinInt2);
    little_endian(static_cast<std::uint64_t>(value), 2);
  } else if (std::abs(value) < 0x80000000LL) {
    byte(kBinInt);
    little_endian(static_cast<std::uint64_t>(value), 4);
  } else {
    byte(kLong1);
    byte(8);
    little_endian(static_cast<std::uint64_t>(value), 8);
  }
}

void PickleWriter::boolean(bool value) { byte(value ? kNewTrue : kNewFalse); }

void PickleWriter::pair() { byte(kTuple2); }

void PickleWriter::finish() { byte(kStop); }

void PickleWriter::entry(std::string_view key, std::string_view value) {
  text(key);
  text(value);
}

void PickleWriter::entry(std::string_view key, std::int64_t value) {
  text(key);
  integer(value);
}

void PickleWriter::entry(std::string_view key, bool value) {
  text(key);
  boolean(value);
}

int PickleWriter::remember() {
  const int number = remembered_++;
  byte(number < 0x100 ? kBinPut : kLongBinPut);
  little_endian(static_cast<std::uint64_t>(number), number < 0x100 ? 1 : 4);
  return number;
}

void PickleWriter::again(int number) {
  byte(number < 0x100 ? kBinGet : kLongBinGet);
  little_endian(static_cast<std::uint64_t>(number), number < 0x100 ? 1 : 4);
}

void PickleWriter::little_endian(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) byte(static_cast<int>((value >> (8 * i)) & 0xff));
}

}  // namespace stepcast
