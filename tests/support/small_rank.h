// What models see of a rank of the small model: 8 layers, 1024 hidden, 4096 feed-forward, 16 heads
// of 64, 32,000 rows, 512 tokens, bf16.
#pragma once

#include "tests/support/small_steps.h"

namespace stepcast::test {

struct SmallRank {
  explicit SmallRank(const PlanShape& shape = {}) : job(small_job(shape)) {}

  TrainingJob job;
  Profile profile = plain_profile();
  Device device = plain_device();
  WorkContext work() const { return {job, profile.framework, device}; }
};

}  // namespace stepcast::test
