// stepcast replay: a traced run on another cluster.
#include "reports/replay.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "base/output_file.h"
#include "cli/topology.h"
#include "reports/chrome_trace.h"
#include "reports/json.h"
#include "scenarios/import/chakra/traced_step.h"
#include "sim/collective_run.h"

namespace stepcast {
namespace {

struct ReplayOptions {
  ClusterOptions cluster;
  std::string prefix;
  std::string groups;
  std::optional<std::string> trace;  ///< the file of what ran when
  std::string format = "text";
};

void check_size(const TracedRun& run, const Cluster& cluster, const std::string& name) {
  const auto ranks = static_cast<int>(run.ranks.size());
  if (ranks <= cluster.num_gpus()) return;
  throw InputError(
      {run.ranks.back().file, ""},
      fmt::format("the run has {} ranks, the cluster {} GPUs", ranks, cluster.num_gpus()),
      "--nodes says how many nodes there are", {name});
}

std::vector<std::string> caveats(const TracedRun& run, const GpuSpec& gpu) {
  std::vector<std::string> lines{
      "compute takes as long as on the GPUs that were traced",
      fmt::format("compute without a duration takes what {} needs at its peak rates", gpu.name),
      "collectives and messages take what this cluster's network needs, not what was traced"};
  lines.insert(lines.end(), run.not_carried.begin(), run.not_carried.end());
  return lines;
}

Answer run_replay(const ReplayOptions& options) {
  std::optional<OutputFile> trace;
  if (options.trace) trace.emplace(*options.trace, "the trace", "--trace");
  const NamedSetup named = read_setup(options.cluster);
  const Cluster cluster(named.setup.cluster);
  const GpuSpec& gpu = named.setup.cluster.node.gpu;
  const TracedRun run = read_chakra_traces(options.prefix);
  check_size(run, cluster, named.name);
  const auto ranks = static_cast<int>(run.ranks.size());
  const TracedGroups groups =
      options.groups.empty() ? TracedGroups() : read_traced_groups(options.groups, ranks);
  const Replay replay{named.name,
                      run_step(traced_step(run, groups, gpu), place_in_order(ranks, cluster),
                               cluster, named.setup.network, EngineChoice::Event),
                      caveats(run, gpu)};
  if (trace) {
    write_chrome_trace(trace->stream(), replay.step);
    trace->publish();
  }
  if (options.format == "json") return {json_text(replay_json(replay))};
  return report(replay_text(replay));
}

constexpr const char* examples = R"(Examples:
  stepcast replay --et traces/gpt --node dgx_h100_80gb --nodes 2 --fabric ndr_rail
  stepcast replay scenarios/guide/65b_8_nodes.json --et traces/gpt --groups traces/gpt.json --trace steps.json

Reads traces/gpt.0.et, traces/gpt.1.et ...: MLCommons Chakra's execution traces in protobuf, a file a rank.)";

}  // namespace

void add_replay(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "replay", "What a run traced by Chakra takes on another cluster's network");
  command->footer(examples);
  const auto options = std::make_shared<ReplayOptions>();
  add_cluster_options(*command, options->cluster);
  command->add_option("--et", options->prefix, "The traces PREFIX.0.et, PREFIX.1.et and so on")
      ->required()
      ->type_name("PREFIX");
  command
      ->add_option("--groups", options->groups,
                   "The ranks of each process group, where traces name groups (pg_name)")
      ->type_name("FILE.json");
  command
      ->add_option("--trace", options->trace,
                   "Write what ran when as a trace for Chrome and Perfetto")
      ->type_name("FILE.json");
  command->add_option("--format", options->format, "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback([options, &chosen] { chosen = [options] { return run_replay(*options); }; });
}

}  // namespace stepcast
