#include "sim/flows.h"

#include <algorithm>

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
  const bool all_to_all = std::any_of(used.begin(), used.end(), [&](int i) {
    return operation(i).kind == CollectiveKind::AllToAll;
  });
  const GroupLayout layout = communicator_layout(communicator, placement, cluster, all_to_all);
  flows.stays_in_memory = communicator.kind == CommunicatorKind::HostMemory;
  flows.transfers.resize(program.operations.size());
  for (const int i : used) {
    Transfer& transfer = flows.transfers[static_cast<std::size_t>(i)];
    transfer = plan_transfer(operation(i).kind, operation(i).message, layout, network);
    if (transfer.bytes == Bytes()) continue;
    flows.links[index(transfer.traffic)] = layout.of(transfer.traffic).links;
  }
}

void add_node(std::vector<int>& ascending, int node) {
  if (ascending.empty() || ascending.back() != node) ascending.push_back(node);
}

// Where the nodes of a group over replicas stand among those of the whole job: few replicas are
// placed. A group's ranks are in order, those of its first replica (a context group's) first.
NodesOfGroup nodes_of_group(const Communicator& communicator, const Placement& placement,
                            const Cluster& cluster) {
  NodesOfGroup nodes;
  if (placement.replicas.empty()) return nodes;
  const int gpus = cluster.gpus_per_node();
  std::vector<int> placed;
  for (const int rank : communicator.ranks) {
    add_node(placed, placement.number_in_job(rank) / gpus);
  }
  const auto of_one_replica =
      static_cast<std::ptrdiff_t>(communicator.ranks.size()) / placement.grid.degree(Axis::Data);
  const std::vector<int> first(communicator.ranks.begin(),
                               communicator.ranks.begin() + of_one_replica);
  std::vector<int> all;
  for (int replica = 0; replica < placement.data_parallel(); ++replica) {
    for (const int rank : first) add_node(all, placement.number_in_replica(rank, replica) / gpus);
  }
  nodes.total = static_cast<int>(all.size());
  for (const int node : placed) {
    const auto place = std::lower_bound(all.begin(), all.end(), node);
    nodes.number.push_back(static_cast<int>(place - all.begin()));
  }
  return nodes;
}

GroupLayout layout_of(CommunicatorKind kind, const std::vector<GpuId>& gpus, const Cluster& cluster,
                      bool all_to_all, const NodesOfGroup& nodes) {
  switch (kind) {
    case CommunicatorKind::Group:
      return layout_group(cluster, gpus, all_to_all, nodes);
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
                                const Cluster& cluster, bool all_to_all) {
  std::vector<GpuId> gpus;
  for (const int rank : communicator.ranks) {
    gpus.push_back(placement.gpu_of_rank[static_cast<std::size_t>(rank)]);
  }
  const NodesOfGroup nodes = communicator.over_replicas
                                 ? nodes_of_group(communicator, placement, cluster)
                                 : NodesOfGroup{};
  GroupLayout layout = layout_of(communicator.kind, gpus, cluster, all_to_all, nodes);
  if (nodes.total > 0) {
    layout.ranks = layout.ranks / placement.grid.degree(Axis::Data) * placement.data_parallel();
    layout.nodes = nodes.total;
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
