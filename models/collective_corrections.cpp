#include "models/collective_corrections.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "models/fitted_fields.h"

namespace stepcast {
namespace {

constexpr std::array<std::string_view, kNumSizeFactors> size_keys{
    "1_KiB", "8_KiB", "64_KiB", "512_KiB", "4_MiB", "32_MiB", "256_MiB", "2_GiB"};

void describe(Fields& f, CombinationCorrection& correction) {
  fitted(f, "latency", correction.latency, "on the tuner's latency", Presence::Optional);
  fitted(f, "bandwidth", correction.bandwidth, "on the tuner's bandwidth", Presence::Optional);
}

void describe(Fields& f, ProtocolCorrections& corrections) {
  const auto protocol = [&f](std::string_view key, CombinationCorrection& correction) {
    f.object(key, [&](Fields& g) { describe(g, correction); }, {.doc = "factors"});
  };
  protocol("ll", corrections.ll);
  protocol("ll128", corrections.ll128);
  protocol("simple", corrections.simple);
}

}  // namespace

double size_factor(const CollectiveCorrections& corrections, Bytes message) {
  const auto neutral = [](const Fitted<double>& factor) { return factor.value == 1.0; };
  if (std::all_of(corrections.size.begin(), corrections.size.end(), neutral)) return 1.0;
  constexpr double kLast = static_cast<double>(kNumSizeFactors - 1);
  const double steps = std::log2(std::max(1.0, message / kFirstSizeFactor)) / 3;
  const double place = std::clamp(steps, 0.0, kLast);
  const auto below = static_cast<std::size_t>(std::min(place, kLast - 1));
  const double share = place - static_cast<double>(below);
  return std::pow(corrections.size[below].value, 1 - share) *
         std::pow(corrections.size[below + 1].value, share);
}

void describe(Fields& f, CollectiveCorrections& corrections) {
  const auto algorithm = [&f](std::string_view key, ProtocolCorrections& protocols) {
    f.object(key, [&](Fields& g) { describe(g, protocols); }, {.doc = "by protocol"});
  };
  algorithm("ring", corrections.ring);
  algorithm("tree", corrections.tree);
  algorithm("nvls", corrections.nvls);
  algorithm("point_to_point", corrections.point_to_point);
  fitted(f, "ramp", corrections.ramp, "of sqrt(latency x flow time); its spread is absolute",
         Presence::Optional);
  fitted(f, "nvls_ramp", corrections.nvls_ramp, "the same of NVLS, NVLSTree and CollNet",
         Presence::Optional);
  const auto sizes = [&](Fields& g) {
    for (std::size_t i = 0; i < kNumSizeFactors; ++i) {
      fitted(g, size_keys[i], corrections.size[i], "on the whole time of such a message",
             Presence::Optional);
    }
  };
  f.object("size", sizes, {.doc = "factors by message size"});
}

}  // namespace stepcast
