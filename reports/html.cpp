#include "reports/html.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/contract.h"
#include "base/input_error.h"
#include "base/text_file.h"
#include "reports/calibration_report.h"
#include "reports/comparison.h"
#include "reports/json.h"
#include "reports/nccl_validation.h"
#include "reports/scenario_text.h"
#include "reports/step_drawing.h"
#include "reports/text.h"
#include "reports/topology_map.h"

namespace stepcast {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view data_element =
    R"(<script id="stepcast-data" type="application/json">null</script>)";
constexpr std::string_view empty_data = "null";

// Only strings can hold a '<' in JSON, and there its escape says the same. Without one, nothing in
// the data reads as HTML: no "</script", no "<!--".
std::string text_inside_html(const Json& data) {
  const std::string json = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

Json page_data(const char* kind, std::span<const Prediction> predictions, Json result) {
  Json descriptions = Json::array();
  Json notes = Json::array();
  Json caveats = Json::array();
  for (const Prediction& prediction : predictions) {
    descriptions.push_back(scenario_lines(prediction.scenario));
    notes.push_back(engine_note(prediction.report.engine));
    caveats.push_back(prediction.scenario.caveats);
  }
  return {{"kind", kind},
          {"descriptions", std::move(descriptions)},
          {"notes", std::move(notes)},
          {"caveats", std::move(caveats)},
          {"result", std::move(result)}};
}

}  // namespace

std::string html_template() {
  const std::string_view built = STEPCAST_BUILT_REPORT;
  if (built.empty()) {
    throw InputError({"--report", ""}, "this program was built without HTML reports",
                     "build it with -DSTEPCAST_HTML_REPORT=ON, which needs npm");
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path() / STEPCAST_INSTALLED_REPORT;
  if (!error && fs::exists(installed, error)) {
    return html_template(installed.lexically_normal().string());
  }
  return html_template(std::string(built));
}

std::string html_template(const std::string& file) {
  std::string page = read_text_file(file);
  if (page.find(data_element) == std::string::npos) {
    throw InputError({file, ""}, "this is not the page that reports are written into",
                     "install the program again");
  }
  return page;
}

std::string html_page(std::string_view page, const Json& data) {
  const std::size_t element = page.find(data_element);
  STEPCAST_REQUIRES(element != std::string_view::npos);
  const std::size_t start = page.find(empty_data, element);
  std::string text(page.substr(0, start));
  text += text_inside_html(data);
  text += page.substr(start + empty_data.size());
  return text;
}

Json prediction_page(std::span<const Prediction> predictions) {
  return page_data("predict", predictions, results_json(predictions));
}

std::string prediction_html(std::span<const Prediction> predictions, const Json& drawings) {
  Json data = prediction_page(predictions);
  data["drawings"] = drawings;
  return html_page(html_template(), data);
}

std::string comparison_html(std::span<const Prediction> predictions, const Json& drawings) {
  Json data = page_data("compare", predictions, comparison_json(predictions));
  data["drawings"] = drawings;
  return html_page(html_template(), data);
}

std::string sweep_html(const SweepAnswer& answer) {
  Json data = page_data("sweep", answer.front, sweep_json(answer, true));
  const std::size_t best = answer.front.empty() ? 0 : 1;
  data["drawings"] = drawings_of(std::span(answer.front).first(best));
  data["proof"] = proof_sentence(answer.result);
  data["left_out"] = variant_notes(*answer.space);
  return html_page(html_template(), data);
}

std::string calibration_html(const CalibrationRecord& record) {
  return html_page(html_template(), {{"kind", "calibrate"}, {"result", calibration_json(record)}});
}

std::string topology_html(const std::string& title, const Cluster& cluster) {
  return html_page(html_template(),
                   {{"kind", "topology"}, {"result", topology_json(title, cluster)}});
}

std::string validation_html(std::span<const ValidationSuite> suites) {
  return html_page(html_template(), {{"kind", "validate"}, {"result", validation_json(suites)}});
}

std::string nccl_validation_html(const NcclValidation& validation) {
  return html_page(html_template(),
                   {{"kind", "validate_nccl"}, {"result", nccl_validation_json(validation)}});
}

}  // namespace stepcast
