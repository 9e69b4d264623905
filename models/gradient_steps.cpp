#include "models/gradient_steps.h"

#include <algorithm>
#include <cmath>

namespace stepcast {
namespace {

// How many layers ZeRO 3 gathers ahead of the one in use.
constexpr std::size_t kPrefetchedLayers = 1;

}  // namespace

GradientSteps::GradientSteps(const StageSite& site, const StepContext& context,
                             StepProgram& program, RankProgram& rank, StreamWriter& out)
    : site_(site), context_(context), program_(program), rank_(rank), out_(out) {
  for (const ModelShare& share : site.chunks) chunks_.push_back(build_chunk(share));
}

GradientSteps::ChunkBlocks GradientSteps::build_chunk(const ModelShare& share) {
  ChunkBlocks blocks{};
  if (shards_parameters()) {
    blocks.forward_pieces = layer_pieces(Pass::Forward, share);
    blocks.backward_pieces = layer_pieces(Pass::Backward, share);
    return blocks;
  }
  blocks.forward = add_block(Pass::Forward, share, 1.0, context_, program_, rank_);
  blocks.backward = add_block(Pass::Backward, share, 1.0, context_, program_, rank_);
  if (data_ranks() > 1 && *context_.plan().overlap_gradient_reduce) {
    blocks.backward_pieces = bucket_pieces(Pass::Backward, share);
  }
  if (gathers_ahead()) blocks.forward_pieces = bucket_pieces(Pass::Forward, share);
  return blocks;
}

// Embedding, layers and head one by one, in the order of the pass. The tables are gathered together
// with the first piece of a pass, as a framework's root unit is, and count there.
std::vector<GradientSteps::Piece> GradientSteps::layer_pieces(Pass pass, const ModelShare& share) {
  const bool overlaps = context_.work.framework.communication.zero3_overlap;
  const double slowdown =
      overlaps ? 1.0 + context_.work.framework.communication.overlap_slowdown.value : 1.0;
  const auto block = [&](const ModelShare& part) {
    return add_block(pass, part, slowdown, context_, program_, rank_);
  };
  const ModelShare layer{.layers = 1};
  const ModelShare root{.embedding = share.embedding, .head = share.head};
  const std::int64_t root_parameters = share_parameters(root, context_.work);
  std::vector<Piece> pieces(static_cast<std::size_t>(share.layers),
                            {block(layer), share_parameters(layer, context_.work)});
  const Piece embedding{block({.embedding = share.embedding}), 0};
  const Piece head{block({.head = share.head}), 0};
  pieces.insert(pieces.begin(), pass == Pass::Forward ? embedding : head);
  pieces.push_back(pass == Pass::Forward ? head : embedding);
  // Gathered before the first use, reduced after the last.
  (pass == Pass::Forward ? pieces.front() : pieces.back()).parameters = root_parameters;
  return pieces;
}

int GradientSteps::layers_per_bucket() const {
  const Bytes layer(gradient_reduce_bytes(context_.work) *
                    static_cast<double>(share_parameters({.layers = 1}, context_.work)));
  const Bytes bucket = context_.work.framework.communication.gradient_bucket;
  return std::max(1, static_cast<int>(bucket / layer));
}

// Runs of layers that fill a bucket, in the order of the pass; the tables go with the ends.
std::vector<GradientSteps::Piece> GradientSteps::bucket_pieces(Pass pass, const ModelShare& share) {
  const double slowdown = 1.0 + context_.work.framework.communication.overlap_slowdown.value;
  const int bucket = layers_per_bucket();
  const bool forward = pass == Pass::Forward;
  std::vector<Piece> pieces;
  for (int left = share.layers; left > 0; left -= bucket) {
    const bool first = left == share.layers;
    const bool last = left <= bucket;
    const ModelShare part{.layers = std::min(bucket, left),
                          .embedding = share.embedding && (forward ? first : last),
                          .head = share.head && (forward ? last : first)};
    const int block = add_block(pass, part, slowdown, context_, program_, rank_);
    pieces.push_back({block, share_parameters(part, context_.work)});
  }
  return pieces;
}

// Updated parameters are gathered beside the next step's first forward pass: every step begins with
// the gathers that its predecessor left to it.
bool GradientSteps::gathers_ahead() const {
  const int stage = context_.plan().zero_stage;
  return (stage == 1 || stage == 2) && data_ranks() > 1 &&
         *context_.plan().overlap_parameter_gather;
}

bool GradientSteps::reduces_every_micro_batch() const {
  const int stage = context_.plan().zero_stage;
  return stage == 2 ||
         (stage == 3 && context_.work.framework.communication.zero3_reduce_each_micro_batch);
}

void GradientSteps::forward(const Slot& slot) {
  const ChunkBlocks& blocks = chunks_[static_cast<std::size_t>(slot.chunk)];
  if (shards_parameters()) {
    sharded_pass(blocks.forward_pieces, false);
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
  if (shards_parameters()) {
    sharded_pass(blocks.backward_pieces, reduce_now);
  } else if (reduce_now && !blocks.backward_pieces.empty()) {
    overlapped_backward(blocks.backward_pieces);
  } else {
    out_.call(blocks.backward);
    if (context_.plan().zero_stage == 2) {
      out_.join(Stream::Compute, Stream::Data, Activity::Other);
      reduce(share_parameters(share, context_.work));
      out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
    }
  }
  if (site_.shape.micro_batches > 1) {
    const Bytes traffic(context_.work.framework.kernels.accumulation_traffic.value *
                        static_cast<double>(share_parameters(share, context_.work)) /
                        (shards_parameters() ? shard_ranks(context_.plan()) : 1));
    out_.compute(memory_bound_time(traffic, context_.work.device), Activity::Compute);
  }
}

Stream GradientSteps::traffic_stream() const {
  return context_.work.framework.communication.zero3_overlap ? Stream::Data : Stream::Compute;
}

// Piece by piece: its weights are gathered no earlier than kPrefetchedLayers pieces ahead, so that
// no more than that many are held besides the one in use.
void GradientSteps::sharded_pass(const std::vector<Piece>& pieces, bool reduce) {
  std::vector<int> done;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > kPrefetchedLayers && traffic_stream() == Stream::Data) {
      out_.wait(Stream::Data, done[i - kPrefetchedLayers - 1], Activity::Other);
    }
    gather(pieces[i]);
    if (reduce && i > 0) scatter_gradients(pieces[i - 1]);
    out_.call(pieces[i].block);
    done.push_back(out_.record(Stream::Compute));
  }
  if (!reduce) return;
  if (traffic_stream() == Stream::Data) out_.wait(Stream::Data, done.back(), Activity::Other);
  scatter_gradients(pieces.back());
}

