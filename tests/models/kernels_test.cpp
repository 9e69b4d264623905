#include "models/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>

#include "models/gemm.h"
#include "tests/models/read_json.h"

using namespace stepcast;
using Catch::Matchers::WithinRel;

namespace {

/// Round numbers: 50 TFLOP/s for GEMMs, 60 TFLOP/s for attention, 200 GB/s under a GEMM, 320 GB/s
/// for memory-bound kernels.
Device round_device() {
  Device device;
  device.gpu.fp32 = 10_TFLOP_per_s;
  device.gpu.tf32 = 50_TFLOP_per_s;
  device.gpu.fp16 = 100_TFLOP_per_s;
  device.gpu.fp8 = 200_TFLOP_per_s;
  device.gpu.memory_bandwidth = 400_GB_per_s;
  device.gpu.multiprocessors = 1;
  GpuProfile& profile = device.profile;
  profile.gemm.peak_share.value = 0.5;
  profile.gemm.bandwidth_share.value = 0.5;
  profile.gemm.launch.value = 10_us;
  profile.gemm.fp8_rate.value = 0.8;
  profile.gemm.weight_gradient_slowdown.value = 1.1;
  profile.gemm.misaligned_slowdown.value = 12;
  profile.sustained_clock.value = 1;
  profile.attention.flash_peak_share.value = 0.6;
  profile.attention.flash_backward_rate.value = 0.8;
  profile.attention.flash_sequence_offset.value = 100;
  profile.attention.flash1_rate.value = 0.5;
  profile.attention.flash3_rate.value = 1.5;
  profile.memory_bound.bandwidth_share.value = 0.8;
  profile.attention.unfused_softmax_slowdown.value = 1.28;
  profile.memory_bound.kernel_floor.value = 2_us;
  return device;
}

const Device device = round_device();
const GemmShape square{1024, 1024, 1024};  // whole tiles of every size
const AttentionShape causal{1, 10, 10, 48, 1000, 1000, true};

Seconds gemm(const GemmShape& shape, const Device& on = device,
             Precision precision = Precision::Bf16) {
  return gemm_time(shape, GemmPass::Forward, precision, on);
}

Seconds flash(const AttentionShape& shape, AttentionKernel kernel = AttentionKernel::Flash2,
              const Device& on = device) {
  return flash_attention_forward_time(shape, kernel, Precision::Bf16, on);
}

Seconds flash_backward(const AttentionShape& shape,
                       AttentionKernel kernel = AttentionKernel::Flash2) {
  return flash_attention_backward_time(shape, kernel, Precision::Bf16, device);
}

AttentionShape with_heads(std::int64_t heads, std::int64_t groups) {
  AttentionShape shape = causal;
  shape.heads = heads;
  shape.groups = groups;
  return shape;
}

Device catalogue_device(const std::string& gpu, const std::string& profile) {
  return {from_catalogue<GpuSpec>("gpus", gpu),
          from_catalogue<GpuProfile>("profiles/gpu", profile)};
}

}  // namespace

// Compute and memory at once, each in seconds.
double at_once(double compute, double memory) {
  return std::pow(std::pow(compute, 4) + std::pow(memory, 4), 0.25);
}

// Eight multiprocessors of 6.25 TFLOP/s, of which a tile of 128 x 128 reaches half, one of 256 x
// 128 two thirds, and no end of memory bandwidth.
Device eight_processors() {
  Device eight = device;
  eight.gpu.multiprocessors = 8;
  eight.profile.gemm.tile_loss.value = 1;
  eight.profile.gemm.wave_rounding.value = 1;
  eight.profile.gemm.launch.value = 20_us;
  eight.profile.gemm.bandwidth_share.value = 1e6;
  return eight;
}

TEST_CASE("a GEMM's compute beside its memory traffic, worked by hand", "[models]") {
  // 2 x 1024^3 FLOP at 50 TFLOP/s; three matrices of 2 x 1024^2 bytes at 200 GB/s; 10 us
  const double both = at_once(2.147483648 / 50e3, 6.291456 / 200e3);
  REQUIRE_THAT(gemm(square).value(), WithinRel(both + 10e-6, 1e-9));
  // Input gradients cost the same, weight gradients 1.1 times, but for the launch
  REQUIRE_THAT(gemm_time(square, GemmPass::InputGradient, Precision::Fp16, device).value(),
               WithinRel(both + 10e-6, 1e-9));
  REQUIRE_THAT(gemm_time(square, GemmPass::WeightGradient, Precision::Fp16, device).value(),
               WithinRel(1.1 * both + 10e-6, 1e-9));
}

