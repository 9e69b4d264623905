#include "reports/numbers.h"

#include <catch2/catch.hpp>

namespace stepcast {

TEST_CASE("counts are written out in groups of three", "[reports]") {
  REQUIRE(count_text(0) == "0");
  REQUIRE(count_text(999) == "999");
  REQUIRE(count_text(1000) == "1,000");
  REQUIRE(count_text(12345678) == "12,345,678");
  REQUIRE(count_text(-123) == "-123");
  REQUIRE(count_text(-1234) == "-1,234");
}

TEST_CASE("rounded numbers keep three digits, four from a thousand on", "[reports]") {
  REQUIRE(rounded_text(0.0) == "0");
  REQUIRE(rounded_text(0.85371) == "0.854");
  REQUIRE(rounded_text(2.0) == "2");
  REQUIRE(rounded_text(9.996) == "10");
  REQUIRE(rounded_text(12.345) == "12.3");
  REQUIRE(rounded_text(999.4) == "999");
  REQUIRE(rounded_text(999.7) == "1,000");
  REQUIRE(rounded_text(85312.7) == "85,310");
  REQUIRE(rounded_text(1.4e12) == "1,400,000,000,000");
  REQUIRE(rounded_text(1e300) == "1e+300");
}

TEST_CASE("a share reads 0 or 100 % only where it is", "[reports]") {
  REQUIRE(share_text(0.0) == "0 %");
  REQUIRE(share_text(1e-9) == "< 0.1 %");
  REQUIRE(share_text(-1e-9) == "0 %");
  REQUIRE(share_text(0.481) == "48.1 %");
  REQUIRE(share_text(0.99999) == "> 99.9 %");
  REQUIRE(share_text(1.0) == "100 %");
  REQUIRE(share_text(1.06) == "106 %");
}

TEST_CASE("changes show their sign, and no change has none", "[reports]") {
  REQUIRE(signed_share_text(0.0456) == "+4.6 %");
  REQUIRE(signed_share_text(-0.12) == "-12 %");
  REQUIRE(signed_share_text(-0.0001) == "0 %");
  REQUIRE(signed_text(1.2_s) == "+1.2 s");
  REQUIRE(signed_text(-340_ms) == "-340 ms");
  REQUIRE(signed_text(0_s) == "0 s");
  REQUIRE(signed_text(37.5) == "+37.5");
}

TEST_CASE("factors, money and hours", "[reports]") {
  REQUIRE(factor_text(1.9) == "1.9x");
  REQUIRE(factor_text(2.0) == "2x");
  REQUIRE(factor_text(0.0123) == "0.0123x");
  REQUIRE(usd_text(1.0) == "1 USD");
  REQUIRE(usd_text(2.3936) == "2.394 USD");
  REQUIRE(usd_text(262.16) == "262.16 USD");
  REQUIRE(usd_text(3351038.9) == "3,351,000 USD");
  REQUIRE(hours_text(36.5) == "36.5 h");
  REQUIRE(hours_text(100.0) == "100 h (4.17 days)");
}

TEST_CASE("a bar has a mark for each 2.5 %, and no more than forty", "[reports]") {
  REQUIRE(share_bar(0.0) == "");
  REQUIRE(share_bar(0.1) == "####");
  REQUIRE(share_bar(1.0) == std::string(40, '#'));
  REQUIRE(share_bar(1.7) == std::string(40, '#'));
}

}  // namespace stepcast
