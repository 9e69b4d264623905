// What a Cluster holds: one node's parts and routes, the fabric, and every link of the cluster in
// one list. Node n's links are the node's own, then each NIC's up and down; the fabric's links
// between its switches follow after the last node. Private to topology/.
#pragma once

#include <optional>
#include <vector>

#include "topology/cluster.h"
#include "topology/fabric.h"
#include "topology/node_parts.h"
#include "topology/node_routes.h"

namespace stepcast {

struct Cluster::Graph {
  explicit Graph(const ClusterSpec& cluster);

  ClusterSpec spec;
  int gpus_per_node;
  NodeParts node;
  NodeRoutes routes;
  std::optional<Fabric> fabric;  ///< none on one node
  std::vector<Link> links;
  std::vector<double> gpu_rates;
  std::vector<BackgroundFlow> background;

  int num_nics() const { return fabric ? spec.fabric.nics_per_node : 0; }
  int links_in_node() const { return static_cast<int>(node.links.size()); }
  int links_per_node() const { return links_in_node() + 2 * num_nics(); }

  LinkId first_link(int in_node) const { return in_node * links_per_node(); }
  LinkId nic_up(int of_node, int nic) const {
    return first_link(of_node) + links_in_node() + 2 * nic;
  }
  LinkId nic_down(int of_node, int nic) const { return nic_up(of_node, nic) + 1; }
  LinkId fabric_link(int link) const { return first_link(spec.nodes) + link; }

  int node_of(GpuId gpu) const { return gpu / gpus_per_node; }
  std::size_t index_in_node(GpuId gpu) const {
    return static_cast<std::size_t>(gpu % gpus_per_node);
  }
};

/// Slows GPUs and links as the specification's faults say. Throws InputError (see Cluster).
void apply_faults(std::span<const Fault> faults, std::vector<Link>& links,
                  std::vector<double>& gpu_rates, int gpus_per_node);

/// Another job's flows on the links. Throws InputError (see Cluster).
std::vector<BackgroundFlow> background_flows(const Cluster& cluster);

}  // namespace stepcast
