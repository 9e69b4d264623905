#include "models/gradient_steps.h"

#include <algorithm>
#include <cmath>

#include "models/fine_tuning.h"
#include "models/gradient_compression.h"
#include "models/kernels.h"
#include "models/layer_stash.h"

namespace stepcast {
namespace {

int messages_of(Bytes size, Bytes bucket) {
  return bucket > Bytes() ? std::max(1, static_cast<int>(std::ceil(size / bucket))) : 1;
}

Bytes reduce_bucket(const StepContext& context) {
  return context.plan().sharding.reduce_bucket.value_or(
      context.work.framework.communication.gradient_bucket);
}

Bytes gather_bucket(const StepContext& context) {
  return context.plan().sharding.gather_bucket.value_or(
      context.work.framework.communication.gradient_bucket);
}

// Of the gather after an update: frameworks without buckets gather matrix by matrix.
Bytes update_bucket(const StepContext& context, Bytes parameters, int layers) {
  const int matrices = context.work.framework.communication.gathered_matrices_per_layer;
  if (matrices == 0 || layers == 0) return gather_bucket(context);
  const Bytes matrix(std::ceil(parameters.value() / (matrices * layers)));
  return context.plan().sharding.gather_bucket.value_or(matrix);
}

ModelShare all_chunks(const StageSite& site) {
  ModelShare all;
  for (const ModelShare& share : site.chunks) all = all + share;
  return all;
}

}  // namespace

GradientSteps::GradientSteps(const StageSite& site, const StepContext& context,
                             StepProgram& program, RankProgram& rank, StreamWriter& out)
    : site_(site),
      context_(context),
      program_(program),
      rank_(rank),
      out_(out),
      host_(context, program, rank, out) {
  for (const ModelShare& share : site.chunks) chunks_.push_back(build_chunk(share));
  if (site.path != ChunkPath::Opposed) return;
  for (std::size_t chunk = 0; chunk < 2; ++chunk) {
    chunks_[chunk].forward_with_other =
        add_pair(site.chunks[chunk], site.chunks[1 - chunk], context, program, rank);
  }
}

GradientSteps::ChunkBlocks GradientSteps::build_chunk(const ModelShare& share) {
  ChunkBlocks blocks{};
  if (shards_parameters() || offloads_activations()) {
    blocks.forward_pieces = unit_pieces(Pass::Forward, share);
    blocks.backward_pieces = unit_pieces(Pass::Backward, share);
    if (offloads_activations()) blocks.stashes = add_stashes(share);
    return blocks;
  }
  blocks.forward = add_block(Pass::Forward, share, 1.0, context_, program_, rank_);
  blocks.backward = add_block(Pass::Backward, share, 1.0, context_, program_, rank_);
  const bool splits = splits_backward(*context_.plan().schedule);
  if (splits) {
    blocks.input_gradient = add_block(Pass::InputGradient, share, 1.0, context_, program_, rank_);
    blocks.weight_gradient = add_block(Pass::WeightGradient, share, 1.0, context_, program_, rank_);
  }
  if (overlaps_reduction()) {
    blocks.backward_pieces = bucket_pieces(splits ? Pass::WeightGradient : Pass::Backward, share);
  }
  if (gathers_ahead()) blocks.forward_pieces = bucket_pieces(Pass::Forward, share);
  return blocks;
}

bool GradientSteps::overlaps_reduction() const {
  return data_ranks() > 1 && *context_.plan().overlap_gradient_reduce;
}

// Activations are offloaded layer by layer; gathers of ZeRO 3 may take several at a time.
int GradientSteps::layers_per_unit() const {
  return shards_parameters() && !offloads_activations() ? gather_units(context_.work).layers : 1;
}

// Embedding, units of layers and head one by one, in the order of the pass. The tables are gathered
// together with the first piece of a pass, as a framework's root unit is, and count there.
std::vector<GradientSteps::Piece> GradientSteps::unit_pieces(Pass pass, const ModelShare& share) {
  const bool overlaps =
      (shards_parameters() && gathers_beside()) || (pass == Pass::Backward && overlaps_reduction());
  const double slowdown =
      overlaps ? 1.0 + context_.work.framework.communication.overlap_slowdown.value : 1.0;
  const auto block = [&](const ModelShare& part) {
    return add_block(pass, part, slowdown, context_, program_, rank_);
  };
  std::vector<Piece> pieces;
  ModelShare before;
  for (int first = 0; first < share.all_layers(); first += layers_per_unit()) {
    const int count = std::min(layers_per_unit(), share.all_layers() - first);
    const ModelShare unit = layers_of(share, first, count);
    pieces.push_back(unit == before ? pieces.back() : Piece{weights_of(unit), block(unit)});
    before = unit;
  }
  if (pass == Pass::Backward) std::reverse(pieces.begin(), pieces.end());
  const Piece embedding{{}, block({.embedding = share.embedding})};
  const Piece head{{}, block({.head = share.head})};
  pieces.insert(pieces.begin(), pass == Pass::Forward ? embedding : head);
  pieces.push_back(pass == Pass::Forward ? head : embedding);
  // Gathered before the first use, reduced after the last.
  const ModelShare root{.embedding = share.embedding, .head = share.head};
  Piece& with_root = pass == Pass::Forward ? pieces.front() : pieces.back();
  with_root = {weights_of(root), with_root.block};
  return pieces;
}

// One for each forward piece; embedding and head keep nothing of their own.
std::vector<Stash> GradientSteps::add_stashes(const ModelShare& share) {
  std::vector<Stash> stashes{host_.add_stash(Bytes(), true)};
  for (int layer = 0; layer < share.layers; ++layer) {
    stashes.push_back(
        host_.add_stash(stashed_activations(1, context_.work), layer + 1 == share.layers));
  }
  stashes.push_back(host_.add_stash(Bytes(), true));
  return stashes;
}

// Frozen weights are neither reduced nor updated.
GradientSteps::Weights GradientSteps::with_gradients(const Weights& weights) {
  return {weights.trained, weights.expert_parameters, weights.trained};
}

GradientSteps::Weights GradientSteps::weights_of(const ModelShare& share) const {
  return {share_parameters(share, context_.work), share_expert_parameters(share, context_.work),
          trained_parameters(share, context_.work)};
}

int GradientSteps::layers_per_bucket() const {
  const bool experts = last_layer_kind(context_.job().model) == LayerKind::Expert;
  const Weights weights = weights_of({.layers = !experts, .expert_layers = experts});
  const Bytes layer(gradient_reduce_bytes(context_.work) *
                    static_cast<double>(weights.trained + weights.expert_parameters));
  return std::max(1, static_cast<int>(reduce_bucket(context_) / layer));
}

// Runs of layers that fill a bucket, in the order of the pass; the tables go with the ends.
std::vector<GradientSteps::Piece> GradientSteps::bucket_pieces(Pass pass, const ModelShare& share) {
  const double slowdown = 1.0 + context_.work.framework.communication.overlap_slowdown.value;
  const int bucket = layers_per_bucket();
  const bool forward = pass == Pass::Forward;
  std::vector<Piece> pieces;
  for (int left = share.all_layers(); left > 0; left -= bucket) {
    const bool first = left == share.all_layers();
    const bool last = left <= bucket;
    const int count = std::min(bucket, left);
    ModelShare part = layers_of(share, forward ? share.all_layers() - left : left - count, count);
    part.embedding = share.embedding && (forward ? first : last);
    part.head = share.head && (forward ? last : first);
    const Passage block = add_block(pass, part, slowdown, context_, program_, rank_);
    pieces.push_back({weights_of(part), block});
  }
  return pieces;
}

// Updated parameters are gathered beside the next step's first forward pass: every step begins with
// the gathers that its predecessor left to it.
bool GradientSteps::gathers_ahead() const {
  const int stage = context_.plan().zero_stage;
  return (stage == 1 || stage == 2) && data_ranks() > 1 && !offloads_activations() &&
         *context_.plan().overlap_parameter_gather;
}

bool GradientSteps::reduces_every_micro_batch() const {
  const int stage = context_.plan().zero_stage;
  return stage == 2 ||
         (stage == 3 && context_.work.framework.communication.zero3_reduce_each_micro_batch);
}

void GradientSteps::forward(const Slot& slot) {
  const ChunkBlocks& blocks = chunks_[static_cast<std::size_t>(slot.chunk)];
  if (shards_parameters() || offloads_activations()) {
    pass_by_units(Pass::Forward, blocks, slot, false);
  } else if (slot.micro_batch == 0 && !blocks.forward_pieces.empty()) {
    gathered_forward(blocks.forward_pieces);
  } else {
    out_.call(blocks.forward);
  }
}

void GradientSteps::backward(const Slot& slot, bool last_micro_batch) {
  const ChunkBlocks& blocks = chunks_[static_cast<std::size_t>(slot.chunk)];
  const ModelShare& share = site_.chunks[static_cast<std::size_t>(slot.chunk)];
  const bool reduce_now = last_micro_batch || reduces_every_micro_batch();
  if (slot.pass == Pass::InputGradient) {
    out_.call(blocks.input_gradient);
    return;
  }
  const bool by_units = shards_parameters() || offloads_activations();
  bool reduced = shards_parameters();
  if (by_units) {
    pass_by_units(Pass::Backward, blocks, slot, reduce_now);
    reduced = reduced || overlaps_reduction();
  } else if (reduce_now && !blocks.backward_pieces.empty()) {
    // Where the schedule splits backward passes, the pieces are the weights' half of one.
    const bool whole = slot.pass == Pass::Backward && !blocks.input_gradient.empty();
    if (whole) out_.call(blocks.input_gradient);
    overlapped_backward(blocks.backward_pieces, slot);
    reduced = true;
  } else {
    out_.call(slot.pass == Pass::WeightGradient ? blocks.weight_gradient : blocks.backward);
  }
  if (!reduced && context_.plan().zero_stage == 2) {
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
    reduce(weights_of(share), slot.micro_batch > 0);
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  }
  if (reduces_every_micro_batch() && !last_micro_batch) decompress();
  accumulate(share);
}

void GradientSteps::forward_and_backward(const Slot& forward, const Slot& backward) {
  out_.call(chunks_[static_cast<std::size_t>(forward.chunk)].forward_with_other);
  accumulate(site_.chunks[static_cast<std::size_t>(backward.chunk)]);
}

// Adds a micro-batch's gradients to those of the micro-batches before.
void GradientSteps::accumulate(const ModelShare& share) {
  if (site_.shape.micro_batches == 1) return;
  const Weights weights = weights_of(share);
  const bool shards = shards_parameters();
  const double added =
      static_cast<double>(weights.trained) / (shards ? shard_ranks(context_.plan()) : 1) +
      static_cast<double>(weights.expert_parameters) / (shards ? expert_ranks() : 1);
  const Bytes traffic(context_.work.framework.kernels.accumulation_traffic.value * added);
  out_.compute(memory_bound_time(traffic, context_.work.device), Activity::Compute);
}

// Of ZeRO 3: one communicator takes its messages one by one, so that all stand in one stream.
Stream GradientSteps::traffic_stream() const {
  return gathers_beside() || reduces_beside() ? Stream::Data : Stream::Compute;
}

// Unit by unit. Weights of ZeRO 3 are gathered no earlier than `ahead` units before their use, so
// that no more than that many are held besides the ones in use; gradients follow their unit.
void GradientSteps::pass_by_units(Pass pass, const ChunkBlocks& blocks, const Slot& slot,
                                  bool reduce) {
  const bool forward = pass == Pass::Forward;
  const std::vector<Piece>& pieces = forward ? blocks.forward_pieces : blocks.backward_pieces;
  const bool gathers =
      shards_parameters() && (forward || context_.plan().sharding.reshard_after_forward);
  const auto ahead = static_cast<std::size_t>(gather_units(context_.work).ahead);
  const bool beside = gathers_beside();
  std::vector<int> done, done_for_host;  // an event has one stream that waits for it
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (gathers) {
      const bool waits = i > ahead;
      if (waits && beside) out_.wait(Stream::Data, done[i - ahead - 1], Activity::Other);
      // A framework that hides nothing asks its host for weights when it needs them.
      const int ready = !beside ? out_.record(Stream::Compute)
                        : waits ? done_for_host[i - ahead - 1]
                                : -1;
      gather(pieces[i], ready);
    }
    if (shards_parameters() && reduce && i > 0) scatter_gradients(pieces[i - 1], slot);
    begin_unit(pass, blocks, i);
    out_.call(pieces[i].block);
    done.push_back(out_.record(Stream::Compute));
    done_for_host.push_back(out_.record(Stream::Compute));
    end_unit(pass, blocks, i);
    const bool overlapped = !shards_parameters() && overlaps_reduction();
    if (reduce && overlapped && pieces[i].trained > 0) {
      out_.join(Stream::Compute, Stream::Data, Activity::Other);
      this->reduce(pieces[i], slot.micro_batch > 0);
    }
  }
  if (reduce && shards_parameters()) scatter_gradients(pieces.back(), slot);
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

// `ready`: the event from which on the host may send its shard, -1 for at once.
void GradientSteps::gather(const Piece& piece, int ready) {
  const bool holds_weights = piece.parameters > 0;
  if (!holds_weights) return;
  const int shards = shard_ranks(context_.plan());
  const Bytes size(parameter_gather_bytes(context_.work) * static_cast<double>(piece.parameters));
  if (context_.plan().offload.parameters) {
    const Stream user = shards > 1 ? traffic_stream() : Stream::Compute;
    const Bytes whole(bytes_per_element(context_.job().precision) *
                      static_cast<double>(piece.parameters));
    host_.fetch_weights(whole / shards, ready, user);
  }
  if (shards == 1 && !shares_experts(piece)) return;
  const bool joins = traffic_stream() == Stream::Data;
  if (joins && !gathers_beside()) out_.join(Stream::Compute, Stream::Data, Activity::Other);
  if (shards > 1) {
    data_collective(traffic_stream(), CollectiveKind::AllGather, Group::Shard, size,
                    gather_units(context_.work).messages);
  }
  if (shares_experts(piece)) gather_experts(piece.expert_parameters);
  if (joins) out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  out_.compute(dequantization_time(piece.parameters, context_.work), Activity::Compute);
}

// From the ranks that hold the same ones.
void GradientSteps::gather_experts(std::int64_t parameters) {
  const Bytes size(parameter_gather_bytes(context_.work) * static_cast<double>(parameters));
  data_collective(traffic_stream(), CollectiveKind::AllGather, Group::ExpertData, size,
                  gather_units(context_.work).messages);
}

void GradientSteps::scatter_experts(std::int64_t parameters) {
  if (context_.plan().gradient_compression) {
    send_experts_compressed(traffic_stream(), parameters);
    return;
  }
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(parameters));
  data_collective(traffic_stream(), CollectiveKind::ReduceScatter, Group::ExpertData, size,
                  messages_of(size, reduce_bucket(context_)));
}

