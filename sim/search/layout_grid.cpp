#include "sim/search/layout_grid.h"

#include <algorithm>
#include <set>
#include <utility>

#include "models/step_groups.h"
#include "models/training_step.h"
#include "sim/flows.h"
#include "sim/replicas.h"

namespace stepcast {
namespace {

using Usage = std::vector<std::vector<std::set<int>>>;  // [stage][local number]: operations

Usage usage_of(const StepProgram& programs) {
  Usage usage;
  for (const RankProgram& program : programs.programs) {
    usage.push_back(operations_by_group(program));
  }
  return usage;
}

std::string key_of(const Usage& usage) {
  std::string key;
  for (const auto& stage : usage) {
    for (const std::set<int>& operations : stage) key += operations.empty() ? '.' : 'x';
    key += '/';
  }
  return key;
}

bool alike(const SearchedChannels& a, const SearchedChannels& b) {
  return a.count == b.count && a.intra == b.intra && a.inter == b.inter;
}

bool alike(const GroupLayout& a, const GroupLayout& b) {
  const auto same_traffic = [](const Traffic& x, const Traffic& y) {
    return x.units == y.units && x.pace == y.pace;
  };
  return a.ranks == b.ranks && a.nodes == b.nodes && a.ranks_per_node == b.ranks_per_node &&
         a.intra == b.intra && alike(a.ring, b.ring) && alike(a.tree, b.tree) &&
         std::equal(a.traffic.begin(), a.traffic.end(), b.traffic.begin(), same_traffic);
}

// Whether a communicator can stand for another as far as times alone go: links and their shares
// with others apart.
bool alike(const FoldedCommunicator& a, const FoldedCommunicator& b) {
  const auto same_pace = [](const FoldedTraffic& x, const FoldedTraffic& y) {
    return x.pace == y.pace;
  };
  return a.arrivals == b.arrivals &&
         std::equal(a.traffic.begin(), a.traffic.end(), b.traffic.begin(), same_pace);
}

std::set<TrafficKind> kinds_of(const FoldedCommunicator& communicator) {
  std::set<TrafficKind> kinds;
  for (const Transfer& transfer : communicator.transfers) {
    if (transfer.bytes > Bytes()) kinds.insert(transfer.traffic);
  }
  return kinds;
}

// Rank classes become stages: arrivals of one stage's classes are one.
void arrive_by_program(const FoldedProgram& folded, FoldedCommunicator& communicator) {
  std::set<Arrival> arrivals;
  for (const Arrival& arrival : communicator.arrivals) {
    const FoldedRank& rank = folded.ranks[static_cast<std::size_t>(arrival.rank_class)];
    arrivals.insert({rank.program, arrival.local_number});
  }
  communicator.arrivals.assign(arrivals.begin(), arrivals.end());
}

Placement placement_of(const ParallelPlan& plan, const ClusterSpec& spec, const Cluster& cluster) {
  const PlacedReplicas placed = fewest_replicas(plan, spec);
  return place_ranks(rank_grid(placed.plan), cluster, placed.replicas);
}

}  // namespace

LayoutGrid::LayoutGrid(const ParallelPlan& plan, const ClusterSpec& spec)
    : cluster_(fewest_replicas(plan, spec).cluster),
      placement_(placement_of(plan, spec, cluster_)) {}

std::optional<FoldedProgram> LayoutGrid::fold(const StepProgram& programs, const TrainingJob& job,
                                              const Profile& profile) {
  std::vector<std::optional<Groups>>& known = groups_[key_of(usage_of(programs))];
  for (const std::optional<Groups>& groups : known) {
    if (!groups) return std::nullopt;
    std::optional<FoldedProgram> folded = with_transfers(*groups, programs, profile.network);
    if (folded) return folded;
  }
  known.push_back(find_groups(programs, job, profile));
  if (!known.back()) return std::nullopt;
  return with_transfers(*known.back(), programs, profile.network);
}

// Nothing where a transfer is of a kind that the groups were not folded for.
std::optional<FoldedProgram> LayoutGrid::with_transfers(const Groups& groups,
                                                        const StepProgram& programs,
                                                        const NetworkProfile& network) const {
  const Usage usage = usage_of(programs);
  FoldedProgram folded;
  folded.program = &programs;
  folded.ranks = groups.stages;
  folded.communicators = groups.communicators;
  for (FoldedCommunicator& communicator : folded.communicators) {
    communicator.transfers.resize(programs.operations.size());
  }
  for (std::size_t stage = 0; stage < usage.size(); ++stage) {
    for (std::size_t local = 0; local < usage[stage].size(); ++local) {
      const auto index = static_cast<std::size_t>(groups.stages[stage].communicators[local]);
      for (const int i : usage[stage][local]) {
        const Operation& operation = programs.operations[static_cast<std::size_t>(i)];
        const Transfer transfer =
            plan_transfer(operation.kind, operation.message, groups.layouts[index], network);
        if (transfer.bytes > Bytes() && !groups.kinds[index].contains(transfer.traffic)) {
          return std::nullopt;
        }
        folded.communicators[index].transfers[static_cast<std::size_t>(i)] = transfer;
      }
    }
  }
  return folded;
}

// Ranks of a stage may be of several classes (a tree takes more of some NICs than of others) as
// long as they all take the same time alone.
std::optional<LayoutGrid::Groups> LayoutGrid::find_groups(const StepProgram& programs,
                                                          const TrainingJob& job,
                                                          const Profile& profile) const {
  StepProgram program = programs;
  add_ranks(job, profile.framework, placement_, program);
  FoldedProgram folded = stepcast::fold(program, placement_, cluster_, profile.network);
  std::optional<std::vector<GroupLayout>> layouts = layouts_of(program, folded);
  if (!layouts) return std::nullopt;
  Groups groups;
  for (FoldedCommunicator& communicator : folded.communicators) {
    groups.kinds.push_back(kinds_of(communicator));
    arrive_by_program(folded, communicator);
    for (FoldedTraffic& traffic : communicator.traffic) traffic.links.clear();
    communicator.transfers.clear();
  }
  std::vector<std::optional<FoldedRank>> stages(program.programs.size());
  for (const FoldedRank& rank : folded.ranks) {
    std::optional<FoldedRank>& stage = stages[static_cast<std::size_t>(rank.program)];
    if (!stage) {
      stage = rank;
      continue;
    }
    if (stage->rate != rank.rate) return std::nullopt;
    for (std::size_t local = 0; local < rank.communicators.size(); ++local) {
      const int first = stage->communicators[local];
      const int other = rank.communicators[local];
      if (first == other) continue;
      if (first < 0 || other < 0) return std::nullopt;
      const auto a = static_cast<std::size_t>(first);
      const auto b = static_cast<std::size_t>(other);
      if (!alike(folded.communicators[a], folded.communicators[b]) ||
          !alike((*layouts)[a], (*layouts)[b]) || groups.kinds[a] != groups.kinds[b]) {
        return std::nullopt;
      }
    }
    stage->members += rank.members;
  }
  for (std::optional<FoldedRank>& stage : stages) {
    if (!stage) return std::nullopt;
    groups.stages.push_back(std::move(*stage));
  }
  groups.communicators = std::move(folded.communicators);
  groups.layouts = std::move(*layouts);
  return groups;
}

// Of each folded communicator; nothing where communicators of a class lie differently (and only
// happened to take the same time).
std::optional<std::vector<GroupLayout>> LayoutGrid::layouts_of(const StepProgram& program,
                                                               const FoldedProgram& folded) const {
  std::vector<std::optional<GroupLayout>> found(folded.communicators.size());
  std::vector<char> seen(program.communicators.size(), 0);
  for (std::size_t rank = 0; rank < program.communicators_of_rank.size(); ++rank) {
    const auto& own = program.communicators_of_rank[rank];
    const auto& classes =
        folded.ranks[static_cast<std::size_t>(folded.class_of_rank[rank])].communicators;
    for (std::size_t local = 0; local < own.size(); ++local) {
      if (own[local] < 0 || seen[static_cast<std::size_t>(own[local])]) continue;
      seen[static_cast<std::size_t>(own[local])] = 1;
      const auto index = static_cast<std::size_t>(classes[local]);
      if (folded.communicators[index].arrivals.empty()) continue;
      const GroupLayout layout = communicator_layout(
          program.communicators[static_cast<std::size_t>(own[local])], placement_, cluster_, true);
      std::optional<GroupLayout>& known = found[index];
      if (known && !alike(*known, layout)) return std::nullopt;
      known = layout;
    }
  }
  std::vector<GroupLayout> layouts;
  layouts.reserve(found.size());
  for (const std::optional<GroupLayout>& layout : found) {
    layouts.push_back(layout.value_or(GroupLayout{}));
  }
  return layouts;
}

}  // namespace stepcast
