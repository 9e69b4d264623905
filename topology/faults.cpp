// Faults by name: which links a name stands for, and what to say where it stands for none.
#include <fmt/format.h>

#include "base/contract.h"
#include "base/input_error.h"
#include "base/near_names.h"
#include "base/unit_text.h"
#include "topology/cluster_graph.h"

namespace stepcast {

namespace {

bool is_nic_name(std::string_view name) {
  return name.find("/nic") != std::string_view::npos && name.find('>') == std::string_view::npos;
}

/// The name that stands for both directions of a NIC's network cable: the end that is no switch.
std::string_view nic_of_cable(const Link& link) {
  const std::string_view name = link.name;
  const std::size_t arrow = name.find('>');
  const std::string_view from = name.substr(0, arrow);
  return is_nic_name(from) ? from : name.substr(arrow + 1);
}

bool stands_for(std::string_view name, const Link& link) {
  if (name == link.name) return true;
  return is_nic_name(name) && link.kind == LinkKind::Nic && nic_of_cable(link) == name;
}

/// What an unknown name may be compared with: the names of the node that it begins with, or those
/// of the first node and of the network between leaves. A cluster has too many to compare with all.
std::vector<std::string> names_like(std::string_view name, std::span<const Link> links) {
  const std::size_t slash = name.find('/');
  const bool in_node = name.starts_with("node") && slash != std::string_view::npos;
  const std::string_view prefix = in_node ? name.substr(0, slash + 1) : "node0/";
  std::vector<std::string> names;
  for (const Link& link : links) {
    if (link.name.starts_with(prefix) || link.kind == LinkKind::Network) names.push_back(link.name);
    if (link.kind == LinkKind::Nic && link.name.starts_with(prefix)) {
      names.emplace_back(nic_of_cable(link));
    }
  }
  return names;
}

void slow_link(const InputPlace& place, const Fault& fault, std::vector<Link>& links) {
  bool found = false;
  for (Link& link : links) {
    if (!stands_for(fault.link, link)) continue;
    found = true;
    if (fault.bandwidth == BytesPerSecond()) {
      throw InputError(
          child_of(place, "bandwidth"),
          fmt::format("{} is left with no bandwidth: nothing would ever arrive", link.name),
          "leave it some, or leave its node out of the cluster");
    }
    if (fault.bandwidth > link.bandwidth) {
      throw InputError(child_of(place, "bandwidth"),
                       fmt::format("a fault leaves {} {}, more than it had", link.name,
                                   to_text(fault.bandwidth)),
                       {}, {fmt::format("without the fault it has {}", to_text(link.bandwidth))});
    }
    link.bandwidth = fault.bandwidth;
  }
  if (found) return;
  throw InputError(child_of(place, "link"), fmt::format("no link is named \"{}\"", fault.link),
                   did_you_mean(fault.link, names_like(fault.link, links)));
}

void slow_gpu(const InputPlace& place, const Fault& fault, std::vector<double>& gpu_rates,
              int gpus_per_node) {
  STEPCAST_REQUIRES(fault.rate > 0 && fault.rate <= 1);
  const int num_gpus = static_cast<int>(gpu_rates.size());
  if (fault.gpu >= num_gpus) {
    throw InputError(child_of(place, "gpu"), fmt::format("the cluster has no GPU {}", fault.gpu),
                     fmt::format("GPUs are numbered from 0 to {}", num_gpus - 1),
                     {fmt::format("{} nodes x {} GPUs", num_gpus / gpus_per_node, gpus_per_node)});
  }
  gpu_rates[static_cast<std::size_t>(fault.gpu)] *= fault.rate;
}

}  // namespace

void apply_faults(std::span<const Fault> faults, std::vector<Link>& links,
                  std::vector<double>& gpu_rates, int gpus_per_node) {
  const InputPlace list{.file = {}, .pointer = "/faults"};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    const InputPlace place = child_of(list, i);
    if (fault.gpu < 0 && fault.link.empty()) {
      throw InputError(place, "the fault names neither a gpu nor a link");
    }
    if (fault.gpu >= 0) slow_gpu(place, fault, gpu_rates, gpus_per_node);
    if (!fault.link.empty()) slow_link(place, fault, links);
  }
}

}  // namespace stepcast