void GradientSteps::scatter_gradients(const Piece& piece, const Slot& slot) {
  if (piece.trained == 0) return;
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(piece.trained));
  const int shards = shard_ranks(context_.plan());
  const bool reduces = data_ranks() > 1 || shares_experts(piece);
  const bool joins = reduces && traffic_stream() == Stream::Data;
  if (joins) out_.join(Stream::Compute, Stream::Data, Activity::Other);
  if (shards > 1 && context_.plan().gradient_compression) {
    send_compressed(traffic_stream(), Group::Shard, piece.trained);
  } else if (shards > 1) {
    const bool in_buckets = context_.plan().sharding.reduce_bucket.has_value();
    data_collective(traffic_stream(), CollectiveKind::ReduceScatter, Group::Shard, size,
                    in_buckets ? messages_of(size, reduce_bucket(context_))
                               : gather_units(context_.work).messages);
  }
  if (shares_experts(piece)) scatter_experts(piece.expert_parameters);
  if (shards < data_ranks()) {
    data_collective(traffic_stream(), CollectiveKind::AllReduce, Group::Replica, size / shards, 1);
  }
  save_gradients(piece.trained, slot.micro_batch > 0 && reduces_every_micro_batch(),
                 reduces ? traffic_stream() : Stream::Compute);
  if (joins && !reduces_beside()) {
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  }
}

