#include "scenarios/plan_check.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace stepcast {

namespace {

int gpus_per_node(const ClusterSpec& cluster) {
  return cluster.gpus_per_node == 0 ? cluster.node.gpus : cluster.gpus_per_node;
}

/// "128 nodes of dgx_a100_80gb = 128 x 8 GPUs"
std::string cluster_text(const ClusterSpec& cluster) {
  const std::string nodes = fmt::format("{} node{}", cluster.nodes, cluster.nodes == 1 ? "" : "s");
  const std::string of = cluster.node.name.empty() ? "" : " of " + cluster.node.name;
  return fmt::format("{}{} = {} x {} GPUs", nodes, of, cluster.nodes, gpus_per_node(cluster));
}

std::string gpu_text(const GpuSpec& gpu) { return gpu.name.empty() ? "this GPU" : gpu.name; }

std::optional<Violation> precision_violation(const TrainingJob& job, const GpuSpec& gpu) {
  const auto refused = [&](const char* what, const char* instead) {
    return Violation{"/precision",
                     fmt::format("{} has no {}", gpu_text(gpu), what),
                     fmt::format("precision {} runs on it", instead),
                     {}};
  };
  const bool volta = gpu.architecture == GpuArchitecture::Volta;
  if (job.precision == Precision::Fp8 && gpu.fp8 <= gpu.fp16) return refused("fp8", "bf16");
  if (job.precision == Precision::Bf16 && volta) return refused("bf16", "fp16");
  if (job.precision == Precision::Tf32 && gpu.tf32 <= gpu.fp32) return refused("tf32", "fp32");
  return std::nullopt;
}

std::optional<Violation> attention_violation(const TrainingJob& job, const GpuSpec& gpu) {
  const auto refused = [&](const char* needs, const char* instead) {
    return Violation{
        "/attention",
        fmt::format("{} needs {}, {} is none", word(job.attention), needs, gpu_text(gpu)),
        fmt::format("attention {} runs on it", instead),
        {}};
  };
  if (job.attention == AttentionKernel::Unfused) return std::nullopt;
  if (gpu.architecture == GpuArchitecture::Volta) {
    return refused("an Ampere GPU or a later one", "unfused");
  }
  if (job.attention == AttentionKernel::Flash3 && gpu.architecture != GpuArchitecture::Hopper) {
    return refused("a Hopper GPU", "flash2");
  }
  return std::nullopt;
}

}  // namespace

int num_gpus(const ClusterSpec& cluster) { return cluster.nodes * gpus_per_node(cluster); }

std::optional<Violation> first_violation(const Scenario& scenario) {
  const std::vector<Violation> found = violations(scenario.job, num_gpus(scenario.cluster));
  if (found.empty()) {
    const GpuSpec& gpu = scenario.cluster.node.gpu;
    const std::optional<Violation> precision = precision_violation(scenario.job, gpu);
    return precision ? precision : attention_violation(scenario.job, gpu);
  }
  Violation first = found.front();
  if (first.key == "/plan" && !first.details.empty()) {
    first.details.back() += "; " + cluster_text(scenario.cluster);
  }
  return first;
}

}  // namespace stepcast
