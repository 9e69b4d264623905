#include "models/gradient_steps.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/kernels.h"

namespace stepcast {
namespace {

// Of the gather after an update: frameworks without buckets gather matrix by matrix.
Bytes update_bucket(const StepContext& context, Bytes parameters, int layers) {
  const int matrices = context.work.framework.communication.gathered_matrices_per_layer;
  if (matrices == 0 || layers == 0) return gather_bucket(context);
  const Bytes matrix(std::ceil(parameters.value() / (matrices * layers)));
  return context.plan().sharding.gather_bucket.value_or(matrix);
}

}  // namespace

GradientSteps::GradientSteps(const StageSite& site, const StepContext& context,
                             StepProgram& program, RankProgram& rank, StreamWriter& out)
    : site_(site),
      context_(context),
      program_(program),
      rank_(rank),
      out_(out),
      host_(context, program, rank, out),
      traffic_(context, program, out, host_) {
  for (const ModelShare& share : site.chunks) {
    chunks_.push_back(build_chunk(share, context, program, rank, host_));
  }
  if (site.path != ChunkPath::Opposed) return;
  for (std::size_t chunk = 0; chunk < 2; ++chunk) {
    chunks_[chunk].forward_with_other =
        add_pair(site.chunks[chunk], site.chunks[1 - chunk], context, program, rank);
  }
}

bool GradientSteps::reduces_every_micro_batch() const {
  const int stage = plan().zero_stage;
  return stage == 2 ||
         (stage == 3 && context_.work.framework.communication.zero3_reduce_each_micro_batch);
}

void GradientSteps::forward(const Slot& slot) {
  const ChunkBlocks& blocks = blocks_of(slot);
  if (runs_by_units(plan())) {
    pass_by_units(Pass::Forward, slot, false);
  } else if (slot.micro_batch == 0 && !blocks.forward_pieces.empty()) {
    gathered_forward(blocks.forward_pieces);
  } else {
    out_.call(blocks.forward);
  }
}

void GradientSteps::gathered_forward(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    traffic_.gather(piece, Bytes());
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
    out_.call(piece.block);
  }
}

void GradientSteps::backward(const Slot& slot, bool last_micro_batch) {
  if (slot.pass == Pass::InputGradient) {
    out_.call(blocks_of(slot).input_gradient);
    return;
  }
  const bool reduced = backward_pass(slot, last_micro_batch || reduces_every_micro_batch());
  if (!reduced && plan().zero_stage == 2) {
    reduce_behind(weights_of(share_of(slot), context_.work), accumulates(slot));
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  }
  if (reduces_every_micro_batch() && !last_micro_batch) traffic_.decompress();
  accumulate(share_of(slot));
}

// Returns whether the gradients went with it.
bool GradientSteps::backward_pass(const Slot& slot, bool reduce) {
  const ChunkBlocks& blocks = blocks_of(slot);
  if (runs_by_units(plan())) {
    pass_by_units(Pass::Backward, slot, reduce);
    return shards_parameters() || overlaps_reduction(plan());
  }
  if (reduce && !blocks.backward_pieces.empty()) {
    // Where the schedule splits backward passes, the pieces are the weights' half of one.
    const bool whole = slot.pass == Pass::Backward && !blocks.input_gradient.empty();
    if (whole) out_.call(blocks.input_gradient);
    overlapped_backward(blocks.backward_pieces, slot);
    return true;
  }
  out_.call(slot.pass == Pass::WeightGradient ? blocks.weight_gradient : blocks.backward);
  return false;
}

void GradientSteps::overlapped_backward(const std::vector<Piece>& pieces, const Slot& slot) {
  for (const Piece& piece : pieces) {
    out_.call(piece.block);
    reduce_behind(piece, accumulates(slot));
  }
}

void GradientSteps::reduce_behind(const Weights& weights, bool accumulates) {
  out_.join(Stream::Compute, Stream::Data, Activity::Other);
  traffic_.reduce(weights, accumulates);
}

void GradientSteps::forward_and_backward(const Slot& forward, const Slot& backward) {
  out_.call(blocks_of(forward).forward_with_other);
  accumulate(share_of(backward));
}

// Adds a micro-batch's gradients to those of the micro-batches before.
void GradientSteps::accumulate(const ModelShare& share) {
  if (site_.shape.micro_batches == 1) return;
  const Weights weights = weights_of(share, context_.work);
  const int shards = shards_parameters() ? shard_ranks(plan()) : 1;
  const int expert_shards = shards_parameters() ? expert_data_group_size(plan()) : 1;
  const double added = static_cast<double>(weights.trained) / shards +
                       static_cast<double>(weights.expert_parameters) / expert_shards;
  const Bytes traffic(context_.work.framework.kernels.accumulation_traffic.value * added);
  out_.compute(memory_bound_time(traffic, context_.work.device), Activity::Compute);
}

