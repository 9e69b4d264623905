// stepcast topology show: the devices and links of a cluster.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/report_file.h"
#include "cli/topology.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/topology_map.h"

namespace stepcast {
namespace {

struct ShowOptions {
  ClusterOptions cluster;
  std::optional<std::string> report;  ///< the page's file
  std::string format = "text";
};

Answer run_show(const ShowOptions& options) {
  check_report_file(options.report);
  const NamedSetup named = read_setup(options.cluster);
  const Cluster cluster(named.setup.cluster);
  if (options.report) write_report_file(*options.report, topology_html(named.name, cluster));
  if (options.format == "json") return {json_text(topology_json(named.name, cluster))};
  return report(topology_text(named.name, cluster));
}

}  // namespace

void add_topology_show(CLI::App& topology, Command& chosen) {
  CLI::App* command =
      topology.add_subcommand("show", "The devices of a cluster and the links between them");
  const auto options = std::make_shared<ShowOptions>();
  add_cluster_options(*command, options->cluster);
  add_report_option(*command, options->report);
  command->add_option("--format", options->format, "What to print")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  command->callback([options, &chosen] { chosen = [options] { return run_show(*options); }; });
}

}  // namespace stepcast
