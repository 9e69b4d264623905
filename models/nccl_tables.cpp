#include "models/nccl_tables.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/contract.h"

namespace stepcast {
namespace {

constexpr NcclRelease kRelease210{
    .version = "2.10",
    .base_tree = {4.4_us, 4.4_us, 0.0_us},
    .base_ring = {3.6_us, 10.0_us, 8.4_us},
    .nvlink = {{0.52_us, 1.25_us, 28.0_us}, {0.47_us, 1.9_us, 3.4_us}},
    .pcie = {{1.0_us, 1.9_us, 28.0_us}, {1.0_us, 2.5_us, 5.7_us}},
    .network = {{5.0_us, 8.5_us, 28.0_us}, {2.7_us, 4.0_us, 9.6_us}},
    .ring_ll_share = 1.0 / 4,
    .ring_ll_share_gather = 1.0 / 3,
    .ring_ll128_share_one_gpu = 0.7,
    .mixed_ll_hop = 1.8,
    .counts_closing_hops = false,
    .posting_overhead = false,
    .nic_latency = NicLatency::Ignored,
    .one_gpu_uses_tree_hop = false,
    .plateau_by_channel = false,
    .plateau = 1.9,
    .ampere_bus_cap = 235_GB_per_s,
    .has_nvls = false,
    .nvls = {},
    .nvls_tree = {},
    .nvls_tree_by_nodes = false,
    .has_collnet = false,
    .collnet = {},
    .collnet_copy = {},
};

constexpr NcclRelease kRelease212{
    .version = "2.12",
    .base_tree = {4.4_us, 4.4_us, 0.0_us},
    .base_ring = {3.6_us, 10.0_us, 8.4_us},
    .nvlink = {{0.52_us, 1.25_us, 28.0_us}, {0.47_us, 1.9_us, 3.4_us}},
    .pcie = {{1.0_us, 1.9_us, 28.0_us}, {1.0_us, 2.5_us, 5.7_us}},
    .network = {{5.0_us, 8.5_us, 28.0_us}, {2.7_us, 4.0_us, 28.0_us}},
    .ring_ll_share = 1.0 / 4,
    .ring_ll_share_gather = 1.0 / 3,
    .ring_ll128_share_one_gpu = 0.7,
    .mixed_ll_hop = 1.8,
    .counts_closing_hops = false,
    .posting_overhead = false,
    .nic_latency = NicLatency::Replaces,
    .one_gpu_uses_tree_hop = false,
    .plateau_by_channel = false,
    .plateau = 1.9,
    .ampere_bus_cap = {},
    .has_nvls = false,
    .nvls = {},
    .nvls_tree = {},
    .nvls_tree_by_nodes = false,
    .has_collnet = false,
    .collnet = {},
    .collnet_copy = {},
};

constexpr NcclRelease kRelease218{
    .version = "2.18",
    .base_tree = {6.8_us, 14.0_us, 0.0_us},
    .base_ring = {6.6_us, 14.0_us, 8.4_us},
    .nvlink = {{0.6_us, 1.25_us, 4.0_us}, {0.6_us, 1.9_us, 3.4_us}},
    .pcie = {{1.0_us, 1.9_us, 6.0_us}, {1.0_us, 2.5_us, 5.7_us}},
    .network = {{5.0_us, 8.5_us, 14.0_us}, {2.7_us, 4.0_us, 14.0_us}},
    .ring_ll_share = 1.0 / 4,
    .ring_ll_share_gather = 1.0 / 3,
    .ring_ll128_share_one_gpu = 0.7,
    .mixed_ll_hop = 1.0,
    .counts_closing_hops = true,
    .posting_overhead = true,
    .nic_latency = NicLatency::Added,
    .one_gpu_uses_tree_hop = false,
    .plateau_by_channel = false,
    .plateau = 1.9,
    .ampere_bus_cap = {},
    .has_nvls = true,
    .nvls = {23_us, 0.0_us, 18_us},
    .nvls_tree = {23_us, 0.0_us, 19_us},
    .nvls_tree_by_nodes = true,
    .has_collnet = true,
    .collnet = {0.0_us, 8.0_us, 10.7_us},
    .collnet_copy = 0.5_us,
};

constexpr NcclRelease kRelease219{
    .version = "2.19",
    .base_tree = {6.8_us, 14.0_us, 0.0_us},
    .base_ring = {6.6_us, 14.0_us, 8.4_us},
    .nvlink = {{0.6_us, 1.25_us, 28.0_us}, {0.6_us, 1.9_us, 3.4_us}},
    .pcie = {{1.0_us, 1.9_us, 28.0_us}, {1.0_us, 2.5_us, 5.7_us}},
    .network = {{5.0_us, 8.5_us, 28.0_us}, {2.7_us, 4.0_us, 14.0_us}},
    .ring_ll_share = 1.0 / 4,
    .ring_ll_share_gather = 1.0 / 3,
    .ring_ll128_share_one_gpu = 0.7,
    .mixed_ll_hop = 1.0,
    .counts_closing_hops = true,
    .posting_overhead = true,
    .nic_latency = NicLatency::Added,
    .one_gpu_uses_tree_hop = false,
    .plateau_by_channel = false,
    .plateau = 1.9,
    .ampere_bus_cap = {},
    .has_nvls = true,
    .nvls = {0.0_us, 23_us, 18_us},
    .nvls_tree = {0.0_us, 23_us, 14_us},
    .nvls_tree_by_nodes = false,
    .has_collnet = true,
    .collnet = {0.0_us, 3.7_us, 31_us},
    .collnet_copy = 0.4_us,
};

constexpr NcclRelease kRelease227{
    .version = "2.27",
    .base_tree = {6.8_us, 14.0_us, 8.4_us},
    .base_ring = {6.6_us, 14.0_us, 8.4_us},
    .nvlink = {{0.6_us, 1.25_us, 4.0_us}, {0.6_us, 1.9_us, 3.4_us}},
    .pcie = {{1.0_us, 1.9_us, 4.0_us}, {1.0_us, 2.5_us, 5.7_us}},
    .network = {{5.0_us, 8.5_us, 14.0_us}, {2.7_us, 4.0_us, 14.0_us}},
    .ring_ll_share = 1.0 / 2,
    .ring_ll_share_gather = 1.0 / 2,
    .ring_ll128_share_one_gpu = 0.92,
    .mixed_ll_hop = 1.0,
    .counts_closing_hops = false,
    .posting_overhead = true,
    .nic_latency = NicLatency::Added,
    .one_gpu_uses_tree_hop = true,
    .plateau_by_channel = true,
    .plateau = 1.4,
    .ampere_bus_cap = {},
    .has_nvls = true,
    .nvls = {0.0_us, 25_us, 18_us},
    .nvls_tree = {0.0_us, 25_us, 14_us},
    .nvls_tree_by_nodes = false,
    .has_collnet = true,
    .collnet = {0.0_us, 3.7_us, 31_us},
    .collnet_copy = 0.4_us,
};

/// From the oldest to the newest.
constexpr std::array kReleases{&kRelease210, &kRelease212, &kRelease218, &kRelease219,
                               &kRelease227};

/// x of "2.x" or "2.x.y"; nothing for anything else.
std::optional<int> minor_version(std::string_view version) {
  if (!version.starts_with("2.")) return std::nullopt;
  int minor = 0;
  const char* const end = version.data() + version.size();
  auto [rest, error] = std::from_chars(version.data() + 2, end, minor);
  if (error != std::errc() || minor < 0) return std::nullopt;
  if (rest == end) return minor;
  int patch = 0;
  if (*rest != '.') return std::nullopt;
  const auto [after, patch_error] = std::from_chars(rest + 1, end, patch);
  if (patch_error != std::errc() || after != end) return std::nullopt;
  return minor;
}

/// [one node, two nodes, more]
using PerNodes = std::array<BytesPerSecond, 3>;

std::size_t node_column(int nodes) {
  return static_cast<std::size_t>(nodes <= 1 ? 0 : nodes == 2 ? 1 : 2);
}

constexpr PerProtocol<std::array<double, 23>> kTreeCorrection{{
    {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1},
    {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9},
}};

}  // namespace

const NcclRelease& nccl_release(std::string_view version, GpuArchitecture architecture) {
  if (version.empty()) {
    switch (architecture) {
      case GpuArchitecture::Volta:
        return kRelease210;
      case GpuArchitecture::Ampere:
        return kRelease218;
      case GpuArchitecture::Hopper:
      case GpuArchitecture::Blackwell:
        return kRelease227;
    }
  }
  const std::optional<int> minor = minor_version(version);
  STEPCAST_REQUIRES(minor.has_value());
  const NcclRelease* nearest = kReleases.front();
  for (const NcclRelease* release : kReleases) {
    if (*minor_version(release->version) <= *minor) nearest = release;
  }
  return *nearest;
}

bool knows_nccl_release(std::string_view version) {
  return version.empty() || minor_version(version).has_value();
}

BytesPerSecond channel_cap(GpuArchitecture architecture) {
  return tree_channel_cap(architecture, 1);
}

BytesPerSecond ring_ll128_channel_cap(GpuArchitecture architecture) {
  switch (architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      return 20_GB_per_s;
    case GpuArchitecture::Hopper:
      return 36.7_GB_per_s;
    case GpuArchitecture::Blackwell:
      break;
  }
  return 73.4_GB_per_s;
}

BytesPerSecond tree_channel_cap(GpuArchitecture architecture, int nodes) {
  constexpr PerNodes kVolta{26.5_GB_per_s, 18.5_GB_per_s, 10.0_GB_per_s};
  constexpr PerNodes kAmpere{24.0_GB_per_s, 23.6_GB_per_s, 17.8_GB_per_s};
  constexpr PerNodes kHopper{38.7_GB_per_s, 41.4_GB_per_s, 36.0_GB_per_s};
  constexpr PerNodes kBlackwell{77.4_GB_per_s, 82.8_GB_per_s, 72.0_GB_per_s};
  const std::size_t column = node_column(nodes);
  switch (architecture) {
    case GpuArchitecture::Volta:
      return kVolta[column];
    case GpuArchitecture::Ampere:
      return kAmpere[column];
    case GpuArchitecture::Hopper:
      return kHopper[column];
    case GpuArchitecture::Blackwell:
      break;
  }
  return kBlackwell[column];
}

BytesPerSecond tree_ll128_channel_cap(GpuArchitecture architecture, int nodes) {
  constexpr PerNodes kHopper{36.7_GB_per_s, 36.7_GB_per_s, 29.0_GB_per_s};
  constexpr PerNodes kBlackwell{73.4_GB_per_s, 73.4_GB_per_s, 58.0_GB_per_s};
  const std::size_t column = node_column(nodes);
  switch (architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      return 20_GB_per_s;
    case GpuArchitecture::Hopper:
      return kHopper[column];
    case GpuArchitecture::Blackwell:
      break;
  }
  return kBlackwell[column];
}

BytesPerSecond ll_cap(const NcclRelease& release, const GroupLayout& layout) {
  if (layout.nodes > 1) {
    const bool amd = layout.cpu_vendor == CpuVendor::Amd;
    if (layout.nodes == 2) return amd ? 22.5_GB_per_s : 39.0_GB_per_s;
    return amd ? 19.0_GB_per_s : 20.4_GB_per_s;
  }
  const bool knows_hopper = release.version == kRelease227.version;
  switch (layout.architecture) {
    case GpuArchitecture::Volta:
      return 39_GB_per_s;
    case GpuArchitecture::Ampere:
      break;
    case GpuArchitecture::Hopper:
      return knows_hopper ? 141_GB_per_s : 87.7_GB_per_s;
    case GpuArchitecture::Blackwell:
      return knows_hopper ? 282_GB_per_s : 87.7_GB_per_s;
  }
  return 87.7_GB_per_s;
}

Seconds posting_overhead(CpuVendor vendor) { return vendor == CpuVendor::Amd ? 2_us : 1_us; }

double tree_correction(std::size_t protocol, Bytes message) {
  const double blocks = std::floor(message.value() / 64);
  if (blocks < 1) return 1;
  const auto row = static_cast<std::size_t>(std::ilogb(blocks));
  return row < kTreeCorrection[protocol].size() ? kTreeCorrection[protocol][row] : 1;
}

}  // namespace stepcast
