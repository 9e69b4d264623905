#include "tests/support/generated_steps.h"

#include <algorithm>
#include <random>

namespace stepcast::test {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  int pick(std::initializer_list<int> choices) {
    return choices.begin()[engine_() % choices.size()];
  }
  bool once_in(unsigned n) { return engine_() % n == 0; }

 private:
  std::mt19937 engine_;  // its raw output is the same on every platform, unlike std's distributions
};

ClusterSpec cluster_for(int gpus, Dice& dice) {
  const int per_node = std::min(gpus, dice.pick({2, 4, 8}));
  ClusterSpec spec =
      small_cluster(gpus / per_node, per_node, std::min(per_node, dice.pick({1, 2, 4, 8})));
  spec.fabric.layout = dice.once_in(2) ? FabricLayout::RailOptimized : FabricLayout::FatTree;
  spec.fabric.nodes_per_leaf = dice.pick({2, 3, 8});
  spec.fabric.oversubscription = dice.pick({1, 2, 4});
  if (dice.once_in(4))
    spec.faults.push_back({.gpu = dice.pick({0, 1}), .rate = 0.8, .link = {}, .bandwidth = {}});
  return spec;
}

TrainingJob job_for(const PlanShape& shape, Dice& dice) {
  TrainingJob job = small_job(shape);
  job.plan.sequence_parallel = shape.tensor > 1 && dice.once_in(2);
  job.plan.recompute = dice.once_in(2) ? Recompute::Full : Recompute::None;
  job.plan.overlap_gradient_reduce = dice.once_in(2);
  job.plan.zero_stage = dice.pick({0, 1});
  if (shape.pipeline == 1 && dice.once_in(3)) job.plan.zero_stage = dice.pick({2, 3});
  job.plan.overlap_parameter_gather = dice.once_in(2);
  if (shape.pipeline > 1 && dice.once_in(3)) job.plan.schedule = Schedule::GPipe;
  if (shape.pipeline > 1 && shape.pipeline <= 4 && dice.once_in(3)) {
    job.plan.schedule = Schedule::Interleaved;
    job.plan.virtual_pipeline = 2;
  }
  return job;
}

}  // namespace

GeneratedStep generate_step(unsigned seed) {
  Dice dice(seed);
  PlanShape shape{.tensor = dice.pick({1, 2, 4}),
                  .pipeline = dice.pick({1, 1, 2, 4}),
                  .data = dice.pick({1, 2, 3, 4}),
                  .micro_batches = 4};
  if (shape.tensor * shape.pipeline * shape.data % 2 != 0) shape.tensor *= 2;
  if (shape.data == 3) shape.data = 6;  // a ring that fits no node boundary, on nodes of even size
  const int gpus = shape.tensor * shape.pipeline * shape.data;
  GeneratedStep step{job_for(shape, dice), small_cluster(1, 2, 1), plain_profile()};
  step.cluster = cluster_for(gpus, dice);
  if (gpus % step.cluster.node.gpus != 0) step.cluster = cluster_for(gpus, dice);
  while (gpus % step.cluster.node.gpus != 0) step.cluster = small_cluster(gpus / 2, 2, 1);
  return step;
}

}  // namespace stepcast::test
