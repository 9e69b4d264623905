#include "reports/pickle.h"

#include <catch2/catch.hpp>
#include <sstream>

using namespace stepcast;

namespace {

template <class Write>
std::string pickled(const Write& write) {
  std::ostringstream out;
  PickleWriter pickle(out);
  write(pickle);
  pickle.finish();
  return out.str();
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

}  // namespace

TEST_CASE("a dictionary of one number, byte for byte", "[reports]") {
  // pickletools: PROTO 2, EMPTY_DICT, MARK, BINUNICODE 'a', BINPUT 0, BININT1 1, SETITEMS, STOP
  REQUIRE(pickled([](PickleWriter& pickle) {
            pickle.begin_dictionary();
            pickle.entry("a", std::int64_t{1});
            pickle.end_dictionary();
          }) == bytes({0x80, 2, '}', '(', 'X', 1, 0, 0, 0, 'a', 'q', 0, 'K', 1, 'u', '.'}));
}

TEST_CASE("numbers take the shortest form that holds them", "[reports]") {
  const auto number = [](std::int64_t value) {
    return pickled([value](PickleWriter& pickle) { pickle.integer(value); });
  };
  REQUIRE(number(255) == bytes({0x80, 2, 'K', 255, '.'}));
  REQUIRE(number(256) == bytes({0x80, 2, 'M', 0, 1, '.'}));
  REQUIRE(number(65536) == bytes({0x80, 2, 'J', 0, 0, 1, 0, '.'}));
  REQUIRE(number(-1) == bytes({0x80, 2, 'J', 255, 255, 255, 255, '.'}));
  REQUIRE(number(std::int64_t{1} << 40) == bytes({0x80, 2, 0x8a, 8, 0, 0, 0, 0, 0, 1, 0, 0, '.'}));
}

TEST_CASE("a string that comes again is written once", "[reports]") {
  REQUIRE(pickled([](PickleWriter& pickle) {
            pickle.begin_list();
            pickle.text("x");
            pickle.text("x");
            pickle.end_list();
          }) == bytes({0x80, 2, ']', '(', 'X', 1, 0, 0, 0, 'x', 'q', 0, 'h', 0, 'e', '.'}));
}
