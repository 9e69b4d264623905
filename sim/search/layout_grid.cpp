#include "sim/search/layout_grid.h"

#include <set>

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

bool alike(const GroupLayout& a, const GroupLayout& b) {
  return a.ranks == b.ranks && a.nodes == b.nodes && a.ranks_per_node == b.ranks_per_node &&
         a.intra == b.intra && a.channels == b.channels &&
         a.channel_bandwidth == b.channel_bandwidth &&
         a.intra_channel_bandwidth == b.intra_channel_bandwidth;
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
  const Usage usage = usage_of(programs);
  const auto [place, added] = groups_.try_emplace(key_of(usage));
  if (added) place->second = find_groups(programs, job, profile);
  const std::optional<Groups>& found = place->second;
  if (!found) return std::nullopt;
  const Groups& groups = *found;
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
        folded.communicators[index].transfers[static_cast<std::size_t>(i)] = plan_transfer(
            operation.kind, operation.message, groups.layouts[index], profile.network);
      }
    }
  }
  return folded;
}

std::optional<LayoutGrid::Groups> LayoutGrid::find_groups(const StepProgram& programs,
                                                          const TrainingJob& job,
                                                          const Profile& profile) const {
  StepProgram program = programs;
  add_ranks(job, profile.framework, placement_, program);
  FoldedProgram folded = stepcast::fold(program, placement_, cluster_, profile.network);
  if (folded.ranks.size() != program.programs.size()) return std::nullopt;
  std::optional<std::vector<GroupLayout>> layouts = layouts_of(program, folded);
  if (!layouts) return std::nullopt;
  Groups groups;
  groups.stages.resize(folded.ranks.size());
  for (const FoldedRank& rank : folded.ranks) {
    groups.stages[static_cast<std::size_t>(rank.program)] = rank;
  }
  for (FoldedCommunicator& communicator : folded.communicators) {
    communicator.links.clear();
    communicator.transfers.clear();
    for (Arrival& arrival : communicator.arrivals) {
      arrival.rank_class = folded.ranks[static_cast<std::size_t>(arrival.rank_class)].program;
    }
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
          program.communicators[static_cast<std::size_t>(own[local])], placement_, cluster_);
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
