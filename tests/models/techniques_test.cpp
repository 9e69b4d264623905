// Recompute methods, optimizers, compression, adapters and kernel fusion against their closed
// forms.
#include <catch2/catch.hpp>

#include "models/fine_tuning.h"
#include "models/gemm.h"
#include "models/gradient_compression.h"
#include "models/kernel_fusion.h"
#include "models/layer_stash.h"
#include "models/optimizer.h"
#include "models/recompute.h"
#include "models/sparsity.h"
#include "tests/support/small_rank.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

constexpr double layer_bytes = 17'825'792;  // memory_test.cpp: what a layer keeps
constexpr double input_bytes = 1'048'576;   // 2 x 512 x 1024
constexpr std::int64_t matrices_of_a_layer = 12'582'912;

double moments(Optimizer optimizer) {
  SmallRank rank;
  rank.job.optimizer = optimizer;
  return optimizer_moment_bytes(rank.work());
}

Bytes sent(const CompressedReduction& reduction) {
  Bytes sum;
  for (const Operation& operation : reduction.sent) sum += operation.message;
  return sum;
}

}  // namespace

TEST_CASE("square-root checkpointing keeps 2 sqrt(n) layers' worth", "[models][memory]") {
  const int root = GENERATE(2, 3, 8, 10);
  ParallelPlan plan;
  plan.recompute = Recompute::Full;
  plan.recompute_method = RecomputeMethod::SquareRoot;
  const RecomputedLayers parts = recomputed_layers(root * root, plan);
  REQUIRE(parts.checkpoints() + parts.segment == 2 * root);
}

TEST_CASE("uniform segments keep an input each and work on one whole segment", "[models][memory]") {
  SmallRank rank;
  rank.job.plan.recompute = Recompute::Full;
  rank.job.plan.recompute_method = RecomputeMethod::Uniform;
  rank.job.plan.recompute_num_layers = 4;
  REQUIRE(stashed_activations(8, rank.work()).value() == 2 * input_bytes);
  REQUIRE(recompute_working_set(8, rank.work()).value() == 4 * layer_bytes);
}

TEST_CASE("block recomputes its first layers and keeps the others whole", "[models][memory]") {
  SmallRank rank;
  rank.job.plan.recompute = Recompute::Full;
  rank.job.plan.recompute_method = RecomputeMethod::Block;
  rank.job.plan.recompute_num_layers = 3;
  REQUIRE(stashed_activations(8, rank.work()).value() == 3 * input_bytes + 5 * layer_bytes);
  REQUIRE(recompute_working_set(8, rank.work()).value() == layer_bytes);
}

TEST_CASE("block computes as many forward passes again as it has layers", "[models]") {
  const auto compute_time = [](std::optional<RecomputeMethod> method, int layers) {
    TrainingJob job = small_job({.micro_batches = 1});
    job.plan.recompute = Recompute::Full;
    job.plan.recompute_method = method;
    job.plan.recompute_num_layers = layers;
    const Step step(job, small_cluster(1, 1, 1));
    Seconds sum;
    for (const Block& block : step.program.programs[0].blocks) {
      for (const Instruction& instruction : block.body) sum += instruction.duration;
    }
    return sum.value();
  };
  const double all = compute_time(std::nullopt, 1);
  const double six = compute_time(RecomputeMethod::Block, 6);
  const double two = compute_time(RecomputeMethod::Block, 2);
  REQUIRE((all - six) / (six - two) == Approx(2.0 / 4.0));  // two layers less, then four
  REQUIRE(compute_time(RecomputeMethod::Uniform, 4) == Approx(all));
}

