#include "sim/link_loads.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "models/training_step.h"
#include "sim/flows.h"

namespace stepcast {
namespace {

using Carried = std::array<Bytes, kNumActivities>;

/// One operation on one of a rank's communicators, for one activity.
struct Use {
  int local_number;
  int operation;
  Activity activity;
  friend auto operator<=>(const Use&, const Use&) = default;
};

/// How often a program runs each. Receives are the other end's sends.
using Uses = std::map<Use, int>;

void count(const std::vector<Instruction>& instructions, int times, Uses& uses) {
  for (const Instruction& instruction : instructions) {
    const bool sends = instruction.kind == InstructionKind::Collective ||
                       instruction.kind == InstructionKind::Send;
    if (sends) {
      uses[{instruction.index, instruction.operation, instruction.activity}] += times;
    }
  }
}

Uses uses_of(const RankProgram& rank) {
  Uses uses;
  std::vector<int> calls(rank.blocks.size(), 0);
  for (const auto& stream : rank.streams) {
    count(stream, 1, uses);
    for (const Instruction& instruction : stream) {
      if (instruction.kind == InstructionKind::Call) {
        ++calls[static_cast<std::size_t>(instruction.index)];
      }
    }
  }
  for (std::size_t block = 0; block < calls.size(); ++block) {
    count(rank.blocks[block].body, calls[block], uses);
  }
  return uses;
}

class LoadTally {
 public:
  LoadTally(const StepProgram& program, std::size_t num_links)
      : program_(program), carried_(num_links) {
    for (const RankProgram& rank : program.programs) uses_.push_back(uses_of(rank));
  }

  // A communicator's operations count once, by its first member (of a pair the sender).
  void add(std::size_t communicator, const CommunicatorFlows& flows) {
    const auto rank = static_cast<std::size_t>(program_.communicators[communicator].ranks.front());
    const std::vector<int>& numbers = program_.communicators_of_rank[rank];
    const auto program = static_cast<std::size_t>(program_.program_of_rank[rank]);
    for (const auto& [use, times] : uses_[program]) {
      const auto local = static_cast<std::size_t>(use.local_number);
      if (numbers[local] != static_cast<int>(communicator)) continue;
      const Transfer& transfer = flows.transfers[static_cast<std::size_t>(use.operation)];
      for (const WeightedLink& link : flows.links[index(transfer.traffic)]) {
        carried_[static_cast<std::size_t>(link.link)][static_cast<std::size_t>(use.activity)] +=
            transfer.bytes * link.weight * times;
      }
    }
  }

  const std::vector<Carried>& carried() const { return carried_; }

 private:
  const StepProgram& program_;
  std::vector<Uses> uses_;  ///< [program]
  std::vector<Carried> carried_;
};

Bytes total_of(const Carried& carried) {
  return std::accumulate(carried.begin(), carried.end(), Bytes());
}

std::vector<LinkLoad> alike_together(const std::vector<Carried>& carried,
                                     std::span<const Link> links) {
  std::map<std::tuple<LinkKind, BytesPerSecond, Carried>, std::size_t> known;
  std::vector<LinkLoad> loads;
  for (std::size_t l = 0; l < links.size(); ++l) {
    if (total_of(carried[l]) == Bytes()) continue;
    const auto [place, added] =
        known.try_emplace({links[l].kind, links[l].bandwidth, carried[l]}, loads.size());
    if (added) {
      loads.push_back({links[l].name, 1, links[l].bandwidth, carried[l]});
    } else {
      ++loads[place->second].alike;
    }
  }
  std::stable_sort(loads.begin(), loads.end(), [](const LinkLoad& a, const LinkLoad& b) {
    return a.total() / a.bandwidth > b.total() / b.bandwidth;
  });
  return loads;
}

}  // namespace

Bytes LinkLoad::total() const { return total_of(carried); }

Activity LinkLoad::busiest() const {
  return static_cast<Activity>(std::max_element(carried.begin(), carried.end()) - carried.begin());
}

namespace {

std::vector<Carried> tally(const StepProgram& program, const Placement& placement,
                           const Cluster& cluster, const NetworkProfile& network) {
  const std::vector<CommunicatorFlows> flows =
      communicator_flows(program, placement, cluster, network);
  LoadTally tally(program, cluster.links().size());
  for (std::size_t c = 0; c < flows.size(); ++c) {
    if (!flows[c].members.empty()) tally.add(c, flows[c]);
  }
  return tally.carried();
}

std::vector<Carried> tally(const Scenario& scenario, const Cluster& cluster) {
  const Placement placement = place_ranks(rank_grid(scenario.job.plan), cluster);
  const StepProgram program =
      training_step(scenario.job, scenario.profile, scenario.device(), placement, cluster);
  return tally(program, placement, cluster, scenario.profile.network);
}

}  // namespace

std::vector<LinkLoad> link_loads(const StepProgram& program, const Placement& placement,
                                 const Cluster& cluster, const NetworkProfile& network) {
  return alike_together(tally(program, placement, cluster, network), cluster.links());
}

std::vector<LinkLoad> link_loads(const Scenario& scenario) {
  const Cluster cluster(scenario.cluster);
  return alike_together(tally(scenario, cluster), cluster.links());
}

std::vector<Bytes> carried_by_links(const Scenario& scenario, const Cluster& cluster) {
  std::vector<Bytes> totals;
  for (const Carried& carried : tally(scenario, cluster)) totals.push_back(total_of(carried));
  return totals;
}

}  // namespace stepcast
