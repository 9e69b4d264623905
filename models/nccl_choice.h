// What a scenario may force on NCCL, as its environment variables do.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace stepcast {

class Fields;

enum class Algorithm { Ring, Tree, Nvls, NvlsTree, CollNetDirect, PointToPoint };
enum class Protocol { LL, LL128, Simple };

inline constexpr std::array all_algorithms{Algorithm::Ring,          Algorithm::Tree,
                                           Algorithm::Nvls,          Algorithm::NvlsTree,
                                           Algorithm::CollNetDirect, Algorithm::PointToPoint};
inline constexpr std::array all_protocols{Protocol::LL, Protocol::LL128, Protocol::Simple};

/// Each left open is NCCL's own choice. A forced algorithm or protocol holds for the collectives
/// that can run so; others keep their own (as rings do for all-gathers under NCCL_ALGO=Tree).
struct NcclChoice {
  std::optional<Algorithm> algorithm;  ///< NCCL_ALGO
  std::optional<Protocol> protocol;    ///< NCCL_PROTO
  std::string version;                 ///< whose tuner decides; empty: the profile's
  std::optional<int> channels;         ///< NCCL_MAX_NCHANNELS: those that run, two a channel found
  std::optional<int> socket_threads;   ///< NCCL_SOCKET_NTHREADS: helper threads of a connection
};

void describe(Fields& f, NcclChoice& choice);

std::string_view word(Algorithm algorithm);
std::string_view word(Protocol protocol);

}  // namespace stepcast
