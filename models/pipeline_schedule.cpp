#include "models/pipeline_schedule.h"

#include <algorithm>

#include "base/contract.h"
#include "models/split_backward_slots.h"

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

std::vector<Slot> one_forward_one_backward_slots(Schedule schedule, const PipelineShape& shape,
                                                 int stage) {
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

void check_shape(Schedule schedule, const PipelineShape& shape) {
  STEPCAST_REQUIRES(shape.micro_batches >= 1);
  if (schedule == Schedule::Interleaved) {
    STEPCAST_REQUIRES(shape.micro_batches % shape.stages == 0);
  } else {
    STEPCAST_REQUIRES(shape.chunks == (chunk_path(schedule) == ChunkPath::Loop ? 1 : 2));
  }
  if (schedule == Schedule::DualPipe) {
    STEPCAST_REQUIRES(shape.stages % 2 == 0 && shape.micro_batches % 2 == 0 &&
                      shape.micro_batches >= 2 * shape.stages);
  }
}

}  // namespace

std::vector<Slot> stage_slots(Schedule schedule, const PipelineShape& shape, int stage) {
  STEPCAST_REQUIRES(stage >= 0 && stage < shape.stages);
  check_shape(schedule, shape);
  switch (schedule) {
    case Schedule::GPipe:
      return gpipe_slots(shape.micro_batches);
    case Schedule::OneForwardOneBackward:
    case Schedule::Interleaved:
      return one_forward_one_backward_slots(schedule, shape, stage);
    case Schedule::ZeroBubble:
      return zero_bubble_slots(shape, stage);
    case Schedule::ZeroBubbleV:
      return zero_bubble_v_slots(shape, stage);
    case Schedule::DualPipe:
      return dual_pipe_slots(shape, stage);
  }
  STEPCAST_REQUIRES(false && "every schedule has slots");
  return {};
}

bool splits_backward(Schedule schedule) {
  switch (schedule) {
    case Schedule::ZeroBubble:
    case Schedule::ZeroBubbleV:
    case Schedule::DualPipe:
      return true;
    case Schedule::GPipe:
    case Schedule::OneForwardOneBackward:
    case Schedule::Interleaved:
      break;
  }
  return false;
}

ChunkPath chunk_path(Schedule schedule) {
  switch (schedule) {
    case Schedule::ZeroBubbleV:
      return ChunkPath::Vee;
    case Schedule::DualPipe:
      return ChunkPath::Opposed;
    case Schedule::GPipe:
    case Schedule::OneForwardOneBackward:
    case Schedule::Interleaved:
    case Schedule::ZeroBubble:
      break;
  }
  return ChunkPath::Loop;
}

ChunkPath chunk_path(const ParallelPlan& plan) {
  return plan.schedule ? chunk_path(*plan.schedule) : ChunkPath::Loop;
}

int model_chunks(const ParallelPlan& plan) {
  return chunk_path(plan) == ChunkPath::Opposed ? 2 : plan.virtual_pipeline;
}

int num_places(ChunkPath path, const PipelineShape& shape) {
  return path == ChunkPath::Opposed ? shape.stages : shape.stages * shape.chunks;
}

int place_of(ChunkPath path, const PipelineShape& shape, int stage, int chunk) {
  if (!goes_up(path, chunk)) return chunk * shape.stages + stage;
  return num_places(path, shape) - 1 - stage;
}

}  // namespace stepcast
