#include "topology/node_parts.h"

#include <utility>

#include "base/contract.h"

namespace stepcast {

namespace {

/// Which of `places` thing `i` of `count` goes to when they are spread evenly and in order.
int spread(int i, int count, int places) { return i * places / count; }

int add_part(NodeParts& node, DeviceKind kind, std::string name) {
  node.parts.push_back({kind, std::move(name)});
  return static_cast<int>(node.parts.size()) - 1;
}

std::vector<int> add_parts(NodeParts& node, DeviceKind kind, const std::string& name, int count) {
  std::vector<int> added;
  added.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) added.push_back(add_part(node, kind, name + std::to_string(i)));
  return added;
}

void add_cable(NodeParts& node, int a, int b, LinkKind kind, BytesPerSecond bandwidth) {
  STEPCAST_REQUIRES(bandwidth > BytesPerSecond());
  node.links.push_back({a, b, kind, bandwidth});
  node.links.push_back({b, a, kind, bandwidth});
}

void join_all(NodeParts& node, const std::vector<int>& parts, LinkKind kind,
              BytesPerSecond bandwidth) {
  for (std::size_t a = 0; a < parts.size(); ++a) {
    for (std::size_t b = a + 1; b < parts.size(); ++b) {
      add_cable(node, parts[a], parts[b], kind, bandwidth);
    }
  }
}

void add_nvlink(NodeParts& node, const NodeSpec& spec, const std::vector<int>& gpus) {
  if (spec.interconnect == GpuInterconnect::NvSwitch) {
    // The switches of a node together never block, so they are one.
    const int nvswitch = add_part(node, DeviceKind::NvSwitch, "nvswitch");
    for (const int gpu : gpus) {
      add_cable(node, gpu, nvswitch, LinkKind::NvLink, spec.nvlink_bandwidth);
    }
  } else if (spec.interconnect == GpuInterconnect::NvLinkMesh && spec.gpus > 1) {
    join_all(node, gpus, LinkKind::NvLink, spec.nvlink_bandwidth / (spec.gpus - 1));
  }
}

std::vector<int> add_sockets(NodeParts& node, const NodeSpec& spec) {
  std::vector<int> sockets = add_parts(node, DeviceKind::Socket, "socket", spec.sockets);
  join_all(node, sockets, LinkKind::Socket, spec.socket_bandwidth);
  const std::vector<int> memories = add_parts(node, DeviceKind::HostMemory, "memory", spec.sockets);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    add_cable(node, sockets[i], memories[i], LinkKind::HostMemory,
              spec.host_memory_bandwidth / spec.sockets);
  }
  return sockets;
}

/// What GPUs and NICs plug into: the PCIe switches, or the sockets where there are none.
std::vector<int> add_pcie_ports(NodeParts& node, const NodeSpec& spec) {
  std::vector<int> sockets = add_sockets(node, spec);
  if (spec.gpus_per_pcie_switch == 1) return sockets;
  const int count = (spec.gpus + spec.gpus_per_pcie_switch - 1) / spec.gpus_per_pcie_switch;
  std::vector<int> switches = add_parts(node, DeviceKind::PcieSwitch, "pcie", count);
  for (int i = 0; i < count; ++i) {
    const int socket = spread(i, count, spec.sockets);
    add_cable(node, switches[static_cast<std::size_t>(i)],
              sockets[static_cast<std::size_t>(socket)], LinkKind::Pcie,
              spec.pcie_switch_bandwidth);
  }
  return switches;
}

void plug_in(NodeParts& node, const std::vector<int>& devices, const std::vector<int>& ports,
             BytesPerSecond bandwidth) {
  const int count = static_cast<int>(devices.size());
  const int places = static_cast<int>(ports.size());
  for (int i = 0; i < count; ++i) {
    const auto port = static_cast<std::size_t>(spread(i, count, places));
    add_cable(node, devices[static_cast<std::size_t>(i)], ports[port], LinkKind::Pcie, bandwidth);
  }
}

}  // namespace

std::vector<int> NodeParts::of_kind(DeviceKind kind) const {
  std::vector<int> found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == kind) found.push_back(static_cast<int>(i));
  }
  return found;
}

std::string NodeParts::link_name(const PartLink& link) const {
  return parts[static_cast<std::size_t>(link.from)].name + ">" +
         parts[static_cast<std::size_t>(link.to)].name;
}

NodeParts assemble_node(const NodeSpec& spec, int nics) {
  NodeParts node;
  const std::vector<int> gpus = add_parts(node, DeviceKind::Gpu, "gpu", spec.gpus);
  add_nvlink(node, spec, gpus);
  const std::vector<int> ports = add_pcie_ports(node, spec);
  plug_in(node, gpus, ports, spec.pcie_bandwidth);
  plug_in(node, add_parts(node, DeviceKind::Nic, "nic", nics), ports, spec.pcie_bandwidth);
  return node;
}

}  // namespace stepcast
