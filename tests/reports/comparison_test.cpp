#include "reports/comparison.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/comparison_text.h"
#include "tests/reports/hand_made.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

std::vector<Prediction> both() { return {test::prediction_of_10_s(), test::prediction_of_6_s()}; }

const PartMove& part(const Moved& moved, Activity activity) {
  return moved.parts[static_cast<std::size_t>(activity)];
}

}  // namespace

TEST_CASE("what moved, worked by hand", "[reports]") {
  const Moved moved = what_moved(both()).at(0);
  // 10 s to 6 s; compute 6 s to 3 s is 3 of those 4 s.
  REQUIRE(moved.step_seconds.change() == -4.0);
  REQUIRE(part(moved, Activity::Compute).seconds.change() == -3.0);
  REQUIRE(part(moved, Activity::Compute).share == 0.75);
  REQUIRE(part(moved, Activity::Optimizer).share == 0.0);
  // 16 GPUs x 10 s / 0.064 million tokens = 2500; 32 x 6 / 0.064 = 3000.
  REQUIRE_THAT(moved.gpu_seconds_per_million_tokens.from, WithinRel(2500.0, 1e-12));
  REQUIRE_THAT(moved.gpu_seconds_per_million_tokens.to, WithinRel(3000.0, 1e-12));
  // The bubble is 1.5 s of 10 s, then 1.2 s of 6 s: 375 and 600 of them.
  const Move bubble = part(moved, Activity::PipelineBubble).gpu_seconds_per_million_tokens;
  REQUIRE_THAT(bubble.change(), WithinRel(225.0, 1e-12));
}

TEST_CASE("shares of a step that took as long are not numbers", "[reports]") {
  const StepReport report = test::prediction_of_10_s().report;
  const Moved moved = what_moved(report, report, "A", "B");
  REQUIRE(std::isnan(part(moved, Activity::Compute).share));
}

TEST_CASE("the answer says what more tokens cost", "[reports]") {
  // 10 / 6 = 1.67 times the tokens for 2 times the price: 1.2 times the price of a token. Per
  // token, the bubble grew by 225 GPU seconds and tensor communication by 500 - 375 = 125.
  REQUIRE(what_moved(both()).at(0).answer ==
          "B: 1.67x the tokens/s of A for 2x the price: 20 % more per token, mostly from pipeline "
          "bubble and tensor communication; the whole training takes 60 h (2.5 days) instead of "
          "100 h (4.17 days) and costs 460.8 USD more.");
}

TEST_CASE("without prices the answer counts GPUs", "[reports]") {
  std::vector<Prediction> predictions = both();
  predictions[1].report.cost.reset();
  REQUIRE(what_moved(predictions).at(0).answer ==
          "B: 1.67x the tokens/s of A on 2x the GPUs: 20 % more GPU time per token, mostly from "
          "pipeline bubble and tensor communication.");
}

TEST_CASE("the answer names what does not fit", "[reports]") {
  std::vector<Prediction> predictions{test::prediction_of_10_s(), test::prediction_of_10_s()};
  for (Prediction& prediction : predictions) prediction.report.cost.reset();
  predictions[1].report.fits = false;
  predictions[1].report.oom_probability = 0.9;
  REQUIRE(what_moved(predictions).at(0).answer ==
          "B: 1x the tokens/s of A on 1x the GPUs: the same GPU time per token; B does not fit "
          "into memory (risk 90 %).");
}

TEST_CASE("predictions past Z are called by number", "[reports]") {
  REQUIRE(short_name(0) == "A");
  REQUIRE(short_name(25) == "Z");
  REQUIRE(short_name(26) == "#27");
}

