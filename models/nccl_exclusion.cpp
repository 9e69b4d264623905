#include "models/nccl_exclusion.h"

namespace stepcast {
namespace {

bool before_hopper(const GroupLayout& layout) {
  return layout.architecture == GpuArchitecture::Volta ||
         layout.architecture == GpuArchitecture::Ampere;
}

std::string nvls_reason(const TunedCollective& c, Algorithm algorithm) {
  const GroupLayout& layout = c.layout;
  if (c.kind != CollectiveKind::AllReduce) return "modelled for all-reduce only";
  if (before_hopper(layout)) return "multicast over NVSwitch begins with Hopper";
  if (!layout.nv_switch) return "needs an NVSwitch";
  if (!c.release.has_nvls) return "not in this release";
  const bool tree = algorithm == Algorithm::NvlsTree;
  if (tree && layout.nodes == 1) return "joins nodes, and there is one";
  if (!tree && layout.nodes > 1 && !layout.reducing_network) {
    return "over several nodes needs switches that reduce (SHARP)";
  }
  return "needs more of the node's GPUs";
}

std::string collnet_reason(const TunedCollective& c) {
  if (c.kind != CollectiveKind::AllReduce) return "modelled for all-reduce only";
  if (c.layout.nodes == 1) return "joins nodes, and there is one";
  if (!c.layout.reducing_network) return "needs switches that reduce (SHARP)";
  return "no constants of this release";
}

std::string ll128_reason(const TunedCollective& c) {
  if (c.layout.intra == IntraTransport::Pcie) return "LL128 needs NVLink inside the node";
  return "the network may not keep the order of LL128's stores";
}

}  // namespace

std::string exclusion_reason(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  if (tuner_allows(c, algorithm, protocol)) return {};
  const bool passes_messages =
      c.kind == CollectiveKind::AllToAll || c.kind == CollectiveKind::SendReceive;
  if (passes_messages != (algorithm == Algorithm::PointToPoint)) return {};
  switch (algorithm) {
    case Algorithm::Tree:
      if (c.kind != CollectiveKind::AllReduce) return "trees reduce and broadcast: all-reduce only";
      break;
    case Algorithm::Nvls:
    case Algorithm::NvlsTree:
      return protocol == Protocol::Simple ? nvls_reason(c, algorithm) : "";
    case Algorithm::CollNetDirect:
      return protocol == Protocol::Simple ? collnet_reason(c) : "";
    case Algorithm::PointToPoint:
      return "";  // NCCL sends messages by LL and Simple only
    case Algorithm::Ring:
      break;
  }
  return ll128_reason(c);
}

}  // namespace stepcast
