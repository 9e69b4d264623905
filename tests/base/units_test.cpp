#include "base/units.h"

#include <catch2/catch.hpp>
#include <type_traits>

namespace stepcast {

namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

}  // namespace

TEST_CASE("bytes over a bandwidth are seconds", "[base]") {
  STATIC_REQUIRE((1_GB / 4_GB_per_s).value() == 0.25);
  STATIC_REQUIRE(std::is_same_v<decltype(1_GB / 4_GB_per_s), Seconds>);
  STATIC_REQUIRE((4_GB_per_s * 2_s).value() == 8e9);
  STATIC_REQUIRE((6_TFLOP / 3_TFLOP_per_s).value() == 2.0);
  STATIC_REQUIRE((400_W * 10_s).value() == 4000.0);
}

TEST_CASE("like by like is a plain number", "[base]") {
  STATIC_REQUIRE(std::is_same_v<decltype(1_GB / 1_MB), double>);
  STATIC_REQUIRE(1_GB / 1_MB == 1000.0);
}

TEST_CASE("different dimensions do not add", "[base]") {
  STATIC_REQUIRE(Addable<Bytes, Bytes>);
  STATIC_REQUIRE_FALSE(Addable<Bytes, Seconds>);
  STATIC_REQUIRE_FALSE(Addable<Bytes, double>);
}

TEST_CASE("k, M, G are powers of ten and Ki, Mi, Gi powers of two", "[base]") {
  STATIC_REQUIRE((3_kB).value() == 3000.0);
  STATIC_REQUIRE((3_KiB).value() == 3 * 1024.0);
  STATIC_REQUIRE((80_GiB).value() == 80.0 * 1024 * 1024 * 1024);
}

TEST_CASE("eight bits are a byte", "[base]") { STATIC_REQUIRE((400_Gbit_per_s).value() == 50e9); }

TEST_CASE("small units give the nearest double to the decimal", "[base]") {
  STATIC_REQUIRE((3_us).value() == 3e-6);
  STATIC_REQUIRE((7_ns).value() == 7e-9);
  STATIC_REQUIRE((35_ms).value() == 0.035);
}

}  // namespace stepcast
