#include "scenarios/calibration_record.h"

#include "base/fields.h"

namespace stepcast {
namespace {

const FieldRules required{.presence = Presence::Required};

}  // namespace

// Fields::list finds these by their arguments, so they are outside of the unnamed namespace.
void describe(Fields& f, CalibratedConstant& constant) {
  f.field("path", constant.path, required);
  f.field("prior", constant.prior, required);
  f.field("prior_spread", constant.prior_spread, {.more_than = 0});
  f.field("value", constant.value, required);
  f.field("spread", constant.spread, {.at_least = 0});
  f.field("prior_kept", constant.prior_kept, {.at_least = 0});
  f.field("additive", constant.additive, {});
}

void describe(Fields& f, ConstantCorrelation& pair) {
  f.field("of", pair.of, required);
  f.field("with", pair.with, required);
  f.field("correlation", pair.correlation, {.at_least = -1.001, .at_most = 1.001});
}

void describe(Fields& f, CalibrationFinding& finding) {
  f.field("finding", finding.finding, required);
}

void describe(Fields& f, CalibrationInput& input) {
  f.field("file", input.file, required);
  f.field("format", input.format, {});
  f.field("hash", input.hash, {});
  f.field("rows", input.rows, {.at_least = 0});
  f.field("rows_used", input.rows_used, {.at_least = 0});
  f.list("findings", input.findings, {});
}

void describe(Fields& f, MeasuredCollectives& measured) {
  f.field("collective", measured.collective, required);
  f.field("ranks", measured.ranks, {.at_least = 2});
  f.field("nodes", measured.nodes, {.at_least = 1});
  f.field("smallest", measured.smallest, {.at_least = 0});
  f.field("largest", measured.largest, {.at_least = 0});
}

void describe(Fields& f, MeasuredLayout& layout) {
  f.field("nodes", layout.nodes, {.at_least = 1});
  f.field("tensor_parallel", layout.tensor_parallel, {.at_least = 1});
  f.field("pipeline_parallel", layout.pipeline_parallel, {.at_least = 1});
  f.field("context_parallel", layout.context_parallel, {.at_least = 1});
  f.field("zero_stage", layout.zero_stage, {.at_least = 0});
  f.field("sequence_length", layout.sequence_length, {.at_least = 1});
  f.field("hidden_size", layout.hidden_size, {.at_least = 1});
}

void describe(Fields& f, CalibrationResidual& residual) {
  f.field("kind", residual.kind, required);
  f.field("name", residual.name, {});
  f.field("file", residual.file, {});
  f.field("line", residual.line, {});
  f.field("measured", residual.measured, {.more_than = 0});
  f.field("before", residual.before, {});
  f.field("after", residual.after, {});
  f.field("left_out", residual.left_out, {});
  f.field("weight", residual.weight, {});
  f.field("collective", residual.collective, {});
  f.field("message", residual.message, {});
  f.field("ranks", residual.ranks, {});
}

void describe(Fields& f, CalibrationRecord& record) {
  f.field("schema", record.schema, {.presence = Presence::Required, .at_least = 1, .at_most = 1});
  f.field("version", record.version, {.doc = "of the program that wrote it"});
  f.field("gpu", record.gpu, required);
  f.field("network", record.network, required);
  f.field("framework", record.framework, required);
  f.field("converged", record.converged, {});
  f.field("collective_noise", record.collective_noise, {.at_least = 0});
  f.field("step_noise", record.step_noise, {.at_least = 0});
  f.field("steps_moved", record.steps_moved, {});
  f.field("step_odds", record.step_odds, {});
  f.list("inputs", record.inputs, {});
  f.list("constants", record.constants, required);
  f.list("correlations", record.correlations, {});
  f.list("collectives", record.collectives, {});
  f.list("layouts", record.layouts, {});
  f.list("residuals", record.residuals, {});
}

}  // namespace stepcast
