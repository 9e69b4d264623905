#include "reports/text.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "reports/scenario_text.h"
#include "tests/reports/hand_made.h"

namespace stepcast {

TEST_CASE("the report of a prediction, whole", "[reports]") {
  const std::string expected =
      R"(Tiny on two nodes
  tiny_model (34 M parameters) on 2 nodes of dgx_a100_80gb, hdr_rail: 16 GPUs
  tensor 4 x pipeline 2 x data 2, 1f1b, sequence parallel, ZeRO-1, recompute full
  64 sequences of 1,000 tokens in micro-batches of 4, bf16, flash2, megatron

  step time        10 s                      90 % between 9 s and 11.5 s
  throughput       6,400 tokens/s            400 tokens/s a GPU
  model FLOP rate  156 TFLOP/s a GPU         MFU 50 %, HFU 62.5 %
  memory           48 GiB of 80 GiB          fits (stage 0), risk of running out < 0.1 %
                                             90 % between 44 GiB and 52 GiB
  cost             1 USD per million tokens  23.04 USD an hour
  whole training   100 h (4.17 days)         2,304 USD, 640 kWh

Where the time goes, on the critical rank (stage 1)
  compute                    6 s   60 %  ########################
  tensor communication     1.5 s   15 %  ######
  pipeline communication  100 ms    1 %
  pipeline bubble          1.5 s   15 %  ######
  data communication      700 ms    7 %  ###
  optimizer               150 ms  1.5 %  #
  other                    50 ms  0.5 %

  compute takes 60 % of the step.

Memory of a GPU at its peak, capacity 80 GiB
  stage  allocated  reserved  device  of capacity  peak at
  0         43 GiB    44 GiB  48 GiB         60 %      2 s  ########################
  1         39 GiB    40 GiB  44 GiB         55 %      2 s  ######################
  Stage 0 is fullest at 2 s, in forward of micro-batch 1 (instruction 17).

  What it holds, in GiB
  stage  weights  gradients  optimizer  activations  logits  context  fragmentation  device
  0        10.00      10.00      12.00        11.00    0.00     4.00           1.00   48.00
  1        10.00      10.00      12.00         5.00    2.00     4.00           1.00   44.00

  Over the step, stage 0
   at  allocated
  0 s     32 GiB  ################
  2 s     43 GiB  ######################

analytic engine: 4 of 16 GPUs stand for all, 1,234 activities
nothing contends: the event engine gives the same
)";
  REQUIRE(text_report(test::prediction_of_10_s()) == expected);
}

TEST_CASE("claims agree within a tenth, and say by how much they do not", "[reports]") {
  Prediction prediction = test::prediction_of_10_s();
  // 6400 / 6200 = 1.032; 48 GiB / 30 GiB = 1.6
  prediction.report.claims = {{"tokens_per_s", 6200, 6400},
                              {"peak_memory", (30_GiB).value(), (48_GiB).value()},
                              {"usd_per_hour", 23.04, 23.04},
                              {"step_time", 11.0, 10.0}};
  REQUIRE_THAT(text_report(prediction), Catch::Contains(
                                            R"(Claims, which agree within 10 %
                  claimed  predicted
  tokens per s      6,200      6,400  agrees (+3.2 %)
  peak memory      30 GiB     48 GiB  does not agree: 1.6x the claim
  usd per hour  23.04 USD  23.04 USD  agrees (0 %)
  step time          11 s       10 s  agrees (-9.1 %)
)"));
}

TEST_CASE("a claim a tenth off agrees, one beyond it does not", "[reports]") {
  REQUIRE(agrees({"", 100, 110.0 - 1e-9}));
  REQUIRE(agrees({"", 100, 90.0 + 1e-9}));
  REQUIRE_FALSE(agrees({"", 100, 110.1}));
  REQUIRE_FALSE(agrees({"", 100, 89.9}));
}

TEST_CASE("a plan that does not fit is said to, and warnings are listed", "[reports]") {
  Prediction prediction = test::prediction_of_10_s();
  prediction.report.fits = false;
  prediction.report.oom_probability = 0.9;
  prediction.report.warnings = {"stage 0 needs more memory than a GPU has"};
  const std::string text = text_report(prediction);
  REQUIRE_THAT(text, Catch::Contains("does not fit (stage 0), risk of running out 90 %\n"));
  REQUIRE_THAT(text, Catch::Contains("Warnings\n  stage 0 needs more memory than a GPU has\n"));
}

TEST_CASE("without a price the report has no cost", "[reports]") {
  Prediction prediction = test::prediction_of_10_s();
  prediction.report.cost.reset();
  REQUIRE_THAT(text_report(prediction), !Catch::Contains("USD"));
}

TEST_CASE("the event engine's report names SimGrid's settings, in lines that fit", "[reports]") {
  Prediction prediction = test::prediction_of_10_s();
  prediction.report.engine.name = "event";
  const std::string text = text_report(prediction);
  REQUIRE_THAT(text, Catch::Contains("event engine: 4 of 16 GPUs stand for all"));
  REQUIRE_THAT(text, Catch::Contains("SimGrid 3.32 network/model:CM02"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 104);
}

TEST_CASE("an analytic time that is not certified is called a lower bound", "[reports]") {
  Prediction prediction = test::prediction_of_10_s();
  prediction.report.engine.certified = false;
  REQUIRE_THAT(text_report(prediction), Catch::EndsWith("a lower bound: contention between flows "
                                                        "is left out\n"));
}

TEST_CASE("a scenario's lines leave out what is off, and name inline parts so", "[reports]") {
  Scenario scenario = test::hand_made_scenario(1);
  scenario.model_name.clear();
  scenario.job.plan = ParallelPlan();
  scenario.job.plan.data_parallel = 1;
  REQUIRE(scenario_lines(scenario) ==
          std::vector<std::string>{
              "an inline model (34 M parameters) on 1 node of dgx_a100_80gb: 1 GPU", "not parallel",
              "64 sequences of 1,000 tokens in micro-batches of 4, bf16, flash2, megatron"});
}

TEST_CASE("a scenario's lines name chunks, shard groups and faults", "[reports]") {
  Scenario scenario = test::hand_made_scenario(2);
  scenario.job.plan.virtual_pipeline = 3;
  scenario.job.plan.schedule = Schedule::Interleaved;
  scenario.job.plan.zero_stage = 3;
  scenario.job.plan.shard_group = 8;
  scenario.cluster.faults.resize(2);
  const std::vector<std::string> lines = scenario_lines(scenario);
  REQUIRE_THAT(lines[0], Catch::EndsWith(": 16 GPUs, faults: 2"));
  REQUIRE(lines[1] ==
          "tensor 4 x pipeline 2 x data 2, interleaved_1f1b of 3 chunks, sequence parallel, "
          "ZeRO-3 over 8 ranks, recompute full");
}

}  // namespace stepcast
