// Groups as topology/ would lay them out, written by hand, so that collectives are tested alone.
#pragma once

#include <string>

#include "models/collectives.h"

namespace stepcast {

/// NCCL's own figures, nothing fitted.
inline NetworkProfile plain_nccl(const std::string& version) {
  NetworkProfile network;
  network.nccl_version = version;
  network.latency_factor.value = 1;
  network.intra_latency_factor.value = 1;
  network.bandwidth_factor.value = 1;
  return network;
}

inline GroupLayout one_node(GpuArchitecture gpu, int ranks, BytesPerSecond nvlink) {
  GroupLayout layout;
  layout.ranks = ranks;
  layout.ranks_per_node = ranks;
  layout.intra = IntraTransport::NvLink;
  layout.channel_bandwidth = nvlink;
  layout.intra_channel_bandwidth = nvlink;
  layout.architecture = gpu;
  return layout;
}

inline GroupLayout several_nodes(GpuArchitecture gpu, int nodes, int channels,
                                 BytesPerSecond channel, BytesPerSecond nvlink) {
  GroupLayout layout = one_node(gpu, 8 * nodes, nvlink);
  layout.nodes = nodes;
  layout.ranks_per_node = 8;
  layout.crosses_network = true;
  layout.channels = channels;
  layout.channel_bandwidth = channel;
  layout.intra_channel_bandwidth = nvlink / channels;
  return layout;
}

inline GroupLayout dgx_a100() { return one_node(GpuArchitecture::Ampere, 8, 240_GB_per_s); }

/// DGX A100 with eight HDR NICs.
inline GroupLayout dgx_a100_hdr(int nodes) {
  return several_nodes(GpuArchitecture::Ampere, nodes, 8, 24_GB_per_s, 240_GB_per_s);
}

/// p4d or p4de with four NICs of 100 Gbit/s and the latency that the AWS plugin reports.
inline GroupLayout p4d_efa(int nodes) {
  GroupLayout layout = several_nodes(GpuArchitecture::Ampere, nodes, 4, 12_GB_per_s, 240_GB_per_s);
  layout.transport = Transport::Efa;
  layout.nic_latency = 75_us;
  return layout;
}

inline GroupLayout dgx_h100_ndr(int nodes) {
  return several_nodes(GpuArchitecture::Hopper, nodes, 8, 48_GB_per_s, 360_GB_per_s);
}

/// One rank on each node, each with its own NIC.
inline GroupLayout rail(GpuArchitecture gpu, int nodes, BytesPerSecond nic) {
  GroupLayout layout = several_nodes(gpu, nodes, 1, nic, nic);
  layout.ranks = nodes;
  layout.ranks_per_node = 1;
  layout.intra = IntraTransport::None;
  return layout;
}

inline GroupLayout pair(const GroupLayout& like) {
  GroupLayout layout = like;
  layout.ranks = 2;
  layout.nodes = like.crosses_network ? 2 : 1;
  layout.ranks_per_node = like.crosses_network ? 1 : 2;
  layout.channels = 1;
  layout.intra_channel_bandwidth = layout.channel_bandwidth;
  return layout;
}

inline CollectiveCandidate best(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                                const NetworkProfile& network) {
  return collective_candidates(kind, message, layout, network).front();
}

inline double all_reduce_us(Bytes message, const GroupLayout& layout,
                            const NetworkProfile& network) {
  return best(CollectiveKind::AllReduce, message, layout, network).time / 1_us;
}

inline BytesPerSecond links(const GroupLayout& layout) {
  return layout.channels * layout.channel_bandwidth;
}

}  // namespace stepcast