// Unit by unit. Weights of ZeRO 3 are gathered no earlier than `ahead` units before their use, so
// that no more than that many are held besides the ones in use; gradients follow their unit.
void GradientSteps::pass_by_units(Pass pass, const Slot& slot, bool reduce) {
  const ChunkBlocks& blocks = blocks_of(slot);
  const bool forward = pass == Pass::Forward;
  const std::vector<Piece>& pieces = forward ? blocks.forward_pieces : blocks.backward_pieces;
  const bool gathers = shards_parameters() && (forward || plan().sharding.reshard_after_forward);
  const auto ahead = static_cast<std::size_t>(gather_units(context_.work).ahead);
  const bool beside = *plan().overlap_parameter_gather;
  std::vector<int> done, done_for_host;  // an event has one stream that waits for it
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (gathers) {
      const bool waits = i > ahead;
      if (waits && beside) out_.wait(Stream::Data, done[i - ahead - 1], Activity::Other);
      // A framework that hides nothing asks its host for weights when it needs them.
      const int ready = !beside ? out_.record(Stream::Compute)
                        : waits ? done_for_host[i - ahead - 1]
                                : -1;
      traffic_.gather_unit(pieces[i], ready);
    }
    if (shards_parameters() && reduce && i > 0) {
      traffic_.scatter_unit(pieces[i - 1], accumulates(slot));
    }
    begin_unit(pass, blocks, i);
    out_.call(pieces[i].block);
    done.push_back(out_.record(Stream::Compute));
    done_for_host.push_back(out_.record(Stream::Compute));
    end_unit(pass, blocks, i);
    const bool overlapped = !shards_parameters() && overlaps_reduction(plan());
    if (reduce && overlapped && pieces[i].trained > 0) reduce_behind(pieces[i], accumulates(slot));
  }
  if (reduce && shards_parameters()) traffic_.scatter_unit(pieces.back(), accumulates(slot));
}

void GradientSteps::begin_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit) {
  if (blocks.stashes.empty()) return;
  const std::size_t last = blocks.stashes.size() - 1;
  if (pass == Pass::Forward) {
    host_.begin_forward(blocks.stashes[unit]);
  } else {
    const Stash* const next = unit < last ? &blocks.stashes[last - unit - 1] : nullptr;
    host_.begin_backward(blocks.stashes[last - unit], next);
  }
}

void GradientSteps::end_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit) {
  if (blocks.stashes.empty()) return;
  if (pass == Pass::Forward) {
    host_.end_forward(blocks.stashes[unit]);
  } else {
    host_.end_backward(blocks.stashes[blocks.stashes.size() - 1 - unit]);
  }
}

void GradientSteps::finish() {
  out_.set_slot(Work::GradientReduce, -1, 0);
  const bool reduced_on_the_way =
      reduces_every_micro_batch() || shards_parameters() || overlaps_reduction(plan());
  std::optional<int> bucket;
  if (!reduced_on_the_way) bucket = reduce_the_rest();
  if (site_.shares_embedding && !context_.job().fine_tuning) reduce_shared_table();
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  if (bucket) out_.memory(InstructionKind::Free, *bucket);
  traffic_.decompress();
}

// Returns the tensor of the bucket that gradients are copied to for it.
int GradientSteps::reduce_the_rest() {
  const Weights weights = weights_of(site_.all_chunks(), context_.work);
  const bool with_experts = expert_data_group_size(plan()) > 1;
  const std::int64_t most = std::max(weights.trained, with_experts ? weights.expert_parameters : 0);
  const int bucket = static_cast<int>(rank_.tensors.size());
  rank_.tensors.push_back(
      {.part = MemoryPart::Gradients, .size = reduction_bucket(most, context_.work)});
  out_.memory(InstructionKind::Allocate, bucket);
  reduce_behind(weights, false);
  return bucket;
}

void GradientSteps::reduce_shared_table() {
  const double table = static_cast<double>(embedding_parameters(
      context_.job().model, padded_vocab(context_.job(), context_.work.framework)));
  const Bytes size(gradient_reduce_bytes(context_.work) * table / plan().tensor_parallel);
  out_.collective(Stream::Data, Group::Embedding, Activity::DataCommunication,
                  operation_index(program_, CollectiveKind::AllReduce, size));
}

void GradientSteps::host_update() {
  const Weights weights = weights_of(site_.all_chunks(), context_.work);
  const double bytes = bytes_per_element(context_.job().precision);
  const double owned = owned_weights(weights, plan());
  const Bytes whole(bytes * static_cast<double>(weights.trained + weights.expert_parameters));
  const bool weights_stay = plan().offload.parameters;
  host_.update(owned, weights_stay ? Bytes() : Bytes(bytes * owned),
               messages_of(whole, gather_bucket(context_)));
}

void GradientSteps::gather_parameters() {
  out_.set_slot(Work::ParameterGather, -1, 0);
  const Weights weights = weights_of(site_.all_chunks(), context_.work);
  if (plan().offload.parameters && !plan().offload.optimizer) {
    const double bytes = bytes_per_element(context_.job().precision);
    host_.save_weights(Bytes(bytes * owned_weights(weights, plan())));
  }
  const bool sharded = plan().zero_stage == 1 || plan().zero_stage == 2;
  if (!sharded || data_group_size(plan()) == 1 || gathers_ahead(plan())) return;
  out_.join(Stream::Compute, Stream::Data, Activity::Other);
  const Bytes parameters(parameter_gather_bytes(context_.work) *
                         static_cast<double>(weights.trained));
  traffic_.gather(weights, update_bucket(context_, parameters, site_.all_chunks().all_layers()));
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
}

}  // namespace stepcast
