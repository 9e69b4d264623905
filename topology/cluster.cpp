#include "topology/cluster.h"

#include <optional>
#include <string>
#include <vector>

#include "base/contract.h"
#include "topology/cluster_graph.h"

namespace stepcast {

namespace {

int gpus_in_use(const ClusterSpec& spec) {
  STEPCAST_REQUIRES(spec.nodes >= 1);
  const int gpus = spec.gpus_per_node == 0 ? spec.node.gpus : spec.gpus_per_node;
  STEPCAST_REQUIRES(gpus >= 1 && gpus <= spec.node.gpus);
  return gpus;
}

std::string link_name(const std::string& from, const std::string& to) { return from + ">" + to; }

void add_node_links(std::vector<Link>& links, const std::string& prefix, const NodeParts& node,
                    const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    links.push_back({prefix + names[i], node.links[i].kind, node.links[i].bandwidth});
  }
}

void add_nic_links(std::vector<Link>& links, const std::string& prefix, const Fabric& fabric,
                   int node, int nics) {
  for (int nic = 0; nic < nics; ++nic) {
    const std::string name = prefix + "nic" + std::to_string(nic);
    const std::string leaf = fabric.leaf_name(fabric.leaf_of(node, nic));
    links.push_back({link_name(name, leaf), LinkKind::Nic, fabric.nic_bandwidth()});
    links.push_back({link_name(leaf, name), LinkKind::Nic, fabric.nic_bandwidth()});
  }
}

void add_leaf_links(std::vector<Link>& links, const Fabric& fabric) {
  // A lone leaf needs no spine.
  if (fabric.num_leaves() == 1) return;
  for (int leaf = 0; leaf < fabric.num_leaves(); ++leaf) {
    const std::string name = fabric.leaf_name(leaf);
    links.push_back({link_name(name, "spine"), LinkKind::Network, fabric.uplink_bandwidth()});
    links.push_back({link_name("spine", name), LinkKind::Network, fabric.uplink_bandwidth()});
  }
}

std::vector<Link> all_links(const ClusterSpec& spec, const NodeParts& node,
                            const std::optional<Fabric>& fabric) {
  std::vector<std::string> names;
  names.reserve(node.links.size());
  for (const PartLink& link : node.links) names.push_back(node.link_name(link));
  const int nics = fabric ? spec.fabric.nics_per_node : 0;
  const std::size_t per_node = names.size() + 2 * static_cast<std::size_t>(nics);
  const int leaves = fabric ? fabric->num_leaves() : 0;
  std::vector<Link> links;
  links.reserve(per_node * static_cast<std::size_t>(spec.nodes) +
                2 * static_cast<std::size_t>(leaves));
  for (int i = 0; i < spec.nodes; ++i) {
    const std::string prefix = "node" + std::to_string(i) + "/";
    add_node_links(links, prefix, node, names);
    if (fabric) add_nic_links(links, prefix, *fabric, i, nics);
  }
  if (fabric) add_leaf_links(links, *fabric);
  return links;
}

}  // namespace

Cluster::Graph::Graph(const ClusterSpec& cluster)
    : spec(cluster), gpus_per_node(gpus_in_use(cluster)) {
  if (spec.nodes > 1) fabric.emplace(spec.fabric, spec.nodes);
  node = assemble_node(spec.node, num_nics());
  routes = find_routes(node);
  links = all_links(spec, node, fabric);
  gpu_rates.assign(static_cast<std::size_t>(spec.nodes) * static_cast<std::size_t>(gpus_per_node),
                   1.0);
  apply_faults(spec.faults, links, gpu_rates, gpus_per_node);
}

Cluster::Cluster(const ClusterSpec& spec) : graph_(std::make_unique<Graph>(spec)) {}
Cluster::~Cluster() = default;
Cluster::Cluster(Cluster&&) noexcept = default;
Cluster& Cluster::operator=(Cluster&&) noexcept = default;

const ClusterSpec& Cluster::spec() const { return graph_->spec; }
int Cluster::num_gpus() const { return num_nodes() * gpus_per_node(); }
int Cluster::num_nodes() const { return graph_->spec.nodes; }
int Cluster::gpus_per_node() const { return graph_->gpus_per_node; }
std::span<const Link> Cluster::links() const { return graph_->links; }

double Cluster::gpu_rate(GpuId gpu) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  return graph_->gpu_rates[static_cast<std::size_t>(gpu)];
}

}  // namespace stepcast
