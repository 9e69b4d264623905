// Scenarios of every size to measure predictions on.
#pragma once

#include <string>

#include "scenarios/scenario.h"

namespace stepcast::benchmarks {

struct Layout {
  std::string model = "llama_65b";
  int tensor = 4;
  int pipeline = 2;
  int data = 8;
  int micro_batches = 32;  ///< of one sequence, a data-parallel rank
  int chunks = 1;
  int slow_gpu = -1;  ///< a GPU at 0.8 of its speed
};

/// On nodes of eight H100s with an NIC each, 2,048 tokens, bf16, full recompute.
Scenario scenario_of(const Layout& layout);

}  // namespace stepcast::benchmarks
