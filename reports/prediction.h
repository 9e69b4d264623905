// A question with its answer: what the reports are made of.
#pragma once

#include "scenarios/scenario.h"
#include "sim/advise.h"
#include "sim/step_report.h"

namespace stepcast {

struct Prediction {
  Scenario scenario;
  StepReport report;
  std::optional<AdviceReport> advice{};  ///< where it was asked for
};

}  // namespace stepcast
