// What a plan may not change: how much the model computes and weighs, and that messages carry what
// the collectives must move and no more.
#include <catch2/catch.hpp>
#include <map>
#include <numeric>

#include "models/expert_traffic.h"
#include "models/layer_shapes.h"
#include "models/memory.h"
#include "models/step_groups.h"
#include "tests/support/generated_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

double flop_of(const Linears& linears) {
  return std::accumulate(linears.begin(), linears.end(), 0.0, [](double sum, const Linear& linear) {
    return sum + 2.0 * static_cast<double>(linear.rows) * static_cast<double>(linear.outputs) *
                     static_cast<double>(linear.inputs) * static_cast<double>(linear.batch);
  });
}

// Matrix products and the attention core, all ranks of one stage and replica together.
double layer_flop(const TrainingJob& job, LayerKind kind) {
  const LayerShapes shapes = layer_shapes(job, kind);
  const AttentionShape& core = shapes.attention;
  const double attention = 4.0 * static_cast<double>(core.micro_batch * core.heads * core.queries) *
                           static_cast<double>(core.keys * core.head_size);
  const double sum = flop_of(shapes.attention_input) + flop_of({shapes.attention_output}) +
                     flop_of(shapes.mlp) + flop_of(shapes.expert) + flop_of(shapes.shared);
  return (sum + attention) * job.plan.tensor_parallel * job.plan.context_parallel;
}

// What the narrow projections of latent attention do more than once: on every tensor rank.
double repeated_flop(const TrainingJob& job) {
  const LatentAttention& latent = job.model.latent_attention;
  if (!latent.used()) return 0;
  const double width = latent.q_lora_rank + latent.kv_lora_rank + latent.qk_rope_head_size;
  return 2.0 * job.batch.micro_batch * job.batch.sequence_length * job.model.hidden_size * width *
         (job.plan.tensor_parallel - 1);
}

// Bytes of all messages of a rank's program, by group and kind.
using SentBytes = std::map<std::pair<Group, CollectiveKind>, double>;

void add_traffic(const std::vector<Instruction>& instructions, const StepProgram& program,
                 const RankProgram& rank, SentBytes& traffic) {
  for (const Instruction& instruction : instructions) {
    if (instruction.kind == InstructionKind::Call) {
      add_traffic(rank.blocks[static_cast<std::size_t>(instruction.index)].body, program, rank,
                  traffic);
    }
    if (instruction.operation < 0 || instruction.kind == InstructionKind::Receive) continue;
    const Operation& operation =
        program.operations[static_cast<std::size_t>(instruction.operation)];
    traffic[{static_cast<Group>(instruction.index), operation.kind}] += operation.message.value();
  }
}

SentBytes traffic_of(const StepProgram& program, int stage) {
  const RankProgram& rank = program.programs[static_cast<std::size_t>(stage)];
  SentBytes traffic;
  for (const auto& stream : rank.streams) add_traffic(stream, program, rank, traffic);
  return traffic;
}

}  // namespace

TEST_CASE("all ranks together compute a layer's FLOP, whatever the plan", "[contract]") {
  const auto seed = GENERATE(range(0u, 120u));
  CAPTURE(seed);
  GeneratedStep step = generate_step(seed);
  TrainingJob& job = step.job;
  job.plan.expert_load_imbalance = 1.0;  // the busiest rank does what the others do
  for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
    if (layers_of(job.model, kind) == 0) continue;
    const double once = layer_forward_flop(job.model, job.batch.sequence_length, kind).value() *
                        job.batch.micro_batch;
    REQUIRE(layer_flop(job, kind) - repeated_flop(job) == Approx(once).epsilon(1e-12));
  }
}

TEST_CASE("all ranks together hold the model's weights, whatever the plan", "[contract]") {
  const auto seed = GENERATE(range(0u, 120u));
  CAPTURE(seed);
  GeneratedStep step = generate_step(seed);
  TrainingJob& job = step.job;
  job.model.position_embedding = PositionEmbedding::Rotary;
  const ParallelPlan& plan = job.plan;
  const WorkContext work{job, step.profile.framework, {step.cluster.node.gpu, step.profile.gpu}};
  const std::vector<int> places = layers_per_chunk(job, step.profile.framework);
  int dense = layers_of(job.model, LayerKind::Dense);
  std::int64_t sum = 0;
  for (std::size_t place = 0; place < places.size(); ++place) {
    const int here = std::min(places[place], dense);
    dense -= here;
    const ModelShare share{here, places[place] - here, place == 0, place + 1 == places.size()};
    std::int64_t whole = share.head ? job.model.hidden_size : 0;  // on every tensor rank
    const int modules = share.head ? job.model.multi_token_prediction : 0;
    whole += modules * (prediction_module_parameters(job.model) -
                        layer_parameters(job.model, last_layer_kind(job.model)));
    for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
      const int layers = (kind == LayerKind::Dense ? share.layers : share.expert_layers) +
                         (kind == last_layer_kind(job.model) ? modules : 0);
      whole += layers * replicated_layer_parameters(job.model, kind);
    }
    sum += (share_parameters(share, work) - whole) * plan.tensor_parallel + whole;
    sum +=
        share_expert_parameters(share, work) * plan.expert_parallel * plan.expert_tensor_parallel;
  }
  const std::int64_t vocab = padded_vocab(job, step.profile.framework);
  const bool second_table = job.model.tied_embeddings && places.size() > 1;
  const std::int64_t modules =
      job.model.multi_token_prediction * prediction_module_parameters(job.model);
  REQUIRE(sum == total_parameters(job.model, vocab, job.batch.sequence_length) + modules +
                     (second_table ? embedding_parameters(job.model, vocab) : 0));
}

