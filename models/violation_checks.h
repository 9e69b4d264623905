// The checks of a plan by subject, each adding what it finds; and the words that all of their
// messages share. For plan_violations.cpp, which runs them all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/training_job.h"

namespace stepcast {

using Violations = std::vector<Violation>;

void check_layers(const TrainingJob& job, Violations& found);
void check_schedule(const TrainingJob& job, Violations& found);
/// Requires data_parallel >= 1.
void check_experts(const TrainingJob& job, Violations& found);
void check_sharding(const TrainingJob& job, Violations& found);
void check_recompute(const TrainingJob& job, Violations& found);
void check_techniques(const TrainingJob& job, Violations& found);

/// "tensor_parallel 8": how degrees appear in every message.
std::string degree(const char* name, std::int64_t value);

/// "96 or 128 GPUs would do": the multiples on either side of a number that is none itself.
std::string near_multiples(std::int64_t value, std::int64_t divisor, const std::string& prefix,
                           const std::string& suffix = {});

/// A key that changes nothing in this scenario.
Violation without_effect(const char* key, const std::string& why);

}  // namespace stepcast
