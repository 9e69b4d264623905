// Predictions made by hand, in figures that are easy to do arithmetic with.
#pragma once

#include <array>
#include <string>

#include "reports/prediction.h"

namespace stepcast::test {

inline Scenario hand_made_scenario(int nodes) {
  Scenario scenario;
  scenario.title = "tiny";
  scenario.model_name = "tiny_model";
  scenario.node_name = "dgx_a100_80gb";
  scenario.fabric_name = "hdr_rail";
  scenario.cluster.nodes = nodes;
  // 2 layers x 12 x 1000^2 + 2 tables x 5000 x 1000 = 34 million, and some thousands in the norms.
  Transformer& model = scenario.job.model;
  model.num_layers = 2;
  model.hidden_size = 1000;
  model.num_attention_heads = 10;
  model.num_query_groups = 10;
  model.head_size = 100;
  model.ffn_hidden_size = 4000;
  model.vocab_size = 5000;
  scenario.job.vocab_padding = 1;
  ParallelPlan& plan = scenario.job.plan;
  plan.tensor_parallel = 4;
  plan.pipeline_parallel = 2;
  plan.data_parallel = nodes;
  plan.sequence_parallel = true;
  plan.zero_stage = 1;
  plan.schedule = Schedule::OneForwardOneBackward;
  plan.recompute = Recompute::Full;
  scenario.job.batch = {.global_batch = 64, .micro_batch = 4, .sequence_length = 1000};
  return scenario;
}

inline StageMemory hand_made_stage(int stage, Bytes activations, Bytes logits) {
  StageMemory memory;
  memory.stage = stage;
  memory.parts = {10_GiB, 10_GiB, 12_GiB, activations, logits, 0_B, 0_B, 4_GiB, 1_GiB};
  memory.allocated = 32_GiB + activations + logits;
  memory.reserved = memory.allocated + 1_GiB;
  memory.device = memory.reserved + 4_GiB;
  memory.peak_at = 2_s;
  memory.peak_instruction = 17;
  memory.peak_work = Work::Forward;
  memory.peak_micro_batch = 1;
  return memory;
}

inline void set_rates(StepReport& report, Seconds step_time) {
  report.step_time = step_time;
  report.step_time_low = 0.9 * step_time;
  report.step_time_high = 1.15 * step_time;
  report.tokens_per_s = 64000 / step_time.value();
  report.tokens_per_s_per_gpu = report.tokens_per_s / report.gpus;
}

/// 16 GPUs, 64,000 tokens in 10 s, 23.04 USD an hour: 1 USD per million tokens.
inline Prediction prediction_of_10_s() {
  StepReport report;
  report.title = "Tiny on two nodes";
  report.gpus = 16;
  set_rates(report, 10_s);
  report.model_flop_rate_per_gpu = 156_TFLOP_per_s;
  report.mfu = 0.5;
  report.hfu = 0.625;
  report.breakdown = {6_s, 1.5_s, 0_s, 0_s, 0.1_s, 1.5_s, 0.7_s, 0_s, 0.15_s, 0.05_s};
  report.critical_stage = 1;
  report.bubble_fraction = 0.15;
  report.memory.capacity = 80_GiB;
  report.memory.stages = {hand_made_stage(0, 11_GiB, 0_B), hand_made_stage(1, 5_GiB, 2_GiB)};
  report.memory.low = 44_GiB;
  report.memory.high = 52_GiB;
  report.memory.timeline = {{0_s, 32_GiB}, {2_s, 43_GiB}};
  report.oom_probability = 0.0001;
  report.cost = CostReport{23.04, 1.0, 100.0, 2304.0, 640.0};
  report.engine = {"analytic", true, 16, 4, 1234, 0.5_s};
  report.bottleneck = "compute takes 60 % of the step";
  return {hand_made_scenario(2), report};
}

/// 32 GPUs, 64,000 tokens in 6 s, 46.08 USD an hour: 1.2 USD per million tokens.
inline Prediction prediction_of_6_s() {
  Prediction prediction = prediction_of_10_s();
  prediction.scenario = hand_made_scenario(4);
  StepReport& report = prediction.report;
  report.title = "Tiny on four nodes";
  report.gpus = 32;
  set_rates(report, 6_s);
  report.model_flop_rate_per_gpu = 130_TFLOP_per_s;
  report.mfu = 0.42;
  report.hfu = 0.525;
  report.breakdown = {3_s, 1_s, 0_s, 0_s, 0.1_s, 1.2_s, 0.5_s, 0_s, 0.15_s, 0.05_s};
  report.bubble_fraction = 0.2;
  report.cost = CostReport{46.08, 1.2, 60.0, 2764.8, 768.0};
  report.engine.gpus = 32;
  report.bottleneck = "compute takes 50 % of the step";
  return prediction;
}

}  // namespace stepcast::test
