// The step program: what every rank does in one training step, in the form that both engines run.
// Like a CUDA program, a rank has streams that run their instructions in order, and events that
// order instructions across its streams; ranks meet in collectives and in matched sends and
// receives. There is no choice anywhere (no wait-any, no clock), so the order of everything is
// fixed: that is what folding and the analytic lower bound rest on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "models/collectives.h"

namespace stepcast {

/// What a stretch of a rank's time is spent on: the parts of the report's breakdown.
enum class Activity : std::uint8_t {
  Compute,
  TensorCommunication,
  ContextCommunication,
  ExpertCommunication,
  PipelineCommunication,
  PipelineBubble,
  DataCommunication,
  HostTransfer,
  Optimizer,
  Other,
};
inline constexpr int kNumActivities = 10;

enum class Stream : std::uint8_t {
  Compute,
  Data,
  SendForward,
  ReceiveForward,
  SendBackward,
  ReceiveBackward,
  HostToDevice,  ///< copies over PCIe
  DeviceToHost,
  HostCompute,    ///< what the host's cores do for this rank
  SendForwardUp,  ///< messages of model chunks that run from the last stage to the first
  ReceiveForwardUp,
  SendBackwardUp,
  ReceiveBackwardUp,
  Exchange  ///< a layer's collectives that run beside its compute
};
inline constexpr int kNumStreams = 14;

/// What an instruction belongs to, for timelines and traces.
enum class Work : std::uint8_t {
  Forward,
  Backward,
  InputGradient,  ///< the halves of a backward pass, where the schedule splits it
  WeightGradient,
  GradientReduce,
  ParameterGather,
  GradientNorm,
  OptimizerStep,
  Setup
};

enum class InstructionKind : std::uint8_t {
  Compute,     ///< busy for `duration`
  Collective,  ///< `operation` on the rank's communicator `index`, together with its other members
  Send,        ///< `operation` to the other end of the directed pair `index`
  Receive,     ///< the matching end
  Record,      ///< event `index` has happened
  Wait,        ///< until event `index` has happened; `activity` says what for
  Allocate,    ///< tensor `index` of the rank's table comes to life
  Free,        ///< one such tensor ends
  Call,        ///< the rank's block `index`
};

struct Instruction {
  InstructionKind kind;
  Activity activity = Activity::Other;
  Work work = Work::Setup;
  std::int16_t chunk = 0;
  std::int32_t micro_batch = -1;
  std::int32_t index = 0;       ///< event, tensor, block, or local number of the communicator
  std::int32_t operation = -1;  ///< StepProgram::operations
  Seconds duration{};
};

/// Something that comes to life or ends inside a block; engines have nothing to do with it.
struct BlockAllocation {
  std::int32_t before;   ///< place in the body; the body's length: at its end
  InstructionKind kind;  ///< Allocate or Free
  std::int32_t tensor;   ///< of the rank's table
};

/// A straight run of Compute and Collective instructions that nothing outside the rank's group
/// looks into: one layer's forward pass, or forty. Written once, called often. An engine may run it
/// instruction by instruction or, where nothing can slow it, as one duration.
struct Block {
  std::vector<Instruction> body;
  std::vector<BlockAllocation> allocations;  ///< in order of `before`
};

enum class MemoryPart : std::uint8_t {
  Weights,
  Gradients,
  Optimizer,
  Activations,
  Logits,
  Temporary,
  Workspace,
  Context,
  Fragmentation  ///< reserved by the caching allocator beyond the tensors
};
inline constexpr int kNumMemoryParts = 9;

/// `count` equal tensors that live and die together.
struct TensorShape {
  MemoryPart part;
  Bytes size;            ///< of one
  bool on_host = false;  ///< in the node's memory instead of the GPU's
  int count = 1;
  double likelihood = 1.0;  ///< that the framework keeps them at all; below 1/2 the peak is without

  Bytes total() const { return size * count; }
};

/// One rank's text. Ranks that do the same share one.
struct RankProgram {
  std::array<std::vector<Instruction>, kNumStreams> streams;
  int num_events = 0;
  std::vector<Block> blocks;
  std::vector<TensorShape> tensors;
  std::array<Bytes, kNumMemoryParts> resident{};       ///< alive for the whole step, by part
  int resident_tensors = 1;                            ///< that each of these consists of
  Bytes outside_allocator;                             ///< CUDA context and communicators' buffers
  std::array<Bytes, kNumMemoryParts> host_resident{};  ///< the same in the node's memory

  std::vector<Instruction>& stream(Stream s) { return streams[static_cast<std::size_t>(s)]; }
  const std::vector<Instruction>& stream(Stream s) const {
    return streams[static_cast<std::size_t>(s)];
  }
};

/// A collective call or a message: the same for every member.
struct Operation {
  CollectiveKind kind;
  Bytes message;
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// What a communicator's flows run over. The last three belong to one rank: its way to the memory
/// of its socket and back, and that memory itself. A HostCopy or HostCompute of the design is a
/// collective of such a group of one, so that engines, folding and search need no case for it.
enum class CommunicatorKind : std::uint8_t { Group, Pair, ToHost, FromHost, HostMemory };

/// A group, a directed pair (sender first), or one rank's way to its host.
struct Communicator {
  std::vector<int> ranks;
  CommunicatorKind kind = CommunicatorKind::Group;
  bool over_replicas = false;  ///< of data-parallel ranks: the job may have more (Placement)
};

struct StepProgram {
  std::vector<RankProgram> programs;
  std::vector<int> program_of_rank;
  std::vector<Operation> operations;
  std::vector<Communicator> communicators;
  std::vector<std::vector<int>> communicators_of_rank;  ///< [rank][local number] -> communicator

  int num_ranks() const { return static_cast<int>(program_of_rank.size()); }
};

std::string_view word(Activity activity);  ///< the breakdown's key: "tensor_communication"
std::string_view word(Stream stream);
std::string_view word(Work work);
std::string_view word(MemoryPart part);

}  // namespace stepcast
