// The tensors that come and go within a step, one by one: what a layer keeps from its forward to
// its backward pass, what either pass needs while it runs, and the logits. How many bytes they are
// together is memory.h's business; here they get the sizes that an allocator sees.
#pragma once

#include <array>
#include <vector>

#include "models/layer_cost.h"
#include "models/step_program.h"

namespace stepcast {

/// Tensors of one kind of layer, as places in every rank's table.
struct LayerTensors {
  std::vector<int> stash;            ///< from its forward pass to the end of its backward pass
  std::vector<int> checkpoint;       ///< in place of that, of a segment that is computed again
  std::vector<int> computed_again;   ///< of such a layer, until its backward pass has ended
  std::vector<int> forward_work;     ///< while the forward pass runs
  std::vector<int> backward_work;    ///< while the backward pass runs, or its first half
  std::vector<int> weight_gradient;  ///< while the gradient of its weights is worked out
};

struct StepTensors {
  std::vector<TensorShape> shapes;     ///< how every rank's table begins
  std::array<LayerTensors, 2> layers;  ///< by LayerKind
  std::vector<int> logits;             ///< from the head's forward to its backward pass

  const LayerTensors& of(LayerKind kind) const { return layers[static_cast<std::size_t>(kind)]; }
};

/// A layer's stash is divided into tensors of [tokens, hidden_size] and of [tokens, MLP's width] in
/// the job's precision, as many as come nearest to its bytes, each as large as makes up the sum;
/// with whole layers recomputed it is one tensor, and under offload it is left to the writer of the
/// host's traffic. A forward pass holds its output before the tensor ranks add theirs; a backward
/// pass the gradients of its output and its MLP, what it computes again, and the gradient of its
/// largest matrix: of one expert, where it has several. `held_inputs`: the likelihood that gathered
/// inputs are kept.
StepTensors step_tensors(const WorkContext& context, double held_inputs);

/// The likelihood that gathered inputs are kept: as the plan says, else the framework's habit, or
/// by the profile's HeldInputs where layouts differ. `forward_passes`: the time that the first
/// stage spends on the forward passes whose stashes it holds at once.
double held_inputs_likelihood(Seconds forward_passes, const WorkContext& context);

}  // namespace stepcast
