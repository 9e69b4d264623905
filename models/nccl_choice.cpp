#include "models/nccl_choice.h"

#include <array>
#include <utility>

#include "base/fields.h"
#include "models/nccl_tables.h"

namespace stepcast {
namespace {

constexpr std::array<std::pair<Algorithm, std::string_view>, 5> kAlgorithmWords{{
    {Algorithm::Ring, "ring"},
    {Algorithm::Tree, "tree"},
    {Algorithm::Nvls, "nvls"},
    {Algorithm::NvlsTree, "nvls_tree"},
    {Algorithm::CollNetDirect, "collnet_direct"},
}};

constexpr std::array<std::pair<Protocol, std::string_view>, 3> kProtocolWords{{
    {Protocol::LL, "ll"},
    {Protocol::LL128, "ll128"},
    {Protocol::Simple, "simple"},
}};

}  // namespace

void describe(Fields& f, NcclChoice& choice) {
  f.field("algorithm", choice.algorithm, kAlgorithmWords,
          {.doc = "NCCL_ALGO, of the collectives that have it"});
  f.field("protocol", choice.protocol, kProtocolWords,
          {.doc = "NCCL_PROTO, of the collectives that have it"});
  f.field("version", choice.version,
          {.doc = "release whose tuner decides, as 2.18 or 2.18.3; the GPU's time unless said"});
  if (!knows_nccl_release(choice.version)) {
    f.fault("version", "no release of NCCL is called \"" + choice.version + "\"",
            "such as \"2.18\" or \"2.27.3\"; the nearest known release at or below it is taken");
  }
  f.field("channels", choice.channels,
          {.at_least = 1, .at_most = 64, .doc = "NCCL_MAX_NCHANNELS: channels that run"});
  f.field("socket_threads", choice.socket_threads,
          {.at_least = 1,
           .at_most = 16,
           .doc = "NCCL_SOCKET_NTHREADS: helper threads of a connection over TCP; 1 unless said"});
}

std::string_view word(Algorithm algorithm) {
  for (const auto& [value, text] : kAlgorithmWords) {
    if (value == algorithm) return text;
  }
  return "point_to_point";
}

std::string_view word(Protocol protocol) {
  for (const auto& [value, text] : kProtocolWords) {
    if (value == protocol) return text;
  }
  return {};
}

}  // namespace stepcast
