#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "models/training_job.h"

using namespace stepcast;

namespace {

/// 32 layers, 32 heads; 256 sequences of 4096 tokens; fits on 64 GPUs as it is.
TrainingJob fitting_job() {
  TrainingJob job;
  job.model.num_layers = 32;
  job.model.hidden_size = 4096;
  job.model.num_attention_heads = 32;
  job.model.num_query_groups = 32;
  job.model.ffn_hidden_size = 16384;
  job.model.head_size = 128;
  job.model.vocab_size = 32000;
  job.batch = {256, 2, 4096};
  job.plan.tensor_parallel = 4;
  job.plan.pipeline_parallel = 2;
  return job;
}

/// As a person reads them: "KEY: PROBLEM [DETAIL] (HINT)", one line each.
std::vector<std::string> faults(TrainingJob job, int num_gpus = 64) {
  complete(job, num_gpus, {});
  std::vector<std::string> lines;
  for (const Violation& violation : violations(job, num_gpus)) {
    std::string line = violation.key + ": " + violation.problem;
    for (const std::string& detail : violation.details) line += " [" + detail + "]";
    if (!violation.hint.empty()) line += " (" + violation.hint + ")";
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a plan that fits has no violations", "[models]") {
  REQUIRE(faults(fitting_job()).empty());
}

TEST_CASE("a plan must use all GPUs", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.tensor_parallel = 8;
  job.plan.pipeline_parallel = 4;
  job.plan.data_parallel = 16;
  REQUIRE(faults(job, 1024) ==
          Lines{"/plan: the plan uses 512 GPUs, the cluster has 1024 "
                "[tensor_parallel 8 x pipeline_parallel 4 x data_parallel 16 = 512] "
                "(data_parallel 32 uses them all)"});
}

TEST_CASE("a plan that no data parallelism completes names clusters that would do", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.context_parallel = 3;
  job.batch.sequence_length = 3072;
  REQUIRE(faults(job, 64) ==
          Lines{"/plan: the plan needs a multiple of 24 GPUs, the cluster has 64 "
                "[tensor_parallel 4 x context_parallel 3 x pipeline_parallel 2 = 24] "
                "(48 or 72 GPUs would do)"});
  job.plan.data_parallel = 2;
  REQUIRE(faults(job, 16) ==
          Lines{"/plan: the plan uses 48 GPUs, the cluster has 16 "
                "[tensor_parallel 4 x context_parallel 3 x pipeline_parallel 2 x data_parallel 2 "
                "= 48] (24 GPUs would do)"});
}

TEST_CASE("a tensor degree that neither heads nor cluster divide by names those beside it",
          "[models]") {
  TrainingJob job = fitting_job();
  job.plan.tensor_parallel = 3;  // x pipeline_parallel 2 = 6, and 64 = 10 x 6 + 4
  REQUIRE(faults(job, 64).front() ==
          "/plan: the plan needs a multiple of 6 GPUs, the cluster has 64 "
          "[tensor_parallel 3 x pipeline_parallel 2 = 6] (tensor_parallel 2 or 4 would do)");
  job.plan.data_parallel = 8;  // 64 / (2 x 8) = 4
  REQUIRE(faults(job, 64).front() ==
          "/plan: the plan uses 48 GPUs, the cluster has 64 "
          "[tensor_parallel 3 x pipeline_parallel 2 x data_parallel 8 = 48] "
          "(tensor_parallel 4 would do)");
}

TEST_CASE("tensor parallelism divides heads and MLP", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_attention_heads = job.model.num_query_groups = 30;
  job.model.ffn_hidden_size = 10922;
  REQUIRE(faults(job) ==
          Lines{"/plan/tensor_parallel: num_attention_heads 30 does not divide by tensor_parallel "
                "4 (tensor_parallel 2 divides it)",
                "/plan/tensor_parallel: num_query_groups 30 does not divide by tensor_parallel 4 "
                "(tensor_parallel 2 divides it)",
                "/plan/tensor_parallel: ffn_hidden_size 10922 does not divide by tensor_parallel "
                "4 (tensor_parallel 2 divides it)"});
}

TEST_CASE("query groups may be kept by several tensor ranks", "[models]") {
  TrainingJob job = fitting_job();
  const int groups = GENERATE(1, 2, 4, 8, 16);
  job.model.num_query_groups = groups;
  REQUIRE(faults(job).empty());
}

TEST_CASE("query groups that neither divide nor repeat are a violation", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_attention_heads = 24;
  job.model.num_query_groups = 6;
  REQUIRE(faults(job) == Lines{"/plan/tensor_parallel: num_query_groups 6 does not divide by "
                               "tensor_parallel 4 (tensor_parallel 2 divides it)"});
}

TEST_CASE("a stated vocabulary padding must divide", "[models]") {
  TrainingJob job = fitting_job();
  job.model.vocab_size = 50257;
  REQUIRE(faults(job).empty());  // the framework pads to 4 x 128
  job.vocab_padding = 1;
  REQUIRE(faults(job) == Lines{"/plan/tensor_parallel: padded vocabulary 50257 does not divide by "
                               "tensor_parallel 4 (tensor_parallel 1 divides it)"});
}

TEST_CASE("the global batch is whole micro-batches on every replica", "[models]") {
  TrainingJob job = fitting_job();
  job.batch.global_batch = 250;
  REQUIRE(faults(job) ==
          Lines{"/batch/global_batch: global_batch 250 does not divide by micro_batch 2 x "
                "data_parallel 8 [micro_batch 2 x data_parallel 8 = 16] "
                "(global_batch 240 or 256 would do)"});
}

TEST_CASE("the sequence divides over context and sequence parallelism", "[models]") {
  TrainingJob job = fitting_job();
  job.batch.sequence_length = 4090;
  REQUIRE(faults(job).empty());
  job.plan.sequence_parallel = true;
  REQUIRE(faults(job) == Lines{"/batch/sequence_length: sequence_length 4090 does not divide by "
                               "tensor_parallel 4 of sequence_parallel "
                               "(sequence_length 4088 or 4092 would do)"});
  job.plan.context_parallel = 4;
  REQUIRE(faults(job) == Lines{"/batch/sequence_length: sequence_length 4090 does not divide by "
                               "context_parallel 4 x tensor_parallel 4 of sequence_parallel "
                               "(sequence_length 4080 or 4096 would do)"});
}

TEST_CASE("every stage needs a layer, except where nanotron deals them", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_layers = 3;
  job.plan.tensor_parallel = 1;
  job.plan.pipeline_parallel = 4;
  REQUIRE(faults(job) == Lines{"/plan/pipeline_parallel: num_layers 3 is too few for "
                               "pipeline_parallel 4 (every stage needs a layer)"});
  job.framework = Framework::Nanotron;
  REQUIRE(faults(job).empty());
}

TEST_CASE("a table that counts as a layer may have a stage of its own", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_layers = 2;
  job.plan.tensor_parallel = 1;
  job.plan.pipeline_parallel = 4;
  job.plan.embedding_counts_as_layer = job.plan.loss_counts_as_layer = true;
  REQUIRE(faults(job).empty());
}

TEST_CASE("layers that do not divide over the stages may run", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_layers = 31;
  REQUIRE(faults(job).empty());
}

TEST_CASE("stated layers cover the stages and the model", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.layers_per_stage = {16, 8, 8};
  REQUIRE(faults(job) == Lines{"/plan/layers_per_stage: layers_per_stage has 3 entries for "
                               "pipeline_parallel 2 (one entry a stage)"});
  job.plan.layers_per_stage = {15, 16};
  REQUIRE(faults(job) == Lines{"/plan/layers_per_stage: layers_per_stage adds up to 31 layers, "
                               "the model has 32"});
  job.plan.layers_per_stage = {17, 15};
  REQUIRE(faults(job).empty());
  job.plan.virtual_pipeline = 2;
  REQUIRE(faults(job) == Lines{"/plan/layers_per_stage: a stage of 17 layers does not divide by "
                               "virtual_pipeline 2"});
}

TEST_CASE("the interleaved schedule needs chunks, stages and whole rounds", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.schedule = Schedule::Interleaved;
  REQUIRE(faults(job) == Lines{"/plan/schedule: interleaved_1f1b needs virtual_pipeline above 1 "
                               "(schedule 1f1b runs one chunk a stage)"});
  job.plan.virtual_pipeline = 2;
  REQUIRE(faults(job).empty());
  job.batch.global_batch = 240;  // 15 micro-batches over 2 stages
  REQUIRE(faults(job) ==
          Lines{"/batch/global_batch: interleaved_1f1b needs a multiple of pipeline_parallel "
                "micro-batches [micro-batches 15, pipeline_parallel 2] "
                "(14 or 16 micro-batches would do)"});
  job.plan.pipeline_parallel = 1;
  job.batch.global_batch = 256;
  REQUIRE(faults(job) == Lines{"/plan/virtual_pipeline: interleaved_1f1b needs pipeline_parallel "
                               "above 1 (leave virtual_pipeline out)"});
}

TEST_CASE("split schedules need a pipeline, a V two chunks", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.schedule = Schedule::ZeroBubble;
  REQUIRE(faults(job).empty());
  job.plan.schedule = Schedule::ZeroBubbleV;
  job.plan.virtual_pipeline = 4;
  REQUIRE(faults(job) == Lines{"/plan/virtual_pipeline: zb_v has two model chunks a stage, the "
                               "plan virtual_pipeline 4 (leave virtual_pipeline out)"});
  job.plan.schedule = Schedule::ZeroBubble;
  job.plan.virtual_pipeline = 1;
  job.plan.pipeline_parallel = 1;
  REQUIRE(faults(job) == Lines{"/plan/schedule: zero_bubble needs pipeline_parallel above 1 "
                               "(leave schedule out)"});
}

TEST_CASE("DualPipe needs even stages, two micro-batches a stage, and reduces at the end",
          "[models]") {
  TrainingJob job = fitting_job();
  job.plan.schedule = Schedule::DualPipe;
  REQUIRE(faults(job).empty());  // 16 micro-batches on 2 stages
  job.batch.global_batch = 48;   // 3 micro-batches
  REQUIRE(
      faults(job) ==
      Lines{"/batch/global_batch: dual_pipe needs an even number of micro-batches, at least two "
            "a stage [micro-batches 3, pipeline_parallel 2] (4 micro-batches would do)"});
  job.batch.global_batch = 256;
  job.plan.overlap_gradient_reduce = true;
  REQUIRE(faults(job) ==
          Lines{"/plan/overlap_gradient_reduce: overlap_gradient_reduce does not go with dual_pipe "
                "[two stages hold each weight and reduce once both are done] "
                "(leave overlap_gradient_reduce out)"});
}

TEST_CASE("tables that count as layers need an even split", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.loss_counts_as_layer = true;
  REQUIRE(
      faults(job) ==
      Lines{"/plan/account_for_loss_in_pipeline_split: 33 layers, tables counted, do not divide "
            "by 2 model chunks (layers_per_stage can say any split)"});
  job.plan.embedding_counts_as_layer = true;
  REQUIRE(faults(job).empty());
  job.framework = Framework::Nanotron;
  REQUIRE(faults(job) ==
          Lines{"/plan/account_for_embedding_in_pipeline_split: "
                "account_for_embedding_in_pipeline_split has no effect: nanotron deals layers by "
                "cost (leave it out)"});
}

TEST_CASE("experts divide over ranks, and tensor ranks share sequences", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.expert_parallel = 4;
  REQUIRE(faults(job) == Lines{"/plan/expert_parallel: expert_parallel 4 for a model without "
                               "experts (leave expert_parallel out)"});
  job.model.experts = {.num_experts = 6, .experts_per_token = 2, .ffn_hidden_size = 1024};
  REQUIRE(faults(job) ==
          Lines{"/plan/expert_parallel: num_experts 6 does not divide by expert_parallel 4 "
                "(expert_parallel 2 divides it)",
                "/plan/sequence_parallel: experts with tensor_parallel 4 need sequence_parallel "
                "[every tensor rank would send all tokens to the experts] "
                "(sequence_parallel true)"});
  job.plan.sequence_parallel = true;
  job.plan.expert_parallel = 2;
  REQUIRE(faults(job).empty());
  job.plan.expert_parallel = 3;  // of 4 x 8 ranks, 4 to a matrix
  REQUIRE(faults(job) ==
          Lines{"/plan/expert_parallel: a stage's 32 ranks do not divide by expert_parallel 3 x "
                "expert_tensor_parallel 4 [a stage has tensor_parallel x context_parallel x "
                "data_parallel ranks]"});
}

TEST_CASE("Ulysses needs query groups for all ranks", "[models]") {
  TrainingJob job = fitting_job();
  job.model.num_query_groups = 4;
  job.plan.context_parallel = 2;
  job.plan.context_parallel_algorithm = ContextAlgorithm::AllToAll;
  REQUIRE(faults(job) ==
          Lines{"/plan/context_parallel_algorithm: all_to_all needs query groups for every rank, 4 "
                "do not divide by context_parallel 2 x tensor_parallel 4 "
                "(ring and all_gather need none)"});
  job.plan.context_parallel_algorithm = ContextAlgorithm::Ring;
  REQUIRE(faults(job).empty());
}

TEST_CASE("chunks need the interleaved schedule", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.virtual_pipeline = 2;
  job.plan.schedule = Schedule::GPipe;
  REQUIRE(faults(job) == Lines{"/plan/virtual_pipeline: virtual_pipeline 2 needs schedule "
                               "interleaved_1f1b, the plan has gpipe"});
}

TEST_CASE("ZeRO 2 and 3 do not go with a pipeline", "[models]") {
  TrainingJob job = fitting_job();
  const int stage = GENERATE(2, 3);
  job.plan.zero_stage = stage;
  REQUIRE(faults(job) ==
          Lines{"/plan/zero_stage: zero_stage " + std::to_string(stage) +
                " does not go with pipeline_parallel 2 [a pipeline would gather and reduce again "
                "for every micro-batch] (zero_stage 1 does)"});
  job.plan.pipeline_parallel = 1;
  REQUIRE(faults(job).empty());
}

TEST_CASE("a shard group is a part of data parallelism under ZeRO 3", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.pipeline_parallel = 1;
  job.plan.zero_stage = 3;
  job.plan.shard_group = 8;
  REQUIRE(faults(job).empty());
  job.plan.shard_group = 6;
  REQUIRE(faults(job) ==
          Lines{"/plan/shard_group: data_parallel 16 does not divide by shard_group 6"});
  job.plan.shard_group = 8;
  job.plan.zero_stage = 1;
  REQUIRE(faults(job) ==
          Lines{"/plan/shard_group: shard_group needs zero_stage 3, the plan has 1"});
}

TEST_CASE("several faults are all reported", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.data_parallel = 7;
  job.model.num_layers = 1;
  REQUIRE(faults(job).size() == 3);  // GPUs, the batch on 7 replicas, layers
}

TEST_CASE("operations are recomputed by recompute selective, where the model has them",
          "[models]") {
  TrainingJob job = fitting_job();
  job.plan.recompute_operations = {.norm = true};
  REQUIRE(faults(job) == Lines{"/plan/recompute_operations: recompute_operations need recompute "
                               "selective, the plan has none (\"recompute\": \"selective\")"});
  job.plan.recompute = Recompute::Selective;
  REQUIRE(faults(job).empty());
  job.plan.recompute_operations = {.attention_core = true, .mla_up_projection = true};
  REQUIRE(faults(job) ==
          Lines{"/plan/recompute_operations: attention_core has no effect: flash2 keeps no scores "
                "(leave it out)",
                "/plan/recompute_operations: mla_up_projection has no effect: the model has no "
                "latent attention (leave it out)"});
  job.plan.recompute_operations = {.experts = true};
  REQUIRE(faults(job) == Lines{"/plan/recompute_operations: experts has no effect: the model has "
                               "no experts (leave it out)"});
}

TEST_CASE("what is kept in fp8 needs fp8", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.kept_in_fp8.activation_input = true;
  REQUIRE(faults(job) == Lines{"/plan/kept_in_fp8: kept_in_fp8 needs precision fp8, the scenario "
                               "has bf16 (leave it out)"});
  job.precision = Precision::Fp8;
  REQUIRE(faults(job).empty());
}

TEST_CASE("a model without experts refuses their keys", "[models]") {
  TrainingJob job = fitting_job();
  job.plan.expert_tensor_parallel = 4;
  job.plan.expert_capacity = 1.25;
  job.plan.expert_dispatch = ExpertDispatch::OncePerNode;
  REQUIRE(faults(job) ==
          Lines{"/plan/expert_tensor_parallel: expert_tensor_parallel has no effect: "
                "the model has no experts (leave it out)",
                "/plan/expert_capacity: expert_capacity has no effect: the model "
                "has no experts (leave it out)",
                "/plan/expert_dispatch: expert_dispatch has no effect: the model "
                "has no experts (leave it out)"});
}

TEST_CASE("keys that change nothing in a plan are refused", "[models]") {
  TrainingJob job = fitting_job();
  SECTION("compression of gradients that nobody reduces") {
    job.plan.tensor_parallel = 8;
    job.plan.pipeline_parallel = 8;
    job.plan.gradient_compression = GradientCompression::Fp16;
    REQUIRE(faults(job) == Lines{"/plan/gradient_compression: gradient_compression has no effect: "
                                 "nothing is reduced at data_parallel 1 (leave it out)"});
  }
  SECTION("an algorithm of context parallelism without it") {
    job.plan.context_parallel_algorithm = ContextAlgorithm::Ring;
    REQUIRE(faults(job) ==
            Lines{"/plan/context_parallel_algorithm: context_parallel_algorithm has no effect: "
                  "every rank has whole sequences at context_parallel 1 (leave it out)"});
  }
  SECTION("segments of one layer") {
    job.plan.recompute = Recompute::Full;
    job.plan.recompute_method = RecomputeMethod::Uniform;
    REQUIRE(faults(job) ==
            Lines{"/plan/recompute_method: recompute_method uniform has no effect: segments of one "
                  "layer are what no method means (recompute_num_layers 2 makes segments of two)"});
  }
  SECTION("gathering ahead where gathers wait for compute") {
    job.plan.pipeline_parallel = 1;
    job.plan.zero_stage = 3;
    job.plan.sharding.prefetch_units = 2;
    job.plan.overlap_parameter_gather = false;
    REQUIRE(faults(job) ==
            Lines{"/plan/prefetch_units: prefetch_units has no effect: parameters are not gathered "
                  "beside compute (overlap_parameter_gather true gathers them so)"});
  }
  SECTION("adapters wider than what they adapt") {
    job.fine_tuning = FineTuning{.rank = 4097};
    REQUIRE(faults(job) == Lines{"/fine_tuning/rank: rank 4097 is above hidden_size 4096 (adapters "
                                 "are narrower than what they adapt)"});
  }
}
