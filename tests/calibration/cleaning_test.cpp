#include "calibration/cleaning.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/base/error_text.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::WithinRel;

TEST_CASE("warm-up, stalls and outliers are told apart", "[calibration]") {
  const std::vector<double> series{30, 12, 10.0, 10.1, 9.9, 10.0, 25, 10.1, 9.9, 10.0, 11.0, 10.0};
  const SteadySeries parts = take_apart(series);
  CHECK(parts.warm_up == std::vector<std::size_t>{0, 1});
  CHECK(parts.stalls == std::vector<std::size_t>{6});
  CHECK(parts.outliers == std::vector<std::size_t>{10});
  CHECK(parts.steady == 8);
  CHECK(parts.median == 10.0);
}

TEST_CASE("a steady series is left whole", "[calibration]") {
  const SteadySeries parts = take_apart(std::vector<double>{1.00, 1.01, 0.99, 1.00});
  CHECK(parts.steady == 4);
  CHECK(parts.warm_up.empty());
}

// Rows as nccl-tests gives them, of a model in which a message of s bytes takes 10 us + s / (1
// GB/s) and all of it scales with the profile's bandwidth factor.
std::vector<Evidence> rows_of(double factor) {
  std::vector<Evidence> rows;
  for (int i = 10; i < 32; ++i) {
    Evidence row;
    const double size = std::pow(2.0, i);
    const double time = 10e-6 + size / 1e9;
    row.name = "row";
    row.file = "log.txt";
    row.line = i;
    row.measured = factor * time;
    row.noise = 0.03;
    row.predict = [time](const Profile&) { return time; };
    row.collective =
        CollectivePoint{CollectiveKind::AllReduce, Bytes(size), 16, 2, Seconds(), false};
    rows.push_back(row);
  }
  return rows;
}

TEST_CASE("three planted stalls are named with their lines", "[calibration]") {
  std::vector<Evidence> rows = rows_of(1.4);
  for (const std::size_t i : {3, 11, 20}) rows[i].measured *= 3;
  const CleanCollectives clean = without_stalls(rows, {});
  CHECK(clean.rows.size() == rows.size() - 3);
  REQUIRE(clean.findings.size() == 3);
  CHECK_THAT(clean.findings[0], Contains("stall: line 13 ") && Contains("3.0 times"));
  CHECK_THAT(clean.findings[2], Contains("stall: line 30 "));
}

TEST_CASE(
    "repeats of a size leave the one whose time is the median, in place and out of place apart",
    "[calibration]") {
  std::vector<Evidence> rows;
  for (const double factor : {1.3, 0.9, 1.1}) {
    for (Evidence& row : rows_of(factor)) rows.push_back(std::move(row));
  }
  for (Evidence& row : rows_of(2.0)) {
    row.collective->in_place = true;
    rows.push_back(std::move(row));
  }
  const CleanCollectives clean = one_row_for_each_size(rows, {});
  CHECK(clean.rows.size() == 2 * 22);
  for (const Evidence& row : clean.rows) {
    const double expected = row.collective->in_place ? 2.0 : 1.1;
    CHECK_THAT(row.measured, Catch::Matchers::WithinRel(expected * row.predict({}), 1e-12));
  }
  REQUIRE(clean.findings.size() == 1);
  CHECK_THAT(clean.findings[0], Contains("88 rows repeat sizes: 44 stand for them"));
  CHECK(one_row_for_each_size(rows_of(1.0), {}).findings.empty());
}

TEST_CASE("times in milliseconds are named as mixed-up units", "[calibration]") {
  CHECK_NOTHROW(check_units(rows_of(1.5), {}));
  CHECK_NOTHROW(check_units(rows_of(0.1), {}));
  CHECK_THAT(error_text([] { check_units(rows_of(1e-3), {}); }),
             Contains("log.txt") && Contains("1000 times shorter") &&
                 Contains("units seem to be mixed up") && Contains("milliseconds"));
  CHECK_THAT(error_text([] { check_units(rows_of(1e3), {}); }), Contains("1000 times longer"));
}

TEST_CASE("large messages at half the rate are named as a link at half rate", "[calibration]") {
  CHECK_THAT(half_rate_finding(rows_of(2.0), {}),
             Contains("half rate") && Contains("0.50") && Contains("between the nodes"));
  CHECK(half_rate_finding(rows_of(1.2), {}).empty());
}

TEST_CASE("rates become times by the batch", "[calibration]") {
  TrainingLog log;
  for (int i = 0; i < 4; ++i) log.iterations.push_back({i, std::nullopt, 16.0, i + 1});
  CHECK_THAT(steady_step(log, 128).time.value(), WithinRel(8.0, 1e-12));
}

}  // namespace
}  // namespace stepcast
