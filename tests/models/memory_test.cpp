#include "models/memory.h"

#include <array>
#include <catch2/catch.hpp>

#include "models/layer_stash.h"
#include "tests/support/small_rank.h"

using namespace stepcast;
using namespace stepcast::test;

TEST_CASE("weights of a share, by hand", "[models][memory]") {
  // A layer: 1024 (3072 + 1024 + 2 x 4096) = 12,582,912 in matrices, 2 x 1024 in norms.
  const SmallRank whole;
  REQUIRE(share_parameters({.layers = 1}, whole.work()) == 12'584'960);
  // A table: 32,000 x 1024 = 32,768,000; the head also has the last norm's 1024.
  REQUIRE(share_parameters({.embedding = true}, whole.work()) == 32'768'000);
  REQUIRE(share_parameters({.head = true}, whole.work()) == 32'769'024);
  REQUIRE(share_parameters({.layers = 8, .embedding = true, .head = true}, whole.work()) ==
          166'216'704);
}

TEST_CASE("tensor parallelism splits matrices and tables, not norms", "[models][memory]") {
  const SmallRank half({.tensor = 2});
  REQUIRE(share_parameters({.layers = 1}, half.work()) == 6'291'456 + 2048);
  // Padded to a multiple of 128 x 2: 32,000 is one.
  REQUIRE(share_parameters({.embedding = true}, half.work()) == 16'384'000);
}

TEST_CASE("a tied table counts once where embedding and head share a rank", "[models][memory]") {
  SmallRank tied;
  tied.job.model.tied_embeddings = true;
  REQUIRE(share_parameters({.embedding = true, .head = true}, tied.work()) == 32'769'024);
}

TEST_CASE(
    "model state by ZeRO stage: 2 + 4 + 12 bytes a weight, over eight ranks from its stage on",
    "[models][memory]") {
  SmallRank rank({.data = 8});
  struct Row {
    int stage;
    double weights, gradients, optimizer;
  };
  const Row row =
      GENERATE(Row{0, 2, 4, 12}, Row{1, 2, 4, 1.5}, Row{2, 2, 0.5, 1.5}, Row{3, 0.25, 0.5, 1.5});
  rank.job.plan.zero_stage = row.stage;
  rank.profile.framework.communication.gradient_bucket = Bytes();
  const ModelState state = model_state(1'000'000, rank.work());
  REQUIRE(state.weights.value() == row.weights * 1e6);
  REQUIRE(state.gradients.value() == row.gradients * 1e6);
  REQUIRE(state.optimizer.value() == row.optimizer * 1e6);
}

TEST_CASE("gradients are reduced from a bucket of their own", "[models][memory]") {
  SmallRank rank({.data = 8});
  REQUIRE(reduction_bucket(100'000'000, rank.work()) == 20_MB);
  REQUIRE(reduction_bucket(1'000'000, rank.work()) == 4_MB);  // all fits in one
  REQUIRE(model_state(100'000'000, rank.work()).gradients.value() == 400e6);
  rank.job.plan.overlap_gradient_reduce = true;  // then it stands beside them
  REQUIRE(model_state(100'000'000, rank.work()).gradients.value() == 400e6 + 20e6);
}

TEST_CASE("sums of fp32 stand beside 16-bit gradients, and the optimizer needs no copy of them",
          "[models][memory]") {
  SmallRank rank({.data = 8});
  rank.job.plan.zero_stage = 1;
  PrecisionRecipe& recipe = rank.profile.framework.recipe;
  recipe.gradient_bytes_bf16 = 2;
  recipe.optimizer_gradient_bytes = 4;
  recipe.keeps_both_gradients = true;
  const auto bytes = [&] {
    const ModelState state = model_state(1'000'000, rank.work());
    return std::array{state.gradients.value() / 1e6, state.optimizer.value() / 1e6};
  };
  REQUIRE(bytes() == std::array{2.0, 16.0 / 8});  // 16 bits alone: master, moments and a copy
  rank.job.gradient_precision = Precision::Fp32;
  REQUIRE(bytes() == std::array{4.0 + 2.0, 12.0 / 8});
  rank.job.plan.zero_stage = 2;                             // whose gradients are divided
  REQUIRE(bytes() == std::array{4.0 / 8 + 4.0, 16.0 / 8});  // a bucket of 4 MB
}