void GradientSteps::gathered_forward(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    everywhere(CollectiveKind::AllGather, parameter_gather_bytes(context_.work),
               with_gradients(piece), Bytes());
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
    out_.call(piece.block);
  }
}

void GradientSteps::overlapped_backward(const std::vector<Piece>& pieces, const Slot& slot) {
  for (const Piece& piece : pieces) {
    out_.call(piece.block);
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
    reduce(piece, slot.micro_batch > 0);
  }
}

// Gradients of weights over the data group, and of experts' over the ranks that hold the same
// experts: summed whole, or scattered where ZeRO shards the optimizer. `accumulates`: the host may
// hold those of earlier micro-batches.
void GradientSteps::reduce(const Weights& weights, bool accumulates) {
  const CollectiveKind kind =
      context_.plan().zero_stage > 0 ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce;
  if (context_.plan().gradient_compression) {
    if (data_ranks() > 1) send_compressed(Stream::Data, Group::Data, weights.trained);
    if (shares_experts(weights)) {
      send_experts_compressed(Stream::Data, weights.expert_parameters);
    }
  } else {
    everywhere(kind, gradient_reduce_bytes(context_.work), with_gradients(weights),
               reduce_bucket(context_));
  }
  save_gradients(weights.trained, accumulates && reduces_every_micro_batch(), Stream::Data);
}