TEST_CASE("a comparison as JSON has the results and what moved", "[reports][contract]") {
  std::vector<Prediction> three = both();
  three.push_back(test::prediction_of_10_s());
  const nlohmann::ordered_json json = comparison_json(three);
  REQUIRE(json["scenarios"].size() == 3);
  REQUIRE(json["moved"].size() == 2);
  const auto& moved = json["moved"][0];
  REQUIRE(moved["title"] == "Tiny on four nodes");
  REQUIRE(moved["gpus"]["ratio"] == 2.0);
  REQUIRE(moved["step_time_s"]["change"] == -4.0);
  REQUIRE(moved["training_usd"]["change"].get<double>() == Approx(460.8));
  REQUIRE(moved["breakdown"]["compute"]["share_of_change"] == 0.75);
  REQUIRE(nlohmann::json::parse(json.dump())["moved"][1]["breakdown"]["compute"]["share_of_change"]
              .is_null());
}

TEST_CASE("a comparison as text, whole", "[reports]") {
  const std::string expected =
      R"(A  Tiny on two nodes
   tiny_model (34 M parameters) on 2 nodes of dgx_a100_80gb, hdr_rail: 16 GPUs
   tensor 4 x pipeline 2 x data 2, 1f1b, sequence parallel, ZeRO-1, recompute full
   64 sequences of 1,000 tokens in micro-batches of 4, bf16, flash2, megatron
B  Tiny on four nodes
   tiny_model (34 M parameters) on 4 nodes of dgx_a100_80gb, hdr_rail: 32 GPUs
   tensor 4 x pipeline 2 x data 4, 1f1b, sequence parallel, ZeRO-1, recompute full
   64 sequences of 1,000 tokens in micro-batches of 4, bf16, flash2, megatron

                                    A            B
  GPUs                             16           32
  step time                      10 s          6 s
    5 % quantile                  9 s        5.4 s
    95 % quantile              11.5 s        6.9 s
  tokens/s                      6,400       10,670
  tokens/s a GPU                  400          333
  model FLOP rate a GPU   156 TFLOP/s  130 TFLOP/s
  MFU                            50 %         42 %
  HFU                          62.5 %       52.5 %
  memory                       48 GiB       48 GiB
    capacity                   80 GiB       80 GiB
    fits                          yes          yes
    risk of running out       < 0.1 %      < 0.1 %
  USD an hour                      23         46.1
  USD per million tokens            1          1.2
  whole training, days           4.17          2.5
    USD                         2,304        2,765
    kWh                           640          768

What moved from A to B: time in a step, and GPU seconds per million tokens
                               A       B   change  of change      A      B  change
  compute                    6 s     3 s     -3 s       75 %  1,500  1,500       0
  tensor communication     1.5 s     1 s  -500 ms     12.5 %    375    500    +125
  pipeline communication  100 ms  100 ms      0 s        0 %     25     50     +25
  pipeline bubble          1.5 s   1.2 s  -300 ms      7.5 %    375    600    +225
  data communication      700 ms  500 ms  -200 ms        5 %    175    250     +75
  optimizer               150 ms  150 ms      0 s        0 %   37.5     75   +37.5
  other                    50 ms   50 ms      0 s        0 %   12.5     25   +12.5
  step                      10 s     6 s     -4 s      100 %  2,500  3,000    +500

Memory of a GPU at its peak by pipeline stage, in GiB
A
  stage  weights  gradients  optimizer  activations  logits  context  fragmentation  device
  0        10.00      10.00      12.00        11.00    0.00     4.00           1.00   48.00
  1        10.00      10.00      12.00         5.00    2.00     4.00           1.00   44.00
B
  stage  weights  gradients  optimizer  activations  logits  context  fragmentation  device
  0        10.00      10.00      12.00        11.00    0.00     4.00           1.00   48.00
  1        10.00      10.00      12.00         5.00    2.00     4.00           1.00   44.00

What limits each
  A: compute takes 60 % of the step.
  B: compute takes 50 % of the step.

A: analytic engine: 4 of 16 GPUs stand for all, 1,234 activities
B: analytic engine: 4 of 32 GPUs stand for all, 1,234 activities
nothing contends: the event engine gives the same

B: 1.67x the tokens/s of A for 2x the price: 20 % more per token, mostly from pipeline bubble and )"
      R"(tensor communication; the whole training takes 60 h (2.5 days) instead of 100 h (4.17 days) )"
      "and costs 460.8 USD more.\n";
  REQUIRE(comparison_text(both()) == expected);
}

}  // namespace stepcast
