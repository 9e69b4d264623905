// What measured collectives add to the tuner's estimates: factors by algorithm and protocol, the
// filling of a pipeline, and what is left by size. All neutral until a calibration moves them.
#pragma once

#include <array>
#include <cstddef>

#include "base/units.h"
#include "models/fitted.h"

namespace stepcast {

class Fields;

/// Factors on the tuner's latency and bandwidth of one algorithm and protocol.
struct CombinationCorrection {
  Fitted<double> latency{1.0, 0.3};
  Fitted<double> bandwidth{1.0, 0.15};
};

/// The spreads are how far the tuner's constants were off in published nccl-tests logs: latencies
/// by a third; bandwidths of Simple, which depend on how many threads move the data, by a sixth.
/// What LL and LL128 send for each byte is fixed, so theirs are known better.
struct ProtocolCorrections {
  CombinationCorrection ll{.bandwidth = {1.0, 0.1}};
  CombinationCorrection ll128{.bandwidth = {1.0, 0.05}};
  CombinationCorrection simple;
};

/// The sizes at which a message's own factor is known: each 8 times the one before.
inline constexpr std::size_t kNumSizeFactors = 8;
inline constexpr Bytes kFirstSizeFactor = 1_KiB;

/// Of one kind of group: inside a node, or across nodes.
struct CollectiveCorrections {
  ProtocolCorrections ring, tree, nvls, point_to_point;
  /// r in a pipeline's time (latency + flow + r sqrt(latency x flow)): a message that is cut in
  /// pieces fills a chain of hops first, and with the best size of piece that costs r = 2; none
  /// where hops do not wait for whole pieces. Its spread is absolute, as the value may be 0.
  Fitted<double> ramp{0.0, 1.0};
  /// The same of NVLS, NVLSTree and CollNet, where switches reduce and no chain of GPUs fills: what
  /// a log of these shows says nothing of rings and trees, which the same cluster may run on more
  /// nodes.
  Fitted<double> nvls_ramp{0.0, 1.0};
  /// On the whole time, by message size: 1 KiB, 8 KiB ... 2 GiB, straight lines between them over
  /// the logarithm. For what changes with size and has no term: channels, threads, sizes of chunks.
  std::array<Fitted<double>, kNumSizeFactors> size{{{1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07},
                                                    {1.0, 0.07}}};
};

/// The factor of a message's size; beyond the ends as at them.
double size_factor(const CollectiveCorrections& corrections, Bytes message);

void describe(Fields& f, CollectiveCorrections& corrections);

}  // namespace stepcast
