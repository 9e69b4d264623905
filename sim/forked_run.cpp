#include "sim/forked_run.h"

#include <stdexcept>

#include "sim/child_process.h"
#include "sim/wire.h"

namespace stepcast {

template <class Wire>
void pass(Wire& wire, RankTimeline& rank) {
  for (std::vector<Span>& spans : rank.streams) pass(wire, spans);
}

template <class Wire>
void pass(Wire& wire, Timeline& timeline) {
  auto& [ranks, activities, certified] = timeline;
  pass(wire, ranks);
  pass(wire, activities);
  pass(wire, certified);
}

Timeline run_forked(const std::function<Timeline()>& simulate) {
  ChildProcess child([&](const Channel& parent) { return parent.send(to_bytes(simulate())); });
  const std::optional<std::string> bytes = child.channel().receive();
  const std::string failure = child.wait();
  if (!bytes || !failure.empty()) {
    throw std::runtime_error("the simulation process failed: " + failure);
  }
  return from_bytes<Timeline>(*bytes);
}

}  // namespace stepcast
