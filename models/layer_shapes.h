// Shapes of one layer's work on one rank: which matrices multiply how many rows, and how many
// elements the kernels between them pass over.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kernels.h"
#include "models/training_job.h"

namespace stepcast {

/// [rows, inputs] x [inputs, outputs], `batch` such products in one kernel.
struct Linear {
  std::int64_t rows = 0;
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  std::int64_t batch = 1;
};
using Linears = std::vector<Linear>;

/// Matrices are split over tensor_parallel, experts over expert_parallel and
/// expert_tensor_parallel; elements of norms and residuals over tensor_parallel with sequence
/// parallelism.
struct LayerShapes {
  std::int64_t tokens = 0;
  std::int64_t hidden = 0;
  Linears attention_input;  ///< queries, keys and values
  Linear attention_output;
  AttentionShape attention;
  Linears mlp;                 ///< of a dense layer; of one with experts the router
  Linears expert;              ///< this rank's routed experts
  Linears shared;              ///< shared experts
  double hidden_elements = 0;  ///< of norms and residuals
  double rotary_elements = 0;
  double latent_elements = 0;  ///< of latent attention's narrow projections
  double biased_elements = 0;  ///< outputs of attention_input
  double ffn_elements = 0;     ///< of the activation between an MLP's matrices: dense layers'
  double expert_ffn_elements = 0;
  double shared_ffn_elements = 0;
  double routed_elements = 0;  ///< rows sent to experts
  double expert_elements = 0;  ///< rows that this rank's experts work on
};

LayerShapes layer_shapes(const TrainingJob& job, LayerKind kind);

/// Elements of a token's keys and values that one rank of a tensor group makes.
double key_value_width(const TrainingJob& job);

}  // namespace stepcast
