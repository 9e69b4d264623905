// Keys of the techniques that trade memory, bytes and time: how a plan's are read and written. What
// they do to a step is the models' business.
#pragma once

#include "base/fields.h"
#include "models/training_job.h"

namespace stepcast {

void describe_sharding_traffic(Fields& f, ShardingTraffic& sharding);
void describe_offload(Fields& f, Offload& offload);
void describe_recompute_operations(Fields& f, ParallelPlan& plan);
void describe_kept_in_fp8(Fields& f, KeptInFp8& kept);
void describe_recompute_method(Fields& f, ParallelPlan& plan);
void describe_compression(Fields& f, ParallelPlan& plan);
void describe(Fields& f, FineTuning& tuning);
void describe(Fields& f, Sparsity& sparsity);
void describe_optimizer(Fields& f, Optimizer& optimizer);

}  // namespace stepcast
