// Which pipeline stage holds which layers, as the plan says or as the framework deals them.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/contract.h"
#include "models/pipeline_schedule.h"
#include "models/training_job.h"

namespace stepcast {
namespace {

PipelineShape shape_of(const ParallelPlan& plan) {
  return {plan.pipeline_parallel, model_chunks(plan), 1};
}

int num_chunks(const ParallelPlan& plan) { return num_places(chunk_path(plan), shape_of(plan)); }

/// Layers in equal numbers. What does not divide goes to the middle, so that the edge stages, which
/// also hold embedding and head, have no more than others.
/// Embedding and loss may count as a layer each: their chunks then have one less.
/// Source: Megatron-LM, account_for_embedding_in_pipeline_split and account_for_loss_...
std::vector<int> split_evenly(const TrainingJob& job, int chunks) {
  const ParallelPlan& plan = job.plan;
  const int layers =
      job.model.num_layers + plan.embedding_counts_as_layer + plan.loss_counts_as_layer;
  std::vector<int> split(static_cast<std::size_t>(chunks), layers / chunks);
  const int remainder = layers % chunks;
  const auto first = split.begin() + (chunks - remainder) / 2;
  std::for_each(first, first + remainder, [](int& count) { ++count; });
  split.front() -= plan.embedding_counts_as_layer;
  split.back() -= plan.loss_counts_as_layer;
  return split;
}

struct CostSplit {
  std::vector<int> layers;
  int head_chunk = 0;
};

// What a chunk may lack of its share and still be closed.
constexpr std::int64_t tolerance_percent = 1;

/// Blocks are dealt in order, and chunk i is closed once the running total has reached
/// total (i + 1) / chunks, within one percent. It overshoots, so the last chunks may stay empty.
/// A layer costs 4 h^2 + 3 h f, the head vocabulary x h, the embedding nothing.
/// Source: deduced from nanotron's measured peak memory; its bias by stages vanishes so. The
/// percent is deduced from step times: 32 layers of a model whose head costs 2.2 layers run on 16
/// and 32 stages as if the head had a stage of its own, which an exact total misses by 0.2 %.
CostSplit split_by_cost(const Transformer& model, int chunks) {
  const std::int64_t hidden = model.hidden_size;
  const std::int64_t layer = 4 * hidden * hidden + 3 * hidden * model.ffn_hidden_size;
  const std::int64_t head = model.vocab_size * hidden;
  const std::int64_t total = model.num_layers * layer + head;
  CostSplit split{std::vector<int>(static_cast<std::size_t>(chunks), 0)};
  int chunk = 0;
  std::int64_t dealt = 0;
  for (int i = 0; i < model.num_layers; ++i) {
    ++split.layers[static_cast<std::size_t>(chunk)];
    dealt += layer;
    const bool reached = 100 * dealt * chunks >= (100 - tolerance_percent) * total * (chunk + 1);
    if (reached && chunk + 1 < chunks) ++chunk;
  }
  split.head_chunk = chunk;
  return split;
}

/// A stage's layers in equal numbers on its chunks.
std::vector<int> split_as_said(const ParallelPlan& plan) {
  STEPCAST_REQUIRES(std::ssize(plan.layers_per_stage) == plan.pipeline_parallel);
  const PipelineShape shape = shape_of(plan);
  std::vector<int> split(static_cast<std::size_t>(num_chunks(plan)));
  for (int chunk = 0; chunk < plan.virtual_pipeline; ++chunk) {
    for (int stage = 0; stage < shape.stages; ++stage) {
      split[static_cast<std::size_t>(place_of(chunk_path(plan), shape, stage, chunk))] =
          plan.layers_per_stage[static_cast<std::size_t>(stage)] / plan.virtual_pipeline;
    }
  }
  return split;
}

bool dealt_by_cost(const ParallelPlan& plan, const FrameworkProfile& framework) {
  return plan.layers_per_stage.empty() && framework.layer_split == LayerSplit::ByCost;
}

}  // namespace

std::vector<int> layers_per_chunk(const TrainingJob& job, const FrameworkProfile& framework) {
  if (!job.plan.layers_per_stage.empty()) return split_as_said(job.plan);
  const int chunks = num_chunks(job.plan);
  switch (framework.layer_split) {
    case LayerSplit::Even:
      return split_evenly(job, chunks);
    case LayerSplit::ByCost:
      return split_by_cost(job.model, chunks).layers;
  }
  STEPCAST_REQUIRES(false && "every layer split deals layers");
  return {};
}

int head_place(const TrainingJob& job, const FrameworkProfile& framework) {
  const int places = num_chunks(job.plan);
  return dealt_by_cost(job.plan, framework) ? split_by_cost(job.model, places).head_chunk
                                            : places - 1;
}

int head_stage(const TrainingJob& job, const FrameworkProfile& framework) {
  const int place = head_place(job, framework);
  const int stages = job.plan.pipeline_parallel;
  const bool on_the_way_up = chunk_path(job.plan) == ChunkPath::Vee && place >= stages;
  return on_the_way_up ? 2 * stages - 1 - place : place % stages;
}

}  // namespace stepcast