TEST_CASE("a GEMM's peak and bytes follow the precision", "[models]") {
  const auto expected = [](double teraflops, double megabytes) {
    return at_once(2.147483648e-3 / teraflops, megabytes * 1.048576 / 200e3) + 10e-6;
  };
  REQUIRE_THAT(gemm(square, device, Precision::Fp32).value(), WithinRel(expected(5, 12), 1e-9));
  REQUIRE_THAT(gemm(square, device, Precision::Tf32).value(), WithinRel(expected(25, 12), 1e-9));
  // fp8: 200 TFLOP/s x 0.5 x 0.8; one byte in, two out
  REQUIRE_THAT(gemm(square, device, Precision::Fp8).value(), WithinRel(expected(80, 4), 1e-9));
  Device ampere = device;  // without fp8
  ampere.gpu.fp8 = ampere.gpu.fp16;
  REQUIRE_THAT(gemm(square, ampere, Precision::Fp8).value(), WithinRel(expected(50, 4), 1e-9));
}

TEST_CASE("a batch of GEMMs is one launch", "[models]") {
  const double one = gemm(square).value() - 10e-6;
  REQUIRE_THAT(gemm({1024, 1024, 1024, 7}).value(), WithinRel(7 * one + 10e-6, 1e-9));
}

TEST_CASE("tiles that do not fill the multiprocessors cost a whole wave", "[models]") {
  // 512 x 512 is 8 tiles of 256 x 128: one wave of 2 x 256 x 128 x 1024 FLOP at 6.25 x 2 / 3
  // TFLOP/s. (16 of 128 x 128 are two waves of half the work at half of 6.25: a third longer.)
  const double wave = 67.108864e6 / (6.25e12 * 2 / 3);
  const Device eight = eight_processors();
  REQUIRE_THAT(gemm({512, 512, 1024}, eight).value(), WithinRel(wave + 20e-6, 1e-6));
  // A row more makes 10 tiles of 128 x 256: two waves, or, where half of what the second leaves
  // idle is lost, 1.25 and half of 0.75.
  REQUIRE_THAT(gemm({513, 512, 1024}, eight).value(), WithinRel(2 * wave + 20e-6, 1e-6));
  Device halved = eight;
  halved.profile.gemm.wave_rounding.value = 0.5;
  REQUIRE_THAT(gemm({513, 512, 1024}, halved).value(), WithinRel(1.625 * wave + 20e-6, 1e-6));
  Device filling = eight;
  filling.profile.gemm.wave.value = 1_us;
  REQUIRE_THAT(gemm({513, 512, 1024}, filling).value(), WithinRel(2 * wave + 22e-6, 1e-6));
}

TEST_CASE("few tiles are split along k, at the price of a kernel that adds the parts", "[models]") {
  // 256 x 256 is 2 tiles; 4 parts of each fill 8 multiprocessors with 8192 / 4 = 2048 of k.
  const double wave = 134.217728e6 / (6.25e12 * 2 / 3);
  REQUIRE_THAT(gemm({256, 256, 8192}, eight_processors()).value(), WithinRel(wave + 40e-6, 1e-6));
  // With 2 GB/s the 8 bytes an element of 4 parts take longer than not to split.
  Device narrow = eight_processors();
  narrow.gpu.memory_bandwidth = 2_GB_per_s;
  narrow.profile.gemm.bandwidth_share.value = 1;
  const double operands = (2 * 256 * 8192 + 256 * 256) * 2 / 2e9;
  REQUIRE_THAT(gemm({256, 256, 8192}, narrow).value(),
               WithinRel(at_once(4 * wave, operands) + 20e-6, 1e-6));
}

TEST_CASE("a GEMM without elements takes no time", "[models]") {
  const GemmShape shape =
      GENERATE(GemmShape{0, 8, 8}, GemmShape{8, 0, 8}, GemmShape{8, 8, 0}, GemmShape{8, 8, 8, 0});
  REQUIRE(gemm(shape) == Seconds(0));
}

TEST_CASE("a larger GEMM is never faster, nor a GPU of twice the peak slower", "[models]") {
  const std::string profile = GENERATE("a100", "h100");
  const Device gpu = catalogue_device(profile + "_sxm_80gb", profile);
  const std::int64_t m = GENERATE(1, 17, 256, 4096, 100000);
  const std::int64_t n = GENERATE(1, 768, 12288);
  const std::int64_t k = GENERATE(1, 64, 4096);
  const GemmShape shape{m, n, k, 2};
  const Seconds time = gemm(shape, gpu);
  for (const GemmShape& larger : {GemmShape{m + 1, n, k, 2}, GemmShape{m, n + 1, k, 2},
                                  GemmShape{m, n, k + 1, 2}, GemmShape{m, n, k, 3}}) {
    REQUIRE(gemm(larger, gpu) >= time);
  }
  Device faster = gpu;
  faster.gpu.fp16 = 2 * gpu.gpu.fp16;
  REQUIRE(gemm(shape, faster) <= time);
  Device wider = gpu;
  wider.gpu.memory_bandwidth = 2 * gpu.gpu.memory_bandwidth;
  REQUIRE(gemm(shape, wider) <= time);
}

