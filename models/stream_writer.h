// Appends instructions to the streams of one rank's program.
#pragma once

#include "models/step_groups.h"
#include "models/step_program.h"

namespace stepcast {

/// A block on the compute stream, and beside it a collective where `operation` >= 0: both begin
/// when what came before has ended, and what follows waits for both.
struct PassageStep {
  int block = -1;
  Group group = Group::Tensor;
  int operation = -1;
  Activity activity = Activity::Other;  ///< of the collective, and of waiting for it
};

/// One pass through a run of layers.
using Passage = std::vector<PassageStep>;

class StreamWriter {
 public:
  explicit StreamWriter(RankProgram& rank) : rank_(rank) {}

  /// What the instructions that follow belong to.
  void set_slot(Work work, int micro_batch, int chunk) {
    slot_ = {.kind = InstructionKind::Compute,
             .work = work,
             .chunk = static_cast<std::int16_t>(chunk),
             .micro_batch = micro_batch};
  }

  void compute(Seconds duration, Activity activity) {
    if (duration <= Seconds()) return;
    Instruction instruction = make(InstructionKind::Compute, activity);
    instruction.duration = duration;
    append(Stream::Compute, instruction);
  }

  void call(const Passage& passage) {
    for (const PassageStep& step : passage) {
      if (step.operation >= 0) {
        join(Stream::Compute, Stream::Exchange, Activity::Other);
        collective(Stream::Exchange, step.group, step.activity, step.operation);
      }
      if (step.block >= 0) {
        append(Stream::Compute, make(InstructionKind::Call, Activity::Compute, step.block));
      }
      if (step.operation >= 0) join(Stream::Exchange, Stream::Compute, step.activity);
    }
  }

  void collective(Stream stream, Group group, Activity activity, int operation) {
    Instruction instruction = make(InstructionKind::Collective, activity, static_cast<int>(group));
    instruction.operation = operation;
    append(stream, instruction);
  }

  void message(Stream stream, InstructionKind kind, Group pair, int operation) {
    Instruction instruction = make(kind, Activity::PipelineCommunication, static_cast<int>(pair));
    instruction.operation = operation;
    append(stream, instruction);
  }

  void memory(InstructionKind kind, int tensor) {
    if (rank_.tensors[static_cast<std::size_t>(tensor)].size <= Bytes()) return;
    append(Stream::Compute, make(kind, Activity::Other, tensor));
  }

  /// A new event that `stream` records here.
  int record(Stream stream) {
    append(stream, make(InstructionKind::Record, Activity::Other, rank_.num_events));
    return rank_.num_events++;
  }

  void wait(Stream stream, int event, Activity activity) {
    append(stream, make(InstructionKind::Wait, activity, event));
  }

  /// `to` goes on only after what `from` has been given so far; the time it waits is `activity`'s.
  void join(Stream from, Stream to, Activity activity) { wait(to, record(from), activity); }

 private:
  Instruction make(InstructionKind kind, Activity activity, int index = 0) const {
    Instruction instruction = slot_;
    instruction.kind = kind;
    instruction.activity = activity;
    instruction.index = index;
    return instruction;
  }
  void append(Stream stream, const Instruction& instruction) {
    rank_.stream(stream).push_back(instruction);
  }

  RankProgram& rank_;
  Instruction slot_{.kind = InstructionKind::Compute};
};

}  // namespace stepcast
