#include "reports/served_page.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "reports/html.h"
#include "scenarios/catalogue.h"
#include "sim/predict.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

/// A key of the form. `kind`: the catalogue's folder of a named part.
struct FormField {
  std::string_view pointer;
  std::string_view group;
  std::string_view kind = {};
};

constexpr std::array form_fields{
    FormField{"/model", "Model", "models"},
    FormField{"/precision", "Model"},
    FormField{"/attention", "Model"},
    FormField{"/framework", "Model"},
    FormField{"/training_tokens", "Model"},
    FormField{"/cluster/node", "Cluster", "nodes"},
    FormField{"/cluster/nodes", "Cluster"},
    FormField{"/cluster/fabric", "Cluster", "fabrics"},
    FormField{"/price", "Cluster", "prices"},
    FormField{"/plan/tensor_parallel", "Plan"},
    FormField{"/plan/pipeline_parallel", "Plan"},
    FormField{"/plan/virtual_pipeline", "Plan"},
    FormField{"/plan/data_parallel", "Plan"},
    FormField{"/plan/context_parallel", "Plan"},
    FormField{"/plan/expert_parallel", "Plan"},
    FormField{"/plan/zero_stage", "Plan"},
    FormField{"/plan/schedule", "Plan"},
    FormField{"/plan/recompute", "Plan"},
    FormField{"/plan/sequence_parallel", "Plan"},
    FormField{"/batch/global_batch", "Batch"},
    FormField{"/batch/micro_batch", "Batch"},
    FormField{"/batch/sequence_length", "Batch"},
};

/// The schema of a key that lies in plain objects; of one that may be a list too, for searches,
/// that of a single value.
const nlohmann::json& schema_at(const nlohmann::json& schema, std::string_view pointer) {
  const nlohmann::json* at = &schema;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    at = &at->at("properties").at(std::string(pointer.substr(0, end)));
    pointer.remove_prefix(end);
  }
  return at->contains("anyOf") ? at->at("anyOf").front() : *at;
}

Json field_json(const FormField& field, const nlohmann::json& schema, const Catalogue& catalogue) {
  const nlohmann::json& key = schema_at(schema, field.pointer);
  Json json{{"pointer", field.pointer}, {"group", field.group}};
  if (key.contains("description")) json["doc"] = key["description"];
  if (!field.kind.empty()) {
    json["words"] = catalogue.names(std::string(field.kind));
  } else if (key.contains("enum")) {
    json["words"] = key["enum"];
  } else if (key.at("type") == "boolean") {
    json["switch"] = true;
  } else {
    json["minimum"] = key.value("minimum", 0.0);
  }
  return json;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ServedAnswer refusal(int status, const InputError& error) {
  Json body{{"pointer", error.place().pointer}, {"problem", error.problem()}};
  if (!error.place().file.empty()) body["file"] = error.place().file;
  if (!error.details().empty()) body["details"] = error.details();
  if (!error.hint().empty()) body["hint"] = error.hint();
  return {status, text_of({{"error", body}})};
}

}  // namespace

std::string served_page(std::span<const WrittenScenario> scenarios) {
  const nlohmann::json schema = scenario_schema();
  const Catalogue catalogue(catalogue_folder());
  Json fields = Json::array();
  for (const FormField& field : form_fields) {
    fields.push_back(field_json(field, schema, catalogue));
  }
  Json starts = Json::array();
  for (const WrittenScenario& scenario : scenarios) {
    starts.push_back({{"title", scenario.title}, {"scenario", Json::parse(scenario.json)}});
  }
  return html_page(
      html_template(),
      {{"kind", "serve"}, {"fields", std::move(fields)}, {"scenarios", std::move(starts)}});
}

ServedAnswer answer_scenario(std::string_view text, const std::string& folder) {
  try {
    Scenario scenario = read_confined(text, folder);
    StepReport report = predict(scenario, {.engine = EngineChoice::Event});
    const Prediction prediction{std::move(scenario), std::move(report)};
    return {200, text_of(prediction_page({&prediction, 1}))};
  } catch (const InputError& error) {
    return refusal(400, error);
  }
}

ServedAnswer refusal(int status, const std::string& problem, const std::string& hint) {
  return refusal(status, InputError({}, problem, hint));
}

}  // namespace stepcast
