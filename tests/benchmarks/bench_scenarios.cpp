#include "tests/benchmarks/bench_scenarios.h"

#include <nlohmann/json.hpp>

namespace stepcast::benchmarks {

Scenario scenario_of(const Layout& layout) {
  const int gpus = layout.tensor * layout.pipeline * layout.data;
  nlohmann::json scenario = {
      {"schema", 1},
      {"title", layout.model},
      {"model", layout.model},
      {"cluster", {{"node", "dgx_h100_80gb"}, {"nodes", gpus / 8}, {"fabric", "ndr_rail"}}},
      {"plan",
       {{"tensor_parallel", layout.tensor},
        {"pipeline_parallel", layout.pipeline},
        {"data_parallel", layout.data},
        {"virtual_pipeline", layout.chunks},
        {"sequence_parallel", layout.tensor > 1},
        {"zero_stage", 1},
        {"recompute", "full"}}},
      {"batch",
       {{"micro_batch", 1},
        {"global_batch", layout.data * layout.micro_batches},
        {"sequence_length", 2048}}},
      {"precision", "bf16"},
      {"framework", "megatron"}};
  if (layout.slow_gpu >= 0) {
    scenario["faults"] = {{{"gpu", layout.slow_gpu}, {"rate", 0.8}}};
  }
  return scenarios_from_json(scenario, "benchmark.json", {}).front();
}

}  // namespace stepcast::benchmarks
