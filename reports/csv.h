// Predictions as rows for spreadsheets: base units, named in the header.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/prediction.h"

namespace stepcast {

/// A header and a row for each scenario; what a scenario does not ask for is an empty cell.
std::string results_csv(std::span<const Prediction> predictions);

/// One line, quoted where RFC 4180 asks for it. Requires a cell.
std::string csv_line(const std::vector<std::string>& cells);

/// The shortest decimal that reads back to the same number.
std::string csv_number(double number);

}  // namespace stepcast
