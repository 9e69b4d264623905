// One grid of parallel degrees on the cluster, placed and folded once for all layouts that share
// it: classes of ranks do not depend on how much they compute and send.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/training_job.h"
#include "sim/folding.h"

namespace stepcast {

class LayoutGrid {
 public:
  LayoutGrid(const ParallelPlan& plan, const ClusterSpec& spec);

  const Cluster& cluster() const { return cluster_; }
  const Placement& placement() const { return placement_; }

  /// The quotient of a layout's programs, which must outlive it: rank class = stage. Nothing where
  /// ranks of a stage are not all alike. Links are left out, their pace is not.
  std::optional<FoldedProgram> fold(const StepProgram& programs, const TrainingJob& job,
                                    const Profile& profile);

 private:
  // A folded program without what it runs and transfers. `kinds`: of traffic that each of its
  // communicators was folded for; a program that sends otherwise is folded anew.
  struct Groups {
    std::vector<FoldedRank> stages;
    std::vector<FoldedCommunicator> communicators;
    std::vector<GroupLayout> layouts;
    std::vector<std::set<TrafficKind>> kinds;
  };
  std::optional<Groups> find_groups(const StepProgram& programs, const TrainingJob& job,
                                    const Profile& profile) const;
  std::optional<FoldedProgram> with_transfers(const Groups& groups, const StepProgram& programs,
                                              const NetworkProfile& network) const;
  std::optional<std::vector<GroupLayout>> layouts_of(const StepProgram& program,
                                                     const FoldedProgram& folded) const;

  Cluster cluster_;
  Placement placement_;
  // By which communicators are used; nothing: ranks of a stage differ.
  std::map<std::string, std::vector<std::optional<Groups>>> groups_;
};

}  // namespace stepcast