// A collective over the weights that data ranks share, and one over the experts', in messages of a
// bucket; 0: whole.
void GradientSteps::everywhere(CollectiveKind kind, double bytes, const Weights& weights,
                               Bytes bucket) {
  const auto over = [&](Group group, int ranks, std::int64_t count) {
    if (ranks == 1 || count == 0) return;
    const Bytes size(bytes * static_cast<double>(count));
    data_collective(Stream::Data, kind, group, size, messages_of(size, bucket));
  };
  over(Group::Data, data_ranks(), weights.parameters);
  over(Group::ExpertData, expert_ranks(), weights.expert_parameters);
}

// Kernels that compress run on the compute stream in front of the messages; what comes back is
// decompressed after the micro-batch, the last one's once nothing is left to overlap with.
void GradientSteps::send_compressed(Stream stream, Group group, std::int64_t parameters) {
  send(compressed_reduction(parameters, context_.work), stream, group);
}

void GradientSteps::send_experts_compressed(Stream stream, std::int64_t parameters) {
  const TrainingJob job = job_of_experts(context_.job());
  const WorkContext of_experts{job, context_.work.framework, context_.work.device};
  send(compressed_reduction(parameters, of_experts), stream, Group::ExpertData);
}

void GradientSteps::send(const CompressedReduction& reduction, Stream stream, Group group) {
  out_.compute(reduction.before, Activity::Compute);
  if (stream != Stream::Compute) out_.join(Stream::Compute, stream, Activity::Other);
  for (const Operation& operation : reduction.sent) {
    out_.collective(stream, group, Activity::DataCommunication,
                    operation_index(program_, operation.kind, operation.message));
  }
  decompression_ += reduction.after;
}

