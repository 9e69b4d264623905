#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/input_error.h"
#include "base/output_file.h"
#include "base/text_file.h"
#include "calibration/calibration_file.h"
#include "calibration/cleaning.h"
#include "calibration/drift.h"
#include "calibration/nccl_facts.h"
#include "calibration/user_files.h"
#include "cli/command.h"
#include "cli/progress_line.h"
#include "cli/report_file.h"
#include "reports/calibration_report.h"
#include "reports/html.h"
#include "reports/json.h"

namespace stepcast {
namespace {

struct CalibrateOptions {
  UserFiles files;
  std::optional<std::string> out;
  std::optional<std::string> check;
  bool every_row = false;             ///< of the measurements, in the text
  std::optional<std::string> report;  ///< the page's file
  bool json = false;
};

void complete_record(Calibration& calibration, UserMeasurements& measured) {
  CalibrationRecord& record = calibration.record;
  record.version = STEPCAST_VERSION;
  const Scenario& reference = measured.reference;
  record.gpu = reference.cluster.node.gpu.profile;
  record.network = reference.profile.network.name;
  record.framework = word(reference.job.framework);
  record.inputs = std::move(measured.inputs);
  record.layouts = std::move(measured.layouts);
}

Calibration fit(const UserMeasurements& measured) {
  ProgressLine line(false);
  const std::string work = fmt::format("fitting to {} measurements", measured.evidence.size());
  return calibrate(measured.reference.profile, measured.evidence, [&] { line.show_elapsed(work); });
}

Answer run_fit(const CalibrateOptions& options) {
  if (options.out) check_output_file(*options.out, "the profile", "--out");
  check_report_file(options.report);
  UserMeasurements measured = read_user_files(options.files);
  Calibration calibration = fit(measured);
  complete_record(calibration, measured);
  if (options.out) {
    write_output_file(*options.out, "the profile", "--out",
                      json_text(calibration_file(calibration, measured.reference)));
  }
  if (options.report) write_report_file(*options.report, calibration_html(calibration.record));
  if (options.json) return {json_text(calibration_json(calibration.record))};
  return report(calibration_text(calibration.record, options.every_row));
}

// Stalls of today are not what a link does; they are told beside the answer.
Answer run_check(const CalibrateOptions& options) {
  const CalibratedCluster cluster = read_calibrated_cluster(*options.check);
  if (options.files.nccl_logs.empty()) {
    throw InputError({"--check", ""}, "there is nothing to check the profile with",
                     "name today's nccl-tests log by --nccl-log");
  }
  std::vector<Evidence> rows;
  for (const std::string& file : options.files.nccl_logs) {
    const std::string text = read_text_file(file);
    // Refuses another cluster than the profile's: fewer NICs today, another NCCL.
    if (holds_nccl_lines(text)) nccl_facts(parse_nccl_info(text, file), cluster.scenario);
    std::vector<Evidence> found =
        collective_evidence(parse_nccl_tests(text, file), cluster.scenario);
    check_units(found, cluster.scenario.profile);
    CleanCollectives clean = without_stalls(std::move(found), cluster.scenario.profile);
    for (Evidence& row : clean.rows) rows.push_back(std::move(row));
  }
  const DriftTest test = test_drift(rows, cluster.scenario.profile, *cluster.record);
  if (options.json) return {json_text(drift_json(test))};
  return report(drift_text(test, *options.check));
}

void add_files(CLI::App& command, UserFiles& files) {
  command
      .add_option("--base", files.base,
                  "GPU profile to start from, by name; the scenario's own unless said")
      ->type_name("NAME");
  command
      .add_option("--scenario", files.scenario,
                  "The cluster and the job that logs and tables were measured on")
      ->type_name("FILE");
  command.add_option("--set", files.settings, "Change a key of every scenario; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      .add_option("--nccl-log", files.nccl_logs,
                  "Output of nccl-tests, or what NCCL_DEBUG=INFO printed there")
      ->type_name("FILE...");
  command
      .add_option(
          "--train-log", files.train_logs,
          "Log of Megatron-LM, DeepSpeed or MLPerf, trace of the PyTorch profiler, or memory "
          "as nvidia-smi or DCGM write it")
      ->type_name("FILE...");
  command.add_option("--kernels", files.kernel_tables, "Measured kernels in CSV")
      ->type_name("FILE...");
  command.add_option("--runs", files.suites, "Scenarios or suites with \"measured\"")
      ->type_name("FILE...");
}

// Bare, it was there before pages were.
void add_report(CLI::App& command, CalibrateOptions& options) {
  command
      .add_option_function<std::vector<std::string>>(
          "--report",
          [&options](const std::vector<std::string>& files) {
            const bool bare = files.empty() || files.front().empty();
            if (bare) options.every_row = true;
            if (!bare) options.report = files.front();
          },
          "Write the answer as a page too; without a file, print every measurement")
      ->expected(0, 1)
      ->type_name("[FILE.html]");
}

}  // namespace

void add_calibrate(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "calibrate", "From your logs to a profile of your cluster, with error bars");
  const auto options = std::make_shared<CalibrateOptions>();
  add_files(*command, options->files);
  command->add_option("--out", options->out, "The profile that --profile reads")->type_name("FILE");
  CLI::Option* const check = command->add_option(
      "--check", options->check,
      "Say whether today's --nccl-log agrees with this profile, and what changed");
  check->type_name("FILE");
  add_report(*command, *options);
  for (const char* const of_fit : {"--out", "--base", "--scenario", "--set", "--train-log",
                                   "--kernels", "--runs", "--report"}) {
    check->excludes(of_fit);
  }
  command
      ->add_option_function<std::string>(
          "--format", [options](const std::string& format) { options->json = format == "json"; },
          "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback([options, &chosen] {
    chosen = [options] { return options->check ? run_check(*options) : run_fit(*options); };
  });
}

}  // namespace stepcast
