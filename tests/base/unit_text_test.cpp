#include "base/unit_text.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

namespace stepcast {

TEST_CASE("sizes are read in powers of ten and of two", "[base]") {
  const auto [text, bytes] = GENERATE(table<std::string, double>({
      {"0 B", 0.0},
      {"12 B", 12.0},
      {"1.5 kB", 1500.0},
      {"3 MB", 3e6},
      {"12 GB", 12e9},
      {"2TB", 2e12},
      {"1 KiB", 1024.0},
      {"1 MiB", 1048576.0},
      {"80 GiB", 85899345920.0},
      {"0.5 TiB", 549755813888.0},
      {"5e+10 B", 5e10},
  }));
  CAPTURE(text);
  REQUIRE(parse_bytes(text) == Bytes(bytes));
}

TEST_CASE("times are read from nanoseconds to hours", "[base]") {
  const auto [text, seconds] = GENERATE(table<std::string, double>({
      {"7 ns", 7e-9},
      {"3 us", 3e-6},
      {"35 ms", 0.035},
      {"12.3 s", 12.3},
      {"1.5 min", 90.0},
      {"2 h", 7200.0},
  }));
  CAPTURE(text);
  REQUIRE(parse_seconds(text) == Seconds(seconds));
}

TEST_CASE("bandwidths are read in bytes and in bits", "[base]") {
  const auto [text, rate] = GENERATE(table<std::string, double>({
      {"8 B/s", 8.0},
      {"25 GB/s", 25e9},
      {"1 GiB/s", 1073741824.0},
      {"8 bit/s", 1.0},
      {"8 kbit/s", 1e3},
      {"100 Mbit/s", 12.5e6},
      {"400 Gbit/s", 50e9},
      {"1.6 Tbit/s", 200e9},
  }));
  CAPTURE(text);
  REQUIRE(parse_bandwidth(text) == BytesPerSecond(rate));
}

TEST_CASE("FLOP rates and powers are read", "[base]") {
  REQUIRE(parse_flop_rate("312 TFLOP/s") == FlopPerSecond(312e12));
  REQUIRE(parse_flop_rate("19.5 TFLOP/s") == FlopPerSecond(19.5e12));
  REQUIRE(parse_flop_rate("2 PFLOP/s") == FlopPerSecond(2e15));
  REQUIRE(parse_flop("14 TFLOP") == 14_TFLOP);
  REQUIRE(parse_watts("400 W") == Watts(400));
  REQUIRE(parse_watts("6.5 kW") == Watts(6500));
}

TEST_CASE("money is read in USD only", "[base]") {
  REQUIRE(parse_usd("400000 USD") == 400000.0);
  REQUIRE(parse_usd("4e5 USD") == 400000.0);
  REQUIRE_FALSE(parse_usd("400000").has_value());
  REQUIRE_FALSE(parse_usd("400000 EUR").has_value());
}

TEST_CASE("text that is not a number and a unit of the dimension is refused", "[base]") {
  const std::string text = GENERATE(
      as<std::string>(), "", " ", "s", "12.3", "12.3 ", "12.3  s", " 12.3 s", "12.3 s ", "12.3\ts",
      "-1 s", "-0 s", "+1 s", "nan s", "inf s", "infinity s", "0x10 s", ".5 s", "5. s", "5.e3 s",
      "1e999 s", "1e308 h", "1e s", "1,5 s", "12 GB", "12 S", "12 sec", "1 2 s", "12 ss", "١ s");
  CAPTURE(text);
  REQUIRE_FALSE(parse_seconds(text).has_value());
}

TEST_CASE("a zero byte is no part of a unit", "[base]") {
  REQUIRE_FALSE(parse_seconds(std::string("12 s\0", 5)).has_value());
}

TEST_CASE("bits are no sizes and bytes no rates", "[base]") {
  REQUIRE_FALSE(parse_bytes("8 Gbit").has_value());
  REQUIRE_FALSE(parse_bytes("8 Gb").has_value());
  REQUIRE_FALSE(parse_bandwidth("8 GB").has_value());
  REQUIRE_FALSE(parse_bandwidth("8 Gb/s").has_value());
  REQUIRE_FALSE(parse_flop_rate("312 TFLOPS").has_value());
}

TEST_CASE("people read three or four digits in a fitting unit", "[base]") {
  REQUIRE(to_text(Seconds(12.345)) == "12.3 s");
  REQUIRE(to_text(Seconds(0.0)) == "0 s");
  REQUIRE(to_text(Seconds(1.5e-6)) == "1.5 us");
  REQUIRE(to_text(Seconds(0.25e-9)) == "0.25 ns");
  REQUIRE(to_text(Seconds(90)) == "90 s");
  REQUIRE(to_text(Seconds(7200)) == "2 h");
  REQUIRE(to_text(Seconds(-0.002)) == "-2 ms");
  REQUIRE(to_text(Bytes(41.7 * 1073741824)) == "41.7 GiB");
  REQUIRE(to_text(Bytes(1023)) == "1023 B");
  REQUIRE(to_text(Bytes(1024)) == "1 KiB");
  REQUIRE(to_text(Bytes(5000.0 * 1099511627776)) == "5000 TiB");
  REQUIRE(to_text(BytesPerSecond(24e9)) == "24 GB/s");
  REQUIRE(to_text(BytesPerSecond(999.6e9)) == "1000 GB/s");
  REQUIRE(to_text(FlopPerSecond(312e12)) == "312 TFLOP/s");
  REQUIRE(to_text(Flop(1.234e21)) == "1234 EFLOP");
}

TEST_CASE("exact text is the shortest in the base unit", "[base]") {
  REQUIRE(exact_text(Seconds(0.5)) == "0.5 s");
  REQUIRE(exact_text(Seconds(0.1)) == "0.1 s");
  REQUIRE(exact_text(Bytes(85899345920)) == "85899345920 B");
  REQUIRE(exact_text(BytesPerSecond(50e9)) == "5e+10 B/s");
  REQUIRE(exact_text(FlopPerSecond(312e12)) == "3.12e+14 FLOP/s");
  REQUIRE(exact_text(14_TFLOP) == "1.4e+13 FLOP");
  REQUIRE(exact_text(Watts(400)) == "400 W");
}

TEST_CASE("exact text reads back to the same double, whatever its bits", "[base]") {
  std::mt19937_64 random(20240611);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::abs(std::bit_cast<double>(random()));
    if (!std::isfinite(value)) continue;
    REQUIRE(parse_seconds(exact_text(Seconds(value))) == Seconds(value));
    REQUIRE(parse_bytes(exact_text(Bytes(value))) == Bytes(value));
    REQUIRE(parse_bandwidth(exact_text(BytesPerSecond(value))) == BytesPerSecond(value));
    REQUIRE(parse_flop_rate(exact_text(FlopPerSecond(value))) == FlopPerSecond(value));
    REQUIRE(parse_watts(exact_text(Watts(value))) == Watts(value));
  }
}

TEST_CASE("a literal and its text are the same double", "[base]") {
  REQUIRE(parse_seconds("3 us") == 3_us);
  REQUIRE(parse_seconds("7 ns") == 7_ns);
  REQUIRE(parse_seconds("12.3 ms") == 12.3_ms);
  REQUIRE(parse_bytes("79.15 GiB") == 79.15_GiB);
  REQUIRE(parse_bandwidth("12.1 Gbit/s") == 12.1_Gbit_per_s);
}

}  // namespace stepcast
