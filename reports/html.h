// Predictions as a page: one HTML file with its data inside, which opens offline. What the page
// shows of the data is html/'s job.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "calibration/nccl_validation.h"
#include "reports/prediction.h"
#include "reports/sweep.h"
#include "reports/validation.h"
#include "scenarios/calibration_record.h"
#include "topology/cluster.h"

namespace stepcast {

/// The empty page, which the build made and an installation has beside the catalogue. Throws
/// InputError where the program was built without it.
std::string html_template();

/// The empty page in `file`. Throws InputError where there is none.
std::string html_template(const std::string& file);

/// `page` with `data` in its data element, escaped so that no text in it can end the element.
/// Requires a page that has the element, empty ("null").
std::string html_page(std::string_view page, const nlohmann::ordered_json& data);

/// What the page is given of predictions: kind, result as --format json prints it, and texts.
nlohmann::ordered_json prediction_page(std::span<const Prediction> predictions);

/// What --format json prints, as a page, with the `drawings_of` the predictions. Throws as
/// html_template() does.
std::string prediction_html(std::span<const Prediction> predictions,
                            const nlohmann::ordered_json& drawings);

/// The comparison's JSON as a page, with the `drawings_of` the predictions. Requires at least two.
std::string comparison_html(std::span<const Prediction> predictions,
                            const nlohmann::ordered_json& drawings);

/// What sweep's --format json prints with --rows -, as a page: it shows every row.
std::string sweep_html(const SweepAnswer& answer);

/// What calibrate's --format json prints, as a page.
std::string calibration_html(const CalibrationRecord& record);

/// What topology show's --format json prints, as a page.
std::string topology_html(const std::string& title, const Cluster& cluster);

/// What validate's --format json prints, as a page.
std::string validation_html(std::span<const ValidationSuite> suites);

/// What validate --nccl's --format json prints, as a page.
std::string nccl_validation_html(const NcclValidation& validation);

}  // namespace stepcast