TEST_CASE("a GEMM beats neither its FLOP at peak nor its bytes at full bandwidth", "[models]") {
  const Device gpu = catalogue_device("h100_sxm_80gb", "h100");
  const std::int64_t m = GENERATE(1, 64, 2048, 65536);
  const std::int64_t n = GENERATE(128, 4096);
  const std::int64_t k = GENERATE(128, 8192);
  const Seconds time = gemm({m, n, k}, gpu);
  REQUIRE(time > Flop(2.0 * static_cast<double>(m * n * k)) / gpu.gpu.fp16);
  REQUIRE(time >
          Bytes(2.0 * static_cast<double>(m * k + k * n + m * n)) / gpu.gpu.memory_bandwidth);
}

TEST_CASE("causal FlashAttention, worked by hand", "[models]") {
  // 4 x 10 heads x 1000 queries x (500 + 100) keys x 48 = 1.152 GFLOP at 60 TFLOP/s, plus 2 us
  REQUIRE_THAT(flash(causal).value(), WithinRel(19.2e-6 + 2e-6, 1e-12));
  // 2.5 times that at 48 TFLOP/s
  REQUIRE_THAT(flash_backward(causal).value(), WithinRel(60e-6 + 2e-6, 1e-12));
  // without the mask every key counts: (1000 + 100) keys
  AttentionShape whole = causal;
  whole.causal = false;
  REQUIRE_THAT(flash(whole).value(), WithinRel(35.2e-6 + 2e-6, 1e-12));
}

TEST_CASE("FlashAttention versions differ in rate", "[models]") {
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash1).value(), WithinRel(38.4e-6 + 2e-6, 1e-12));
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash3).value(), WithinRel(12.8e-6 + 2e-6, 1e-12));
}

TEST_CASE("small heads slow FlashAttention 2 and 3, not 1", "[models]") {
  Device sloping = device;
  sloping.profile.attention.flash_head_offset.value = 16;
  // Heads of 48 reach 48 / (48 + 16) = 0.75 where 128 reach 128 / (128 + 16) = 0.8889.
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash2, sloping).value(),
               WithinRel(19.2e-6 * (128.0 / 144) / 0.75 + 2e-6, 1e-12));
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash3, sloping).value(),
               WithinRel(12.8e-6 * (128.0 / 144) / 0.75 + 2e-6, 1e-12));
  REQUIRE(flash(causal, AttentionKernel::Flash1, sloping) ==
          flash(causal, AttentionKernel::Flash1));
}

TEST_CASE("short queries of FlashAttention are bound by memory", "[models]") {
  // One query of 10 heads over 1000 keys: 10 x 2 + 10 x 2000 vectors of 48 two-byte elements
  AttentionShape decode = causal;
  decode.queries = 1;
  decode.causal = false;
  const double bytes = (10 * 2 + 10 * 2000) * 48 * 2;
  REQUIRE_THAT(flash(decode).value(), WithinRel(bytes / 320e9 + 2e-6, 1e-12));
  // With one group the keys and values are read once: 10 x 2 + 1 x 2000 vectors
  decode.groups = 1;
  const double grouped_bytes = (10 * 2 + 2000) * 48 * 2;
  REQUIRE_THAT(flash(decode).value(), WithinRel(grouped_bytes / 320e9 + 2e-6, 1e-12));
}

TEST_CASE("query groups save no FLOP", "[models]") {
  REQUIRE(flash(with_heads(10, 1)) == flash(causal));
}

TEST_CASE("the sustained clock slows GEMMs, not fused attention", "[models]") {
  Device hot = device;
  hot.profile.sustained_clock.value = 0.8;
  hot.profile.gemm.bandwidth_share.value = 1e6;  // FLOP alone
  REQUIRE_THAT(gemm(square, hot).value(), WithinRel(2.147483648 / 40e3 + 10e-6, 1e-9));
  REQUIRE(flash(causal, AttentionKernel::Flash2, hot) == flash(causal));
}

