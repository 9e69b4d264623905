// A command for this project's own use (scripts/fit_kernels): fits a GPU profile's kernel constants
// to tables of measured kernels and writes its file. Hidden from --help; no prediction needs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "calibration/kernel_fit.h"
#include "cli/command.h"
#include "cli/fit_tables.h"
#include "scenarios/catalogue.h"

namespace stepcast {
namespace {

struct KernelFitOptions {
  std::vector<std::string> tables;
  std::string gpu;
  std::string priors;
  std::uint64_t seed = 1;
  bool write = false;
};

template <class Part>
Part named_part(const std::string& kind, const std::string& name, Catalogue& catalogue) {
  Part part;
  std::string given;
  read_fields(nlohmann::json{{"gpu", name}}, {"--gpu", ""}, catalogue, [&](Fields& f) {
    f.part("gpu", kind, given, [&](Fields& g) { describe(g, part); },
           {.presence = Presence::Required});
  });
  return part;
}

Device device_named(const std::string& gpu) {
  Catalogue catalogue(catalogue_folder());
  Device device;
  device.gpu = named_part<GpuSpec>("gpus", gpu, catalogue);
  device.profile = named_part<GpuProfile>("profiles/gpu", device.gpu.profile, catalogue);
  return device;
}

std::vector<ProfilePrior> priors_of(const std::string& profile, const std::string& file) {
  std::vector<ProfilePrior> priors = read_priors(file);
  std::erase_if(priors, [&](const ProfilePrior& prior) { return prior.profile != profile; });
  if (priors.empty()) {
    throw InputError({file, ""}, fmt::format("no prior is of {}, the GPU's profile", profile));
  }
  return priors;
}

std::vector<MeasuredKernel> kernels_of(const std::vector<std::string>& tables) {
  std::vector<MeasuredKernel> all;
  for (const std::string& file : tables) {
    std::vector<MeasuredKernel> kernels = training_kernels(read_kernel_table(file));
    std::move(kernels.begin(), kernels.end(), std::back_inserter(all));
  }
  if (all.size() >= 2) return all;
  throw InputError({tables.front(), ""}, "fewer than two kernels that training runs",
                   "products have sides of 256 or more");
}

std::string families_table(const KernelFit& fit) {
  std::map<std::string, HalvesErrors> rows;
  for (const KernelMiss& miss : fit.misses) {
    HalvesErrors& row =
        rows.try_emplace(miss.family, HalvesErrors{miss.family, {}, {}}).first->second;
    (miss.fitted ? row.fitted : row.judging).add(std::exp(miss.miss) - 1);
  }
  std::vector<HalvesErrors> named;
  for (const auto& [name, row] : rows) named.push_back(row);
  return halves_table("Kernels", named);
}

Answer run_fit(const KernelFitOptions& options) {
  const Device device = device_named(options.gpu);
  const KernelFit fit = fit_kernels(priors_of("gpu/" + device.gpu.profile, options.priors),
                                    kernels_of(options.tables), device, options.seed);
  if (options.write) write_kernel_constants(fit, catalogue_folder(), options.seed);
  return {families_table(fit) + "\n" + constants_table(fit.priors, fit.fit)};
}

}  // namespace

void add_fit_kernels(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "fit-kernels", "Fit a GPU profile's kernel constants to measured kernels");
  command->group("");
  const auto options = std::make_shared<KernelFitOptions>();
  command->add_option("TABLE", options->tables, "Measured kernels in CSV")->required();
  command->add_option("--gpu", options->gpu, "The catalogue's GPU that they ran on")->required();
  command->add_option("--priors", options->priors, "Priors of the constants to fit")->required();
  command->add_option("--seed", options->seed, "Of the split into fitted and judging kernels");
  command->add_flag("--write", options->write, "Write the profile's file");
  command->callback([options, &chosen] { chosen = [options] { return run_fit(*options); }; });
}

}  // namespace stepcast
