// What a file of another program says about a node, in a node's own words and no more: what it does
// not say stays empty. Whoever completes it is scenarios/import's job.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/cluster_spec.h"

namespace stepcast {

struct NodeSketch {
  int gpus = 0;
  std::string gpu_device;  ///< PCI device number, as "0x20b0"
  std::optional<GpuArchitecture> architecture;
  std::optional<GpuInterconnect> interconnect;
  int nvlinks = 0;  ///< of one GPU, all together
  std::optional<BytesPerSecond> pcie_bandwidth;
  std::optional<int> gpus_per_pcie_switch;
  std::optional<BytesPerSecond> pcie_switch_bandwidth;
  std::optional<int> sockets;
  std::optional<BytesPerSecond> socket_bandwidth;
  std::optional<CpuVendor> cpu_vendor;
  int near_nics = 0;                            ///< under a PCIe switch with a GPU
  int far_nics = 0;                             ///< all others
  std::optional<BytesPerSecond> nic_bandwidth;  ///< line rate of the slowest near NIC
  std::vector<std::string> caveats;             ///< what the file says and a NodeSpec cannot hold
};

/// Usable rate of one NVLink per direction. Source: NVIDIA/nccl src/graph/topo.h (v2.27.3-1).
BytesPerSecond nvlink_rate(GpuArchitecture architecture);

/// Reads what `nvidia-smi topo -m` prints, with tabs or blanks between columns. `text` may open
/// with comments and end with a legend. Throws InputError with the line where a row is missing, is
/// not as long as the header, holds what is no relation, or disagrees with its mirror image; and
/// where it is another program's table (rocm-smi, nvidia-smi topo -p2p).
NodeSketch read_smi_topology(std::string_view text, const std::string& file);

/// Reads the XML that NCCL takes in NCCL_TOPO_FILE and writes to NCCL_TOPO_DUMP_FILE. Attributes
/// may be missing; where nothing tells a GPU from a NIC the file is refused. Throws InputError with
/// the line for malformed XML, a link of no bandwidth, a device that hangs on no CPU, an NVLink to
/// nowhere, and graph files (NCCL_GRAPH_FILE).
NodeSketch read_nccl_xml(std::string_view text, const std::string& file);

}  // namespace stepcast
