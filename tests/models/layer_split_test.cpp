#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "models/training_job.h"

using namespace stepcast;

namespace {

TrainingJob job_of(int layers, int pipeline_parallel, int virtual_pipeline = 1) {
  TrainingJob job;
  job.model.num_layers = layers;
  job.model.hidden_size = 2048;
  job.model.ffn_hidden_size = 8192;
  job.model.vocab_size = 131072;
  job.plan.pipeline_parallel = pipeline_parallel;
  job.plan.virtual_pipeline = virtual_pipeline;
  return job;
}

FrameworkProfile framework_with(LayerSplit split) {
  FrameworkProfile framework;
  framework.layer_split = split;
  return framework;
}

const FrameworkProfile megatron = framework_with(LayerSplit::Even);
const FrameworkProfile nanotron = framework_with(LayerSplit::ByCost);

}  // namespace

TEST_CASE("layers that divide are dealt in equal numbers", "[models]") {
  REQUIRE(layers_per_chunk(job_of(48, 4), megatron) == std::vector{12, 12, 12, 12});
  REQUIRE(layers_per_chunk(job_of(48, 4, 2), megatron) == std::vector<int>(8, 6));
}

TEST_CASE("what does not divide goes to the middle stages", "[models]") {
  REQUIRE(layers_per_chunk(job_of(30, 4), megatron) == std::vector{7, 8, 8, 7});
  REQUIRE(layers_per_chunk(job_of(105, 8), megatron) ==
          std::vector{13, 13, 13, 14, 13, 13, 13, 13});
}

TEST_CASE("embedding and loss count as layers where the plan says so", "[models]") {
  // Llama 3 405B has 126 layers so that 16 stages have 8 each with embedding and loss counted
  // (Grattafiori et al., arXiv:2407.21783, section 3.3.2).
  TrainingJob job = job_of(126, 16);
  job.plan.embedding_counts_as_layer = true;
  job.plan.loss_counts_as_layer = true;
  std::vector<int> expected(16, 8);
  expected.front() = expected.back() = 7;
  REQUIRE(layers_per_chunk(job, megatron) == expected);
}

TEST_CASE("a stage's stated layers lie on both arms of its V", "[models]") {
  TrainingJob job = job_of(12, 3, 2);
  job.plan.schedule = Schedule::ZeroBubbleV;
  job.plan.layers_per_stage = {2, 4, 6};
  REQUIRE(layers_per_chunk(job, megatron) == std::vector{1, 2, 3, 3, 2, 1});
  REQUIRE(head_stage(job, megatron) == 0);
}

TEST_CASE("an even split deals every layer, edges no more than the middle", "[models]") {
  const int layers = GENERATE(range(16, 40));
  const int stages = GENERATE(3, 4, 5, 8, 16);
  const std::vector<int> split = layers_per_chunk(job_of(layers, stages), megatron);
  const auto [least, most] = std::minmax_element(split.begin(), split.end());
  REQUIRE(std::accumulate(split.begin(), split.end(), 0) == layers);
  REQUIRE(*most - *least <= 1);
  // With one layer to each but one stage, one of the edges holds as many as the middle.
  if (layers % stages != stages - 1) REQUIRE(std::max(split.front(), split.back()) == *least);
}

TEST_CASE("dealt by cost, a 1.34B model on 16 stages, worked by hand", "[models]") {
  // A layer costs 4 h^2 + 3 h f = 67.1 M, the head V h = 268.4 M = 4 layers: 20 in all, so a stage
  // closes at 1.25, 2.5, 3.75, 5, ...: after layers 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15; then
  // the last layer and the head reach 20 on stage 12, and nothing is left.
  const TrainingJob job = job_of(16, 16);
  REQUIRE(layers_per_chunk(job, nanotron) ==
          std::vector{2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 0, 0, 0});
  REQUIRE(head_stage(job, nanotron) == 12);
}

TEST_CASE("dealt by cost, one stage holds everything", "[models]") {
  REQUIRE(layers_per_chunk(job_of(16, 1), nanotron) == std::vector{16});
  REQUIRE(head_stage(job_of(16, 1), nanotron) == 0);
}

TEST_CASE("dealt by cost, every layer is dealt and the head has a stage", "[models]") {
  const int layers = GENERATE(range(4, 40, 3));
  const int stages = GENERATE(1, 2, 4, 8, 32);
  const TrainingJob job = job_of(layers, stages);
  const std::vector<int> split = layers_per_chunk(job, nanotron);
  REQUIRE(std::accumulate(split.begin(), split.end(), 0) == layers);
  const int head = head_stage(job, nanotron);
  REQUIRE(head < stages);
  // Nothing comes after the head.
  REQUIRE(std::accumulate(split.begin() + head + 1, split.end(), 0) == 0);
}

TEST_CASE("stated layers per stage win over the framework's rule", "[models]") {
  TrainingJob job = job_of(16, 4);
  job.plan.layers_per_stage = {6, 4, 4, 2};
  REQUIRE(layers_per_chunk(job, nanotron) == std::vector{6, 4, 4, 2});
  REQUIRE(head_stage(job, nanotron) == 3);
  job.plan.virtual_pipeline = 2;
  REQUIRE(layers_per_chunk(job, megatron) == std::vector{3, 2, 2, 1, 3, 2, 2, 1});
}

TEST_CASE("the head is on the last stage unless layers are dealt by cost", "[models]") {
  REQUIRE(head_stage(job_of(30, 4), megatron) == 3);
}
