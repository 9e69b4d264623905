#include "topology/cluster_spec.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/fields.h"

namespace stepcast {

namespace {

template <class Enum, std::size_t count>
using WordTable = std::array<std::pair<Enum, std::string_view>, count>;

constexpr WordTable<GpuArchitecture, 4> architecture_words{
    {{GpuArchitecture::Volta, "volta"},
     {GpuArchitecture::Ampere, "ampere"},
     {GpuArchitecture::Hopper, "hopper"},
     {GpuArchitecture::Blackwell, "blackwell"}}};

constexpr WordTable<GpuInterconnect, 3> interconnect_words{
    {{GpuInterconnect::NvSwitch, "nvswitch"},
     {GpuInterconnect::NvLinkMesh, "nvlink_mesh"},
     {GpuInterconnect::Pcie, "pcie"}}};

constexpr WordTable<CpuVendor, 3> cpu_vendor_words{
    {{CpuVendor::Amd, "amd"}, {CpuVendor::Intel, "intel"}, {CpuVendor::Other, "other"}}};

constexpr WordTable<FabricLayout, 5> layout_words{{{FabricLayout::RailOptimized, "rail_optimized"},
                                                   {FabricLayout::FatTree, "fat_tree"},
                                                   {FabricLayout::SingleSwitch, "single_switch"},
                                                   {FabricLayout::Dragonfly, "dragonfly"},
                                                   {FabricLayout::Torus, "torus"}}};

constexpr WordTable<Transport, 5> transport_words{{{Transport::InfiniBand, "infiniband"},
                                                   {Transport::RoCE, "roce"},
                                                   {Transport::Efa, "efa"},
                                                   {Transport::OmniPath, "omni_path"},
                                                   {Transport::Tcp, "tcp"}}};

FieldRules required(std::string_view doc) { return {.presence = Presence::Required, .doc = doc}; }

FieldRules required_positive(std::string_view doc) {
  return {.presence = Presence::Required, .more_than = 0, .doc = doc};
}

FieldRules positive(std::string_view doc) { return {.more_than = 0, .doc = doc}; }

FieldRules at_least(double least, std::string_view doc) { return {.at_least = least, .doc = doc}; }

/// What a fabric needs only because of how it is wired.
void check_layout(const Fields& f, const FabricSpec& fabric) {
  const bool tree =
      fabric.layout == FabricLayout::RailOptimized || fabric.layout == FabricLayout::FatTree;
  if (fabric.layout == FabricLayout::Dragonfly && fabric.routers_per_group < 1) {
    f.fault("routers_per_group", "a dragonfly needs the number of routers of a group");
  }
  if (fabric.layout == FabricLayout::Torus && fabric.torus_dimensions.empty()) {
    f.fault("torus_dimensions", "a torus needs the nodes along each dimension",
            "\"torus_dimensions\": [4, 4, 2]");
  }
  for (const int nodes : fabric.torus_dimensions) {
    if (nodes < 1) f.fault("torus_dimensions", "a dimension has at least one node");
  }
  const FabricSpec unsaid;
  if (!tree && fabric.oversubscription != unsaid.oversubscription) {
    f.fault("oversubscription", "only rail_optimized and fat_tree have uplinks to share");
  }
  if (fabric.pod_oversubscription != unsaid.pod_oversubscription && fabric.leaves_per_pod == 0) {
    f.fault("pod_oversubscription", "without leaves_per_pod there are no pods",
            "leave it out, or state leaves_per_pod");
  }
  if (fabric.layout != FabricLayout::Dragonfly && fabric.routers_per_group > 0) {
    f.fault("routers_per_group", "only a dragonfly has groups of routers");
  }
  if (fabric.layout != FabricLayout::Torus && !fabric.torus_dimensions.empty()) {
    f.fault("torus_dimensions", "only a torus has dimensions");
  }
  if (!tree && fabric.leaves_per_pod > 0) {
    f.fault("leaves_per_pod", "only rail_optimized and fat_tree have pods of leaves");
  }
  if (!tree && fabric.equal_cost_paths > 0) {
    f.fault("equal_cost_paths", "only rail_optimized and fat_tree have equal paths to hash to");
  }
  if (!tree && fabric.layout != FabricLayout::SingleSwitch && fabric.sharp) {
    f.fault("sharp", "SHARP's trees are modelled on rail_optimized, fat_tree and single_switch");
  }
  if (fabric.sharp && fabric.transport != Transport::InfiniBand) {
    f.fault("sharp", "switches that reduce are InfiniBand's",
            "\"transport\": \"infiniband\" has SHARP");
  }
}

/// What a node needs only because of how it is wired.
void check_wiring(const Fields& f, const NodeSpec& node) {
  const BytesPerSecond none;
  if (node.interconnect != GpuInterconnect::Pcie && node.nvlink_bandwidth == none) {
    f.fault("nvlink_bandwidth", "GPUs joined by NVLink need a bandwidth",
            "\"interconnect\": \"pcie\" stands for GPUs without NVLink");
  }
  if (node.interconnect == GpuInterconnect::Pcie && node.nvlink_bandwidth != none) {
    f.fault("nvlink_bandwidth", "GPUs joined by PCIe have no NVLink",
            "\"interconnect\" takes \"nvswitch\" and \"nvlink_mesh\" too");
  }
  if (node.gpus_per_pcie_switch > 1 && node.pcie_switch_bandwidth == none) {
    f.fault("pcie_switch_bandwidth", "a PCIe switch needs a bandwidth to its socket",
            "without PCIe switches, gpus_per_pcie_switch is 1");
  }
  for (const auto& [key, parts] : {std::pair{"gpus_per_pcie_switch", node.gpus_per_pcie_switch},
                                   std::pair{"sockets", node.sockets}}) {
    if (node.gpus <= parts || node.gpus % parts == 0) continue;
    f.fault(key, std::to_string(node.gpus) + " GPUs do not divide by " + key + " " +
                     std::to_string(parts));
  }
  if (node.sockets > 1 && node.socket_bandwidth == none) {
    f.fault("socket_bandwidth", "several sockets need a bandwidth between them");
  }
}

}  // namespace

std::string_view word(GpuArchitecture architecture) {
  return architecture_words[static_cast<std::size_t>(architecture)].second;
}

void describe(Fields& f, GpuSpec& gpu) {
  f.field("architecture", gpu.architecture, Words<GpuArchitecture>(architecture_words),
          required("the GPU's generation"));
  f.field("memory", gpu.memory,
          required_positive("memory as the driver reports it (79.15 GiB on an \"80 GB\" A100)"));
  f.field("memory_bandwidth", gpu.memory_bandwidth, required_positive("vendor's memory bandwidth"));
  f.field("multiprocessors", gpu.multiprocessors, required_positive("streaming multiprocessors"));
  f.field("fp32", gpu.fp32, required_positive("peak fp32 rate without tensor cores"));
  f.field("tf32", gpu.tf32,
          required_positive("peak dense TF32 rate; the fp32 rate where the GPU has no TF32"));
  f.field("fp16", gpu.fp16, required_positive("peak dense fp16 or bf16 tensor core rate"));
  f.field("fp8", gpu.fp8,
          required_positive("peak dense FP8 rate; the fp16 rate where the GPU has no FP8"));
  f.field("power", gpu.power, required_positive("board power limit"));
  f.field("profile", gpu.profile, required("catalogue name of its kernel profile"));
}

void describe(Fields& f, NodeSpec& node) {
  f.part(
      "gpu", "gpus", node.gpu.name, [&node](Fields& part) { describe(part, node.gpu); },
      required("the node's GPUs"));
  f.field("gpus", node.gpus, at_least(1, "GPUs in the node"));
  f.field("interconnect", node.interconnect, Words<GpuInterconnect>(interconnect_words),
          required("how the GPUs reach each other"));
  f.field("nvlink_bandwidth", node.nvlink_bandwidth,
          at_least(0, "usable NVLink bandwidth of a GPU per direction, all its links together"));
  f.field("pcie_bandwidth", node.pcie_bandwidth,
          required_positive("usable bandwidth of one GPU's or NIC's slot per direction"));
  f.field("gpus_per_pcie_switch", node.gpus_per_pcie_switch,
          at_least(1, "GPUs on one PCIe switch; 1: ports of their own on the socket"));
  f.field("pcie_switch_bandwidth", node.pcie_switch_bandwidth,
          at_least(0, "usable bandwidth from a PCIe switch to its socket per direction"));
  f.field("sockets", node.sockets, at_least(1, "CPU sockets"));
  f.field("socket_bandwidth", node.socket_bandwidth,
          at_least(0, "usable bandwidth between two sockets per direction (xGMI, UPI)"));
  f.field("cpu_vendor", node.cpu_vendor, Words<CpuVendor>(cpu_vendor_words),
          required("maker of the CPUs; NCCL's network overhead depends on it"));
  f.field("host_memory", node.host_memory, required_positive("memory of the host"));
  f.field("host_memory_bandwidth", node.host_memory_bandwidth,
          required_positive("usable bandwidth of the host's memory, all sockets together"));
  f.field("host_cores", node.host_cores,
          at_least(0, "cores of all sockets, which bound what the host computes; 0: not stated"));
  f.field("power_besides_gpus", node.power_besides_gpus,
          at_least(0, "power of CPUs, fans and NICs at load"));
  if (f.reading()) check_wiring(f, node);
}

void describe(Fields& f, FabricSpec& fabric) {
  f.field("layout", fabric.layout, Words<FabricLayout>(layout_words),
          required("how NICs hang on switches"));
  f.field("transport", fabric.transport, Words<Transport>(transport_words),
          required("what NCCL's network plugin speaks"));
  f.field("nics_per_node", fabric.nics_per_node,
          {.presence = Presence::Required, .at_least = 1, .doc = "NICs that NCCL uses"});
  f.field("nic_bandwidth", fabric.nic_bandwidth,
          required_positive("line rate of one NIC per direction"));
  f.field("nic_efficiency", fabric.nic_efficiency,
          {.more_than = 0, .at_most = 1, .doc = "share of the line rate that data reaches"});
  f.field("nic_latency", fabric.nic_latency,
          at_least(0, "latency that the network plugin reports to NCCL"));
  f.field("nodes_per_leaf", fabric.nodes_per_leaf,
          positive("nodes of a pod (rail_optimized), a leaf (fat_tree) or a router (dragonfly)"));
  f.field("oversubscription", fabric.oversubscription,
          positive("capacity of a leaf's downlinks over that of its uplinks"));
  f.field("leaves_per_pod", fabric.leaves_per_pod,
          at_least(0, "leaves of a pod in a three-level tree; 0: two levels"));
  f.field("pod_oversubscription", fabric.pod_oversubscription,
          positive("capacity between a pod's leaves and its spines over that to the core"));
  f.field("equal_cost_paths", fabric.equal_cost_paths,
          at_least(0, "uplinks that a leaf hashes flows to; 0: adaptive routing spreads them"));
  f.field("routers_per_group", fabric.routers_per_group,
          at_least(0, "routers of a dragonfly's group"));
  f.field("torus_dimensions", fabric.torus_dimensions, {.doc = "nodes along each dimension"});
  f.field("sharp", fabric.sharp, {.doc = "the switches reduce: NVIDIA SHARP"});
  if (f.reading()) check_layout(f, fabric);
}

}  // namespace stepcast
