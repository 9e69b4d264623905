// Small training steps to test engines with: a plan on a cluster, with constants that are easy to
// work with, from scenario to folded program without any file.
#pragma once

#include <memory>

#include "models/training_step.h"
#include "sim/folding.h"

namespace stepcast::test {

Profile plain_profile();
Device plain_device();

/// `nodes` nodes of `gpus` GPUs on NVSwitch, `nics` NICs each of 24 usable GB/s.
ClusterSpec small_cluster(int nodes, int gpus, int nics);

/// 8 layers of 1024 hidden, 16 heads, sequence 512.
Transformer small_model();

struct PlanShape {
  int tensor = 1;
  int pipeline = 1;
  int data = 1;
  int micro_batches = 4;
};

TrainingJob small_job(const PlanShape& shape);

/// A data-parallel replica on every GPU, in the order of the GPUs.
Placement all_in_order(const Cluster& cluster);

/// A step ready to run; keeps alive what the folded programs point to.
struct Step {
  Step(const TrainingJob& job, const ClusterSpec& spec, const Profile& profile = plain_profile());

  Cluster cluster;
  Profile profile;
  Placement placement;
  StepProgram program;
  FoldedProgram folded() const { return fold(program, placement, cluster, profile.network); }
  FoldedProgram unfolded() const {
    return stepcast::unfolded(program, placement, cluster, profile.network);
  }
};

}  // namespace stepcast::test
