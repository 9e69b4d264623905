#include "models/chunk_pieces.h"

#include <algorithm>

#include "models/fine_tuning.h"
#include "models/layer_stash.h"

namespace stepcast {
namespace {

class ChunkBuilder {
 public:
  ChunkBuilder(const ModelShare& share, const StepContext& context, StepProgram& program,
               RankProgram& rank)
      : share_(share), context_(context), program_(program), rank_(rank) {}

  Passage block(Pass pass, const ModelShare& part, double slowdown = 1.0) const {
    return add_block(pass, part, slowdown, context_, program_, rank_);
  }
  std::vector<Piece> unit_pieces(Pass pass) const;
  std::vector<Piece> bucket_pieces(Pass pass) const;
  std::vector<Stash> add_stashes(HostTraffic& host) const;

 private:
  const ParallelPlan& plan() const { return context_.plan(); }
  Weights weights(const ModelShare& part) const { return weights_of(part, context_.work); }
  double beside_traffic() const {
    return 1.0 + context_.work.framework.communication.overlap_slowdown.value;
  }
  int layers_per_unit() const;
  int layers_per_bucket() const;

  const ModelShare& share_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
};

// Activations are offloaded layer by layer; gathers of ZeRO 3 may take several at a time.
int ChunkBuilder::layers_per_unit() const {
  const bool gathers = plan().zero_stage >= 3 && !plan().offload.activations;
  return gathers ? gather_units(context_.work).layers : 1;
}

int ChunkBuilder::layers_per_bucket() const {
  const bool experts = last_layer_kind(context_.job().model) == LayerKind::Expert;
  const Weights one = weights({.layers = !experts, .expert_layers = experts});
  const Bytes layer(gradient_reduce_bytes(context_.work) *
                    static_cast<double>(one.trained + one.expert_parameters));
  return std::max(1, static_cast<int>(reduce_bucket(context_) / layer));
}

// Embedding, units of layers and head one by one, in the order of the pass. The tables are gathered
// together with the first piece of a pass, as a framework's root unit is, and count there.
std::vector<Piece> ChunkBuilder::unit_pieces(Pass pass) const {
  const bool gathers = plan().zero_stage >= 3 && *plan().overlap_parameter_gather;
  const bool overlaps = gathers || (pass == Pass::Backward && overlaps_reduction(plan()));
  const double slowdown = overlaps ? beside_traffic() : 1.0;
  std::vector<Piece> pieces;
  ModelShare before;
  for (int first = 0; first < share_.all_layers(); first += layers_per_unit()) {
    const int count = std::min(layers_per_unit(), share_.all_layers() - first);
    const ModelShare unit = layers_of(share_, first, count);
    const bool known = unit == before;
    pieces.push_back(known ? pieces.back() : Piece{weights(unit), block(pass, unit, slowdown)});
    before = unit;
  }
  if (pass == Pass::Backward) std::reverse(pieces.begin(), pieces.end());
  const Piece embedding{{}, block(pass, {.embedding = share_.embedding}, slowdown)};
  const Piece head{{}, block(pass, {.head = share_.head}, slowdown)};
  pieces.insert(pieces.begin(), pass == Pass::Forward ? embedding : head);
  pieces.push_back(pass == Pass::Forward ? head : embedding);
  // Gathered before the first use, reduced after the last.
  const ModelShare root{.embedding = share_.embedding, .head = share_.head};
  Piece& with_root = pass == Pass::Forward ? pieces.front() : pieces.back();
  with_root = {weights(root), with_root.block};
  return pieces;
}

// Runs of layers that fill a bucket, in the order of the pass; the tables go with the ends.
std::vector<Piece> ChunkBuilder::bucket_pieces(Pass pass) const {
  const int bucket = layers_per_bucket();
  const bool forward = pass == Pass::Forward;
  std::vector<Piece> pieces;
  for (int left = share_.all_layers(); left > 0; left -= bucket) {
    const bool first = left == share_.all_layers();
    const bool last = left <= bucket;
    const int count = std::min(bucket, left);
    ModelShare part = layers_of(share_, forward ? share_.all_layers() - left : left - count, count);
    part.embedding = share_.embedding && (forward ? first : last);
    part.head = share_.head && (forward ? last : first);
    pieces.push_back({weights(part), block(pass, part, beside_traffic())});
  }
  return pieces;
}

// One for each forward piece; embedding and head keep nothing of their own.
std::vector<Stash> ChunkBuilder::add_stashes(HostTraffic& host) const {
  std::vector<Stash> stashes{host.add_stash(Bytes(), true)};
  for (int layer = 0; layer < share_.all_layers(); ++layer) {
    const Bytes size = stashed_activations(1, context_.work.of(share_.kind(layer)));
    stashes.push_back(host.add_stash(size, layer + 1 == share_.all_layers()));
  }
  stashes.push_back(host.add_stash(Bytes(), true));
  return stashes;
}

}  // namespace

Weights weights_of(const ModelShare& share, const WorkContext& context) {
  return {share_parameters(share, context), share_expert_parameters(share, context),
          trained_parameters(share, context)};
}

double owned_weights(const Weights& weights, const ParallelPlan& plan) {
  const bool sharded = plan.zero_stage > 0;
  const int shards = sharded ? shard_ranks(plan) : 1;
  const int expert_shards = sharded ? expert_data_group_size(plan) : 1;
  return static_cast<double>(weights.trained) / shards +
         static_cast<double>(weights.expert_parameters) / expert_shards;
}

bool runs_by_units(const ParallelPlan& plan) {
  return plan.zero_stage >= 3 || plan.offload.activations;
}

bool overlaps_reduction(const ParallelPlan& plan) {
  return data_group_size(plan) > 1 && *plan.overlap_gradient_reduce;
}

bool gathers_ahead(const ParallelPlan& plan) {
  const bool shards = plan.zero_stage == 1 || plan.zero_stage == 2;
  return shards && data_group_size(plan) > 1 && !plan.offload.activations &&
         *plan.overlap_parameter_gather;
}

Bytes reduce_bucket(const StepContext& context) {
  return context.plan().sharding.reduce_bucket.value_or(
      context.work.framework.communication.gradient_bucket);
}

Bytes gather_bucket(const StepContext& context) {
  return context.plan().sharding.gather_bucket.value_or(
      context.work.framework.communication.gradient_bucket);
}

ChunkBlocks build_chunk(const ModelShare& share, const StepContext& context, StepProgram& program,
                        RankProgram& rank, HostTraffic& host) {
  const ChunkBuilder builder(share, context, program, rank);
  ChunkBlocks blocks{};
  if (runs_by_units(context.plan())) {
    blocks.forward_pieces = builder.unit_pieces(Pass::Forward);
    blocks.backward_pieces = builder.unit_pieces(Pass::Backward);
    if (context.plan().offload.activations) blocks.stashes = builder.add_stashes(host);
    return blocks;
  }
  blocks.forward = builder.block(Pass::Forward, share);
  blocks.backward = builder.block(Pass::Backward, share);
  const bool splits = splits_backward(*context.plan().schedule);
  if (splits) {
    blocks.input_gradient = builder.block(Pass::InputGradient, share);
    blocks.weight_gradient = builder.block(Pass::WeightGradient, share);
  }
  if (overlaps_reduction(context.plan())) {
    blocks.backward_pieces = builder.bucket_pieces(splits ? Pass::WeightGradient : Pass::Backward);
  }
  if (gathers_ahead(context.plan())) blocks.forward_pieces = builder.bucket_pieces(Pass::Forward);
  return blocks;
}

}  // namespace stepcast
