#include "sim/replicas.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "topology/tree_traffic.h"

namespace stepcast {
namespace {

// Replicas that fill whole nodes of every stage together.
struct Blocks {
  int replicas;   // of one block
  int nodes;      // of one block in one stage
  int per_stage;  // how many there are

  int nodes_per_stage() const { return nodes * per_stage; }
  int block_of(int node) const { return node % nodes_per_stage() / nodes; }
};

bool stages_in_a_row(const ParallelPlan& plan) {
  const std::optional<RankOrder> order = parse_rank_order(plan.rank_order);
  return order && (*order)[kNumAxes - 1] == Axis::Pipeline && (*order)[kNumAxes - 2] == Axis::Data;
}

// Its uplinks can never be the tightest links.
bool leaves_never_block(const FabricSpec& fabric) {
  switch (fabric.layout) {
    case FabricLayout::SingleSwitch:
      return true;
    case FabricLayout::RailOptimized:
    case FabricLayout::FatTree:
      return fabric.oversubscription <= 1.0 && fabric.equal_cost_paths == 0 &&
             (fabric.leaves_per_pod == 0 || fabric.pod_oversubscription <= 1.0);
    case FabricLayout::Dragonfly:
    case FabricLayout::Torus:
      break;
  }
  return false;
}

// Another job on rails is on every node alike; between two GPUs it is not.
bool alike_on_all_nodes(const std::vector<BackgroundTraffic>& background) {
  return std::all_of(background.begin(), background.end(),
                     [](const BackgroundTraffic& traffic) { return traffic.from < 0; });
}

int gpus_in_use(const ClusterSpec& cluster) {
  return cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
}

// Whether groups over replicas are of one stage and send rings and trees only: compressed gradients
// go from each rank to all, and opposite pipelines sum those of two stages.
bool simple_data_groups(const ParallelPlan& plan) {
  return plan.shard_group == 0 && !plan.gradient_compression && plan.schedule != Schedule::DualPipe;
}

std::optional<Blocks> blocks_of(const ParallelPlan& plan, const ClusterSpec& cluster) {
  if (!leaves_never_block(cluster.fabric) || !alike_on_all_nodes(cluster.background) ||
      !stages_in_a_row(plan) || !simple_data_groups(plan)) {
    return std::nullopt;
  }
  const int gpus = gpus_in_use(cluster);
  const int replica = plan.tensor_parallel * plan.context_parallel;
  const int experts = plan.expert_parallel * std::max(1, plan.expert_tensor_parallel);
  for (int few = 1; few <= plan.data_parallel; ++few) {
    if (plan.data_parallel % few != 0 || few * replica % gpus != 0) continue;
    if (few * replica % experts != 0) continue;  // a block holds all experts
    return Blocks{few, few * replica / gpus, plan.data_parallel / few};
  }
  return std::nullopt;
}

// The node that a link's name begins with ("node12/..."); -1 where the link is not inside one.
int node_of_link(std::string_view name) {
  constexpr std::string_view prefix = "node";
  if (!name.starts_with(prefix) || name.find("leaf") != name.npos) return -1;
  int node = -1;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), node);
  return node;
}

int node_of(const Fault& fault, const ClusterSpec& cluster) {
  return fault.gpu >= 0 ? fault.gpu / gpus_in_use(cluster) : node_of_link(fault.link);
}

// Nothing where a fault is in no node.
std::optional<std::set<int>> faulty_blocks(const ClusterSpec& cluster, const Blocks& blocks) {
  std::set<int> faulty;
  for (const Fault& fault : cluster.faults) {
    const int node = node_of(fault, cluster);
    if (node < 0) return std::nullopt;
    faulty.insert(blocks.block_of(node));
  }
  return faulty;
}

struct PlacedBlock {
  int number;
  int copies;
};

// How many nodes of a block the groups over replicas touch: one number for each way in which they
// lie there.
std::set<int> nodes_touched(const ParallelPlan& plan, const Blocks& blocks, int gpus) {
  const RankGrid grid = rank_grid(plan);
  const int replica = plan.tensor_parallel * plan.context_parallel;
  std::set<int> touched;
  for (int rank = 0; rank < replica; ++rank) {
    std::set<int> nodes;
    for (const int member : grid.group_of(rank, {Axis::Data, Axis::Context})) {
      nodes.insert(member / gpus);
    }
    touched.insert(static_cast<int>(nodes.size()) / blocks.per_stage);
  }
  return touched;
}

