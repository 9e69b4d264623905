// Layouts a second of the search's analytic engine: 65B on 64 GPUs, tensor 1 to 8, pipeline 1 to
// 16, micro-batch 1 to 8.
#include <benchmark/benchmark.h>

#include <vector>

#include "sim/search/layout_bound.h"
#include "tests/benchmarks/bench_scenarios.h"

using namespace stepcast;
using namespace stepcast::benchmarks;

namespace {

const Scenario& base() {
  static const Scenario scenario = scenario_of({.micro_batches = 64});
  return scenario;
}

std::vector<TrainingJob> mixed_layouts() {
  constexpr int kGpus = 64;
  std::vector<TrainingJob> layouts;
  for (const int tensor : {1, 2, 4, 8}) {
    for (const int pipeline : {1, 2, 4, 8, 16}) {
      for (const int micro_batch : {1, 2, 4, 8}) {
        TrainingJob job = base().job;
        job.plan.tensor_parallel = tensor;
        job.plan.pipeline_parallel = pipeline;
        job.plan.data_parallel = 0;
        job.plan.sequence_parallel = tensor > 1;
        job.batch.micro_batch = micro_batch;
        complete(job, kGpus, base().profile.framework);
        if (violations(job, kGpus).empty()) layouts.push_back(job);
      }
    }
  }
  return layouts;
}

void count_layouts(benchmark::State& state, std::size_t in_one_round) {
  state.counters["layouts"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(in_one_round),
      benchmark::Counter::kIsRate);
}

void layouts_walked(benchmark::State& state) {
  const std::vector<TrainingJob> layouts = mixed_layouts();
  LayoutBound bound(base());
  for (auto _ : state) {
    for (const TrainingJob& job : layouts) {
      benchmark::DoNotOptimize(bound.step_time(job.plan, job.batch));
    }
  }
  count_layouts(state, layouts.size());
}
BENCHMARK(layouts_walked)->Unit(benchmark::kMillisecond);

void layouts_bounded(benchmark::State& state) {
  const std::vector<TrainingJob> layouts = mixed_layouts();
  LayoutBound bound(base());
  for (auto _ : state) {
    for (const TrainingJob& job : layouts) {
      benchmark::DoNotOptimize(bound.stage_bound(job.plan, job.batch));
    }
  }
  count_layouts(state, layouts.size());
}
BENCHMARK(layouts_bounded)->Unit(benchmark::kMillisecond);

// Nothing known yet: every grid placed and folded, every layout written.
void layouts_from_nothing(benchmark::State& state) {
  const std::vector<TrainingJob> layouts = mixed_layouts();
  for (auto _ : state) {
    LayoutBound bound(base());
    for (const TrainingJob& job : layouts) {
      benchmark::DoNotOptimize(bound.step_time(job.plan, job.batch));
    }
  }
  count_layouts(state, layouts.size());
}
BENCHMARK(layouts_from_nothing)->Unit(benchmark::kMillisecond);

}  // namespace
