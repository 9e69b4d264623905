#include "models/training_job.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/error_text.h"
#include "tests/models/read_json.h"

using namespace stepcast;

namespace {

const std::string batch = R"("batch": {"global_batch": 64, "sequence_length": 2048})";

TrainingJob job_with_plan(const std::string& plan) {
  return read_settings("{" + batch + R"(, "plan": )" + plan + "}");
}

std::string plan_error(const std::string& plan) {
  return error_text([&] { job_with_plan(plan); });
}

}  // namespace

TEST_CASE("settings that say little get the defaults", "[models]") {
  const TrainingJob job = read_settings("{" + batch + "}");
  REQUIRE(job.batch.global_batch == 64);
  REQUIRE(job.batch.micro_batch == 1);
  REQUIRE(job.plan.tensor_parallel == 1);
  REQUIRE(job.plan.data_parallel == 0);
  REQUIRE_FALSE(job.plan.schedule.has_value());
  REQUIRE(job.plan.recompute == Recompute::None);
  REQUIRE(job.precision == Precision::Bf16);
  REQUIRE(job.framework == Framework::Megatron);
  REQUIRE_FALSE(job.optimizer_state_precision.has_value());
}

TEST_CASE("every setting is read", "[models]") {
  const TrainingJob job = read_settings(R"({
    "batch": {"global_batch": 512, "micro_batch": 2, "sequence_length": 4096},
    "plan": {
      "tensor_parallel": 4, "pipeline_parallel": 2, "virtual_pipeline": 3, "data_parallel": 8,
      "context_parallel": 2, "expert_parallel": 1, "sequence_parallel": true, "zero_stage": 1,
      "schedule": "interleaved_1f1b", "recompute": "selective", "overlap_gradient_reduce": true,
      "overlap_parameter_gather": false, "layers_per_stage": [7, 5],
      "rank_order": "tp-dp-cp-ep-pp", "keep_gathered_inputs": true, "offload": []
    },
    "precision": "fp16", "attention": "flash3", "framework": "nanotron",
    "runtime": {"torch_compile": true, "launch_blocking": true},
    "optimizer": "adam", "optimizer_state_precision": "bf16", "gradient_precision": "fp32",
    "vocab_padding": 64
  })");
  REQUIRE(job.plan.virtual_pipeline == 3);
  REQUIRE(job.plan.schedule == Schedule::Interleaved);
  REQUIRE(job.plan.recompute == Recompute::Selective);
  REQUIRE(job.plan.overlap_gradient_reduce == true);
  REQUIRE(job.plan.overlap_parameter_gather == false);
  REQUIRE(job.plan.layers_per_stage == std::vector{7, 5});
  REQUIRE(job.attention == AttentionKernel::Flash3);
  REQUIRE(job.framework == Framework::Nanotron);
  REQUIRE(job.runtime.launch_blocking);
  REQUIRE(job.optimizer == Optimizer::Adam);
  REQUIRE(job.optimizer_state_precision == Precision::Bf16);
  REQUIRE(job.gradient_precision == Precision::Fp32);
  REQUIRE(job.vocab_padding == 64);
}

TEST_CASE("settings that are written read back to the same", "[models]") {
  TrainingJob job =
      job_with_plan(R"({"tensor_parallel": 2, "schedule": "gpipe", "shard_group": 4})");
  const auto written = write_fields([&](Fields& f) { describe_settings(f, job); }, true);
  REQUIRE_FALSE(written["plan"].contains("data_parallel"));
  REQUIRE_FALSE(written["plan"].contains("offload"));
  TrainingJob again = read_settings(written.dump());
  REQUIRE(write_fields([&](Fields& f) { describe_settings(f, again); }, true) == written);
  REQUIRE(again.plan.schedule == Schedule::GPipe);
}

TEST_CASE("words are the same in files and in reports", "[models]") {
  REQUIRE(word(Framework::MegatronDeepspeed) == "megatron_deepspeed");
  REQUIRE(word(Schedule::Interleaved) == "interleaved_1f1b");
  REQUIRE(word(Recompute::Full) == "full");
  REQUIRE(word(Precision::Tf32) == "tf32");
  REQUIRE(word(AttentionKernel::Flash1) == "flash1");
}

TEST_CASE("schedules go by the words of their papers", "[models]") {
  const auto [text, schedule] = GENERATE(table<std::string, Schedule>({
      {"zero_bubble", Schedule::ZeroBubble},
      {"zb_v", Schedule::ZeroBubbleV},
      {"dual_pipe", Schedule::DualPipe},
  }));
  REQUIRE(job_with_plan(R"({"schedule": ")" + text + R"("})").plan.schedule == schedule);
  REQUIRE(word(schedule) == text);
}

TEST_CASE("a V is completed to its two chunks a stage", "[models]") {
  TrainingJob job = job_with_plan(R"({"schedule": "zb_v", "pipeline_parallel": 4})");
  complete(job, 64, {});
  REQUIRE(job.plan.virtual_pipeline == 2);
}

TEST_CASE("two copies of the model reduce after both: no overlap unless said", "[models]") {
  TrainingJob job = job_with_plan(R"({"schedule": "dual_pipe", "pipeline_parallel": 4})");
  FrameworkProfile framework;
  framework.communication.overlap_gradient_reduce = true;
  complete(job, 64, framework);
  REQUIRE(job.plan.overlap_gradient_reduce == false);
  REQUIRE(data_group_size(job.plan) == 2 * 16);
}