TEST_CASE("state of each optimizer, bytes a weight", "[models][memory]") {
  REQUIRE(moments(Optimizer::AdamW) == 8);
  REQUIRE(moments(Optimizer::Adam8bit) == Approx(2.00390625));
  REQUIRE(moments(Optimizer::SgdMomentum) == 4);
  // Rows and columns: 1024 + 3072, 1024 + 1024, and twice 1024 + 4096: 16,384 fp32 numbers.
  REQUIRE(moments(Optimizer::Adafactor) == Approx(4.0 * 16'384 / matrices_of_a_layer));
  // 8 x 12,582,912 of 166,216,704 weights are matrices of layers.
  const double share = 8.0 * matrices_of_a_layer / 166'216'704;
  REQUIRE(moments(Optimizer::Muon) == Approx(8 - 4 * share));
}

TEST_CASE("the optimizer's state stands beside the fp32 master copy", "[models][memory]") {
  SmallRank rank;
  rank.job.optimizer = Optimizer::SgdMomentum;
  REQUIRE(model_state(1'000'000, rank.work()).optimizer.value() == 8e6);
}

TEST_CASE("only Muon multiplies, and ZeRO deals its matrices out", "[models]") {
  SmallRank rank({.data = 4});
  REQUIRE(orthogonalization_time({.layers = 8}, rank.work()) == Seconds());
  rank.job.optimizer = Optimizer::Muon;
  const Seconds whole = orthogonalization_time({.layers = 8}, rank.work());
  // A layer: n = 1024; m = 3072, 1024, 4096, 4096; 5 steps of 4 n^2 m + 2 n^3, at most at 300
  // TFLOP/s.
  const double n = 1024, m = 3072 + 1024 + 4096 + 4096;
  REQUIRE(whole.value() > 8 * 5 * (4 * n * n * m + 4 * 2 * n * n * n) / 300e12);
  rank.job.plan.zero_stage = 1;
  REQUIRE(orthogonalization_time({.layers = 8}, rank.work()).value() == Approx(whole.value() / 4));
}

TEST_CASE("Muon and Adafactor of experts: matrices of the layer, an expert each",
          "[models][memory]") {
  SmallRank rank({.data = 4});
  rank.job.model.experts = {.num_experts = 8, .experts_per_token = 2, .ffn_hidden_size = 512};
  rank.job.plan.expert_parallel = 2;
  // A rank's layer: attention 1024 x 3072 and 1024 x 1024, a router of 1024 x 8, four of the eight
  // experts with 1024 x 512 twice.
  const double attention = 1024.0 * 3072 + 1024.0 * 1024 + 1024 * 8;
  const double experts = 4 * 2 * (1024.0 * 512);
  rank.job.optimizer = Optimizer::Adafactor;
  const double vectors = (1024 + 3072) + (1024 + 1024) + (1024 + 8) + 4 * 2 * (1024 + 512);
  REQUIRE(optimizer_moment_bytes(rank.work()) == Approx(4 * vectors / (attention + experts)));
  rank.job.optimizer = Optimizer::Muon;
  const double matrices = 8 * (attention + experts);
  const double all = matrices + 8 * 2 * 1024 + 2 * 32'768'000 + 1024;  // norms, tables
  REQUIRE(optimizer_moment_bytes(rank.work()) == Approx(8 - 4 * matrices / all));
  // Two ranks hold the same experts and deal them out between them, four the rest.
  const auto time = [&] {
    return orthogonalization_time({.expert_layers = 1}, rank.work()).value();
  };
  const double whole = time();
  rank.job.plan.zero_stage = 1;
  REQUIRE(time() > whole / 4);
  REQUIRE(time() < whole / 2);
}

TEST_CASE("compressed gradients: bytes of a million by each method", "[models]") {
  SmallRank rank({.data = 4});
  const auto bytes = [&](GradientCompression method) {
    rank.job.plan.gradient_compression = method;
    return sent(compressed_reduction(1'000'000, rank.work())).value();
  };
  REQUIRE(bytes(GradientCompression::Fp16) == 2e6);
  // A byte and a 2,048th of an fp32 scale, there and back.
  REQUIRE(bytes(GradientCompression::Int8) == Approx(2 * (1 + 4.0 / 2048) * 1e6).epsilon(1e-5));
  REQUIRE(bytes(GradientCompression::OneBitAdam) == Approx(2 * 1e6 / 8));
}

TEST_CASE("PowerSGD sends rank x (inputs + outputs) of every matrix", "[models]") {
  SmallRank rank({.data = 4});
  rank.job.plan.gradient_compression = GradientCompression::PowerSgd;
  rank.job.plan.compression_rank = 4;
  // A layer has 12,584,960 weights and 16,384 rows and columns; fp32, rank 4.
  const CompressedReduction layer = compressed_reduction(12'584'960, rank.work());
  REQUIRE(sent(layer).value() == Approx(4.0 * 4 * 16'384));
  REQUIRE(layer.before > Seconds());
  REQUIRE(layer.after > Seconds());
  REQUIRE(compression_state_bytes(rank.work()) == 4);  // error feedback
}

TEST_CASE("gradients that are sent in 16 bits anyway need no cast", "[models]") {
  SmallRank rank({.data = 4});
  rank.job.plan.gradient_compression = GradientCompression::Fp16;
  rank.profile.framework.recipe.gradient_reduce_bytes_bf16 = 2;
  REQUIRE(compressed_reduction(1'000'000, rank.work()).before == Seconds());
}

TEST_CASE("adapters: rank x (inputs + outputs) of the targets, and nothing else is trained",
          "[models]") {
  SmallRank rank;
  REQUIRE(trained_parameters({.layers = 1}, rank.work()) == 12'584'960);
  rank.job.fine_tuning = FineTuning{.rank = 8};
  REQUIRE(trained_parameters({.layers = 1, .embedding = true}, rank.work()) == 8 * 16'384);
  rank.job.fine_tuning->targets = {true, false, false, false};  // queries, keys, values
  REQUIRE(trained_parameters({.layers = 2}, rank.work()) == 2 * 8 * 4096);
}

TEST_CASE("frozen weights: 16 bits, or layers' matrices in 4.127", "[models][memory]") {
  SmallRank rank;
  rank.job.fine_tuning = FineTuning{};
  REQUIRE(frozen_weights({.layers = 1}, rank.work()).value() == 2 * 12'584'960);
  rank.job.fine_tuning->base_precision = BasePrecision::Nf4;
  REQUIRE(frozen_weights({.layers = 1}, rank.work()).value() ==
          Approx(matrices_of_a_layer * 4.127 / 8 + 2 * 2048));
}

TEST_CASE("frozen layers have no weight gradients, quantised ones are dequantised", "[models]") {
  SmallRank rank;
  const LayerCost whole = layer_cost(rank.work());
  rank.job.fine_tuning = FineTuning{.rank = 1};
  const LayerCost lora = layer_cost(rank.work());
  REQUIRE(lora.weight_gradient.sum() == Seconds());
  REQUIRE((lora.backward - adapter_backward(rank.work())).sum().value() ==
          Approx((whole.backward - whole.weight_gradient).sum().value()));
  rank.job.fine_tuning->base_precision = BasePrecision::Nf4;
  const LayerCost qlora = layer_cost(rank.work());
  // 12,582,912 weights of 0.515875 + 2 bytes at 1,600 GB/s, but for the 1024 x 1024 of attention's
  // output, which takes a kernel's least, 3 us.
  constexpr std::int64_t smallest = 1024 * 1024;
  REQUIRE((qlora.forward.sum() - lora.forward.sum()).value() ==
          Approx((matrices_of_a_layer - smallest) * 2.515875 / 1600e9 + 3e-6));
}

TEST_CASE("kernels fused as the framework does cost what they did, others by the count",
          "[models]") {
  SmallRank rank;
  REQUIRE(fusion_factors(rank.work()).traffic == 1);
  rank.job.runtime.kernel_fusion = false;
  // 8 + 14 + 16 = 38 bytes in 5 kernels against 8 + 30 + 32 = 70 in 10.
  const FusionFactors plain = fusion_factors(rank.work());
  REQUIRE(plain.traffic == Approx(70.0 / 38));
  REQUIRE(plain.kernels == Approx(2));
  REQUIRE(plain.launches == Approx(15.0 / 10));
  rank.profile.framework.kernels.fused_elementwise = false;
  rank.job.runtime.kernel_fusion = true;
  REQUIRE(fusion_factors(rank.work()).traffic == Approx(38.0 / 70));
}

TEST_CASE("2:4 masks: products by 1.6, a mask and two compressed copies, masks applied and chosen",
          "[models][memory]") {
  SmallRank rank;
  const LayerCost dense = layer_cost(rank.work());
  rank.job.sparsity = Sparsity{.mask_update_interval = 100};
  const LayerCost sparse = layer_cost(rank.work());
  // The gradient by the weights stays dense; the rest of the layer is what products leave.
  REQUIRE(sparse.weight_gradient.sum() == dense.weight_gradient.sum());
  Seconds products;
  for (const MatrixShape& matrix : layer_matrices(rank.job)) {
    products += gemm_time({.m = 512, .n = matrix.outputs, .k = matrix.inputs}, GemmPass::Forward,
                          Precision::Bf16, rank.device);
  }
  REQUIRE((dense.forward.sum() - sparse.forward.sum()).value() ==
          Approx(products.value() * (1 - 1 / 1.6)));
  // A bit; half of two bytes and of two bits, twice.
  REQUIRE(mask_bytes(rank.job) == Approx(0.125 + 2 * 1.125));
  REQUIRE(mask_traffic_bytes(rank.job) == Approx(4.125 + 2.25 + 2.125 / 100));
}

TEST_CASE("unstructured masks gain no time and cost a bit a weight", "[models][memory]") {
  SmallRank rank;
  const LayerCost dense = layer_cost(rank.work());
  rank.job.sparsity = Sparsity{.pattern = SparsityPattern::Unstructured, .density = 0.1};
  REQUIRE(layer_cost(rank.work()).forward.sum() == dense.forward.sum());
  REQUIRE(mask_bytes(rank.job) == 0.125);
  REQUIRE(mask_traffic_bytes(rank.job) == Approx(4.125 + 2.125));
}
