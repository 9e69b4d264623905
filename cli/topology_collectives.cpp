// stepcast topology collectives: a predicted sweep in nccl-tests' format.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/input_error.h"
#include "base/text_lines.h"
#include "cli/topology.h"
#include "reports/nccl_tests_table.h"
#include "sim/collective_run.h"

namespace stepcast {
namespace {

struct CollectivesOptions {
  ClusterOptions cluster;
  std::string collective = "all_reduce";
  std::string sizes = "8:16G";
};

struct Sizes {
  Bytes from;
  Bytes to;
};

// As nccl-tests takes them: K, M and G are powers of two.
std::optional<Bytes> size_of(std::string text) {
  constexpr std::string_view letters = "KMG";
  double unit = 1;
  const std::size_t letter = text.empty() ? std::string::npos : letters.find(text.back());
  if (letter != std::string::npos) {
    for (std::size_t power = 0; power <= letter; ++power) unit *= 1024;
    text.pop_back();
  }
  const std::optional<std::int64_t> count = whole_number(text);
  const Bytes size(static_cast<double>(count.value_or(0)) * unit);
  if (!count || *count < 1 || size > Bytes(1e15)) return std::nullopt;
  return size;
}

Sizes sizes_of(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::optional<Bytes> from = size_of(text.substr(0, colon));
  const std::optional<Bytes> to = colon == text.size() ? from : size_of(text.substr(colon + 1));
  if (!from || !to || *to < *from) {
    throw InputError({"command line", "--sizes"}, fmt::format("\"{}\" is no range of sizes", text),
                     "as in 8:16G: from 8 bytes to 16 GiB, doubling");
  }
  return {*from, *to};
}

Answer run_collectives(const CollectivesOptions& options) {
  const CollectiveKind kind = collective_named(options.collective);
  const Sizes sizes = sizes_of(options.sizes);
  const NamedSetup named = read_setup(options.cluster);
  const Cluster cluster(named.setup.cluster);
  std::vector<SweepRow> rows;
  for (Bytes written = sizes.from; written <= sizes.to; written *= 2) {
    const Bytes size = nccl_tests_size(kind, written, cluster.num_gpus());
    rows.push_back(
        {size, collective_time(kind, size, cluster, named.setup.network, EngineChoice::Event)});
  }
  const std::vector<std::string> comments{
      fmt::format("predicted by stepcast, event engine: {}", named.name),
      fmt::format("{} ranks, one process a GPU, sizes doubling", cluster.num_gpus())};
  return {nccl_tests_table(kind, cluster.num_gpus(), rows, comments)};
}

}  // namespace

void add_topology_collectives(CLI::App& topology, Command& chosen) {
  CLI::App* command = topology.add_subcommand(
      "collectives", "A predicted sweep of one collective over all GPUs, as nccl-tests prints it");
  const auto options = std::make_shared<CollectivesOptions>();
  add_cluster_options(*command, options->cluster);
  command->add_option("--collective", options->collective, "all_reduce unless said")
      ->type_name("NAME");
  command->add_option("--sizes", options->sizes, "From and to, doubling: 8:16G unless said")
      ->type_name("FROM:TO");
  command->callback(
      [options, &chosen] { chosen = [options] { return run_collectives(*options); }; });
}

}  // namespace stepcast
