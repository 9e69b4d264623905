// stepcast topology compare-log: NCCL's own choices beside the model's.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/topology.h"
#include "reports/json.h"
#include "reports/nccl_comparison.h"

namespace stepcast {
namespace {

struct CompareLogOptions {
  std::string log;
  ClusterOptions cluster;
  std::string format = "text";
};

Answer run_compare_log(const CompareLogOptions& options) {
  const NcclInfoLog log = read_nccl_info(options.log);
  const NamedSetup named = read_setup(options.cluster);
  const NcclComparison comparison =
      compare_nccl(log, Cluster(named.setup.cluster), named.setup.network);
  if (options.format == "json") return {json_text(nccl_comparison_json(comparison))};
  return report(nccl_comparison_text(comparison));
}

}  // namespace

void add_topology_compare_log(CLI::App& topology, Command& chosen) {
  CLI::App* command = topology.add_subcommand(
      "compare-log", "Channels, rings and algorithms of an NCCL_DEBUG=INFO log beside the model's");
  const auto options = std::make_shared<CompareLogOptions>();
  command->add_option("LOG", options->log, "What NCCL printed")->required()->type_name("");
  add_cluster_options(*command, options->cluster);
  command->add_option("--format", options->format, "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback(
      [options, &chosen] { chosen = [options] { return run_compare_log(*options); }; });
}

}  // namespace stepcast
