// Recompute by operation and storage in 8 bits: every tensor of a layer counted by hand.
#include "models/layer_stash.h"

#include <catch2/catch.hpp>

#include "models/gemm.h"
#include "models/hardware_flop.h"
#include "models/kernels.h"
#include "tests/support/small_rank.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

constexpr double tokens = 512;

SmallRank recomputing(const RecomputedOperations& operations) {
  SmallRank rank;
  rank.job.plan.recompute = Recompute::Selective;
  rank.job.plan.recompute_operations = operations;
  return rank;
}

// Latent attention of 16 heads (64 + 32 and 64 wide) through 256 and 128, and 8 gated experts of
// 512, 2 a token, beside a shared one.
SmallRank latent_experts() {
  SmallRank rank;
  Transformer& model = rank.job.model;
  model.gated_mlp = true;
  model.latent_attention = {.q_lora_rank = 256,
                            .kv_lora_rank = 128,
                            .qk_nope_head_size = 64,
                            .qk_rope_head_size = 32,
                            .v_head_size = 64};
  model.experts = {.num_experts = 8,
                   .experts_per_token = 2,
                   .ffn_hidden_size = 512,
                   .shared_ffn_hidden_size = 512};
  rank.job.plan.expert_tensor_parallel = 1;
  return rank;
}

double kept(const SmallRank& rank, LayerKind kind = LayerKind::Dense) {
  return layer_stash(rank.work().of(kind)).value() / tokens;
}

double again(const SmallRank& rank, LayerKind kind = LayerKind::Dense) {
  return recompute_working_set(1, rank.work().of(kind)).value() / tokens;
}

}  // namespace

TEST_CASE("a layer without recompute: its tensors, by hand", "[models][memory]") {
  // A token, bytes: inputs and outputs of norms 2 x 4096, query key value 6144, output 2048,
  // residuals and masks 2048, before and after the activation 2 x 8192.
  REQUIRE(kept(SmallRank()) == 34'816);
  REQUIRE(again(SmallRank()) == 0);
}

TEST_CASE("operations computed again keep no outputs, and one half of them is alive at a time",
          "[models][memory]") {
  // Norms: 2 x 2048, one of them in either half. Activation: 8192. Both in the MLP's half: 10,240.
  const SmallRank norm = recomputing({.norm = true});
  REQUIRE(kept(norm) == 34'816 - 4'096);
  REQUIRE(again(norm) == 2'048);
  const SmallRank activation = recomputing({.activation = true});
  REQUIRE(kept(activation) == 34'816 - 8'192);
  REQUIRE(again(activation) == 8'192);
  const SmallRank both = recomputing({.norm = true, .activation = true});
  REQUIRE(kept(both) == 34'816 - 12'288);
  REQUIRE(again(both) == 10'240);
  const SmallRank mlp = recomputing({.mlp = true});
  REQUIRE(kept(mlp) == 34'816 - 16'384);
  REQUIRE(again(mlp) == 16'384);
}

TEST_CASE("a gated MLP recomputes its product and what lies between", "[models][memory]") {
  // Gate and up 2 x 2 x 4096 stay; of 6 bytes an element 2 go, of 9 also the 3 between.
  SmallRank rank = recomputing({.activation = true});
  rank.job.model.gated_mlp = true;
  REQUIRE(kept(rank) == 18'432 + 4 * 4'096);
  rank.profile.framework.memory.activation_bytes_ffn.value = 9;
  REQUIRE(kept(rank) == 18'432 + 4 * 4'096);
  REQUIRE(again(rank) == 5 * 4'096);
}

TEST_CASE("latent attention and experts by operation, by hand", "[models][memory]") {
  // A token, bytes: norms 2 x 4096, residuals 2048, query and key 2 x 16 x 96 x 2 = 6144, values
  // 2048, narrow (256 + 128 + 32) 2 = 832 before and after its norms, output 2048, of
  // 2 x 512 + 512 = 1536 elements 6 bytes = 9216, two rows to and from experts 2 x 4096.
  SmallRank rank = latent_experts();
  REQUIRE(kept(rank, LayerKind::Expert) == 39'552);
  rank.profile.framework.memory.weighs_inside_experts = true;
  REQUIRE(kept(rank, LayerKind::Expert) == 39'552 - 4'096);
  rank.job.plan.recompute = Recompute::Selective;
  rank.job.plan.recompute_operations = {
      .norm = true, .activation = true, .mla_up_projection = true};
  // Norms 4096 + 832, activation 1536 x 2, query, key and value 8192.
  REQUIRE(kept(rank, LayerKind::Expert) == 35'456 - 4'928 - 3'072 - 8'192);
  REQUIRE(again(rank, LayerKind::Expert) == 2'048 + 832 + 8'192);
  rank.job.plan.recompute_operations = {.experts = true};
  REQUIRE(kept(rank, LayerKind::Expert) == 35'456 - 9'216 - 4'096);
}

TEST_CASE("fp8 keeps the inputs of products in 8 bits, and more where the plan says so",
          "[models][memory]") {
  SmallRank rank;
  rank.job.precision = Precision::Fp8;
  // Norms' outputs 2048 in place of 4096, product 4096 of 8192, output 2048 and 1024 more.
  REQUIRE(kept(rank) == 34'816 - 2'048 - 4'096 + 1'024);
  rank.job.plan.kept_in_fp8 = {.activation_input = true, .attention_output = true};
  // Before the activation 4096 of 8192; the output once, in 12 bits.
  REQUIRE(kept(rank) == 34'816 - 2'048 - 4'096 - 4'096 - 512);
}

TEST_CASE("norms computed again come back in 16 bits", "[models][memory]") {
  SmallRank rank = recomputing({.norm = true});
  rank.job.precision = Precision::Fp8;
  REQUIRE(again(rank) == 2'048);
}

TEST_CASE("an activation computed again costs its kernel, an MLP its products as well",
          "[models]") {
  const SmallRank activation = recomputing({.activation = true});
  const LayerCost cost = layer_cost(activation.work());
  // 4 bytes for each of 512 x 4096 elements: 8.4 MB, more than a kernel's floor.
  REQUIRE(cost.recomputed.sum() == memory_bound_time(Bytes(4.0 * 512 * 4'096), activation.device));
  const SmallRank mlp = recomputing({.mlp = true});
  const auto product = [&](std::int64_t outputs, std::int64_t inputs) {
    return gemm_time({.m = 512, .n = outputs, .k = inputs}, GemmPass::Forward, mlp.job.precision,
                     mlp.device);
  };
  const Seconds whole = cost.recomputed.sum() + product(4'096, 1'024) + product(1'024, 4'096);
  REQUIRE(layer_cost(mlp.work()).recomputed.sum() / whole == Approx(1.0).epsilon(1e-9));
}

TEST_CASE("HFU counts the products that are done again", "[models]") {
  const SmallRank mlp = recomputing({.mlp = true});
  const SmallRank none;
  // Two for each of 8 layers' 2 x 1024 x 4096 weights and 512 tokens.
  REQUIRE((hardware_flop(mlp.job, mlp.profile.framework) -
           hardware_flop(none.job, none.profile.framework))
              .value() == Approx(2.0 * 8 * 2 * 1'024 * 4'096 * 512));
  const SmallRank norm = recomputing({.norm = true});
  REQUIRE(hardware_flop(norm.job, norm.profile.framework) ==
          hardware_flop(none.job, none.profile.framework));
}
