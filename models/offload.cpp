#include "models/offload.h"

namespace stepcast {
namespace {

constexpr double kHostStreamShare = 0.7;

}  // namespace

ModelState host_model_state(std::int64_t parameters, const WorkContext& c) {
  const Offload& offload = c.job.plan.offload;
  const double count = static_cast<double>(parameters);
  const double shards = c.job.plan.zero_stage >= 1 ? shard_ranks(c.job.plan) : 1.0;
  const StateBytes bytes = state_bytes(c);
  ModelState state;
  if (offload.optimizer) {
    state.optimizer = Bytes(count * bytes.optimizer / shards);
    state.gradients = Bytes(count * bytes.gradient / shards);
  }
  if (offload.optimizer || offload.parameters) {
    state.weights = Bytes(count * bytes.weight / shards);
  }
  return state;
}

Bytes host_update_traffic(double parameters, const WorkContext& c) {
  const StateBytes bytes = state_bytes(c);
  const double read = bytes.gradient + bytes.optimizer;
  const double written = bytes.optimizer + bytes.weight;
  return Bytes(parameters * (read + written) / kHostStreamShare);
}

}  // namespace stepcast