// How often a tree over all replicas enters each node of a block, for every such way: blocks that
// differ in it carry different traffic.
std::vector<int> tree_degrees(const Blocks& blocks, const std::set<int>& touched, int block) {
  std::vector<int> degrees;
  for (const int nodes : touched) {
    for (int i = 0; i < nodes; ++i) {
      degrees.push_back(tree_degree(block * nodes + i, blocks.per_stage * nodes));
    }
  }
  return degrees;
}

// Faulty blocks, one block of every kind of the others, and as many more as are needed for two
// replicas on two nodes, in order; the last of a kind stands for all of it that are left out.
std::vector<PlacedBlock> choose_blocks(const Blocks& blocks, const std::set<int>& faulty,
                                       const std::set<int>& touched) {
  std::map<std::vector<int>, std::vector<int>> healthy;
  for (int b = 0; b < blocks.per_stage; ++b) {
    if (!faulty.contains(b)) healthy[tree_degrees(blocks, touched, b)].push_back(b);
  }
  const std::size_t at_least = std::min(blocks.replicas, blocks.nodes) >= 2 ? 1 : 2;
  std::size_t missing = at_least - std::min(at_least, faulty.size() + healthy.size());
  std::vector<PlacedBlock> placed;
  for (const int b : faulty) placed.push_back({b, 1});
  for (const auto& [degrees, alike] : healthy) {
    std::size_t i = 0;
    for (; i + 1 < alike.size() && missing > 0; ++i, --missing) placed.push_back({alike[i], 1});
    placed.push_back({alike[i], static_cast<int>(alike.size() - i)});
  }
  std::sort(placed.begin(), placed.end(),
            [](const PlacedBlock& a, const PlacedBlock& b) { return a.number < b.number; });
  return placed;
}

// The same fault where its block has come to lie.
Fault moved(Fault fault, const std::vector<PlacedBlock>& placed, const Blocks& blocks,
            const ClusterSpec& cluster) {
  const int node = node_of(fault, cluster);
  const auto place = std::find_if(placed.begin(), placed.end(), [&](const PlacedBlock& block) {
    return block.number == blocks.block_of(node);
  });
  const int block = static_cast<int>(place - placed.begin());
  const int stage = node / blocks.nodes_per_stage();
  const int there =
      (stage * static_cast<int>(placed.size()) + block) * blocks.nodes + node % blocks.nodes;
  if (fault.gpu >= 0) {
    const int gpus = gpus_in_use(cluster);
    fault.gpu = there * gpus + fault.gpu % gpus;
  } else {
    fault.link = "node" + std::to_string(there) + fault.link.substr(fault.link.find('/'));
  }
  return fault;
}

}  // namespace

PlacedReplicas fewest_replicas(const ParallelPlan& plan, const ClusterSpec& cluster) {
  PlacedReplicas few{plan, cluster, {}};
  const std::optional<Blocks> blocks = blocks_of(plan, cluster);
  if (!blocks) return few;
  const std::optional<std::set<int>> faulty = faulty_blocks(cluster, *blocks);
  if (!faulty) return few;
  const std::vector<PlacedBlock> placed =
      choose_blocks(*blocks, *faulty, nodes_touched(plan, *blocks, gpus_in_use(cluster)));
  if (static_cast<int>(placed.size()) == blocks->per_stage) return few;
  for (const PlacedBlock& block : placed) {
    for (int i = 0; i < blocks->replicas; ++i) {
      few.replicas.push_back({block.number * blocks->replicas + i, block.copies});
    }
  }
  few.plan.data_parallel = static_cast<int>(few.replicas.size());
  few.cluster.nodes = cluster.nodes / blocks->per_stage * static_cast<int>(placed.size());
  few.cluster.fabric.layout = FabricLayout::SingleSwitch;
  for (Fault& fault : few.cluster.faults) fault = moved(fault, placed, *blocks, cluster);
  return few;
}

}  // namespace stepcast
