// How far runs lie from what the fitted constants predict: the spreads that intervals rest on.
#pragma once

#include <map>
#include <span>
#include <string>

#include "calibration/profile_fit.h"

namespace stepcast {

/// By a profile's name without its kind.
struct ProfileNoise {
  struct Spread {
    double value = 0;
    std::size_t runs = 0;
  };
  std::map<std::string, Spread> framework;  ///< relative, on few nodes
  std::map<std::string, Spread> network;    ///< further, per square root of the nodes
};

/// Spreads under which 90 % of the fitted runs lie inside +-1.645 of them. The framework's comes
/// from runs on fewer than 8 nodes (all of its runs where those are fewer than 10), drawn to 6 % as
/// if ten further runs said so; the network's is what its runs on 8 nodes and more need beyond it.
ProfileNoise noise_of(std::span<const RunMiss> misses);

/// Where a run was at home, "megatron over infiniband", and the network's spread of each such place
/// by its own runs: frameworks feel one network differently.
std::string habitat(const MeasuredRun& run);
std::map<std::string, ProfileNoise::Spread> habitat_jitters(std::span<const RunMiss> misses);

}  // namespace stepcast
