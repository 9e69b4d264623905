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

// Numbers the cluster's devices: every node's parts in turn, then the fabric's switches.
struct DeviceNumbers {
  int parts_per_node;
  int nodes;

  int part(int node, int index) const { return node * parts_per_node + index; }
  int network_switch(int index) const { return nodes * parts_per_node + index; }
};

bool holds_data(const NodePart& part) {
  return part.kind == DeviceKind::Gpu || part.kind == DeviceKind::HostMemory;
}

void add_node_links(std::vector<Link>& links, const std::string& prefix, int in_node,
                    const NodeParts& node, const std::vector<std::string>& names,
                    const DeviceNumbers& numbers) {
  const auto part = [&](int index) -> const NodePart& {
    return node.parts[static_cast<std::size_t>(index)];
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const PartLink& link = node.links[i];
    links.push_back({prefix + names[i], link.kind, link.bandwidth, numbers.part(in_node, link.from),
                     numbers.part(in_node, link.to), holds_data(part(link.to)),
                     holds_data(part(link.from))});
  }
}

void add_nic_links(std::vector<Link>& links, const std::string& prefix, int in_node,
                   const NodeParts& node, const Fabric& fabric, const DeviceNumbers& numbers) {
  const std::vector<int> nics = node.of_kind(DeviceKind::Nic);
  for (int nic = 0; nic < static_cast<int>(nics.size()); ++nic) {
    const std::string name = prefix + "nic" + std::to_string(nic);
    const int leaf = fabric.leaf_of(in_node, nic);
    const std::string& leaf_name = fabric.switches[static_cast<std::size_t>(leaf)];
    const int nic_number = numbers.part(in_node, nics[static_cast<std::size_t>(nic)]);
    const int leaf_number = numbers.network_switch(leaf);
    const BytesPerSecond bandwidth = fabric.nic_bandwidth;
    links.push_back(
        {link_name(name, leaf_name), LinkKind::Nic, bandwidth, nic_number, leaf_number});
    links.push_back(
        {link_name(leaf_name, name), LinkKind::Nic, bandwidth, leaf_number, nic_number});
  }
}

void add_fabric_links(std::vector<Link>& links, const Fabric& fabric,
                      const DeviceNumbers& numbers) {
  for (const SwitchLink& link : fabric.links) {
    links.push_back({link_name(fabric.switches[static_cast<std::size_t>(link.from)],
                               fabric.switches[static_cast<std::size_t>(link.to)]),
                     LinkKind::Network, link.bandwidth, numbers.network_switch(link.from),
                     numbers.network_switch(link.to)});
  }
}

std::vector<Link> all_links(const ClusterSpec& spec, const NodeParts& node,
                            const std::optional<Fabric>& fabric) {
  std::vector<std::string> names;
  names.reserve(node.links.size());
  for (const PartLink& link : node.links) names.push_back(node.link_name(link));
  const int nics = fabric ? spec.fabric.nics_per_node : 0;
  const std::size_t per_node = names.size() + 2 * static_cast<std::size_t>(nics);
  const DeviceNumbers numbers{static_cast<int>(node.parts.size()), spec.nodes};
  std::vector<Link> links;
  links.reserve(per_node * static_cast<std::size_t>(spec.nodes) +
                (fabric ? fabric->links.size() : 0));
  for (int i = 0; i < spec.nodes; ++i) {
    const std::string prefix = "node" + std::to_string(i) + "/";
    add_node_links(links, prefix, i, node, names, numbers);
    if (fabric) add_nic_links(links, prefix, i, node, *fabric, numbers);
  }
  if (fabric) add_fabric_links(links, *fabric, numbers);
  return links;
}

}  // namespace

std::string_view word(LinkKind kind) {
  switch (kind) {
    case LinkKind::NvLink:
      return "nvlink";
    case LinkKind::Pcie:
      return "pcie";
    case LinkKind::Socket:
      return "socket";
    case LinkKind::HostMemory:
      return "host_memory";
    case LinkKind::Nic:
      return "nic";
    case LinkKind::Network:
      return "network";
  }
  return "";
}

std::string_view word(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::Gpu:
      return "gpu";
    case DeviceKind::NvSwitch:
      return "nvswitch";
    case DeviceKind::PcieSwitch:
      return "pcie_switch";
    case DeviceKind::Socket:
      return "socket";
    case DeviceKind::HostMemory:
      return "host_memory";
    case DeviceKind::Nic:
      return "nic";
    case DeviceKind::NetworkSwitch:
      return "network_switch";
  }
  return "";
}

Cluster::Graph::Graph(const ClusterSpec& cluster)
    : spec(cluster), gpus_per_node(gpus_in_use(cluster)) {
  if (spec.nodes > 1) fabric = build_fabric(spec.fabric, spec.nodes);
  node = assemble_node(spec.node, num_nics());
  routes = find_routes(node);
  links = all_links(spec, node, fabric);
  gpu_rates.assign(static_cast<std::size_t>(spec.nodes) * static_cast<std::size_t>(gpus_per_node),
                   1.0);
  apply_faults(spec.faults, links, gpu_rates, gpus_per_node);
}

Cluster::Cluster(const ClusterSpec& spec) : graph_(std::make_unique<Graph>(spec)) {
  graph_->background = background_flows(*this);
}
Cluster::~Cluster() = default;
Cluster::Cluster(Cluster&&) noexcept = default;
Cluster& Cluster::operator=(Cluster&&) noexcept = default;

const ClusterSpec& Cluster::spec() const { return graph_->spec; }
int Cluster::num_gpus() const { return num_nodes() * gpus_per_node(); }
int Cluster::num_nodes() const { return graph_->spec.nodes; }
int Cluster::gpus_per_node() const { return graph_->gpus_per_node; }
std::span<const Link> Cluster::links() const { return graph_->links; }
std::vector<ClusterDevice> Cluster::devices() const {
  std::vector<ClusterDevice> devices;
  for (int node = 0; node < num_nodes(); ++node) {
    const std::string prefix = "node" + std::to_string(node) + "/";
    int gpus = 0;
    for (const NodePart& part : graph_->node.parts) {
      const bool in_use = part.kind == DeviceKind::Gpu && gpus < gpus_per_node();
      const int gpu = in_use ? node * gpus_per_node() + gpus++ : -1;
      devices.push_back({prefix + part.name, part.kind, node, gpu});
    }
  }
  if (!graph_->fabric) return devices;
  for (const std::string& name : graph_->fabric->switches) {
    devices.push_back({name, DeviceKind::NetworkSwitch, -1, -1});
  }
  return devices;
}

std::span<const BackgroundFlow> Cluster::background() const { return graph_->background; }

double Cluster::gpu_rate(GpuId gpu) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  return graph_->gpu_rates[static_cast<std::size_t>(gpu)];
}

}  // namespace stepcast
