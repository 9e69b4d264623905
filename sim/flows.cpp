#include "sim/flows.h"

namespace stepcast {
namespace {

using Operations = std::set<int>;

// Notes what the instructions run on which communicator, and the blocks that they call.
void collect(const std::vector<Instruction>& instructions, std::vector<Operations>& used,
             std::set<int>& blocks) {
  for (const Instruction& instruction : instructions) {
    if (instruction.kind == InstructionKind::Call) blocks.insert(instruction.index);
    if (instruction.operation < 0) continue;
    const auto local = static_cast<std::size_t>(instruction.index);
    if (used.size() <= local) used.resize(local + 1);
    used[local].insert(instruction.operation);
  }
}

void plan_transfers(CommunicatorFlows& flows, const Communicator& communicator,
                    const Operations& used, const StepProgram& program, const Placement& placement,
                    const Cluster& cluster, const NetworkProfile& network) {
  const auto operation = [&](int i) -> const Operation& {
    return program.operations[static_cast<std::size_t>(i)];
  };
  const GroupLayout layout = communicator_layout(communicator, placement, cluster);
  flows.stays_in_memory = communicator.kind == CommunicatorKind::HostMemory;
  flows.links = layout.ring;
  flows.transfers.resize(program.operations.size());
  for (const int i : used) {
    flows.transfers[static_cast<std::size_t>(i)] =
        plan_transfer(operation(i).kind, operation(i).message, layout, network);
  }
}

GroupLayout layout_of(CommunicatorKind kind, const std::vector<GpuId>& gpus,
                      const Cluster& cluster) {
  switch (kind) {
    case CommunicatorKind::Group:
      return layout_group(cluster, gpus);
    case CommunicatorKind::Pair:
      return layout_pair(cluster, gpus[0], gpus[1]);
    case CommunicatorKind::ToHost:
    case CommunicatorKind::FromHost:
      return layout_host_copy(cluster, gpus[0], kind == CommunicatorKind::ToHost);
    case CommunicatorKind::HostMemory:
      return layout_host_memory(cluster, gpus[0]);
  }
  return {};
}

}  // namespace

std::vector<Operations> operations_by_group(const RankProgram& rank) {
  std::vector<Operations> used;
  std::set<int> blocks;
  for (const auto& stream : rank.streams) collect(stream, used, blocks);
  for (const int block : blocks) {
    std::set<int> none;  // blocks call none
    collect(rank.blocks[static_cast<std::size_t>(block)].body, used, none);
  }
  return used;
}

GroupLayout communicator_layout(const Communicator& communicator, const Placement& placement,
                                const Cluster& cluster) {
  std::vector<GpuId> gpus;
  for (const int rank : communicator.ranks) {
    gpus.push_back(placement.gpu_of_rank[static_cast<std::size_t>(rank)]);
  }
  GroupLayout layout = layout_of(communicator.kind, gpus, cluster);
  if (communicator.over_replicas) {
    const int placed = placement.grid.degree(Axis::Data);
    layout.ranks = layout.ranks * placement.data_parallel() / placed;
    layout.nodes = layout.nodes * placement.data_parallel() / placed;
  }
  return layout;
}

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