TEST_CASE("a shard group smaller than data parallel divides by its own size", "[models][memory]") {
  SmallRank rank({.data = 8});
  rank.job.plan.zero_stage = 3;
  rank.job.plan.shard_group = 2;
  REQUIRE(model_state(1'000'000, rank.work()).optimizer.value() == 6e6);
}

TEST_CASE("activations of a layer, by hand", "[models][memory]") {
  SmallRank rank;
  // Per token 18 x 1024 + 6 x 2/3 x 4096 = 34,816 bytes; 512 tokens.
  REQUIRE(stashed_activations(1, rank.work()).value() == 17'825'792);
  REQUIRE(stashed_activations(3, rank.work()).value() == 3 * 17'825'792);
  rank.job.plan.recompute = Recompute::Full;  // the layer's input: 2 x 512 x 1024
  REQUIRE(stashed_activations(1, rank.work()).value() == 1'048'576);
  REQUIRE(recompute_working_set(1, rank.work()).value() == 17'825'792);
}

TEST_CASE("unfused attention keeps five bytes a score unless it is computed again",
          "[models][memory]") {
  SmallRank rank;
  rank.job.attention = AttentionKernel::Unfused;
  // 5 x 512 x 512 x 16 heads = 20,971,520
  REQUIRE(stashed_activations(1, rank.work()).value() == 17'825'792 + 20'971'520);
  rank.job.plan.recompute = Recompute::Selective;
  REQUIRE(stashed_activations(1, rank.work()).value() == 17'825'792);
}

TEST_CASE("tensor parallelism divides ten bytes of a token only with sequence parallelism",
          "[models][memory]") {
  SmallRank rank({.tensor = 2});
  // (8 / 2 + 10) 1024 + 4 x 4096 / 2 = 22,528 a token; with it 18 / 2 x 1024 + 8192 = 17,408
  REQUIRE(stashed_activations(1, rank.work()).value() == 22'528 * 512);
  rank.job.plan.sequence_parallel = true;
  REQUIRE(stashed_activations(1, rank.work()).value() == 17'408 * 512);
}

TEST_CASE("logits: six bytes for every token and row", "[models][memory]") {
  REQUIRE(logit_bytes(SmallRank().work()).value() == 6.0 * 512 * 32'000);
  REQUIRE(logit_bytes(SmallRank({.tensor = 4}).work()).value() == 6.0 * 512 * 8'064);  // padded
}

TEST_CASE("ZeRO 3 holds two gathered layers and the tables", "[models][memory]") {
  SmallRank rank({.data = 2});
  const ModelShare all{.layers = 8, .embedding = true, .head = true};
  REQUIRE(gathered_parameters(all, rank.work()) == Bytes());
  rank.job.plan.zero_stage = 3;
  // 2 bytes x (2 x 12,584,960 + 65,537,024)
  REQUIRE(gathered_parameters(all, rank.work()).value() == 181'413'888);
}

TEST_CASE("logits of the micro-batch before count once, also where it is in flight",
          "[models][memory]") {
  // Of 8 layers that cost 4 x 1024 x 1024 + 3 x 1024 x 4096 each and a head of 32,000 x 1024 (1.95
  // layers), dealt by cost to 8 stages, the sixth closes with the last layer: the head stands on
  // the seventh, and the eighth is empty.
  const int stages = GENERATE(1, 8);
  SmallRank rank({.pipeline = stages});
  rank.profile.framework.layer_split = LayerSplit::ByCost;
  rank.profile.framework.memory.logit_bytes_previous.value = 4;
  REQUIRE(head_stage(rank.job, rank.profile.framework) == (stages == 1 ? 0 : 6));
  REQUIRE(logit_bytes(rank.work()).value() == (stages == 1 ? 6.0 + 4.0 : 6.0) * 512 * 32'000);
}
