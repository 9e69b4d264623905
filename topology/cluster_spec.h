// What a planner states about hardware: a GPU, a node, a fabric. Values only; cluster.h turns them
// into a graph.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace stepcast {

class Fields;

enum class GpuArchitecture { Volta, Ampere, Hopper, Blackwell };
std::string_view word(GpuArchitecture architecture);

/// Peak rates are the vendor's dense figures; what a kernel reaches of them is the profile's
/// affair.
struct GpuSpec {
  std::string name;
  GpuArchitecture architecture = GpuArchitecture::Ampere;
  Bytes memory;  ///< as the driver reports it (79.15 GiB on an "80 GB" A100)
  BytesPerSecond memory_bandwidth;
  int multiprocessors = 0;
  FlopPerSecond fp32;
  FlopPerSecond tf32;   ///< equal to fp32 where the GPU has no TF32
  FlopPerSecond fp16;   ///< tensor cores, fp16 or bf16 with fp32 accumulation
  FlopPerSecond fp8;    ///< equal to fp16 where the GPU has no FP8
  Watts power;          ///< board power limit
  std::string profile;  ///< catalogue name of its kernel profile (profiles/gpu)
};

/// How the GPUs of a node reach each other.
enum class GpuInterconnect {
  NvSwitch,    ///< every pair at the GPU's full NVLink rate
  NvLinkMesh,  ///< every pair by its own direct link
  Pcie,        ///< through PCIe switches and sockets
};

enum class CpuVendor { Amd, Intel, Other };

/// Bandwidths are per direction. Usable rates (as NCCL reaches them), not signalling rates.
/// Things that share (GPUs over sockets, NICs over PCIe switches) are spread evenly, in order.
struct NodeSpec {
  std::string name;
  GpuSpec gpu;
  int gpus = 8;
  GpuInterconnect interconnect = GpuInterconnect::NvSwitch;
  BytesPerSecond nvlink_bandwidth;  ///< per GPU: all its links together; 0 where there is none
  BytesPerSecond pcie_bandwidth;    ///< of one GPU or NIC slot
  int gpus_per_pcie_switch = 1;     ///< 1: GPUs and NICs hang on a socket by ports of their own
  BytesPerSecond pcie_switch_bandwidth;  ///< switch to socket
  int sockets = 2;
  BytesPerSecond socket_bandwidth;  ///< between sockets (xGMI, UPI)
  CpuVendor cpu_vendor = CpuVendor::Amd;
  Bytes host_memory;
  BytesPerSecond host_memory_bandwidth;  ///< all sockets together
  int host_cores = 0;                    ///< all sockets together; 0: no bound by cores
  Watts power_besides_gpus;              ///< CPUs, fans, NICs at load
};

enum class FabricLayout {
  RailOptimized,  ///< NIC r of every node of a pod hangs on leaf r
  FatTree,        ///< all NICs of a node hang on one leaf
  SingleSwitch,   ///< one switch for all
  Dragonfly,      ///< fully joined groups of fully joined routers
  Torus,          ///< every node beside two others in each dimension
};

enum class Transport { InfiniBand, RoCE, Efa, OmniPath, Tcp };

struct FabricSpec {
  std::string name;
  FabricLayout layout = FabricLayout::RailOptimized;
  Transport transport = Transport::InfiniBand;
  int nics_per_node = 8;
  BytesPerSecond nic_bandwidth;   ///< line rate of one NIC per direction
  double nic_efficiency = 0.96;   ///< share of the line rate that NCCL's data reaches
  Seconds nic_latency;            ///< what the network plugin reports to NCCL (0 on InfiniBand)
  int nodes_per_leaf = 32;        ///< nodes of a pod (rail-optimised), of a leaf (fat tree) or of a
                                  ///< router (dragonfly)
  double oversubscription = 1.0;  ///< leaf downlink capacity / uplink capacity
  int leaves_per_pod = 0;         ///< of a three-level tree; 0: two levels
  double pod_oversubscription = 1.0;  ///< the same between a pod's leaves and the core
  int equal_cost_paths = 0;   ///< uplinks of a leaf that flows are hashed to; 0: spread evenly
  int routers_per_group = 0;  ///< of a dragonfly
  std::vector<int> torus_dimensions;  ///< nodes along each; their product is at least the nodes
  bool sharp = false;                 ///< switches reduce (NVIDIA SHARP): NCCL may use CollNet
};

/// `name` is not among the keys: it is the catalogue name, and whoever refers to the part fills it.
void describe(Fields& f, GpuSpec& gpu);
void describe(Fields& f, NodeSpec& node);
void describe(Fields& f, FabricSpec& fabric);

}  // namespace stepcast
