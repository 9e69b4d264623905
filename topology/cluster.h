// The cluster as a graph of GPUs, switches, sockets and NICs, with one directed link for each
// direction of each cable, and the route that a message takes through it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "topology/cluster_spec.h"

namespace stepcast {

/// A fault of one GPU or one cable, as the scenario states it. A link's name stands for that one
/// direction ("node3/nic2>leaf0"); a NIC's ("node3/nic2") for both directions of its network cable.
struct Fault {
  int gpu = -1;              ///< the GPU that runs slower, or -1
  double rate = 1.0;         ///< its speed beside a healthy one
  std::string link;          ///< name of the link or NIC that runs slower, or empty
  BytesPerSecond bandwidth;  ///< what it is left with, at most what it had
};

/// A second job's traffic, there during the whole step. One of the ends or the rails is given.
struct BackgroundTraffic {
  int from = -1;  ///< a GPU; its route to GPU `to` is taken
  int to = -1;
  std::vector<int> rails;  ///< NICs by number: every node's cable to its leaf, both directions
  BytesPerSecond rate;     ///< what the job sends where nothing else is, or
  double share = 0;        ///< that as a share of the NIC's usable rate
};

struct ClusterSpec {
  NodeSpec node;
  int nodes = 1;
  int gpus_per_node = 0;  ///< GPUs of each node in use; 0 means all
  FabricSpec fabric;      ///< unused on one node
  std::vector<Fault> faults;
  std::vector<BackgroundTraffic> background;
  std::uint64_t seed = 0;  ///< of the hash that pins flows to equal paths
};

enum class LinkKind {
  NvLink,
  Pcie,
  Socket,      ///< between sockets
  HostMemory,  ///< between a socket and its memory
  Nic,         ///< between a NIC and its leaf
  Network,     ///< between a leaf and the spine
};

enum class DeviceKind { Gpu, NvSwitch, PcieSwitch, Socket, HostMemory, Nic, NetworkSwitch };

/// "node3/gpu1", "node3/nic2", "leaf0".
struct ClusterDevice {
  std::string name;
  DeviceKind kind;
  int node;  ///< -1: a switch of the network
  int gpu;   ///< its GpuId; -1: another device, or a GPU that is not in use
};

/// "nvlink", "host_memory", ...; "gpu", "network_switch", ...
std::string_view word(LinkKind kind);
std::string_view word(DeviceKind kind);

/// One direction of one cable. `name` reads "node3/gpu1>nvswitch", "node3/nic2>leaf0",
/// "leaf0>node3/nic2" or "leaf0>spine"; the fabrics name their switches themselves. `from` and `to`
/// number the devices at its ends; a GPU's and a host memory's links end there, every other device
/// only passes messages on.
struct Link {
  std::string name;
  LinkKind kind;
  BytesPerSecond bandwidth;
  int from = 0;
  int to = 0;
  bool ends_in_device = false;  ///< `to` is a GPU or a host memory
  bool starts_in_device = false;
};

/// One flow of another job: it never asks for more than its rate.
struct BackgroundFlow {
  std::vector<int> links;  ///< LinkIds, each once
  BytesPerSecond rate;
};

using LinkId = int;
using GpuId = int;  ///< node * gpus_per_node + index in the node

class Cluster {
 public:
  /// Requires nodes >= 1, 1 <= gpus_per_node <= node.gpus (0 means all) and a fault's rate in (0,
  /// 1]. Throws InputError where a fault or background traffic names a GPU, a link or a NIC that
  /// does not exist, a fault leaves a link more than it had or nothing, the fabric has no place for
  /// so many nodes, or a NIC is nearest to no GPU in use.
  explicit Cluster(const ClusterSpec& spec);
  ~Cluster();
  Cluster(Cluster&&) noexcept;
  Cluster& operator=(Cluster&&) noexcept;

  const ClusterSpec& spec() const;
  int num_gpus() const;
  int num_nodes() const;
  int gpus_per_node() const;
  int node_of(GpuId gpu) const { return gpu / gpus_per_node(); }

  /// Speed of a GPU beside a healthy one (1 unless a fault slows it).
  double gpu_rate(GpuId gpu) const;

  std::span<const Link> links() const;

  /// Numbered as the links' ends are.
  std::vector<ClusterDevice> devices() const;

  /// The links from one GPU to another, in order. Empty for a GPU to itself.
  /// Inside a node the widest path of the fewest hops; between nodes through the sender's and the
  /// receiver's own NIC (the first of `nics_of`).
  std::vector<LinkId> route(GpuId from, GpuId to) const;

  /// The links from a GPU to another node's GPU that leave by NIC `nic` of the sender's node and
  /// enter by the NIC of the same number. Requires different nodes.
  std::vector<LinkId> route_by_nic(GpuId from, GpuId to, int nic) const;

  /// The same, out by one NIC and in by another.
  std::vector<LinkId> route_by_nics(GpuId from, int nic_out, GpuId to, int nic_in) const;

  /// The links from a GPU out by NIC `nic` of its node to the switch that the NIC hangs on, and in
  /// from there.
  std::vector<LinkId> nic_exit(GpuId gpu, int nic) const;
  std::vector<LinkId> nic_entry(GpuId gpu, int nic) const;

  /// The links between the switches that two nodes' NICs hang on; empty where it is one. Where
  /// flows are hashed to equal paths, the hash of seed and ends decides.
  std::vector<LinkId> between_nics(int node_out, int nic_out, int node_in, int nic_in) const;

  /// A GPU's link to its node's NVSwitch, or from it. Requires a node with one.
  std::vector<LinkId> nvswitch_link(GpuId gpu, bool to_switch) const;

  /// What other jobs send.
  std::span<const BackgroundFlow> background() const;

  /// The NICs nearest to a GPU, by number in its node: one, or several where a node has more NICs
  /// than GPUs. GPUs that are equally near to the same NICs share them out in order. Empty on a
  /// cluster of one node.
  std::vector<int> nics_of(GpuId gpu) const;

  /// Links between a GPU and the memory of its own socket, for offload. `to_host` false: the other
  /// way.
  std::vector<LinkId> host_route(GpuId gpu, bool to_host) const;

 private:
  struct Graph;
  std::unique_ptr<Graph> graph_;
};

}  // namespace stepcast
