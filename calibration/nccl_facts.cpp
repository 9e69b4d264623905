#include "calibration/nccl_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/nccl_comparison.h"
#include "models/nccl_tables.h"
#include "scenarios/plan_check.h"

namespace stepcast {
namespace {

class FactFinder {
 public:
  FactFinder(const NcclInfoLog& log, const Scenario& scenario) : log_(log), scenario_(scenario) {
    if (scenario.nccl) facts_.choice = *scenario.nccl;
  }

  NcclFacts find() {
    check_ranks();
    take_version();
    check_network();
    note_direct();
    const Cluster cluster(scenario_.cluster);
    NetworkProfile network = scenario_.profile.network;
    network.nccl = facts_.choice;
    const NcclComparison comparison = compare_nccl(log_, cluster, network);
    take_forced();
    for (const ComparedCommunicator& one : comparison.communicators) note_communicator(one);
    note_calls(comparison.calls);
    return std::move(facts_);
  }

 private:
  [[noreturn]] void contradict(const std::string& logged, const std::string& stated) const {
    throw InputError({log_.file, ""}, fmt::format("{}, the scenario says {}", logged, stated),
                     "--scenario must describe the cluster that the log was taken on");
  }

  void note(std::string finding) { facts_.findings.push_back(std::move(finding)); }

  void check_ranks() const {
    const int gpus = num_gpus(scenario_.cluster);
    for (const NcclCommunicator& one : log_.communicators) {
      if (one.ranks <= gpus) continue;
      contradict(fmt::format("a communicator has {} ranks (line {})", one.ranks, one.line),
                 fmt::format("{} GPUs", gpus));
    }
  }

  void take_version() {
    if (log_.version.empty()) return;
    if (!knows_nccl_release(log_.version)) {
      return note(fmt::format("NCCL {} is no version whose tuner is known", log_.version));
    }
    std::string& version = facts_.choice.version;
    const bool same = log_.version == version || log_.version.starts_with(version + ".");
    if (!version.empty() && !same) contradict("NCCL " + log_.version + " ran", version);
    version = log_.version;
    note(fmt::format("NCCL {}: its tuner is taken (nccl.version)", log_.version));
  }

  void check_network() {
    const ClusterSpec& cluster = scenario_.cluster;
    if (cluster.nodes == 1) return;
    const bool sockets = cluster.fabric.transport == Transport::Tcp;
    if (!log_.network.empty() && (log_.network == "Socket") != sockets) {
      contradict("NCCL used the network " + log_.network,
                 sockets ? "a fabric of sockets" : "a fabric that is none of sockets");
    }
    if (log_.nics == 0) return;
    if (log_.nics < cluster.fabric.nics_per_node) {
      contradict(fmt::format("NCCL found {} NICs on a node", log_.nics),
                 fmt::format("{}", cluster.fabric.nics_per_node));
    }
    note(fmt::format("{} NICs on a node, {} in the scenario", log_.nics,
                     cluster.fabric.nics_per_node));
  }

  void note_direct() {
    if (log_.network_connections == 0) return;
    note(fmt::format("{} of {} connections between nodes reach GPUs directly{}", log_.gpu_direct,
                     log_.network_connections,
                     log_.gpu_direct < log_.network_connections
                         ? ": the others pass the CPU's memory, which the model does not know"
                         : ""));
  }

  template <class Choice>
  void take_forced(std::optional<Choice>& choice, const std::string& variable,
                   std::span<const Choice> all) {
    const std::optional<Choice> forced = forced_choice(log_, variable, all);
    if (!forced) return;
    if (choice && *choice != *forced) {
      contradict(fmt::format("{} was {}", variable, word(*forced)), std::string(word(*choice)));
    }
    choice = forced;
    note(fmt::format("{} was {}: the scenario is forced to it too", variable, word(*forced)));
  }

  void take_forced() {
    take_forced(facts_.choice.algorithm, "NCCL_ALGO", std::span<const Algorithm>(all_algorithms));
    take_forced(facts_.choice.protocol, "NCCL_PROTO", std::span<const Protocol>(all_protocols));
  }

  void note_communicator(const ComparedCommunicator& one) {
    if (!one.modelled_channels) return;
    const bool of_all = one.ranks == num_gpus(scenario_.cluster);
    const bool fewer = of_all && one.channels < *one.modelled_channels;
    if (fewer && !facts_.choice.channels) facts_.choice.channels = one.channels;
    note(fmt::format(
        "{} channels over {} ranks, {} modelled{}", one.channels, one.ranks, *one.modelled_channels,
        fewer ? fmt::format(": {} are taken (nccl.channels)", *facts_.choice.channels) : ""));
    if (one.crossings && one.modelled_crossings && *one.crossings != *one.modelled_crossings) {
      note(fmt::format("a ring crosses between nodes {} times, {} modelled", *one.crossings,
                       *one.modelled_crossings));
    }
  }

  void note_calls(const std::vector<ComparedCall>& calls) {
    if (calls.empty()) return;
    const auto same = std::count_if(calls.begin(), calls.end(),
                                    [](const ComparedCall& call) { return call.agrees(); });
    note(fmt::format("{} of {} logged choices of algorithm and protocol are the model's", same,
                     calls.size()));
  }

  const NcclInfoLog& log_;
  const Scenario& scenario_;
  NcclFacts facts_;
};

}  // namespace

bool holds_nccl_lines(std::string_view text) {
  return text.find("NCCL INFO") != std::string_view::npos;
}

bool holds_nccl_tests_table(std::string_view text) {
  return text.find("out-of-place") != std::string_view::npos;
}

NcclFacts nccl_facts(const NcclInfoLog& log, const Scenario& scenario) {
  return FactFinder(log, scenario).find();
}

}  // namespace stepcast