void GradientSteps::gather(const Piece& piece) {
  const bool holds_weights = piece.parameters > 0;
  if (!holds_weights || shard_ranks(context_.plan()) == 1) return;
  const Bytes size(parameter_gather_bytes(context_.work) * static_cast<double>(piece.parameters));
  data_collective(CollectiveKind::AllGather, Group::Shard, size,
                  context_.work.framework.communication.zero3_collectives_per_layer);
  if (traffic_stream() == Stream::Data) {
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  }
}

void GradientSteps::scatter_gradients(const Piece& piece) {
  if (piece.parameters == 0) return;
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(piece.parameters));
  const int shards = shard_ranks(context_.plan());
  if (shards > 1) {
    data_collective(CollectiveKind::ReduceScatter, Group::Shard, size,
                    context_.work.framework.communication.zero3_collectives_per_layer);
  }
  if (shards < data_ranks()) {
    data_collective(CollectiveKind::AllReduce, Group::Replica, size / shards, 1);
  }
}

void GradientSteps::gathered_forward(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    const Bytes size(parameter_gather_bytes(context_.work) * static_cast<double>(piece.parameters));
    data_collective(CollectiveKind::AllGather, Group::Data, size, 1);
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
    out_.call(piece.block);
  }
}

void GradientSteps::overlapped_backward(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    out_.call(piece.block);
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
    reduce(piece.parameters);
  }
}

int GradientSteps::messages_of(Bytes size) const {
  const Bytes bucket = context_.work.framework.communication.gradient_bucket;
  return bucket > Bytes() ? std::max(1, static_cast<int>(std::ceil(size / bucket))) : 1;
}

// Gradients of `parameters` weights over the data group: summed whole, or scattered where ZeRO
// shards the optimizer.
void GradientSteps::reduce(std::int64_t parameters) {
  if (data_ranks() == 1) return;
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(parameters));
  const CollectiveKind kind =
      context_.plan().zero_stage > 0 ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce;
  data_collective(kind, Group::Data, size, messages_of(size));
}

// `size` bytes in equal messages, one after the other.
void GradientSteps::data_collective(CollectiveKind kind, Group group, Bytes size, int messages) {
  const Stream stream = shards_parameters() ? traffic_stream() : Stream::Data;
  const int operation = operation_index(program_, kind, size / messages);
  for (int i = 0; i < messages; ++i) {
    out_.collective(stream, group, Activity::DataCommunication, operation);
  }
}

void GradientSteps::finish() {
  out_.set_slot(Work::GradientReduce, -1, 0);
  const bool reduced_on_the_way = reduces_every_micro_batch() || shards_parameters() ||
                                  !chunks_.front().backward_pieces.empty();
  if (!reduced_on_the_way) {
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
    ModelShare all;
    for (const ModelShare& share : site_.chunks) all = all + share;
    reduce(share_parameters(all, context_.work));
  }
  if (site_.shares_embedding) {
    const double table = static_cast<double>(embedding_parameters(
        context_.job().model, padded_vocab(context_.job(), context_.work.framework)));
    const Bytes size(gradient_reduce_bytes(context_.work) * table /
                     context_.plan().tensor_parallel);
    out_.collective(Stream::Data, Group::Embedding, Activity::DataCommunication,
                    operation_index(program_, CollectiveKind::AllReduce, size));
  }
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
}

void GradientSteps::gather_parameters() {
  const int stage = context_.plan().zero_stage;
  if ((stage != 1 && stage != 2) || data_ranks() == 1 || gathers_ahead()) return;
  out_.set_slot(Work::ParameterGather, -1, 0);
  ModelShare all;
  for (const ModelShare& share : site_.chunks) all = all + share;
  const Bytes size(parameter_gather_bytes(context_.work) *
                   static_cast<double>(share_parameters(all, context_.work)));
  out_.join(Stream::Compute, Stream::Data, Activity::Other);
  data_collective(CollectiveKind::AllGather, Group::Data, size, messages_of(size));
  out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
}

}  // namespace stepcast
