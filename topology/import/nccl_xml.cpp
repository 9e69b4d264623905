// NCCL's topology file: CPUs hold PCI devices, bridges hold further ones. Elements and attributes
// as in NVIDIA/nccl src/graph/xml.cc and topo.cc (v2.18.3-1).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <pugixml.hpp>
#include <set>

#include "base/input_error.h"
#include "base/text_lines.h"
#include "topology/import/node_sketch.h"

namespace stepcast {
namespace {

using Xml = pugi::xml_node;

struct Gpu {
  Xml pci;
  Xml bridge;  ///< the outermost; none where it hangs on the CPU
};

struct Nic {
  Xml pci;
  Xml bridge;
};

class XmlReader {
 public:
  XmlReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  NodeSketch read() {
    text_lines(text_, file_);
    const pugi::xml_parse_result parsed = document_.load_buffer(text_.data(), text_.size());
    if (!parsed) {
      throw InputError(place_at(parsed.offset),
                       fmt::format("malformed XML: {}", parsed.description()));
    }
    const Xml root = document_.document_element();
    check_root(root);
    for (const Xml child : root.children()) {
      if (child.type() != pugi::node_element) continue;
      if (child.name() != std::string_view("cpu")) {
        refuse(child, fmt::format("<{}> hangs on no CPU: the graph is not connected", child.name()),
               "devices stand inside a <cpu>");
      }
      read_cpu(child);
    }
    if (gpus_.empty()) refuse(root, "there is no GPU: a <pci> of class 0x0302 or with a <gpu>");
    return sketch();
  }

