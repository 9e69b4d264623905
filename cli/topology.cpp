#include "cli/topology.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/input_error.h"
#include "calibration/readers/nccl_tests.h"
#include "scenarios/catalogue.h"

namespace stepcast {

void add_cluster_options(CLI::App& command, ClusterOptions& options) {
  command.add_option("SCENARIO", options.scenario, "A scenario whose cluster is meant")
      ->type_name("");
  command.add_option("--node", options.node, "Or a node: catalogue name or path")
      ->type_name("NODE");
  command.add_option("--nodes", options.nodes, "How many of it")
      ->check(CLI::Range(1, 100000).description(""))
      ->type_name("N");
  command.add_option("--fabric", options.fabric, "And the network between them")
      ->type_name("FABRIC");
  command.add_option("--nccl-version", options.nccl_version, "Whose constants hold, as in 2.26")
      ->type_name("VERSION");
  command
      .add_option("--set", options.read.settings,
                  "Change a key of the scenario, as in cluster.nodes=4; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      .add_option("--profile", options.read.profile_file,
                  "Calibrated values, laid over the built-in profile")
      ->type_name("FILE");
}

namespace {

NamedSetup setup_of_scenario(const ClusterOptions& options) {
  std::vector<Scenario> scenarios = read_scenarios(options.scenario, options.read);
  if (scenarios.size() != 1) {
    throw InputError({options.scenario, ""},
                     fmt::format("a suite of {} runs, expected one scenario", scenarios.size()));
  }
  Scenario& scenario = scenarios.front();
  NetworkSetup setup{scenario.cluster, scenario.profile.network, ProcessLayout::OnePerGpu};
  return {scenario.title, std::move(setup)};
}

NamedSetup setup_of_parts(const ClusterOptions& options) {
  nlohmann::json json = {{"node", options.node}, {"nodes", options.nodes}};
  if (!options.fabric.empty()) json["fabric"] = options.fabric;
  if (!options.nccl_version.empty()) json["nccl_version"] = options.nccl_version;
  Catalogue catalogue(catalogue_folder());
  const std::string name =
      options.fabric.empty()
          ? fmt::format("{} x {}", options.nodes, options.node)
          : fmt::format("{} x {}, {}", options.nodes, options.node, options.fabric);
  return {name,
          read_network_setup(json, {"command line", ""}, catalogue, options.read.profile_file)};
}

}  // namespace

NamedSetup read_setup(const ClusterOptions& options) {
  if (options.scenario.empty() == options.node.empty()) {
    throw InputError(
        {"command line", "SCENARIO"},
        options.node.empty() ? "there is no cluster" : "a scenario and --node are two clusters",
        "a scenario's file, or --node dgx_a100_80gb --nodes 2 --fabric hdr_rail");
  }
  const bool has_scenario = !options.scenario.empty();
  const bool has_parts =
      options.nodes != 1 || !options.fabric.empty() || !options.nccl_version.empty();
  if (has_scenario && has_parts) {
    throw InputError({"command line", "SCENARIO"},
                     "--nodes, --fabric and --nccl-version go with --node",
                     "--set cluster.nodes=4, --set cluster.fabric=NAME and --set "
                     "nccl.version=2.18 change a scenario's");
  }
  if (!has_scenario && !options.read.settings.empty()) {
    throw InputError({"command line", "--set"}, "--set changes a scenario, --node is none",
                     "--nodes, --fabric and --nccl-version say what a node is with");
  }
  return has_scenario ? setup_of_scenario(options) : setup_of_parts(options);
}

CollectiveKind collective_named(const std::string& word) {
  if (const std::optional<CollectiveKind> kind = modelled_kind(word)) return *kind;
  throw InputError({"command line", "--collective"},
                   fmt::format("\"{}\" is no collective that is modelled", word),
                   "one of all_reduce, all_gather, reduce_scatter, broadcast, reduce, all_to_all, "
                   "send_receive");
}

void add_topology(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "topology", "Clusters as NCCL sees them: real machines in, collectives out");
  command->require_subcommand(1);
  add_topology_show(*command, chosen);
  add_topology_import(*command, chosen);
  add_topology_collectives(*command, chosen);
  add_topology_explain(*command, chosen);
  add_topology_compare_log(*command, chosen);
}

}  // namespace stepcast
