#include "cli/report_file.h"

#include <CLI/CLI.hpp>

#include "base/output_file.h"
#include "reports/html.h"

namespace stepcast {

void add_report_option(CLI::App& command, std::optional<std::string>& file) {
  command
      .add_option("--report", file,
                  "Write the answer as a page too: one HTML file that opens offline")
      ->type_name("FILE.html");
}

void check_report_file(const std::optional<std::string>& file) {
  if (!file) return;
  html_template();
  check_output_file(*file, "the report", "--report");
}

void write_report_file(const std::string& file, const std::string& page) {
  write_output_file(file, "the report", "--report", page);
}

}  // namespace stepcast