 private:
  InputPlace place_at(std::ptrdiff_t offset) const {
    const auto until = static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
    const std::string_view before = text_.substr(0, std::min(until, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n');
    return line_place(file_, static_cast<std::size_t>(line));
  }

  [[noreturn]] void refuse(const Xml& at, const std::string& problem,
                           const std::string& hint = {}) const {
    throw InputError(place_at(at.offset_debug()), problem, hint);
  }

  void check_root(const Xml& root) const {
    const std::string_view name = root.name();
    if (name == "system") return;
    if (name == "graphs") {
      refuse(root, "this is a file of NCCL's rings and trees (NCCL_GRAPH_FILE)",
             "NCCL_TOPO_DUMP_FILE writes the topology");
    }
    refuse(root, fmt::format("the root is <{}>, expected NCCL's <system>", name));
  }

  void read_cpu(const Xml& cpu) {
    cpus_.push_back(cpu);
    for (const Xml child : cpu.children("pci")) read_pci(child, child, 0);
    for (const Xml nic : cpu.children("nic")) nics_.push_back({nic, Xml()});
  }

  // `outermost`: the ancestor (or itself) that hangs on the CPU.
  void read_pci(const Xml& pci, const Xml& outermost, int depth) {
    const std::string_view kind = pci.attribute("class").value();
    const Xml bridge = depth > 0 ? outermost : Xml();
    if (pci.child("gpu") || kind.starts_with("0x0302") || kind.starts_with("0x0300")) {
      gpus_.push_back({pci, bridge});
      by_busid_[pci.attribute("busid").value()] = pci;
    } else if (pci.child("nic") || kind.starts_with("0x02")) {
      nics_.push_back({pci, bridge});
    } else if (pci.child("pci")) {
      link_rate(pci);
      for (const Xml child : pci.children("pci")) read_pci(child, outermost, depth + 1);
    } else if (kind.empty()) {
      refuse(pci, "nothing says whether this device is a GPU or a NIC",
             "clouds ship files that NCCL completes on the machine: NCCL_TOPO_DUMP_FILE writes it "
             "whole there");
    }
  }

  // Width times what a lane carries; empty where the file leaves it open.
  std::optional<BytesPerSecond> link_rate(const Xml& pci) const {
    const std::string_view speed = pci.attribute("link_speed").value();
    if (speed.empty()) return std::nullopt;
    double transfers = 0;
    std::from_chars(speed.data(), speed.data() + speed.size(), transfers);
    const int width = pci.attribute("link_width").as_int();
    if (transfers <= 0 || width <= 0) {
      refuse(pci, fmt::format("a PCIe link of bandwidth 0: \"{}\", {} lanes", speed, width));
    }
    // What a lane carries of its transfers, as NCCL counts it: 8b/10b codes up to 5 GT/s, 128b/130b
    // codes above, and packet headers (kvDictPciGen in topo.cc).
    const double bytes_per_transfer = (transfers < 8 ? 6.0 : 7.5) / 80;
    return BytesPerSecond(transfers * 1e9 * width * bytes_per_transfer);
  }

  template <class Device>
  std::optional<BytesPerSecond> slowest_link(const std::vector<Device>& devices,
                                             Xml Device::*end) const {
    std::optional<BytesPerSecond> slowest;
    for (const Device& device : devices) {
      if (!(device.*end)) continue;
      const std::optional<BytesPerSecond> rate = link_rate(device.*end);
      if (rate && (!slowest || *rate < *slowest)) slowest = rate;
    }
    return slowest;
  }

  NodeSketch sketch() {
    NodeSketch node;
    node.gpus = static_cast<int>(gpus_.size());
    node.gpu_device = gpus_.front().pci.attribute("device").value();
    node.architecture = architecture();
    describe_nvlink(node);
    describe_pcie(node);
    describe_nics(node);
    describe_cpus(node);
    return node;
  }

  std::optional<GpuArchitecture> architecture() const {
    switch (gpus_.front().pci.child("gpu").attribute("sm").as_int()) {
      case 70:
        return GpuArchitecture::Volta;
      case 80:
        return GpuArchitecture::Ampere;
      case 90:
        return GpuArchitecture::Hopper;
      case 100:
        return GpuArchitecture::Blackwell;
      default:
        return std::nullopt;
    }
  }

  // Links of one GPU to switches and to other GPUs. A partial file has none and says nothing.
  void describe_nvlink(NodeSketch& node) const {
    std::set<int> to_switches;
    std::set<std::size_t> peers;
    int links = 0;
    for (const Gpu& gpu : gpus_) {
      int switched = 0;
      links = 0;
      std::set<std::string> targets;
      for (const Xml nvlink : gpu.pci.child("gpu").children("nvlink")) {
        const int count = nvlink.attribute("count").as_int();
        if (count <= 0) refuse(nvlink, "an NVLink of bandwidth 0: its count is not positive");
        links += count;
        const std::string_view target_class = nvlink.attribute("tclass").value();
        if (target_class.starts_with("0x0680")) {
          switched += count;
        } else {
          targets.insert(peer_of(nvlink, gpu));
        }
      }
      to_switches.insert(switched);
      peers.insert(targets.size());
    }
    if (links == 0 && *peers.begin() == 0 && *to_switches.begin() == 0) {
      const bool whole = gpus_.front().pci.child("gpu");
      if (whole) node.interconnect = GpuInterconnect::Pcie;
      return;
    }
    const bool all_switched = to_switches.size() == 1 && *to_switches.begin() > 0;
    const bool mesh = peers.size() == 1 && *peers.begin() + 1 == gpus_.size();
    if (all_switched || mesh) {
      node.interconnect = all_switched ? GpuInterconnect::NvSwitch : GpuInterconnect::NvLinkMesh;
      node.nvlinks = links;
      return;
    }
    node.interconnect = GpuInterconnect::Pcie;
    node.caveats.emplace_back(
        "NVLink joins some pairs of GPUs only, which a node cannot say: it is left out");
  }

  std::string peer_of(const Xml& nvlink, const Gpu& gpu) const {
    const std::string target = nvlink.attribute("target").value();
    const auto found = by_busid_.find(target);
    if (found == by_busid_.end()) {
      refuse(nvlink, fmt::format("an NVLink to \"{}\", which is no GPU of this file", target));
    }
    if (found->second == gpu.pci) refuse(nvlink, "an NVLink from a GPU to itself");
    return target;
  }

  void describe_pcie(NodeSketch& node) const {
    node.pcie_bandwidth = slowest_link(gpus_, &Gpu::pci);
    std::map<std::ptrdiff_t, int> gpus_of_bridge;
    for (const Gpu& gpu : gpus_) {
      if (gpu.bridge) ++gpus_of_bridge[gpu.bridge.offset_debug()];
    }
    int most = 1;
    for (const auto& [bridge, gpus] : gpus_of_bridge) most = std::max(most, gpus);
    node.gpus_per_pcie_switch = most;
    if (most > 1) node.pcie_switch_bandwidth = slowest_link(gpus_, &Gpu::bridge);
  }

  void describe_nics(NodeSketch& node) const {
    for (const Nic& nic : nics_) {
      const bool near = nic.bridge && std::any_of(gpus_.begin(), gpus_.end(), [&](const Gpu& gpu) {
                          return gpu.bridge == nic.bridge;
                        });
      const Xml element = nic.pci.child("nic") ? nic.pci.child("nic") : nic.pci;
      int ports = 0;
      for (const Xml net : element.children("net")) {
        ++ports;
        if (!net.attribute("speed")) continue;
        const BytesPerSecond rate(net.attribute("speed").as_double() * 1e6 / 8);
        if (rate <= BytesPerSecond())
          refuse(net, "a NIC of bandwidth 0: its speed is not positive");
        if (near && (!node.nic_bandwidth || rate < *node.nic_bandwidth)) node.nic_bandwidth = rate;
      }
      (near ? node.near_nics : node.far_nics) += std::max(1, ports);
    }
  }

  void describe_cpus(NodeSketch& node) const {
    node.sockets = static_cast<int>(cpus_.size());
    const Xml cpu = cpus_.front();
    const std::string_view vendor = cpu.attribute("vendor").value();
    if (vendor.empty()) return;
    const bool amd = vendor == "AuthenticAMD";
    const bool intel = vendor == "GenuineIntel";
    node.cpu_vendor = amd ? CpuVendor::Amd : intel ? CpuVendor::Intel : CpuVendor::Other;
    if (amd) node.socket_bandwidth = 16_GB_per_s;
    if (intel) node.socket_bandwidth = intel_socket_rate(cpu.attribute("modelid").as_int());
  }

  // By NCCL's own table, src/graph/topo.h: before Skylake, Skylake, Sapphire and Emerald Rapids.
  static BytesPerSecond intel_socket_rate(int model) {
    if (model >= 207) return 40_GB_per_s;
    if (model >= 143) return 22_GB_per_s;
    return model >= 85 ? 10_GB_per_s : 6_GB_per_s;
  }

  std::string_view text_;
  std::string file_;
  pugi::xml_document document_;
  std::vector<Xml> cpus_;
  std::vector<Gpu> gpus_;
  std::vector<Nic> nics_;
  std::map<std::string, Xml> by_busid_;
};

}  // namespace

BytesPerSecond nvlink_rate(GpuArchitecture architecture) {
  switch (architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      return 20_GB_per_s;
    case GpuArchitecture::Hopper:
      return 20.6_GB_per_s;
    case GpuArchitecture::Blackwell:
      break;
  }
  return 40_GB_per_s;
}

NodeSketch read_nccl_xml(std::string_view text, const std::string& file) {
  return XmlReader(text, file).read();
}

}  // namespace stepcast
