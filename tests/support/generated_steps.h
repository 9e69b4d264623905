// Random plans on random clusters, the same for the same seed: tensor, pipeline, data and context
// parallel in and across nodes, rings that fit no node boundary, NICs and PCIe switches shared by
// several GPUs, oversubscribed leaves, a slow GPU, a slow NIC, all schedules, ZeRO 0 to 3, overlap,
// offload to hosts that GPUs share, experts, latent attention.
#pragma once

#include "tests/support/small_steps.h"

namespace stepcast::test {

struct GeneratedStep {
  TrainingJob job;
  ClusterSpec cluster;
  Profile profile;
};

GeneratedStep generate_step(unsigned seed);

/// What mixtures of experts send, in place of every other of a step's collectives.
void send_all_to_all(StepProgram& program);

}  // namespace stepcast::test
