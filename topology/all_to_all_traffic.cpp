#include "topology/all_to_all_traffic.h"

#include <algorithm>
#include <map>
#include <optional>

namespace stepcast {

namespace {

/// [NIC of a node] -> members that receive by it.
using Receivers = std::map<int, int>;

class AllToAll {
 public:
  AllToAll(const Cluster& cluster, const std::vector<NodeMembers>& nodes)
      : cluster_(cluster), nodes_(nodes) {
    if (nodes.size() > 1) parts_ = static_cast<int>(cluster.nics_of(nodes[0].gpus[0]).size());
    for (const NodeMembers& node : nodes) {
      ranks_ += static_cast<int>(node.gpus.size());
      receivers_.push_back(receivers_of(node));
      for (const auto& [nic, count] : receivers_.back()) receivers_of_all_[nic] += count;
    }
  }

  Traffic count() {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      count_inside(nodes_[node]);
      if (nodes_.size() > 1) count_leaving(node);
    }
    return tally_.traffic(cluster_, 1.0 * ranks_ * parts_);
  }

 private:
  /// As many NICs of each member as of the first: the parts of a message.
  std::vector<int> nics_of(GpuId gpu) const {
    std::vector<int> nics = cluster_.nics_of(gpu);
    const std::vector<int> near = nics;
    nics.resize(static_cast<std::size_t>(parts_));
    for (std::size_t i = 0; i < nics.size(); ++i) nics[i] = near[i % near.size()];
    return nics;
  }

  Receivers receivers_of(const NodeMembers& node) const {
    Receivers receivers;
    if (nodes_.size() == 1) return receivers;
    for (const GpuId gpu : node.gpus) {
      for (const int nic : nics_of(gpu)) ++receivers[nic];
    }
    return receivers;
  }

  void count_inside(const NodeMembers& node) {
    for (const GpuId from : node.gpus) {
      for (const GpuId to : node.gpus) {
        if (from != to) tally_.add(cluster_.route(from, to), parts_);
      }
    }
  }

  /// What leaves a node for every NIC number, and what enters it by its own NICs.
  void count_leaving(std::size_t node) {
    const NodeMembers& here = nodes_[node];
    const int others = ranks_ - static_cast<int>(here.gpus.size());
    for (const GpuId to : here.gpus) {
      for (const int nic : nics_of(to)) tally_.add(cluster_.nic_entry(to, nic), others);
    }
    for (const auto& [nic, receivers] : receivers_of_all_) {
      const auto own = receivers_[node].find(nic);
      const int elsewhere = receivers - (own == receivers_[node].end() ? 0 : own->second);
      if (elsewhere > 0) count_rail(node, nic, elsewhere);
    }
  }

  /// Every member's messages to the `receivers` elsewhere that hang on NICs of this number.
  void count_rail(std::size_t node, int nic, int receivers) {
    const NodeMembers& here = nodes_[node];
    const std::optional<GpuId> relay = relay_for(here, nic);
    std::map<int, int> senders;  // by the NIC that they leave by
    for (const GpuId from : here.gpus) {
      const bool near = near_nic(cluster_, from, nic);
      const GpuId exit = relay && !near ? *relay : from;
      const int nic_out = near || relay ? nic : nics_of(from).front();
      if (exit != from) tally_.add(cluster_.route(from, exit), receivers);
      tally_.add(cluster_.nic_exit(exit, nic_out), receivers);
      ++senders[nic_out];
    }
    for (const auto& [nic_out, count] : senders) count_between(node, nic_out, nic, count);
  }

  std::optional<GpuId> relay_for(const NodeMembers& node, int nic) const {
    if (cluster_.spec().node.interconnect == GpuInterconnect::Pcie) return std::nullopt;
    const GpuId owner = owner_of(cluster_, node, nic);
    if (!near_nic(cluster_, owner, nic)) return std::nullopt;
    return owner;
  }

  void count_between(std::size_t node, int nic_out, int nic_in, int senders) {
    const int from = cluster_.node_of(nodes_[node].gpus.front());
    for (std::size_t other = 0; other < nodes_.size(); ++other) {
      const auto receivers = receivers_[other].find(nic_in);
      if (other == node || receivers == receivers_[other].end()) continue;
      const int to = cluster_.node_of(nodes_[other].gpus.front());
      tally_.add(cluster_.between_nics(from, nic_out, to, nic_in), senders * receivers->second);
    }
  }

  const Cluster& cluster_;
  const std::vector<NodeMembers>& nodes_;
  int ranks_ = 0;
  int parts_ = 1;
  std::vector<Receivers> receivers_;  // [node]
  Receivers receivers_of_all_;
  LinkTally tally_;
};

}  // namespace

Traffic all_to_all_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes) {
  return AllToAll(cluster, nodes).count();
}

}  // namespace stepcast
