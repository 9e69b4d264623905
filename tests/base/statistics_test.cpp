#include "base/statistics.h"

#include <catch2/catch.hpp>

namespace stepcast {

TEST_CASE("quantiles lie between the values around them", "[base]") {
  REQUIRE(quantile({4, 1, 3, 2, 5}, 0.9) == Approx(4.6));  // 0.6 of the way from 4 to 5
  REQUIRE(quantile({7, 9}, 0) == 7);
  REQUIRE(quantile({7, 9}, 1) == 9);
}

TEST_CASE("the median is the middle value, or halfway between the two in the middle", "[base]") {
  REQUIRE(median({3, 1, 2}) == 2);
  REQUIRE(median({4, 1, 2, 3}) == 2.5);
  REQUIRE_FALSE(median({}));
}

}  // namespace stepcast
