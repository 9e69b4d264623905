// The cluster as a graph of GPUs, switches, sockets and NICs, with one directed link for each
// direction of each cable, and the route that a message takes through it.
#pragma once

#include <memory>
#include <span>
#include <string>
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

struct ClusterSpec {
  NodeSpec node;
  int nodes = 1;
  int gpus_per_node = 0;  ///< GPUs of each node in use; 0 means all
  FabricSpec fabric;      ///< unused on one node
  std::vector<Fault> faults;
};

enum class LinkKind {
  NvLink,
  Pcie,
  Socket,      ///< between sockets
  HostMemory,  ///< between a socket and its memory
  Nic,         ///< between a NIC and its leaf
  Network,     ///< between a leaf and the spine
};

/// One direction of one cable. `name` reads "node3/gpu1>nvswitch", "node3/nic2>leaf0",
/// "leaf0>node3/nic2" or "leaf0>spine". `from` and `to` number the devices at its ends; a GPU's and
/// a host memory's links end there, every other device only passes messages on.
struct Link {
  std::string name;
  LinkKind kind;
  BytesPerSecond bandwidth;
  int from = 0;
  int to = 0;
  bool ends_in_device = false;  ///< `to` is a GPU or a host memory
  bool starts_in_device = false;
};

using LinkId = int;
using GpuId = int;  ///< node * gpus_per_node + index in the node

class Cluster {
 public:
  /// Requires nodes >= 1, 1 <= gpus_per_node <= node.gpus (0 means all) and a fault's rate in (0,
  /// 1]. Throws InputError where a fault names a GPU or a link that does not exist, or leaves a
  /// link more than it had.
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

  /// The links from one GPU to another, in order. Empty for a GPU to itself.
  /// Inside a node the widest path of the fewest hops; between nodes through the sender's and the
  /// receiver's own NIC (the first of `nics_of`).
  std::vector<LinkId> route(GpuId from, GpuId to) const;

  /// The links from a GPU to another node's GPU that leave by NIC `nic` of the sender's node and
  /// enter by the NIC of the same number. Requires different nodes.
  std::vector<LinkId> route_by_nic(GpuId from, GpuId to, int nic) const;

  /// The same, out by one NIC and in by another.
  std::vector<LinkId> route_by_nics(GpuId from, int nic_out, GpuId to, int nic_in) const;

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
