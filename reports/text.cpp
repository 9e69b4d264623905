#include "reports/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/unit_text.h"
#include "reports/advice.h"
#include "reports/memory_text.h"
#include "reports/numbers.h"
#include "reports/scenario_text.h"
#include "reports/table.h"
#include "sim/run.h"

namespace stepcast {
namespace {

std::string heading(const Prediction& prediction) {
  std::string text = prediction.report.title + "\n";
  for (const std::string& line : scenario_lines(prediction.scenario)) text += "  " + line + "\n";
  return text;
}

std::string memory_verdict(const StepReport& report) {
  return fmt::format("{} (stage {}), risk of running out {}", report.fits ? "fits" : "does not fit",
                     report.memory.peak_stage, share_text(report.oom_probability));
}

void add_cost_rows(Table& table, const CostReport& cost) {
  table.add_row({"cost", usd_text(cost.usd_per_million_tokens) + " per million tokens",
                 usd_text(cost.usd_per_hour) + " an hour"});
  if (!cost.training_hours) return;
  std::string price;
  if (cost.training_usd) price += usd_text(*cost.training_usd);
  if (cost.energy_kwh) price += ", " + rounded_text(*cost.energy_kwh) + " kWh";
  table.add_row({"whole training", hours_text(*cost.training_hours), price});
}

std::string headline(const StepReport& report) {
  Table table({Align::Left, Align::Left, Align::Left});
  table.add_row({"step time", to_text(report.step_time),
                 fmt::format("90 % between {} and {}", to_text(report.step_time_low),
                             to_text(report.step_time_high))});
  table.add_row({"throughput", rounded_text(report.tokens_per_s) + " tokens/s",
                 rounded_text(report.tokens_per_s_per_gpu) + " tokens/s a GPU"});
  table.add_row({"model FLOP rate", to_text(report.model_flop_rate_per_gpu) + " a GPU",
                 fmt::format("MFU {}, HFU {}", share_text(report.mfu), share_text(report.hfu))});
  table.add_row(
      {"memory",
       fmt::format("{} of {}", to_text(report.memory_peak()), to_text(report.memory.capacity)),
       memory_verdict(report)});
  table.add_row({"", "",
                 fmt::format("90 % between {} and {}", to_text(report.memory.low),
                             to_text(report.memory.high))});
  if (report.memory.host_peak > Bytes()) {
    table.add_row({"host memory",
                   fmt::format("{} of {}", to_text(report.memory.host_peak),
                               to_text(report.memory.host_capacity)),
                   "a node, for offload"});
  }
  if (report.cost) add_cost_rows(table, *report.cost);
  return table.text();
}

std::string time_section(const StepReport& report) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Left});
  for (int a = 0; a < kNumActivities; ++a) {
    const Seconds time = report.breakdown[static_cast<std::size_t>(a)];
    if (time == Seconds()) continue;
    const double share = time / report.step_time;
    table.add_row({activity_text(static_cast<Activity>(a)), to_text(time), share_text(share),
                   share_bar(share)});
  }
  return fmt::format("Where the time goes, on the critical rank (stage {})\n{}\n  {}.\n",
                     report.critical_stage, table.text(), report.bottleneck);
}

std::string memory_section(const MemoryReport& memory) {
  std::string text =
      fmt::format("Memory of a GPU at its peak, capacity {}\n{}{}\n  What it holds, in GiB\n{}",
                  to_text(memory.capacity), memory_use_table(memory),
                  memory_peak_sentence(memory.peak()), memory_parts_table(memory));
  if (memory.timeline.empty()) return text;
  return text + fmt::format("\n  Over the step, stage {}\n{}", memory.peak_stage,
                            memory_timeline_table(memory));
}

std::string figure_text(std::string_view claim, double value) {
  if (claim == "step_time") return to_text(Seconds(value));
  if (claim == "forward_flop") return to_text(Flop(value));
  if (claim.ends_with("memory")) return to_text(Bytes(value));
  if (claim.starts_with("usd")) return usd_text(value);
  if (claim == "speed_up") return factor_text(value);
  if (claim.ends_with("memory_saved")) return share_text(value);
  return rounded_text(value);
}

