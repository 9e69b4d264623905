// When the tensors of a program are alive, what they add up to at their peak, and what that means
// for a GPU of a given capacity.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/caching_allocator.h"
#include "sim/folding.h"
#include "sim/step_report.h"
#include "sim/timeline.h"

namespace stepcast {

struct AllocatorSettings {
  bool expandable_segments = false;
  Bytes capacity;  ///< of the GPU; what lies outside the allocator is taken off
};

CachingAllocator::Options allocator_options(const AllocatorSettings& settings,
                                            const RankProgram& rank);

/// A class of the ranks that run a stage's program.
int class_of_stage(const FoldedProgram& folded, int stage);

/// The peak of every pipeline stage (programs of ranks that do the same), in stage order: resident
/// parts plus the tensors that the compute stream has allocated and not yet freed, and what the
/// caching allocator reserves for them.
std::vector<StageMemory> stage_memory(const FoldedProgram& folded, const Timeline& timeline,
                                      const AllocatorSettings& settings);

/// The same of one program, without the instant; reserved and device memory where asked for.
StageMemory untimed_stage_memory(const RankProgram& rank, const AllocatorSettings& settings,
                                 bool with_reserved);

/// The stage's peak as a measurement of that kind counts it.
Bytes of_kind(const StageMemory& stage, MemoryKind kind);

/// Hands over what a rank class has allocated, from the beginning and after every change, in time
/// order.
void for_each_memory_point(const FoldedProgram& folded, const Timeline& timeline, int rank_class,
                           const std::function<void(const MemoryPoint&)>& use);

/// Allocated bytes of a stage over the step, at most `points` of them: of each stretch its highest.
std::vector<MemoryPoint> memory_over_time(const FoldedProgram& folded, const Timeline& timeline,
                                          int stage, int points);

/// What a stretch of the compute stream does to the tensors alive.
struct MemoryChange {
  Bytes peak;  ///< most above the beginning, at any time; never below zero
  Bytes net;   ///< from beginning to end

  MemoryChange then(const MemoryChange& next) const {
    return {std::max(peak, net + next.peak), net + next.net};
  }
};

/// Of one instruction: what it or the block that it calls allocates and frees, as far as the point
/// estimate counts it.
MemoryChange memory_change(const RankProgram& rank, const Instruction& instruction);

/// What is held throughout the step: resident parts, CUDA context and communicators' buffers.
Bytes always_held(const RankProgram& rank);

/// P(device memory > capacity) when the logarithm of the predicted peak errs by `spread`.
double out_of_memory_probability(Bytes device, Bytes capacity, double spread);

/// The same for a stage, without the fragments that the allocator can give back: with its uncertain
/// tensors and without them, by their likelihood.
double out_of_memory_probability(const StageMemory& stage, Bytes capacity, double spread);

/// Device memory between the 5 % quantile of the least likely-enough case and the 95 % quantile of
/// the largest: a case counts from a likelihood of 5 % on.
struct MemoryInterval {
  Bytes low;
  Bytes high;
};
MemoryInterval device_interval(const StageMemory& stage, double spread);

}  // namespace stepcast
