// stepcast topology import: a real machine as a node of the catalogue's form.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output_file.h"
#include "base/text_file.h"
#include "cli/topology.h"
#include "reports/json.h"
#include "scenarios/import/node_file.h"

namespace stepcast {
namespace {

struct ImportOptions {
  std::string file;
  std::string out;
  std::string gpu;
  std::string like;
};

NodeSketch read_sketch(const std::string& file) {
  const std::string text = read_text_file(file);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool xml = first != std::string::npos && text[first] == '<';
  return xml ? read_nccl_xml(text, file) : read_smi_topology(text, file);
}

std::string summary(const NodeSketch& sketch, const NodeFile& node) {
  std::string text = fmt::format("{} GPUs{}", sketch.gpus, node.gpu.empty() ? "" : " " + node.gpu);
  text += fmt::format("; NICs: {} under a PCIe switch with a GPU, {} elsewhere", sketch.near_nics,
                      sketch.far_nics);
  if (sketch.nic_bandwidth) {
    text += fmt::format(", {:g} Gbit/s", sketch.nic_bandwidth->value() * 8e-9);
  }
  text += " (a fabric's nics_per_node)\n";
  for (const std::string& caveat : sketch.caveats) text += fmt::format("  {}\n", caveat);
  if (!node.from_like.empty()) {
    text += fmt::format("  taken from {}: {}\n", node.like, fmt::join(node.from_like, ", "));
  }
  if (!node.to_fill_in.empty()) {
    text += fmt::format(
        "  to be filled in: {}\n  hint: --gpu NAME and --like NODE name parts of the catalogue to "
        "take them from\n",
        fmt::join(node.to_fill_in, ", "));
  }
  return text;
}

Answer run_import(const ImportOptions& options) {
  Catalogue catalogue(catalogue_folder());
  const NodeSketch sketch = read_sketch(options.file);
  const std::string source =
      fmt::format("imported from {}", std::filesystem::path(options.file).filename().string());
  const NodeFile node = node_file(sketch, options.gpu, options.like, source, catalogue);
  const std::string text = json_text(*node.json);
  const std::string notes = summary(sketch, node);
  if (options.out.empty()) return {.output = text, .notes = notes};
  write_output_file(options.out, "the node", "--out", text);
  return {.output = {}, .notes = notes};
}

}  // namespace

void add_topology_import(CLI::App& topology, Command& chosen) {
  CLI::App* command = topology.add_subcommand(
      "import", "A node file from `nvidia-smi topo -m` output or NCCL's topology XML");
  const auto options = std::make_shared<ImportOptions>();
  command->add_option("FILE", options->file, "What nvidia-smi or NCCL_TOPO_DUMP_FILE wrote")
      ->required()
      ->type_name("");
  command->add_option("--out", options->out, "Where the node goes; stdout unless said")
      ->type_name("FILE.json");
  command->add_option("--gpu", options->gpu, "The GPU's catalogue name, where FILE does not say")
      ->type_name("NAME");
  command->add_option("--like", options->like, "A node to take what FILE cannot say from")
      ->type_name("NODE");
  command->callback([options, &chosen] { chosen = [options] { return run_import(*options); }; });
}

}  // namespace stepcast
