#include "reports/upgrade.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/reports/hand_made.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

// 64,000 tokens in 8 s instead of 10 s for the same 23.04 USD an hour: 80 h of training instead of
// 100 h, 0.8 USD per million tokens instead of 1.
Prediction prediction_of_8_s() {
  Prediction prediction = test::prediction_of_10_s();
  test::set_rates(prediction.report, 8_s);
  prediction.report.cost = CostReport{23.04, 0.8, 80.0, 1843.2, 512.0};
  return prediction;
}

Purchase for_usd(double capital) { return {R"({"cluster":{"fabric":"ndr_rail"}})", capital}; }

Payback payback_of_8_s(const Purchase& purchase) {
  return payback(test::prediction_of_10_s().report, prediction_of_8_s().report, purchase);
}

}  // namespace

TEST_CASE("an upgrade earns what the tokens of an hour cost before, less what they cost now",
          "[reports]") {
  // An hour's tokens took 1.25 h before: 1.25 x 23.04 - 23.04 = 5.76 USD.
  const Payback result = payback_of_8_s(for_usd(230.4));
  CHECK_THAT(result.usd_saved_per_hour, WithinRel(5.76, 1e-12));
  CHECK_THAT(result.payback_hours.value(), WithinRel(230.4 / 5.76, 1e-12));
}

TEST_CASE("the break-even price over the training is what the training became cheaper",
          "[reports]") {
  const Payback result = payback_of_8_s(for_usd(230.4));
  CHECK(result.horizon_hours == 80.0);
  CHECK_THAT(result.break_even_usd.value(), WithinRel(2304.0 - 1843.2, 1e-12));
}

TEST_CASE("a break-even capital pays back in exactly the horizon", "[reports]") {
  Purchase purchase = for_usd(5.76 * 1000.0);
  purchase.horizon_hours = 1000.0;
  const Payback result = payback_of_8_s(purchase);
  CHECK_THAT(result.break_even_usd.value(), WithinRel(5760.0, 1e-12));
  CHECK_THAT(result.payback_hours.value(), WithinRel(1000.0, 1e-12));
}

TEST_CASE("an upgrade that makes tokens dearer never pays back", "[reports]") {
  // 10 / 6 x 23.04 - 46.08 = -7.68 USD an hour.
  const Prediction before = test::prediction_of_10_s();
  const Prediction after = test::prediction_of_6_s();
  const Payback result = payback(before.report, after.report, for_usd(1.0));
  CHECK_THAT(result.usd_saved_per_hour, WithinRel(-7.68, 1e-12));
  CHECK_FALSE(result.payback_hours);
  CHECK_FALSE(result.break_even_usd);
  CHECK(upgrade_json(before, after, for_usd(1.0))["payback_hours"].is_null());
  CHECK_THAT(upgrade_text(before, after, for_usd(1.0)),
             Catch::Contains("The upgrade never pays: a token costs no less than before."));
}

TEST_CASE("an upgrade's text says both sides, the payback and whether it pays", "[reports]") {
  // 230.4 USD of 5.76 an hour: 40 h, and 460.8 - 230.4 = 230.4 USD are left.
  REQUIRE(upgrade_text(test::prediction_of_10_s(), prediction_of_8_s(), for_usd(230.4)) ==
          "Tiny on two nodes\n"
          "  upgraded by {\"cluster\":{\"fabric\":\"ndr_rail\"}}\n"
          "\n"
          "                          before  after  change\n"
          "  step time                 10 s    8 s   -20 %\n"
          "  tokens/s                 6,400  8,000   +25 %\n"
          "  USD an hour                 23     23     0 %\n"
          "  USD per million tokens       1    0.8   -20 %\n"
          "  training, hours            100     80   -20 %\n"
          "  training, USD            2,304  1,843   -20 %\n"
          "\n"
          "  capital                              230.4 USD\n"
          "  saved in an hour of training          5.76 USD\n"
          "  horizon: the training         80 h (3.33 days)\n"
          "  payback time                              40 h\n"
          "  break-even price                     460.8 USD\n"
          "\n"
          "The upgrade pays within the training: 230.4 USD more than its capital.\n");
}

TEST_CASE("an upgrade that earns less than its capital in the training is short of the rest",
          "[reports]") {
  // 1000 - 460.8 = 539.2.
  CHECK_THAT(
      upgrade_text(test::prediction_of_10_s(), prediction_of_8_s(), for_usd(1000.0)),
      Catch::Contains("does not pay within the training: 539.2 USD short of its capital.\n"));
}

TEST_CASE("an upgrade after which the model does not fit into memory says so", "[reports]") {
  Prediction after = prediction_of_8_s();
  after.report.fits = false;
  CHECK_THAT(upgrade_text(test::prediction_of_10_s(), after, for_usd(1.0)),
             Catch::EndsWith("; the model does not fit into memory after.\n"));
}

}  // namespace stepcast
