#include "models/gemm.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/contract.h"

namespace stepcast {
namespace {

struct Tile {
  double m, n;
};

// CUTLASS' and cuBLAS' usual ones.
constexpr std::array<Tile, 8> tiles{
    {{256, 128}, {128, 256}, {128, 128}, {128, 64}, {64, 128}, {64, 64}, {64, 32}, {32, 64}}};
constexpr std::array<double, 9> splits{1, 2, 3, 4, 6, 8, 12, 16, 24};
constexpr double kPartBytes = 8;   // an fp32 part written and read again
constexpr double kStepBytes = 64;  // of k that a tile takes in at a time

struct ElementBytes {
  double input;
  double output;
};

/// Products in fp8 are stored in 16 bits.
ElementBytes element_bytes(Precision precision) {
  const double size = bytes_per_element(precision);
  return {precision == Precision::Fp8 ? 1.0 : size, size};
}

FlopPerSecond reached_peak(Precision precision, const Device& device) {
  const GpuProfile& profile = device.profile;
  const bool in_fp8 = precision == Precision::Fp8 && device.gpu.fp8 > device.gpu.fp16;
  return profile.gemm.peak_share.value * profile.sustained_clock.value *
         (in_fp8 ? profile.gemm.fp8_rate.value : 1.0) * peak_rate(precision, device.gpu);
}

double fourth_root(double x) { return std::sqrt(std::sqrt(x)); }
double to_the_fourth(double x) { return x * x * x * x; }

// One product's figures in plain seconds: dozens of candidates are weighed for each.
class Candidates {
 public:
  Candidates(const GemmShape& shape, Precision precision, const Device& device)
      : m_(static_cast<double>(shape.m)),
        n_(static_cast<double>(shape.n)),
        k_(static_cast<double>(shape.k)),
        batch_(static_cast<double>(shape.batch)),
        processors_(std::max(1, device.gpu.multiprocessors)),
        gemm_(device.profile.gemm) {
    const auto [input, output] = element_bytes(precision);
    bytes_ = batch_ * (input * (m_ * k_ + k_ * n_) + output * m_ * n_);
    step_ = kStepBytes / input;
    rate_ = reached_peak(precision, device).value() / processors_;
    bandwidth_ = (gemm_.bandwidth_share.value * device.gpu.memory_bandwidth).value();
  }

  double fastest() const {
    double best = time(tiles.front(), 1);
    for (const Tile& tile : tiles) {
      for (const double split : splits) {
        if (split > 1 && num_tiles(tile) >= 2 * processors_) break;
        best = std::min(best, time(tile, split));
      }
    }
    return best;
  }

 private:
  double num_tiles(const Tile& tile) const {
    return batch_ * std::ceil(m_ / tile.m) * std::ceil(n_ / tile.n);
  }

  double time(const Tile& tile, double split) const {
    const double area = tile.m * tile.n / (128.0 * 128.0);
    const double rate = rate_ * area / (area + gemm_.tile_loss.value);
    const double depth = std::ceil(k_ / split / step_) * step_;
    const double filled = std::max(1.0, num_tiles(tile) * split / processors_);
    const double waves = filled + gemm_.wave_rounding.value * (std::ceil(filled) - filled);
    const double compute = waves * (2 * tile.m * tile.n * depth / rate + gemm_.wave.value.value());
    const double parts = split > 1 ? kPartBytes * batch_ * m_ * n_ * split : 0;
    const double memory = (bytes_ + parts) / bandwidth_;
    const double launches = split > 1 ? 2 : 1;
    return fourth_root(to_the_fourth(compute) + to_the_fourth(memory)) +
           launches * gemm_.launch.value.value();
  }

  double m_, n_, k_, batch_;
  double processors_;
  const GemmConstants& gemm_;
  double bytes_ = 0;
  double step_ = 0;  // elements of k
  double rate_ = 0;  // of one multiprocessor
  double bandwidth_ = 0;
};

}  // namespace

Seconds gemm_time(const GemmShape& shape, GemmPass pass, Precision precision,
                  const Device& device) {
  STEPCAST_REQUIRES(shape.m >= 0 && shape.n >= 0 && shape.k >= 0 && shape.batch >= 0);
  if (shape.m == 0 || shape.n == 0 || shape.k == 0 || shape.batch == 0) return {};
  const Seconds launch = device.profile.gemm.launch.value;
  const Seconds work = Seconds(Candidates(shape, precision, device).fastest()) - launch;
  const double slowdown =
      pass == GemmPass::WeightGradient ? device.profile.gemm.weight_gradient_slowdown.value : 1.0;
  return slowdown * work + launch;
}

}  // namespace stepcast