// "12,000", "2x to 3x", "at least 75 %".
std::string claimed_text(const ClaimCheck& claim) {
  const std::string from = figure_text(claim.claim, claim.claimed);
  if (!claim.claimed_to) return from;
  if (std::isinf(*claim.claimed_to)) return "at least " + from;
  return from + " to " + figure_text(claim.claim, *claim.claimed_to);
}

std::string verdict(const ClaimCheck& claim) {
  if (claim.claimed_to) return agrees(claim) ? "agrees" : "does not agree";
  if (agrees(claim)) return fmt::format("agrees ({})", signed_share_text(claim.ratio() - 1.0));
  return fmt::format("does not agree: {} the claim", factor_text(claim.ratio()));
}

std::string claims_section(const std::vector<ClaimCheck>& claims,
                           const std::vector<std::string>& caveats) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Left});
  table.add_row({"", "claimed", "predicted"});
  for (const ClaimCheck& claim : claims) {
    std::string name = claim.claim;
    std::replace(name.begin(), name.end(), '_', ' ');
    table.add_row(
        {name, claimed_text(claim), figure_text(claim.claim, claim.predicted), verdict(claim)});
  }
  std::string text =
      fmt::format("Claims, which agree within {:.0f} %\n{}", 100.0 * claim_tolerance, table.text());
  for (const std::string& caveat : caveats) text += "  Mind: " + caveat + "\n";
  return text;
}

std::string links_section(const StepReport& report) {
  constexpr std::size_t shown = 12;
  Table table({Align::Left, Align::Right, Align::Right, Align::Right, Align::Left});
  table.add_row({"", "bandwidth", "carries", "utilised", "mostly for"});
  for (std::size_t i = 0; i < std::min(shown, report.links.size()); ++i) {
    const LinkLoad& load = report.links[i];
    const std::string others =
        load.alike > 1 ? fmt::format(" and {} alike", count_text(load.alike - 1)) : "";
    table.add_row({load.name + others, to_text(load.bandwidth), to_text(load.total()),
                   share_text(load.utilisation(report.step_time)), activity_text(load.busiest())});
  }
  std::string text =
      "What moves the bytes: links by their utilisation over the step\n" + table.text();
  if (report.links.size() > shown) {
    text += fmt::format("  and {} less utilised kinds of links\n", report.links.size() - shown);
  }
  return text;
}

std::string warnings_section(const std::vector<std::string>& warnings) {
  std::string text = "Warnings\n";
  for (const std::string& warning : warnings) text += "  " + warning + "\n";
  return text;
}

}  // namespace

std::string activity_text(Activity activity) {
  std::string text(word(activity));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

bool agrees(const ClaimCheck& claim) {
  if (!claim.claimed_to) return std::abs(claim.ratio() - 1.0) <= claim_tolerance;
  return claim.predicted >= (1.0 - claim_tolerance) * claim.claimed &&
         claim.predicted <= (1.0 + claim_tolerance) * *claim.claimed_to;
}

std::string engine_text(const EngineReport& engine) {
  return fmt::format("{} engine: {} of {} GPUs stand for all, {} activities", engine.name,
                     count_text(engine.rank_classes), count_text(engine.gpus),
                     count_text(engine.activities));
}

std::string engine_note(const EngineReport& engine) {
  constexpr std::size_t width = 100;
  if (engine.name == "event") return wrapped(simgrid_settings_text(), width);
  if (engine.certified) return "nothing contends: the event engine gives the same";
  return "a lower bound: contention between flows is left out";
}

std::string text_report(const Prediction& prediction) {
  const StepReport& report = prediction.report;
  std::string text = heading(prediction) + "\n" + headline(report) + "\n" + time_section(report) +
                     "\n" + memory_section(report.memory) + "\n";
  if (!report.links.empty()) text += links_section(report) + "\n";
  if (!report.claims.empty())
    text += claims_section(report.claims, prediction.scenario.caveats) + "\n";
  if (prediction.advice) text += advice_text(*prediction.advice, report) + "\n";
  if (!report.warnings.empty()) text += warnings_section(report.warnings) + "\n";
  return text + engine_text(report.engine) + "\n" + engine_note(report.engine) + "\n";
}

}  // namespace stepcast