TEST_CASE("unfused attention is its products and the softmax chain, worked by hand", "[models]") {
  const bool fused = GENERATE(true, false);
  // 10 heads x 1000 x 1000 scores at 320 GB/s, traffic 1.28 times the ideal. Bytes per score:
  // fused, softmax 2 + 2 and dropout 2 + 1 + 2; backward 2 + 2 + 2 and 2 + 1 + 2.
  // Not fused, mask 5, cast 6, softmax 8, cast 6, dropout 5; backward one more fp32 read.
  const double forward_bytes = fused ? 9 : 30;
  const double backward_bytes = fused ? 11 : 34;
  const double scores = 1.28 * 1e7 / 320e9;
  const Seconds score_product = gemm({1000, 1000, 48, 10});
  const Seconds context_product = gemm({1000, 48, 1000, 10});
  REQUIRE_THAT(
      unfused_attention_forward_time(causal, Precision::Bf16, fused, device).value(),
      WithinRel((score_product + context_product).value() + forward_bytes * scores, 1e-12));
  REQUIRE_THAT(
      unfused_attention_backward_time(causal, Precision::Bf16, fused, device).value(),
      WithinRel((score_product + 3 * context_product).value() + backward_bytes * scores, 1e-12));
}

TEST_CASE("a head size that is no multiple of 8 slows the unfused products", "[models]") {
  AttentionShape odd = causal;
  odd.head_size = 100;
  const Seconds products = gemm({1000, 1000, 100, 10}) + gemm({1000, 100, 1000, 10});
  const double softmax = 9 * 1.28 * 1e7 / 320e9;
  REQUIRE_THAT(unfused_attention_forward_time(odd, Precision::Bf16, true, device).value(),
               WithinRel(12 * products.value() + softmax, 1e-12));
}

TEST_CASE("attention runs in 16 bits where the rest runs in fp8", "[models]") {
  REQUIRE(flash_attention_forward_time(causal, AttentionKernel::Flash2, Precision::Fp8, device) ==
          flash(causal));
  REQUIRE(unfused_attention_forward_time(causal, Precision::Fp8, true, device) ==
          unfused_attention_forward_time(causal, Precision::Bf16, true, device));
}

TEST_CASE("attention over nothing takes no time", "[models]") {
  AttentionShape shape = causal;
  std::int64_t& extent = GENERATE_REF(std::ref(shape.micro_batch), std::ref(shape.heads),
                                      std::ref(shape.queries), std::ref(shape.keys));
  extent = 0;
  REQUIRE(flash(shape) == Seconds(0));
  REQUIRE(flash_backward(shape) == Seconds(0));
  REQUIRE(unfused_attention_forward_time(shape, Precision::Bf16, true, device) == Seconds(0));
  REQUIRE(unfused_attention_backward_time(shape, Precision::Bf16, true, device) == Seconds(0));
}

TEST_CASE("more attention is never faster", "[models]") {
  const std::int64_t length = GENERATE(1, 128, 2048, 32768);
  const std::int64_t heads = GENERATE(1, 12, 96);
  const bool masked = GENERATE(true, false);
  const AttentionShape shape{2, heads, heads, 64, length, length, masked};
  AttentionShape longer = shape;
  longer.queries = longer.keys = 2 * length;
  AttentionShape wider = shape;
  wider.heads = wider.groups = 2 * heads;
  AttentionShape more = shape;
  more.micro_batch = 3;
  for (const AttentionShape& larger : {longer, wider, more}) {
    REQUIRE(flash(larger) >= flash(shape));
    REQUIRE(flash_backward(larger) >= flash_backward(shape));
    REQUIRE(unfused_attention_forward_time(larger, Precision::Bf16, true, device) >=
            unfused_attention_forward_time(shape, Precision::Bf16, true, device));
    REQUIRE(unfused_attention_backward_time(larger, Precision::Bf16, true, device) >=
            unfused_attention_backward_time(shape, Precision::Bf16, true, device));
  }
}

TEST_CASE("a memory-bound kernel takes its bytes, but never less than the floor", "[models]") {
  REQUIRE_THAT(memory_bound_time(320_MB, device).value(), WithinRel(1e-3, 1e-12));
  REQUIRE(memory_bound_time(1_B, device) == 2_us);
  REQUIRE(memory_bound_time(0_B, device) == Seconds(0));
}

TEST_CASE("A100: a training GEMM reaches what published tables show", "[models]") {
  // 4096 x 4096 x 4096 in bf16: 229 to 255 TFLOP/s (73 to 82 % of 312) in public tables; here with
  // the sustained clock of 1.
  const Device a100 = catalogue_device("a100_sxm_80gb", "a100");
  const double rate = 2 * std::pow(4096.0, 3) / gemm({4096, 4096, 4096}, a100).value();
  REQUIRE(rate > 0.68 * 312e12);
  REQUIRE(rate < 0.82 * 312e12);
}
