#include "calibration/user_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text_file.h"
#include "base/text_lines.h"
#include "base/unit_text.h"
#include "calibration/cleaning.h"
#include "calibration/measured_runs.h"
#include "calibration/nccl_facts.h"
#include "calibration/readers/kineto_trace.h"
#include "calibration/readers/memory_table.h"
#include "calibration/stalled_runs.h"
#include "sim/search/step_clock.h"

namespace stepcast {
namespace {

std::vector<CalibrationFinding> as_findings(const std::vector<std::string>& sentences) {
  std::vector<CalibrationFinding> findings;
  for (const std::string& sentence : sentences) findings.push_back({sentence});
  return findings;
}

class FileReader {
 public:
  explicit FileReader(const UserFiles& files) : files_(files) {
    options_.settings = files.settings;
    if (!files.base.empty()) options_.settings.push_back("calibration.gpu=\"" + files.base + "\"");
    if (!files.scenario.empty()) {
      measured_.reference = read_scenarios(files.scenario, options_).front();
    }
  }

  UserMeasurements read() {
    for (const std::string& file : files_.suites) read_suite_file(file);
    for (const std::string& file : files_.nccl_logs) read_nccl_lines(file);
    for (const std::string& file : files_.nccl_logs) read_nccl_log(file);
    for (const std::string& file : files_.train_logs) read_train_log(file);
    for (const std::string& file : files_.kernel_tables) read_kernels(file);
    return std::move(measured_);
  }

 private:
  void need_scenario(const std::string& file) const {
    if (!files_.scenario.empty() || referenced_) return;
    throw InputError({file, ""}, "which cluster and job this was measured on is not said",
                     "name its scenario by --scenario");
  }

  CalibrationInput& begin(const std::string& file, std::string format, const std::string& bytes) {
    return measured_.inputs.emplace_back(
        CalibrationInput{file, std::move(format), content_hash(bytes), 0, 0, {}});
  }

  // Before the tables, which are fitted with what it says. It stands in a file of its own or
  // between the rows of a table.
  void read_nccl_lines(const std::string& file) {
    need_scenario(file);
    const std::string text = read_text_file(file);
    if (!holds_nccl_lines(text)) return;
    Scenario& reference = measured_.reference;
    const NcclFacts facts = nccl_facts(parse_nccl_info(text, file), reference);
    reference.nccl = facts.choice;
    reference.profile.network.nccl = facts.choice;
    std::vector<CalibrationFinding> findings = as_findings(facts.findings);
    if (holds_nccl_tests_table(text)) {
      nccl_findings_[file] = std::move(findings);
      return;
    }
    if (findings.empty()) findings.push_back({"nothing in it that a scenario has a key for"});
    begin(file, "NCCL_DEBUG=INFO", text).findings = std::move(findings);
  }

  void read_nccl_log(const std::string& file) {
    const std::string text = read_text_file(file);
    if (holds_nccl_lines(text) && !holds_nccl_tests_table(text)) return;
    std::vector<Evidence> rows =
        collective_evidence(parse_nccl_tests(text, file), measured_.reference);
    const Profile& prior = measured_.reference.profile;
    check_units(rows, prior);
    CalibrationInput& input = begin(file, "nccl-tests", text);
    input.rows = static_cast<int>(rows.size());
    CleanCollectives clean = without_stalls(std::move(rows), prior);
    if (std::string half = half_rate_finding(clean.rows, prior); !half.empty()) {
      clean.findings.push_back(std::move(half));
    }
    input.rows_used = static_cast<int>(clean.rows.size());
    CleanCollectives sizes = one_row_for_each_size(std::move(clean.rows), prior);
    input.findings = nccl_findings_[file];
    for (const std::vector<std::string>& found : {clean.findings, sizes.findings}) {
      for (const CalibrationFinding& finding : as_findings(found)) {
        input.findings.push_back(finding);
      }
    }
    add(std::move(sizes.rows));
  }

  void read_train_log(const std::string& file) {
    need_scenario(file);
    const std::string text = read_text_file(file);
    if (is_memory_table(text)) return read_memory_table(file, text);
    if (is_kineto_trace(text)) return read_trace(file, text);
    const TrainingLog log = parse_training_log(text, file);
    CalibrationInput& input = begin(file, std::string(log.format), text);
    add_steps(log, input);
    for (const LoggedMemory& memory : log.memory) add_memory(memory, file);
    if (log.theoretical_state) {
      input.findings.push_back(
          {fmt::format("Megatron-LM's own estimate of weights and optimizer "
                       "state is {}: a claim, not fitted to",
                       to_text(*log.theoretical_state))});
    }
    add_timers(log, input);
  }

