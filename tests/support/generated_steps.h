// Random plans on random clusters, the same for the same seed: tensor, pipeline and data parallel
// in and across nodes, shared NICs, oversubscribed leaves, stragglers, ZeRO and overlap.
#pragma once

#include "tests/support/small_steps.h"

namespace stepcast::test {

struct GeneratedStep {
  TrainingJob job;
  ClusterSpec cluster;
  Profile profile;
};

GeneratedStep generate_step(unsigned seed);

}  // namespace stepcast::test
