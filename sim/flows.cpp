#include "sim/flows.h"

#include <set>

namespace stepcast {
namespace {

using Operations = std::set<int>;

void collect(const std::vector<Instruction>& instructions, const RankProgram& rank,
             std::vector<Operations>& used) {
  for (const Instruction& instruction : instructions) {
    if (instruction.operation >= 0) {
      const auto local = static_cast<std::size_t>(instruction.index);
      if (used.size() <= local) used.resize(local + 1);
      used[local].insert(instruction.operation);
    }
    if (instruction.kind == InstructionKind::Call) {
      collect(rank.blocks[static_cast<std::size_t>(instruction.index)].body, rank, used);
    }
  }
}

// [local number] -> operations that the program runs on it.
std::vector<Operations> operations_by_group(const RankProgram& rank) {
  std::vector<Operations> used;
  for (const auto& stream : rank.streams) collect(stream, rank, used);
  return used;
}

GroupLayout layout_of(const Communicator& communicator, bool is_pair, const Placement& placement,
                      const Cluster& cluster) {
  std::vector<GpuId> gpus;
  for (const int rank : communicator.ranks) {
    gpus.push_back(placement.gpu_of_rank[static_cast<std::size_t>(rank)]);
  }
  GroupLayout layout =
      is_pair ? layout_pair(cluster, gpus[0], gpus[1]) : layout_group(cluster, gpus);
  if (communicator.over_replicas) {
    layout.ranks *= placement.copies;
    layout.nodes *= placement.copies;
  }
  return layout;
}

void plan_transfers(CommunicatorFlows& flows, const Communicator& communicator,
                    const Operations& used, const StepProgram& program, const Placement& placement,
                    const Cluster& cluster, const NetworkProfile& network) {
  const auto operation = [&](int i) -> const Operation& {
    return program.operations[static_cast<std::size_t>(i)];
  };
  const bool is_pair = operation(*used.begin()).kind == CollectiveKind::SendReceive;
  const GroupLayout layout = layout_of(communicator, is_pair, placement, cluster);
  flows.links = layout.ring;
  flows.transfers.resize(program.operations.size());
  for (const int i : used) {
    flows.transfers[static_cast<std::size_t>(i)] =
        plan_transfer(operation(i).kind, operation(i).message, layout, network);
  }
}

}  // namespace

std::vector<CommunicatorFlows> communicator_flows(const StepProgram& program,
                                                  const Placement& placement,
                                                  const Cluster& cluster,
                                                  const NetworkProfile& network) {
  std::vector<std::vector<Operations>> used;
  for (const RankProgram& rank : program.programs) used.push_back(operations_by_group(rank));

  std::vector<CommunicatorFlows> flows(program.communicators.size());
  for (int rank = 0; rank < program.num_ranks(); ++rank) {
    const auto& by_group =
        used[static_cast<std::size_t>(program.program_of_rank[static_cast<std::size_t>(rank)])];
    const auto& own = program.communicators_of_rank[static_cast<std::size_t>(rank)];
    for (std::size_t local = 0; local < own.size() && local < by_group.size(); ++local) {
      if (own[local] < 0 || by_group[local].empty()) continue;
      const auto index = static_cast<std::size_t>(own[local]);
      if (flows[index].members.empty()) {
        plan_transfers(flows[index], program.communicators[index], by_group[local], program,
                       placement, cluster, network);
      }
      flows[index].members.push_back({rank, static_cast<int>(local)});
    }
  }
  return flows;
}

}  // namespace stepcast
