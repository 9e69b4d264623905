#include "models/hardware_flop.h"

#include "models/layer_stash.h"
#include "models/recompute.h"

namespace stepcast {
namespace {

// Share of the layers that full recompute computes again.
double recomputed_share(const TrainingJob& job, const FrameworkProfile& framework) {
  int again = 0;
  for (const int layers : layers_per_chunk(job, framework)) {
    again += recomputed_layers(layers, job.plan).again;
  }
  return static_cast<double>(again) / job.model.num_layers;
}

Flop attention_cores(const TrainingJob& job) {
  const double sequence = job.batch.sequence_length;
  return Flop(4.0 * sequence * sequence * job.model.num_attention_heads * job.model.head_size *
              job.model.num_layers);
}

double up_projection_weights(const Transformer& model) {
  const LatentAttention& latent = model.latent_attention;
  const double heads = model.num_attention_heads;
  const double query_input = latent.q_lora_rank > 0 ? latent.q_lora_rank : model.hidden_size;
  return heads * (query_input * latent.qk_head_size() +
                  latent.kv_lora_rank * (latent.qk_nope_head_size + latent.v_head_size));
}

double mlp_weights(const Transformer& model, double ffn) {
  return model.hidden_size * ffn * (model.gated_mlp ? 3.0 : 2.0);
}

// Of a layer with experts, those that one token passes through.
double expert_weights(const Transformer& model) {
  const ExpertLayers& experts = model.experts;
  return static_cast<double>(model.hidden_size) * experts.num_experts +
         experts.experts_per_token * mlp_weights(model, experts.ffn_hidden_size) +
         mlp_weights(model, experts.shared_ffn_hidden_size);
}

// Two for every weight of what is multiplied again, and every token.
Flop products_again(const RecomputedOperations& again, const TrainingJob& job) {
  const Transformer& model = job.model;
  const auto layers = [&](LayerKind kind) {
    const bool modules = last_layer_kind(model) == kind;
    return layers_of(model, kind) + (modules ? model.multi_token_prediction : 0);
  };
  const int dense = layers(LayerKind::Dense);
  const int with_experts = layers(LayerKind::Expert);
  double weights = 0;
  if (again.mla_up_projection) weights += (dense + with_experts) * up_projection_weights(model);
  if (again.mlp) weights += dense * mlp_weights(model, model.ffn_hidden_size);
  if (again.experts) weights += with_experts * expert_weights(model);
  return Flop(2.0 * job.batch.sequence_length * weights);
}

}  // namespace

Flop hardware_flop(const TrainingJob& job, const FrameworkProfile& framework) {
  const int sequence = job.batch.sequence_length;
  const Flop all = model_flop(job.model, sequence);
  const Flop model = job.fine_tuning ? all - (all / 3.0 - attention_cores(job)) : all;
  if (job.plan.recompute == Recompute::Full) {
    return model + layers_forward_flop(job.model, sequence) * recomputed_share(job, framework);
  }
  const RecomputedOperations again = recomputed_operations(job, framework);
  const bool core = again.attention_core && job.attention == AttentionKernel::Unfused;
  return model + products_again(again, job) + (core ? attention_cores(job) : Flop());
}

}  // namespace stepcast
