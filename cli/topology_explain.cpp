// stepcast topology explain: why a group's collective runs as it does.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/input_error.h"
#include "base/unit_text.h"
#include "cli/topology.h"
#include "models/step_groups.h"
#include "reports/collective_explanation.h"
#include "reports/json.h"

namespace stepcast {
namespace {

struct ExplainOptions {
  ClusterOptions cluster;
  std::string collective = "all_reduce";
  std::string message = "64 MiB";
  std::string group = "all";
  std::string format = "text";
};

constexpr std::array<std::pair<std::string_view, Group>, 5> groups{{
    {"tensor", Group::Tensor},
    {"context", Group::Context},
    {"data", Group::Data},
    {"model", Group::Model},
    {"pipeline", Group::SendForward},
}};

Bytes message_of(const std::string& text) {
  const std::optional<Bytes> message = parse_bytes(text);
  if (message && *message > Bytes()) return *message;
  throw InputError({"command line", "--message"}, fmt::format("\"{}\" is no size", text),
                   "as in \"64 MiB\"");
}

Group group_named(const std::string& name) {
  for (const auto& [word, group] : groups) {
    if (word == name) return group;
  }
  throw InputError({"command line", "--group"}, fmt::format("there is no group \"{}\"", name),
                   "one of all, tensor, context, data, model, pipeline");
}

std::vector<GpuId> every_gpu(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

std::vector<GpuId> gpus_of_group(const ExplainOptions& options, const Cluster& cluster) {
  const Group group = group_named(options.group);
  if (options.cluster.scenario.empty()) {
    throw InputError({"command line", "--group"}, "a cluster without a plan has no groups",
                     "name a scenario, or leave out --group for all GPUs");
  }
  const std::vector<Scenario> scenarios =
      read_scenarios(options.cluster.scenario, options.cluster.read);
  const TrainingJob& job = scenarios.front().job;
  const Placement placement = place_ranks(rank_grid(job.plan), cluster);
  std::vector<GpuId> gpus;
  for (const int rank :
       group_ranks(group, 0, job, placement.grid, job.plan.pipeline_parallel - 1)) {
    gpus.push_back(placement.gpu_of_rank[static_cast<std::size_t>(rank)]);
  }
  return gpus;
}

void check_group(const ExplainOptions& options, CollectiveKind kind, std::size_t ranks) {
  if (ranks < 2) {
    throw InputError({"command line", "--group"},
                     fmt::format("the {} group of rank 0 has nobody else in it", options.group));
  }
  if (kind == CollectiveKind::SendReceive && ranks != 2) {
    throw InputError({"command line", "--group"},
                     fmt::format("a send-receive joins two ranks, {} has {}", options.group, ranks),
                     "--group pipeline is a pair");
  }
}

Answer run_explain(const ExplainOptions& options) {
  const CollectiveKind kind = collective_named(options.collective);
  const Bytes message = message_of(options.message);
  const NamedSetup named = read_setup(options.cluster);
  const Cluster cluster(named.setup.cluster);
  const bool all = options.group == "all";
  const std::vector<GpuId> gpus = all ? every_gpu(cluster) : gpus_of_group(options, cluster);
  check_group(options, kind, gpus.size());
  const std::string group = all ? "all GPUs" : options.group + " group of rank 0";
  const CollectiveExplanation explanation =
      explain_collective(kind, message, cluster, gpus, named.setup.network);
  if (options.format == "json") {
    return {json_text(explanation_json(explanation, options.collective, group))};
  }
  return report(explanation_text(explanation, options.collective, group));
}

}  // namespace

void add_topology_explain(CLI::App& topology, Command& chosen) {
  CLI::App* command = topology.add_subcommand(
      "explain", "How NCCL would run a collective: candidates, what wins and why");
  const auto options = std::make_shared<ExplainOptions>();
  add_cluster_options(*command, options->cluster);
  command->add_option("--collective", options->collective, "all_reduce unless said")
      ->type_name("NAME");
  command->add_option("--message", options->message, "The whole buffer: 64 MiB unless said")
      ->type_name("SIZE");
  command
      ->add_option("--group", options->group,
                   "Who: all (unless said), or rank 0's tensor, context, data, model or pipeline "
                   "group")
      ->type_name("GROUP");
  command->add_option("--format", options->format, "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback([options, &chosen] { chosen = [options] { return run_explain(*options); }; });
}

}  // namespace stepcast
