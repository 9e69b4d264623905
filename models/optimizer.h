// What an optimizer keeps for each weight, moves in its step, and multiplies.
#pragma once

#include <vector>

#include "models/memory.h"

namespace stepcast {

/// Matrices of one shape in a layer, as a rank holds them.
struct MatrixShape {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t count = 1;  ///< experts of the rank
  bool of_experts = false;
  std::int64_t elements() const { return inputs * outputs * count; }
};

/// Attention's inputs and its output, the MLP's up (with the gate) and down; of a layer with
/// experts the router, routed and shared experts in place of the MLP. Without latent attention a
/// dense layer has four.
std::vector<MatrixShape> layer_matrices(const TrainingJob& job, LayerKind kind = LayerKind::Dense);

/// Bytes per weight of an optimizer's state beside the master copy, averaged over the model:
///
///   adam, adamw    8: two fp32 moments (or in optimizer_state_precision)
///   adam_8bit      2 + 8 / 2048: two moments of a byte, an fp32 scale for each block of 2,048
///                  (Dettmers et al., ICLR '22)
///   adafactor      4 (inputs + outputs) / (inputs x outputs) of each matrix: a row and a column of
///                  second moments, no first (Shazeer & Stern, ICML '18)
///   sgd_momentum   4: one fp32 momentum
///   muon           4 of layers' matrices, Adam's 8 of tables and norms (Jordan et al., 2024)
double optimizer_moment_bytes(const WorkContext& context);

/// Bytes that the step moves per weight, as a share of what Adam's moves: 14 bytes of gradient,
/// 16-bit weight and master are read or written by all, the state is read and written once;
/// Adafactor reads the gradient once more, for its sums.
double optimizer_traffic_share(const WorkContext& context);

/// Muon: five Newton-Schulz steps of every matrix of the share's layers in 16 bits, each
/// 4 n^2 m + 2 n^3 FLOP with n the shorter side, dealt over the ranks that shard the optimizer,
/// those of experts over the ranks that hold the same ones. Others multiply nothing. Source: Jordan
/// et al., Muon, 2024; Liu et al., arXiv:2502.16982.
Seconds orthogonalization_time(const ModelShare& share, const WorkContext& context);

}  // namespace stepcast
