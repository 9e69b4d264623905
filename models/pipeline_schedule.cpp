#include "models/pipeline_schedule.h"

#include <algorithm>

#include "base/contract.h"

namespace stepcast {
namespace {

std::vector<Slot> gpipe_slots(int micro_batches) {
  std::vector<Slot> slots;
  for (int m = 0; m < micro_batches; ++m) slots.push_back({Pass::Forward, m, 0});
  for (int m = 0; m < micro_batches; ++m) slots.push_back({Pass::Backward, m, 0});
  return slots;
}

// The k-th forward pass of a stage takes p micro-batches through chunk 0, the same p through chunk
// 1, and so on; backward passes take the chunks in reverse.
Slot interleaved_slot(Pass pass, int k, const PipelineShape& shape) {
  const int round = shape.stages * shape.chunks;
  const int chunk = k % round / shape.stages;
  const int micro_batch = k / round * shape.stages + k % shape.stages;
  return {pass, micro_batch, pass == Pass::Forward ? chunk : shape.chunks - 1 - chunk};
}

int passes_ahead(Schedule schedule, const PipelineShape& shape, int stage) {
  const int total = shape.micro_batches * shape.chunks;
  const int behind = shape.stages - 1 - stage;
  if (schedule != Schedule::Interleaved) return std::min(behind, total);
  if (shape.micro_batches == shape.stages) return total;
  return std::min(2 * behind + (shape.chunks - 1) * shape.stages, total);
}

}  // namespace

std::vector<Slot> stage_slots(Schedule schedule, const PipelineShape& shape, int stage) {
  STEPCAST_REQUIRES(stage >= 0 && stage < shape.stages && shape.micro_batches >= 1);
  STEPCAST_REQUIRES(schedule == Schedule::Interleaved ? shape.micro_batches % shape.stages == 0
                                                      : shape.chunks == 1);
  if (schedule == Schedule::GPipe) return gpipe_slots(shape.micro_batches);
  const int total = shape.micro_batches * shape.chunks;
  const int ahead = passes_ahead(schedule, shape, stage);
  std::vector<Slot> slots;
  slots.reserve(static_cast<std::size_t>(2 * total));
  for (int k = 0; k < ahead; ++k) slots.push_back(interleaved_slot(Pass::Forward, k, shape));
  for (int k = ahead; k < total; ++k) {
    slots.push_back(interleaved_slot(Pass::Forward, k, shape));
    slots.push_back(interleaved_slot(Pass::Backward, k - ahead, shape));
  }
  for (int k = total - ahead; k < total; ++k) {
    slots.push_back(interleaved_slot(Pass::Backward, k, shape));
  }
  return slots;
}

}  // namespace stepcast