  void add_steps(const TrainingLog& log, CalibrationInput& input) {
    const Scenario& scenario = measured_.reference;
    const SteadyStep step = steady_step(log, scenario.job.batch.global_batch);
    if (log.global_batch && *log.global_batch != scenario.job.batch.global_batch) {
      throw InputError({log.file, ""},
                       fmt::format("the log's global batch is {}, the scenario's {}",
                                   *log.global_batch, scenario.job.batch.global_batch),
                       "--scenario must describe the run that the log is of");
    }
    const double of_mean = step.spread / std::sqrt(static_cast<double>(step.used));
    Evidence evidence = step_evidence(scenario, step.time, of_mean);
    evidence.file = log.file;
    check_units(std::span(&evidence, 1), scenario.profile);
    input.rows = static_cast<int>(log.iterations.size());
    input.rows_used = static_cast<int>(step.used);
    input.findings = as_findings(step.findings);
    measured_.layouts.push_back(layout_of(scenario));
    measured_.evidence.push_back(std::move(evidence));
  }

  static void add_timers(const TrainingLog& log, CalibrationInput& input) {
    for (const LoggedTimer& timer : log.timers) {
      input.findings.push_back({fmt::format("timer {}: {} in the mean of {}", timer.name,
                                            to_text(timer.mean), timer.count)});
    }
  }

  void add_memory(const LoggedMemory& memory, const std::string& file) {
    Evidence evidence =
        memory_evidence(measured_.reference, memory.kind, MemoryPlace::FullestStage, memory.peak);
    evidence.file = file;
    evidence.line = memory.line;
    measured_.evidence.push_back(std::move(evidence));
  }

  void read_memory_table(const std::string& file, const std::string& text) {
    const DeviceMemoryLog log = parse_memory_table(text, file);
    CalibrationInput& input = begin(file, "memory of GPUs", text);
    input.rows = log.samples;
    input.rows_used = 1;
    input.findings = {{fmt::format("peak {} on one of {} GPUs (line {})", to_text(log.peak),
                                   log.gpus, log.line)}};
    add_memory({MemoryKind::Device, log.peak, log.line}, file);
  }

  void read_trace(const std::string& file, const std::string& text) {
    const KinetoTrace trace = parse_kineto_trace(text, file);
    CalibrationInput& input = begin(file, "PyTorch profiler", text);
    if (!trace.log.iterations.empty()) add_steps(trace.log, input);
    for (const TracedCollective& traced : trace.collectives) add_traced(traced, file, input);
    input.findings.push_back({fmt::format(
        "kernels ran for {}, collectives for {}, of which {} beside kernels",
        to_text(trace.compute), to_text(trace.communication), to_text(trace.overlap))});
    constexpr std::size_t kShown = 5;
    for (std::size_t i = 0; i < std::min(kShown, trace.kernels.size()); ++i) {
      const TracedKernel& kernel = trace.kernels[i];
      input.findings.push_back({fmt::format("kernel {}: {} in {} calls", kernel.name,
                                            to_text(kernel.total), kernel.calls)});
    }
  }

  // A rank waits inside its kernel for the others, so even the shortest call is only a bound: it
  // says that a collective is faster than predicted, not that it is slower.
  void add_traced(const TracedCollective& traced, const std::string& file,
                  CalibrationInput& input) {
    constexpr double kWaitNoise = 0.15;
    ++input.rows;
    const int ranks = traced.ranks;
    const ClusterSpec& cluster = measured_.reference.cluster;
    const int per_node = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
    if (!modelled_kind(traced.collective) || ranks < 2 || traced.message.value() <= 0) return;
    if (ranks > per_node) return;  // how the group lies over nodes is not in the trace
    NcclTestsLog log{file, {}, {{traced.collective, ranks, std::nullopt, {}}}};
    log.tables.front().rows.push_back({traced.message, traced.shortest, std::nullopt, 0});
    std::vector<Evidence> rows = collective_evidence(log, measured_.reference);
    Evidence& row = rows.front();
    row.noise = kWaitNoise;
    const double of_predicted = row.measured / row.predict(measured_.reference.profile);
    if (of_predicted > 1 + kWaitNoise) {
      input.findings.push_back(
          {fmt::format("{}: the shortest call took {:.1f} times the predicted time; not fitted to, "
                       "since a rank's wait for the others is in it",
                       row.name, of_predicted)});
      return;
    }
    ++input.rows_used;
    add(std::move(rows));
  }

  void read_kernels(const std::string& file) {
    need_scenario(file);
    const std::string text = read_text_file(file);
    std::vector<Evidence> rows =
        kernel_evidence(parse_kernel_table(text, file), file, measured_.reference);
    check_units(rows, measured_.reference.profile);
    CalibrationInput& input = begin(file, "kernel table", text);
    input.rows = input.rows_used = static_cast<int>(rows.size());
    add(std::move(rows));
  }

