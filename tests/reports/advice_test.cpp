#include "reports/advice.h"

#include <catch2/catch.hpp>

#include "tests/reports/hand_made.h"

using namespace stepcast;

TEST_CASE("advice in text is options that a shell takes as they stand", "[reports]") {
  const StepReport report = test::prediction_of_10_s().report;
  AdviceReport advice;
  advice.ways = {{{"plan/tensor_parallel=8", "plan/data_parallel=2"}, report},
                 {{"plan/offload=[\"optimizer\"]"}, report}};
  const std::string text = advice_text(advice, report);
  REQUIRE_THAT(text, Catch::Contains("  --set plan/tensor_parallel=8 --set plan/data_parallel=2 "));
  REQUIRE_THAT(text, Catch::Contains("  --set 'plan/offload=[\"optimizer\"]' "));
}
