#include "sim/reserved_memory.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/memory_timeline.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// One stage of a pipeline of four with this many micro-batches.
RankProgram stage_of(int micro_batches, int stage,
                     Schedule schedule = Schedule::OneForwardOneBackward) {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = micro_batches});
  job.plan.schedule = schedule;
  if (schedule == Schedule::ZeroBubbleV) job.plan.virtual_pipeline = 2;
  const Step step(job, small_cluster(1, 4, 1), plain_profile());
  return step.program.programs[static_cast<std::size_t>(stage)];
}

// The same slots as if none were like any other.
MemoryEvents all_different(MemoryEvents events) {
  std::vector<std::vector<MemoryEvent>> texts;
  for (MemorySlot& slot : events.slots) {
    texts.push_back(events.text(slot));
    slot.text = static_cast<std::int32_t>(texts.size()) - 1;
  }
  events.texts = std::move(texts);
  return events;
}

}  // namespace

TEST_CASE("slots of steady micro-batches are not run again, and the peak is the same",
          "[sim][memory]") {
  const int stage = GENERATE(0, 1, 3);
  const RankProgram rank = stage_of(64, stage);
  const MemoryEvents events = memory_events(rank);
  const ReservedMemory quick = reserved_memory(rank, events, {});
  const ReservedMemory whole = reserved_memory(rank, all_different(events), {});
  REQUIRE(whole.skipped == 0);
  REQUIRE(quick.skipped > 64);  // of 128 slots in each of at least two steps
  REQUIRE(quick.peak == whole.peak);
  REQUIRE(quick.steps == whole.steps);
}

TEST_CASE("steady rounds of split passes are not run again either", "[sim][memory]") {
  const Schedule schedule = GENERATE(Schedule::ZeroBubble, Schedule::ZeroBubbleV);
  const RankProgram rank = stage_of(64, 1, schedule);
  const MemoryEvents events = memory_events(rank);
  const ReservedMemory quick = reserved_memory(rank, events, {});
  REQUIRE(quick.skipped > 64);
  REQUIRE(quick.peak == reserved_memory(rank, all_different(events), {}).peak);
}

TEST_CASE("passes that run together end each other's tensors, and all end", "[sim][memory]") {
  const RankProgram rank = stage_of(16, 1, Schedule::DualPipe);
  const MemoryEvents events = memory_events(rank);
  const ReservedMemory reserved = reserved_memory(rank, events, {});
  REQUIRE(reserved.peak >= untimed_stage_memory(rank, {.capacity = 80_GB}, false).allocated);
}

TEST_CASE("a stage of three tensors, reserved by hand", "[sim][memory]") {
  // 30 MiB of weights and 60 MiB of optimizer state; a step allocates 50 MiB, frees them and
  // allocates 20 MiB. First step: 30 + 50, the 20 fit into what the 50 left. Then 60 MiB fit
  // nothing that is free: 30 + 50 + 60.
  RankProgram rank;
  rank.resident[static_cast<std::size_t>(MemoryPart::Weights)] = 30_MiB;
  rank.resident[static_cast<std::size_t>(MemoryPart::Optimizer)] = 60_MiB;
  rank.tensors = {{MemoryPart::Activations, 50_MiB}, {MemoryPart::Temporary, 20_MiB}};
  const auto append = [&rank](InstructionKind kind, int tensor) {
    rank.stream(Stream::Compute).push_back({.kind = kind, .index = tensor});
  };
  append(InstructionKind::Allocate, 0);
  append(InstructionKind::Free, 0);
  append(InstructionKind::Allocate, 1);
  append(InstructionKind::Free, 1);
  const ReservedMemory reserved = reserved_memory(rank, memory_events(rank), {});
  REQUIRE(reserved.peak == 140_MiB);
  REQUIRE(reserved.steps == 2);
}

TEST_CASE("optimizer state takes the place that the first step's activations left",
          "[sim][memory]") {
  // 40 MiB of state goes into the 50 MiB that the first step reserved, so the second step's 50 MiB
  // need a segment of their own: 50 + 50, though no more than 90 are ever allocated.
  RankProgram rank;
  rank.resident[static_cast<std::size_t>(MemoryPart::Optimizer)] = 40_MiB;
  rank.tensors = {{MemoryPart::Activations, 50_MiB}};
  rank.stream(Stream::Compute) = {{.kind = InstructionKind::Allocate},
                                  {.kind = InstructionKind::Free}};
  REQUIRE(reserved_memory(rank, memory_events(rank), {}).peak == 100_MiB);
  // One range that grows: three pages of 20 MiB, of which the state leaves 20; 50 need two more.
  REQUIRE(reserved_memory(rank, memory_events(rank), {.expandable_segments = true}).peak ==
          100_MiB);
}

TEST_CASE("tensors that are there less likely than not are not reserved", "[sim][memory]") {
  RankProgram rank;
  rank.tensors = {{.part = MemoryPart::Activations, .size = 50_MiB, .likelihood = 0.49}};
  rank.stream(Stream::Compute) = {{.kind = InstructionKind::Allocate},
                                  {.kind = InstructionKind::Free}};
  REQUIRE(reserved_memory(rank, memory_events(rank), {}).peak == Bytes());
  rank.tensors[0].likelihood = 0.5;
  REQUIRE(reserved_memory(rank, memory_events(rank), {}).peak == 50_MiB);
}
