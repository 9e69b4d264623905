// Predictions and activities a second, over everything that they may grow with.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "models/training_step.h"
#include "sim/child_process.h"
#include "sim/forked_run.h"
#include "sim/predict.h"
#include "sim/simgrid/event_engine.h"
#include "sim/wire.h"
#include "tests/benchmarks/bench_scenarios.h"

using namespace stepcast;
using namespace stepcast::benchmarks;

namespace {

void measure(benchmark::State& state, const Layout& layout, EngineChoice engine) {
  const Scenario scenario = scenario_of(layout);
  std::int64_t activities = 0;
  for (auto _ : state) {
    const StepReport report = predict(scenario, {.engine = engine});
    activities += report.engine.activities;
    state.counters["rank_classes"] = report.engine.rank_classes;
  }
  state.counters["predictions"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["activities"] =
      benchmark::Counter(static_cast<double>(activities), benchmark::Counter::kIsRate);
}

Layout sized_model(std::int64_t size) {
  switch (size) {
    case 7:
      return {.model = "llama_7b", .tensor = 1, .pipeline = 1, .data = 8};
    case 65:
      return {.model = "llama_65b", .tensor = 4, .pipeline = 2, .data = 8};
    case 175:
      return {.model = "gpt3_175b", .tensor = 8, .pipeline = 8, .data = 8, .micro_batches = 64};
    case 530:
      return {.model = "gpt_530b",
              .tensor = 8,
              .pipeline = 35,
              .data = 9,
              .micro_batches = 280,
              .chunks = 3};
    default:
      return {.model = "gpt_1t", .tensor = 8, .pipeline = 64, .data = 6, .micro_batches = 512};
  }
}

// Billions of parameters; 1: event engine, 0: certified where possible.
void model_size(benchmark::State& state) {
  measure(state, sized_model(state.range(0)),
          state.range(1) == 1 ? EngineChoice::Event : EngineChoice::Auto);
}
BENCHMARK(model_size)
    ->ArgsProduct({{7, 65, 175, 530, 1000}, {0, 1}})
    ->ArgNames({"billions", "event"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// 64 stages on up to 196,608 GPUs: the stages stay the same.
void gpus(benchmark::State& state) {
  Layout layout{.model = "gpt_1t", .tensor = 8, .pipeline = 64, .micro_batches = 64};
  layout.data = static_cast<int>(state.range(0)) / (8 * 64);
  state.SetComplexityN(state.range(0));
  measure(state, layout, EngineChoice::Event);
}
BENCHMARK(gpus)
    ->RangeMultiplier(4)
    ->Range(3072, 196608)
    ->ArgName("gpus")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// One slow GPU or none. With one, every rank has to be looked at.
void straggler(benchmark::State& state, int slow_gpu) {
  Layout layout{.tensor = 8, .pipeline = 4, .micro_batches = 32, .slow_gpu = slow_gpu};
  layout.data = static_cast<int>(state.range(0)) / (8 * 4);
  state.SetComplexityN(state.range(0));
  measure(state, layout, EngineChoice::Event);
}
void straggler_sizes(benchmark::internal::Benchmark* of) {
  of->RangeMultiplier(4)
      ->Range(1024, 16384)
      ->ArgName("gpus")
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(straggler, none, -1)->Apply(straggler_sizes);
BENCHMARK_CAPTURE(straggler, one, 517)->Apply(straggler_sizes);

// Stages x micro-batches.
void pipeline(benchmark::State& state, EngineChoice engine) {
  Layout layout{.model = "gpt_1t", .tensor = 8, .data = 6};
  layout.pipeline = static_cast<int>(state.range(0));
  layout.micro_batches = static_cast<int>(state.range(1));
  state.SetComplexityN(state.range(0) * state.range(1));
  measure(state, layout, engine);
}
void pipeline_sizes(benchmark::internal::Benchmark* of) {
  of->ArgsProduct({{4, 16, 64}, {32, 512}})
      ->ArgNames({"stages", "micro_batches"})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(pipeline, certified, EngineChoice::Auto)->Apply(pipeline_sizes);
BENCHMARK_CAPTURE(pipeline, simulated, EngineChoice::Event)->Apply(pipeline_sizes);

// The event engine alone on 16 GPUs: every rank or one of each class, every instruction or blocks.
void folding_and_fusing(benchmark::State& state) {
  const Scenario scenario =
      scenario_of({.tensor = 4, .pipeline = 2, .data = 2, .micro_batches = 8});
  const Cluster cluster(scenario.cluster);
  const Placement placement = place_ranks(rank_grid(scenario.job.plan), cluster);
  const StepProgram program =
      training_step(scenario.job, scenario.profile, scenario.device(), placement, cluster);
  const NetworkProfile& network = scenario.profile.network;
  const FoldedProgram folded = state.range(0) == 1 ? fold(program, placement, cluster, network)
                                                   : unfolded(program, placement, cluster, network);
  const FusePlan plan = state.range(1) == 1 ? fuse_all(folded) : fuse_none(folded);
  std::int64_t activities = 0;
  for (auto _ : state) {
    activities += run_forked([&] { return run_event_in_this_process(folded, plan); }).activities;
  }
  state.counters["activities"] =
      benchmark::Counter(static_cast<double>(activities), benchmark::Counter::kIsRate);
}
BENCHMARK(folding_and_fusing)
    ->ArgsProduct({{0, 1}, {0, 1}})
    ->ArgNames({"folded", "fused"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// The most memory that a process with one prediction held.
void peak_memory(benchmark::State& state) {
  Layout layout{.model = "gpt_1t", .tensor = 8, .pipeline = 64, .micro_batches = 64};
  layout.data = static_cast<int>(state.range(0)) / (8 * 64);
  if (state.range(1) == 1) layout.slow_gpu = 517;
  const Scenario scenario = scenario_of(layout);
  std::int64_t bytes = 0;
  for (auto _ : state) {
    ChildProcess child([&](const Channel& parent) {
      predict(scenario, {.engine = EngineChoice::Auto});
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      return parent.send(to_bytes(std::int64_t{usage.ru_maxrss} * 1024));
    });
    bytes = from_bytes<std::int64_t>(child.channel().receive().value());
    child.wait();
  }
  state.counters["peak_memory_bytes"] = static_cast<double>(bytes);
}
BENCHMARK(peak_memory)
    ->ArgsProduct({{3072, 98304}, {0, 1}})
    ->ArgNames({"gpus", "straggler"})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
