// What recompute, and storage in 8 bits, need to have an effect.
#include <string>

#include "models/violation_checks.h"

namespace stepcast {
namespace {

void check_method(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!plan.recompute_method) return;
  const std::string key = "/plan/recompute_method";
  if (plan.recompute != Recompute::Full) {
    found.push_back(
        {key,
         "recompute_method needs recompute full, the plan has " + std::string(word(plan.recompute)),
         {},
         {}});
  }
  if (plan.recompute_method == RecomputeMethod::Uniform && plan.recompute_num_layers == 1) {
    found.push_back({key,
                     "recompute_method uniform has no effect: segments of one layer are what no "
                     "method means",
                     "recompute_num_layers 2 makes segments of two",
                     {}});
  }
  if (plan.offload.activations) {
    found.push_back({"/plan/offload",
                     "offload of activations goes layer by layer, without recompute_method",
                     "leave recompute_method out",
                     {}});
  }
}

void check_operations(const TrainingJob& job, Violations& found) {
  const RecomputedOperations& again = job.plan.recompute_operations;
  if (!again.any()) return;
  const std::string key = "/plan/recompute_operations";
  if (job.plan.recompute != Recompute::Selective) {
    found.push_back({key,
                     "recompute_operations need recompute selective, the plan has " +
                         std::string(word(job.plan.recompute)),
                     "\"recompute\": \"selective\"",
                     {}});
    return;
  }
  const auto refuse = [&](bool asked, const std::string& what, const std::string& why) {
    if (asked) found.push_back({key, what + " has no effect: " + why, "leave it out", {}});
  };
  const Transformer& model = job.model;
  refuse(again.attention_core && job.attention != AttentionKernel::Unfused, "attention_core",
         std::string(word(job.attention)) + " keeps no scores");
  refuse(again.mla_up_projection && !model.latent_attention.used(), "mla_up_projection",
         "the model has no latent attention");
  refuse(again.mlp && layers_of(model, LayerKind::Dense) == 0, "mlp",
         "the model has no dense layers");
  refuse(again.experts && !model.experts.used(), "experts", "the model has no experts");
}

void check_kept_in_fp8(const TrainingJob& job, Violations& found) {
  if (!job.plan.kept_in_fp8.any() || job.precision == Precision::Fp8) return;
  found.push_back(
      {"/plan/kept_in_fp8",
       "kept_in_fp8 needs precision fp8, the scenario has " + std::string(word(job.precision)),
       "leave it out",
       {}});
}

}  // namespace

void check_recompute(const TrainingJob& job, Violations& found) {
  check_method(job, found);
  check_operations(job, found);
  check_kept_in_fp8(job, found);
}

}  // namespace stepcast