TEST_CASE("gradients: every rank sends what reducing its weights must move", "[contract]") {
  const auto seed = GENERATE(range(0u, 120u));
  CAPTURE(seed);
  const GeneratedStep generated = generate_step(seed);
  const TrainingJob& job = generated.job;
  if (job.plan.zero_stage > 1) return;    // reduced again for every micro-batch
  if (job.model.tied_embeddings) return;  // a shared table goes with the buckets of both ends
  if (job.plan.gradient_compression || job.fine_tuning) return;  // other, or fewer, bytes
  const Step step(job, generated.cluster, generated.profile);
  const WorkContext work{
      job, step.profile.framework, {generated.cluster.node.gpu, step.profile.gpu}};
  const CollectiveKind kind =
      job.plan.zero_stage == 0 ? CollectiveKind::AllReduce : CollectiveKind::ReduceScatter;
  for (int stage = 0; stage < job.plan.pipeline_parallel; ++stage) {
    SentBytes traffic = traffic_of(step.program, stage);
    if (data_group_size(job.plan) == 1 || expert_data_group_size(job.plan) == 1) continue;
    const double weights = step.program.programs[static_cast<std::size_t>(stage)]
                               .resident[static_cast<std::size_t>(MemoryPart::Weights)]
                               .value() /
                           bytes_per_element(job.precision);
    const double reduced = (traffic[{Group::Data, kind}] + traffic[{Group::ExpertData, kind}]) /
                           gradient_reduce_bytes(work);
    // Buckets are rounded up to whole bytes, one each.
    REQUIRE(reduced == Approx(weights).epsilon(1e-6));
  }
}

TEST_CASE("experts: a rank sends each token's copies out and back, in both passes", "[contract]") {
  const auto seed = GENERATE(range(0u, 200u));
  CAPTURE(seed);
  GeneratedStep generated = generate_step(seed);
  TrainingJob& job = generated.job;
  if (job.plan.expert_parallel == 1) return;
  job.plan.expert_dispatch = ExpertDispatch::AllToAll;
  job.plan.recompute = Recompute::None;
  const Step step(job, generated.cluster, generated.profile);
  double sent = 0;
  for (int stage = 0; stage < job.plan.pipeline_parallel; ++stage) {
    sent += traffic_of(step.program, stage)[{Group::Expert, CollectiveKind::AllToAll}];
  }
  // Four exchanges a layer and micro-batch, of tokens x experts_per_token x hidden_size in 16 bits.
  const int layers = layers_of(job.model, LayerKind::Expert) + job.model.multi_token_prediction;
  const double tokens = static_cast<double>(job.batch.sequence_length) /
                        (job.plan.context_parallel * job.plan.tensor_parallel);
  const double message = tokens * 3 * 1024 * 2 * job.plan.expert_load_imbalance;
  REQUIRE(sent == Approx(4 * layers * num_micro_batches(job) * message).epsilon(1e-9));
}

TEST_CASE("pipeline: every boundary carries each micro-batch once in both directions",
          "[contract]") {
  const auto seed = GENERATE(range(0u, 120u));
  CAPTURE(seed);
  const GeneratedStep generated = generate_step(seed);
  const TrainingJob& job = generated.job;
  const Step step(job, generated.cluster, generated.profile);
  double sent = 0;
  for (int stage = 0; stage < job.plan.pipeline_parallel; ++stage) {
    for (const auto& [key, bytes] : traffic_of(step.program, stage)) {
      const bool message = key.second == CollectiveKind::SendReceive && key.first != Group::Context;
      if (message) sent += bytes;
    }
  }
  const ParallelPlan& plan = job.plan;
  // A V's turn is inside a stage; two opposed pipelines have half of the micro-batches each.
  const int chunks = plan.pipeline_parallel * plan.virtual_pipeline;
  const int boundaries = chunks - 1 - (plan.schedule == Schedule::ZeroBubbleV ? 1 : 0);
  const bool split =
      plan.sequence_parallel || step.profile.framework.communication.scatter_pipeline_messages;
  const double message =
      512.0 * 1024 * 2 / plan.context_parallel / (split ? plan.tensor_parallel : 1);
  REQUIRE(sent == Approx(2.0 * boundaries * num_micro_batches(job) * message).epsilon(1e-9));
}
