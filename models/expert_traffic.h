// How many tokens of a mixture of experts a rank sends and works on in one micro-batch, and the
// bytes of their exchange.
#pragma once

#include "base/units.h"
#include "models/training_job.h"
#include "topology/group_layout.h"

namespace stepcast {

/// Tokens whose experts a rank looks up: its micro-batch's, its part under sequence parallelism.
double routed_tokens(const TrainingJob& job);

/// Rows of all experts of the busiest rank together, and of one of them:
///
///   routed_tokens x experts_per_token x expert_tensor_parallel x (capacity or load imbalance)
///
/// since as many rows come from the other ranks of an expert group as go there, and ranks that
/// share an expert's matrices each work on the rows of all.
double expert_rows(const TrainingJob& job);
double rows_of_one_expert(const TrainingJob& job);

/// What a rank sends to the ranks of its expert group together before the experts (`dispatch`) or
/// gets back from them:
///
///   tokens x copies x hidden_size x bytes x (capacity or load imbalance)
///
/// Copies: experts_per_token, or with ExpertDispatch::OncePerNode the mean number of nodes that k
/// experts drawn from m nodes lie on, m (1 - (1 - 1/m)^k): of the group's nodes those that the
/// router's groups allow. Copies inside a node, which go by NVLink meanwhile, are left out. There,
/// fp8 jobs dispatch 8 bits and a 32-bit scale for 128 elements (DeepSeek-V3, arXiv:2412.19437,
/// section 3.3.2); combining takes 16 bits.
Bytes dispatch_bytes(const TrainingJob& job, const GroupLayout& expert_group);
Bytes combine_bytes(const TrainingJob& job, const GroupLayout& expert_group);

/// Rows that the ranks which share an expert's matrices gather from each other, or scatter back:
/// [expert_rows, hidden_size] of all of them together.
Bytes expert_tensor_bytes(const TrainingJob& job);

}  // namespace stepcast