  void read_suite_file(const std::string& file) {
    const std::string text = read_text_file(file);
    CalibrationInput& input = begin(file, "scenario suite", text);
    const std::size_t first = measured_.evidence.size();
    const std::vector<Scenario> runs = read_scenarios(file, options_);
    const std::vector<bool> stalled = which_stalled(runs, file);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const Scenario& run = runs[i];
      ++input.rows;
      if (stalled[i]) {
        input.findings.push_back(
            {fmt::format("stalled: {} ({}); left out", run.title, run.pointer)});
        continue;
      }
      const std::optional<Seconds> time = measured_step_time(run);
      if (!time && !(run.measured && run.measured->peak_memory)) continue;
      ++input.rows_used;
      take_as_reference(run);
      if (time) {
        measured_.evidence.push_back(step_evidence(run, *time));
        measured_.layouts.push_back(layout_of(run));
      }
      if (run.measured->peak_memory) {
        measured_.evidence.push_back(memory_evidence(run, run.measured->memory_kind,
                                                     run.measured->measured_place(),
                                                     *run.measured->peak_memory));
      }
    }
    if (input.rows_used == 0) {
      throw InputError({file, ""},
                       "no run has a step time, a throughput or a peak of memory under "
                       "\"measured\"");
    }
    check_units(std::span(measured_.evidence).subspan(first), measured_.reference.profile);
  }

  // By stalled_runs.h; those without a step time did not.
  static std::vector<bool> which_stalled(const std::vector<Scenario>& runs,
                                         const std::string& suite) {
    std::vector<RunTime> times;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::optional<Seconds> measured = measured_step_time(runs[i]);
      if (!measured) continue;
      StepClock clock(runs[i]);
      times.push_back({&runs[i], suite, *measured, clock.step_time(runs[i].profile)});
      places.push_back(i);
    }
    const std::vector<bool> found = stalled_runs(times);
    std::vector<bool> stalled(runs.size());
    for (std::size_t i = 0; i < places.size(); ++i) stalled[places[i]] = found[i];
    return stalled;
  }

  // The run on the most nodes says what the network is.
  void take_as_reference(const Scenario& run) {
    Scenario& reference = measured_.reference;
    if (!referenced_ && files_.scenario.empty()) {
      reference = run;
      referenced_ = true;
      return;
    }
    check_same(reference, run);
    if (run.cluster.nodes > reference.cluster.nodes && files_.scenario.empty()) reference = run;
  }

  static void check_same(const Scenario& a, const Scenario& b) {
    const auto differ = [&](std::string_view what, const std::string& first,
                            const std::string& second) {
      if (first == second) return;
      throw InputError(
          {b.file, b.pointer},
          fmt::format("this run's {} is {}, that of others is {}", what, second, first),
          "a profile is calibrated for one GPU, network and framework at a time");
    };
    differ("GPU profile", a.cluster.node.gpu.profile, b.cluster.node.gpu.profile);
    differ("framework", std::string(word(a.job.framework)), std::string(word(b.job.framework)));
    if (a.cluster.nodes > 1 && b.cluster.nodes > 1) {
      differ("network profile", a.profile.network.name, b.profile.network.name);
    }
  }

  void add(std::vector<Evidence> evidence) {
    for (Evidence& one : evidence) measured_.evidence.push_back(std::move(one));
  }

  const UserFiles& files_;
  ReadOptions options_;
  UserMeasurements measured_;
  std::map<std::string, std::vector<CalibrationFinding>> nccl_findings_;  ///< of files with tables
  bool referenced_ = false;
};

}  // namespace

UserMeasurements read_user_files(const UserFiles& files) {
  UserMeasurements measured = FileReader(files).read();
  if (measured.evidence.empty()) {
    throw InputError(
        {"calibrate", ""},
        measured.inputs.empty()
            ? "there is nothing to calibrate with"
            : "there is nothing to calibrate with: these files hold nothing that was measured",
        "name logs by --nccl-log or --train-log, tables by --kernels, or a suite with "
        "measured runs by --runs");
  }
  return measured;
}

std::string content_hash(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("fnv1a64:{:016x}", hash);
}

MeasuredLayout layout_of(const Scenario& scenario) {
  const ParallelPlan& plan = scenario.job.plan;
  return {scenario.cluster.nodes,
          plan.tensor_parallel,
          plan.pipeline_parallel,
          plan.context_parallel,
          plan.zero_stage,
          scenario.job.batch.sequence_length,
          static_cast<int>(scenario.job.model.hidden_size)};
}

}  // namespace stepcast
