#include "sim/simgrid/settings.h"

#include <xbt/log.h>

#include <array>
#include <simgrid/s4u.hpp>
#include <string>

#include "sim/run.h"

namespace stepcast {
namespace {

// CM02 without its TCP corrections is plain max-min sharing; links carry no latency (instructions
// sleep theirs), since CM02 shares in inverse proportion to it. At the default precision of 1e-9
// activities end early and the analytic time is no lower bound any more.
constexpr std::array<std::string_view, 9> kSettings{
    "network/model:CM02",         "network/TCP-gamma:0",      "network/crosstraffic:0",
    "network/bandwidth-factor:1", "network/latency-factor:1", "network/weight-S:0",
    "surf/precision:1e-12",       "contexts/stack-size:64",   "contexts/guard-size:0"};

}  // namespace

std::span<const std::string_view> simgrid_settings() { return kSettings; }

void apply_simgrid_settings() {
  xbt_log_control_set("xbt_cfg.thresh:warning");  // it would report every setting on stderr
  for (const std::string_view setting : kSettings) {
    simgrid::s4u::Engine::set_config(std::string(setting));
  }
}

std::string simgrid_settings_text() {
  std::string text = "SimGrid 3.32";
  for (const std::string_view setting : kSettings) text.append(" ").append(setting);
  return text;
}

}  // namespace stepcast