TEST_CASE("expert settings are read, and completed from the other degrees", "[models]") {
  TrainingJob job = job_with_plan(R"({
    "tensor_parallel": 2, "data_parallel": 8, "expert_parallel": 4, "expert_load_imbalance": 1.3,
    "expert_dispatch": "once_per_node", "overlap_shared_experts": true,
    "context_parallel_algorithm": "all_to_all"
  })");
  job.model.experts.num_experts = 8;
  complete(job, 16, {});
  REQUIRE(job.plan.expert_tensor_parallel == 2);   // as tensor_parallel
  REQUIRE(expert_data_group_size(job.plan) == 2);  // 2 x 8 / (4 x 2)
  REQUIRE(job.plan.expert_load_imbalance == 1.3);
  REQUIRE(job.plan.expert_dispatch == ExpertDispatch::OncePerNode);
  REQUIRE(job.plan.overlap_shared_experts);
  REQUIRE(job.plan.context_parallel_algorithm == ContextAlgorithm::AllToAll);
}

TEST_CASE("a rank order names each axis once", "[models]") {
  REQUIRE(parse_rank_order("tp-cp-ep-dp-pp") == kMegatronOrder);
  REQUIRE(parse_rank_order("pp-dp-ep-cp-tp") ==
          RankOrder{Axis::Pipeline, Axis::Data, Axis::Expert, Axis::Context, Axis::Tensor});
  const std::string bad = GENERATE("", "tp", "tp-cp-dp-pp", "tp-tp-ep-dp-pp", "tp-cp-ep-dp-pp-",
                                   "tp-cp-ep-dp-pp-tp", "tp-cp-ep-dp-xx", "tp cp ep dp pp");
  CAPTURE(bad);
  REQUIRE_FALSE(parse_rank_order(bad).has_value());
  REQUIRE(plan_error(R"({"rank_order": ")" + bad + R"("})") ==
          "x.json: at /plan/rank_order: rank_order \"" + bad +
              "\" is no order of the five axes\n"
              "  hint: name each of tp, cp, ep, dp and pp once, as in tp-cp-ep-dp-pp");
}

TEST_CASE("the rank grid has the plan's degrees in the plan's order", "[models]") {
  ParallelPlan plan;
  plan.tensor_parallel = 2;
  plan.pipeline_parallel = 3;
  plan.data_parallel = 5;
  plan.rank_order = "pp-tp-cp-ep-dp";
  const RankGrid grid = rank_grid(plan);
  REQUIRE(grid.num_ranks() == 30);
  REQUIRE(grid.degree(Axis::Data) == 5);
  REQUIRE(grid.coordinate(1, Axis::Pipeline) == 1);  // the first axis varies fastest
  REQUIRE(grid.coordinate(3, Axis::Tensor) == 1);
}

TEST_CASE("a job is completed with what is left and what its framework does", "[models]") {
  TrainingJob job = job_with_plan(R"({"tensor_parallel": 4, "pipeline_parallel": 2})");
  FrameworkProfile framework;
  framework.communication.overlap_gradient_reduce = true;
  complete(job, 64, framework);
  REQUIRE(job.plan.data_parallel == 8);
  REQUIRE(job.plan.schedule == Schedule::OneForwardOneBackward);
  REQUIRE(job.plan.overlap_gradient_reduce == true);
  REQUIRE(job.plan.overlap_parameter_gather == false);
}

TEST_CASE("completing keeps what the scenario says", "[models]") {
  TrainingJob job = job_with_plan(
      R"({"data_parallel": 3, "schedule": "gpipe", "overlap_gradient_reduce": false})");
  FrameworkProfile framework;
  framework.communication.overlap_gradient_reduce = true;
  complete(job, 64, framework);
  REQUIRE(job.plan.data_parallel == 3);
  REQUIRE(job.plan.schedule == Schedule::GPipe);
  REQUIRE(job.plan.overlap_gradient_reduce == false);
}

TEST_CASE("several chunks a stage mean the interleaved schedule", "[models]") {
  TrainingJob job = job_with_plan(R"({"pipeline_parallel": 4, "virtual_pipeline": 2})");
  complete(job, 64, {});
  REQUIRE(job.plan.schedule == Schedule::Interleaved);
}

TEST_CASE("data parallelism stays open where GPUs are left over", "[models]") {
  TrainingJob job = job_with_plan(R"({"tensor_parallel": 8, "pipeline_parallel": 3})");
  complete(job, 64, {});
  REQUIRE(job.plan.data_parallel == 0);
}

TEST_CASE("micro-batches and tokens of one, by hand", "[models]") {
  TrainingJob job = job_with_plan(R"({"data_parallel": 8, "context_parallel": 4})");
  job.batch.micro_batch = 2;
  REQUIRE(num_micro_batches(job) == 4);  // 64 / 2 / 8
  REQUIRE(tokens_per_micro_batch(job) == 2 * 2048 / 4);
}

TEST_CASE("the vocabulary is padded as the framework does, or as said", "[models]") {
  TrainingJob job = job_with_plan(R"({"tensor_parallel": 8})");
  job.model.vocab_size = 50257;
  FrameworkProfile framework;
  REQUIRE(padded_vocab(job, framework) == 51200);  // 50 x 128 x 8
  framework.vocab_padding = 1;
  REQUIRE(padded_vocab(job, framework) == 50264);  // 6283 x 8: each rank holds as many rows
  job.vocab_padding = 128;
  REQUIRE(padded_vocab(job, framework) == 50304);  // 393 x 128
}

TEST_CASE("weights take four bytes, or two in 16 and 8 bits", "[models]") {
  REQUIRE(bytes_per_element(Precision::Fp32) == 4);
  REQUIRE(bytes_per_element(Precision::Tf32) == 4);
  REQUIRE(bytes_per_element(Precision::Fp16) == 2);
  REQUIRE(bytes_per_element(Precision::Bf16) == 2);
  REQUIRE(bytes_per_element(Precision::Fp8) == 2);
}