void GradientSteps::save_gradients(std::int64_t parameters, bool accumulates, Stream from) {
  if (!context_.plan().offload.optimizer) return;
  const int shards = context_.plan().zero_stage > 0 ? shard_ranks(context_.plan()) : 1;
  const Bytes shard(static_cast<double>(parameters) * state_bytes(context_.work).gradient / shards);
  host_.save_gradients(shard, accumulates, from);
}

// `size` bytes in equal messages, one after the other.
void GradientSteps::data_collective(Stream stream, CollectiveKind kind, Group group, Bytes size,
                                    int messages) {
  const int operation = operation_index(program_, kind, size / messages);
  for (int i = 0; i < messages; ++i) {
    out_.collective(stream, group, Activity::DataCommunication, operation);
  }
}

void GradientSteps::finish() {
  out_.set_slot(Work::GradientReduce, -1, 0);
  const bool reduced_on_the_way =
      reduces_every_micro_batch() || shards_parameters() || overlaps_reduction();
  if (!reduced_on_the_way) {
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
    reduce(weights_of(all_chunks(site_)), false);
  }
  if (site_.shares_embedding && !context_.job().fine_tuning) {
    const double table = static_cast<double>(embedding_parameters(
        context_.job().model, padded_vocab(context_.job(), context_.work.framework)));
    const Bytes size(gradient_reduce_bytes(context_.work) * table /
                     context_.plan().tensor_parallel);
    out_.collective(Stream::Data, Group::Embedding, Activity::DataCommunication,
                    operation_index(program_, CollectiveKind::AllReduce, size));
  }
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  decompress();
}

// What came back since the last time.
void GradientSteps::decompress() {
  out_.compute(decompression_, Activity::Compute);
  decompression_ = Seconds();
}

void GradientSteps::host_update(std::int64_t parameters) {
  const int shards = context_.plan().zero_stage > 0 ? shard_ranks(context_.plan()) : 1;
  const Bytes updated(bytes_per_element(context_.job().precision) *
                      static_cast<double>(parameters) / shards);
  const bool weights_stay = context_.plan().offload.parameters;
  host_.update(parameters / shards, weights_stay ? Bytes() : updated,
               messages_of(updated * shards, gather_bucket(context_)));
}

void GradientSteps::gather_parameters() {
  const int stage = context_.plan().zero_stage;
  out_.set_slot(Work::ParameterGather, -1, 0);
  const Weights weights = weights_of(all_chunks(site_));
  const Offload& offload = context_.plan().offload;
  if (offload.parameters && !offload.optimizer) {
    const Bytes size(bytes_per_element(context_.job().precision) *
                     static_cast<double>(weights.trained));
    host_.save_weights(size / shard_ranks(context_.plan()));
  }
  if ((stage != 1 && stage != 2) || data_ranks() == 1 || gathers_ahead()) return;
  out_.join(Stream::Compute, Stream::Data, Activity::Other);
  const double bytes = parameter_gather_bytes(context_.work);
  const Bytes parameters(bytes * static_cast<double>(weights.trained));
  everywhere(CollectiveKind::AllGather, bytes, with_gradients(weights),
             update_bucket(context_, parameters, all_chunks(site_).all_layers()));
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
}

}  // namespace stepcast
