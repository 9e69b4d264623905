#include "sim/collective_run.h"

#include <numeric>

#include "base/contract.h"
#include "sim/folding.h"

namespace stepcast {
namespace {

void append(RankProgram& rank, Stream stream, InstructionKind kind, int communicator) {
  rank.stream(stream).push_back(
      {.kind = kind, .activity = Activity::Other, .index = communicator, .operation = 0});
}

void join_all(StepProgram& program, int ranks) {
  append(program.programs[0], Stream::Compute, InstructionKind::Collective, 0);
  Communicator all;
  all.ranks.resize(static_cast<std::size_t>(ranks));
  std::iota(all.ranks.begin(), all.ranks.end(), 0);
  program.communicators.push_back(all);
  program.communicators_of_rank.assign(static_cast<std::size_t>(ranks), {0});
}

void pass_round(StepProgram& program, int ranks) {
  append(program.programs[0], Stream::SendForward, InstructionKind::Send, 0);
  append(program.programs[0], Stream::ReceiveForward, InstructionKind::Receive, 1);
  for (int rank = 0; rank < ranks; ++rank) {
    program.communicators.push_back({{rank, (rank + 1) % ranks}, CommunicatorKind::Pair});
    program.communicators_of_rank.push_back({rank, (rank + ranks - 1) % ranks});
  }
}

}  // namespace

StepProgram collective_program(CollectiveKind kind, Bytes message, int ranks) {
  STEPCAST_REQUIRES(ranks >= 1);
  StepProgram program;
  program.programs.resize(1);
  program.program_of_rank.assign(static_cast<std::size_t>(ranks), 0);
  program.operations.push_back({kind, message});
  if (kind == CollectiveKind::SendReceive && ranks > 1) {
    pass_round(program, ranks);
  } else {
    join_all(program, ranks);
  }
  return program;
}

Placement place_in_order(int ranks, const Cluster& cluster) {
  std::array<int, kNumAxes> degrees;
  degrees.fill(1);
  degrees[static_cast<std::size_t>(Axis::Data)] = ranks;
  return place_ranks(RankGrid(degrees, kMegatronOrder), cluster);
}

Seconds collective_time(CollectiveKind kind, Bytes message, const Cluster& cluster,
                        const NetworkProfile& network, EngineChoice engine) {
  const int ranks = cluster.num_gpus();
  const StepProgram program = collective_program(kind, message, ranks);
  const Placement placement = place_in_order(ranks, cluster);
  return run_engine(fold(program, placement, cluster, network), engine).timeline.end();
}

}  // namespace stepcast
