#include "calibration/stalled_runs.h"

#include <catch2/catch.hpp>
#include <deque>
#include <nlohmann/json.hpp>

#include "tests/support/small_scenario.h"

using namespace stepcast;

namespace {

// Runs on 4 nodes of two stages; micro-batches follow from 32 sequences over 8 replicas.
class Runs {
 public:
  void add(int micro_batch, Seconds measured, Seconds predicted, const std::string& patch = "{}") {
    nlohmann::json json = nlohmann::json::parse(test::small_scenario(
        R"({"cluster": {"nodes": 4, "fabric": "hdr_rail"},
            "plan": {"tensor_parallel": 2, "pipeline_parallel": 2}})"));
    json["batch"]["global_batch"] = 32;
    json["batch"]["micro_batch"] = micro_batch;
    json.merge_patch(nlohmann::json::parse(patch));
    scenarios_.push_back(test::read_text(json.dump()));
    times_.push_back({&scenarios_.back(), "suite", measured, predicted});
  }
  Scenario& scenario(std::size_t i) { return scenarios_[i]; }
  std::vector<bool> stalled() const { return stalled_runs(times_); }

 private:
  std::deque<Scenario> scenarios_;  // which stay where they are
  std::vector<RunTime> times_;
};

}  // namespace

TEST_CASE("a run stalls when its slots take far longer than a sibling shows them to take",
          "[calibration]") {
  // 4 micro-batches of 1 and 2 stages are 5 slots, 2 of 2 are 3. A slot of 0.1 s may take
  // 1.5 x 0.1 + 0.2 = 0.35 s, one of twice the micro-batch 1.5 x 0.2 + 0.2 = 0.5 s.
  Runs runs;
  runs.add(1, 0.5_s, 0.5_s, R"({"plan": {"sequence_parallel": true}})");
  runs.add(1, 1.8_s, 1_s);   // 0.36 s a slot
  runs.add(1, 1.7_s, 1_s);   // 0.34 s
  runs.add(2, 1.45_s, 1_s);  // 0.483 s
  runs.add(2, 1.6_s, 1_s);   // 0.533 s
  REQUIRE(runs.stalled() == std::vector<bool>{false, true, false, false, true});
}

TEST_CASE("a run stalls when it takes more than half as long again as a repeat of it",
          "[calibration]") {
  // Slots of 0.5 s: a sibling may take 1.5 x 0.5 + 0.2 = 0.95 s a slot, 4.75 s in all; a repeat of
  // 2.5 s only 3.75 s. The run of another batch is no repeat.
  Runs runs;
  runs.add(1, 2.5_s, 2.5_s);
  runs.add(1, 3.7_s, 2.5_s);
  runs.add(1, 3.8_s, 2.5_s);
  runs.add(1, 3.8_s, 2.5_s, R"({"batch": {"sequence_length": 512}})");
  REQUIRE(runs.stalled() == std::vector<bool>{false, false, true, false});
}

TEST_CASE("a sibling has the same width, degree and kernels", "[calibration]") {
  Runs runs;
  runs.add(1, 0.5_s, 0.5_s);
  runs.add(1, 2.5_s, 2.5_s, R"({"model": {"hidden_size": 1024}})");
  runs.add(1, 2.5_s, 2.5_s, R"({"plan": {"recompute": "full"}})");
  REQUIRE(runs.stalled() == std::vector<bool>{false, false, false});
}

TEST_CASE("what held messages take shows a stall where all siblings have it", "[calibration]") {
  // 4 micro-batches in two stages wait for 3 x 2 + 2 = 8 messages: 1.2 to 3.6 s in all.
  const auto stalls = [](Seconds measured, Seconds predicted, const std::string& patch) -> bool {
    Runs runs;
    runs.add(1, measured, predicted, patch);
    return runs.stalled().front();
  };
  CHECK_FALSE(stalls(1.6_s, 0.5_s, "{}"));
  CHECK(stalls(1.8_s, 0.5_s, "{}"));
  CHECK(stalls(4_s, 0.5_s, "{}"));
  CHECK_FALSE(stalls(4.2_s, 0.5_s, "{}"));  // wrong by a factor, not by the messages
  CHECK_FALSE(stalls(4_s, 2.2_s, "{}"));    // not twice as long
  const std::string over_efa =
      R"({"framework": "nanotron", "cluster": {"node": "aws_p4d", "fabric": "efa_p4d"}})";
  CHECK(stalls(4_s, 2.2_s, over_efa));  // known to stall
  CHECK_FALSE(stalls(4_s, 0.5_s, R"({"cluster": {"nodes": 1}})"));
}
