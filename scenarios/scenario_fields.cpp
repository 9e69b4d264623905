#include "scenarios/scenario_fields.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "scenarios/profile_choice.h"
#include "scenarios/suite.h"

namespace stepcast {

namespace {

constexpr std::array<std::pair<MemoryKind, std::string_view>, 3> memory_kinds{{
    {MemoryKind::Allocated, "allocated"},
    {MemoryKind::Reserved, "reserved"},
    {MemoryKind::Device, "device"},
}};

constexpr std::array<std::pair<MemoryPlace, std::string_view>, 2> memory_places{{
    {MemoryPlace::FirstStage, "first_stage"},
    {MemoryPlace::FullestStage, "fullest_stage"},
}};

FieldRules positive(std::string_view doc) { return {.more_than = 0, .doc = doc}; }

FieldRules required(std::string_view doc) { return {.presence = Presence::Required, .doc = doc}; }

void check_fault(const Fields& f, const Fault& fault, bool has_rate, bool has_bandwidth) {
  const bool of_gpu = fault.gpu >= 0;
  if (of_gpu == !fault.link.empty()) f.fault("", "a fault is of one gpu or of one link");
  if (has_rate != of_gpu) f.fault("", "a gpu's fault has a rate, a link's has not");
  if (has_bandwidth == of_gpu) f.fault("", "a link's fault has a bandwidth, a gpu's has not");
}

}  // namespace

void describe(Fields& f, Fault& fault) {
  std::optional<int> gpu;
  std::optional<double> rate;
  std::optional<std::string> link;
  std::optional<BytesPerSecond> bandwidth;
  if (fault.gpu >= 0) {
    gpu = fault.gpu;
    rate = fault.rate;
  } else if (!fault.link.empty()) {
    link = fault.link;
    bandwidth = fault.bandwidth;
  }
  f.field("gpu", gpu, {.at_least = 0, .doc = "number of the GPU that runs slower"});
  f.field("rate", rate, {.more_than = 0, .at_most = 1, .doc = "its speed beside a healthy one"});
  f.field("link", link, {.doc = "name of the link or NIC that runs slower"});
  f.field("bandwidth", bandwidth, {.at_least = 0, .doc = "what the link is left with"});
  if (!f.reading()) return;
  fault = {gpu.value_or(-1), rate.value_or(1.0), link.value_or(""), bandwidth.value_or(0_B_per_s)};
  check_fault(f, fault, rate.has_value(), bandwidth.has_value());
}

void describe(Fields& f, BackgroundTraffic& traffic) {
  std::optional<int> from;
  std::optional<int> to;
  std::optional<BytesPerSecond> rate;
  std::optional<double> share;
  if (traffic.from >= 0) {
    from = traffic.from;
    to = traffic.to;
  }
  if (traffic.share > 0) {
    share = traffic.share;
  } else if (traffic.rate > 0_B_per_s) {
    rate = traffic.rate;
  }
  f.field("from", from, {.at_least = 0, .doc = "a GPU that another job sends from"});
  f.field("to", to, {.at_least = 0, .doc = "the GPU that it sends to"});
  f.field("rails", traffic.rails, {.doc = "or NICs by number: their cables on every node"});
  f.field("rate", rate, {.more_than = 0, .doc = "what it sends where nothing else is"});
  f.field("share", share,
          {.more_than = 0, .at_most = 1, .doc = "the same as a share of a NIC's usable rate"});
  if (!f.reading()) return;
  traffic.from = from.value_or(-1);
  traffic.to = to.value_or(-1);
  traffic.rate = rate.value_or(0_B_per_s);
  traffic.share = share.value_or(0);
  const bool of_pair = from.has_value() || to.has_value();
  if (of_pair == !traffic.rails.empty()) {
    f.fault("", "background traffic is from one gpu to another or on rails");
  }
  if (from.has_value() != to.has_value()) f.fault("", "\"from\" needs \"to\", and \"to\" \"from\"");
  if (of_pair && from == to) f.fault("to", "a GPU does not send to itself");
  if (rate.has_value() == share.has_value()) {
    f.fault("", "background traffic has a rate or a share", "\"share\": 0.5 is half of a NIC");
  }
}

void describe(Fields& f, ClaimedRange& range) {
  f.field("from", range.from, {.presence = Presence::Required, .doc = "at least this"});
  f.field("to", range.to, {.doc = "at most this; without it, from is all that is claimed"});
  if (range.to && *range.to < range.from) f.fault("to", "a range ends before it begins");
}

void describe(Fields& f, ClaimedComparison& compared) {
  f.field("with", compared.with, required("title of a run of the same file, to compare with"));
  f.object("speed_up", compared.speed_up, {.doc = "that run's step time over this run's"});
  f.object("memory_saved", compared.memory_saved,
           {.doc = "share of that run's peak memory that this run does not need"});
  f.object("optimizer_memory_saved", compared.optimizer_memory_saved,
           {.doc = "the same of the optimizer's state on the fullest GPU"});
}

void describe(Fields& f, Figures& figures) {
  f.field("step_time", figures.step_time, positive("of one optimizer step"));
  f.field("tokens_per_s", figures.tokens_per_s, positive("of the whole cluster"));
  f.field("tokens_per_s_per_gpu", figures.tokens_per_s_per_gpu, positive("of one GPU"));
  f.field("peak_memory", figures.peak_memory, positive("of one GPU"));
  f.field("memory_kind", figures.memory_kind, memory_kinds,
          {.doc = "what peak_memory counts; reserved unless said"});
  f.field(
      "memory_of", figures.memory_of, memory_places,
      {.doc = "whose peak: unless said the first stage's where measured, as rank 0 logs it, and "
              "the fullest stage's where claimed"});
  f.field("fits", figures.fits, {.doc = "false: it ran out of memory"});
  f.field("derived", figures.derived, {.doc = "computed from other published figures"});
  f.field("fits_is_inferred", figures.fits_is_inferred,
          {.doc = "the source does not say outright that memory ran out"});
  f.field("usd_per_hour", figures.usd_per_hour, positive("of the whole cluster"));
  f.field("training_gpu_hours", figures.training_gpu_hours,
          positive("GPUs times hours that training_tokens take"));
  f.field("forward_flop", figures.forward_flop,
          positive("of forward_flop_tokens tokens through the whole model"));
  f.field("forward_flop_tokens", figures.forward_flop_tokens,
          positive("tokens that forward_flop counts"));
  f.field("weights_and_optimizer_memory", figures.weights_and_optimizer_memory,
          positive("of the whole model, all GPUs together"));
  f.object("compared", figures.compared, {.doc = "beside another run of the same file"});
}

namespace {

constexpr int most_nics_of_a_gpu = 8;  // the densest machines have four

void describe_node(Fields& f, Scenario& scenario) {
  ClusterSpec& cluster = scenario.cluster;
  f.part(
      "node", "nodes", scenario.node_name, [&](Fields& g) { describe(g, cluster.node); },
      required("what one machine is"));
  f.field("nodes", cluster.nodes,
          {.presence = Presence::Required, .at_least = 1, .at_most = 100000, .doc = "how many"});
  std::optional<int> gpus_per_node;
  if (cluster.gpus_per_node > 0) gpus_per_node = cluster.gpus_per_node;
  f.field("gpus_per_node", gpus_per_node,
          {.at_least = 1, .doc = "GPUs of each node in use; all unless said"});
  if (!f.reading()) return;
  cluster.gpus_per_node = gpus_per_node.value_or(0);
  if (cluster.gpus_per_node > cluster.node.gpus) {
    f.fault("gpus_per_node", fmt::format("{} GPUs of each node in use, the node has {}",
                                         cluster.gpus_per_node, cluster.node.gpus));
  }
}

void describe_fabric(Fields& f, Scenario& scenario) {
  std::optional<FabricSpec> fabric;
  if (has_fabric(scenario.cluster)) fabric = scenario.cluster.fabric;
  f.part("fabric", "fabrics", scenario.fabric_name, fabric,
         {.doc = "the network between nodes; not needed on one node"});
  if (!f.reading() || !fabric) return;
  const int gpus = scenario.cluster.node.gpus;
  if (fabric->nics_per_node > most_nics_of_a_gpu * gpus) {
    f.fault("fabric", fmt::format("{} NICs in a node of {} GPUs, expected at most {} a GPU",
                                  fabric->nics_per_node, gpus, most_nics_of_a_gpu));
  }
  scenario.cluster.fabric = *fabric;
}

}  // namespace

void describe_cluster(Fields& f, Scenario& scenario) {
  describe_node(f, scenario);
  describe_fabric(f, scenario);
}

namespace {

void describe_calibration(Fields& f, Scenario& scenario) {
  std::string name;
  std::optional<Profile> changed;
  if (!has_built_in_profile(scenario)) changed = scenario.profile;
  f.part("calibration", "profiles", name, changed,
         {.doc = "constants that replace those of the built-in profile"});
}

/// A part's own name: of a path what the file is called.
std::string own_name(const std::string& as_written) {
  return std::filesystem::path(as_written).stem().string();
}

void name_parts(Scenario& scenario) {
  scenario.job.model.name = own_name(scenario.model_name);
  scenario.cluster.node.name = own_name(scenario.node_name);
  scenario.cluster.fabric.name = own_name(scenario.fabric_name);
  if (scenario.price) scenario.price->name = own_name(scenario.price_name);
}

}  // namespace

bool has_fabric(const ClusterSpec& cluster) { return cluster.fabric.nic_bandwidth > 0_B_per_s; }

void describe(Fields& f, Scenario& scenario) {
  describe_schema_version(f);
  f.field("title", scenario.title, {.doc = "the file's name unless said"});
  f.part(
      "model", "models", scenario.model_name, [&](Fields& g) { describe(g, scenario.job.model); },
      required("what is trained"));
  f.object(
      "cluster", [&](Fields& g) { describe_cluster(g, scenario); }, required("what it runs on"));
  f.list("faults", scenario.cluster.faults,
         {.doc = "what of the cluster runs slower than it should"});
  f.list("background", scenario.cluster.background,
         {.doc = "what another job sends over the same links"});
  f.object("nccl", scenario.nccl, {.doc = "what is forced on NCCL"});
  describe_settings(f, scenario.job);
  describe_calibration(f, scenario);
  f.part("price", "prices", scenario.price_name, scenario.price, {.doc = "what a node costs"});
  f.field("training_tokens", scenario.training_tokens, positive("tokens of the whole training"));
  f.field("seed", scenario.seed, {.at_least = 0, .doc = "of everything random"});
  f.object("claimed", scenario.claimed, {.doc = "figures that the prediction judges"});
  f.object("measured", scenario.measured, {.doc = "figures that judge the prediction"});
  if (!f.reading()) return;
  scenario.cluster.seed = static_cast<std::uint64_t>(scenario.seed.value_or(0));
  name_parts(scenario);
}

}  // namespace stepcast
