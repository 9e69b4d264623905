#include "sim/link_use.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "sim/link_loads.h"
#include "sim/run.h"
#include "tests/support/small_steps.h"

namespace stepcast {

using Catch::Matchers::WithinRel;

namespace {

// Two nodes of one GPU. Both all-gather 2 GB of data in a block that is called twice, so each sends
// 1 GB a call, and GPU 0 sends 1 GB for the pipeline.
StepProgram gathers_and_a_message() {
  StepProgram program;
  program.operations = {{CollectiveKind::SendReceive, 1_GB}, {CollectiveKind::AllGather, 2_GB}};
  program.communicators = {{{0, 1}, CommunicatorKind::Pair}, {{0, 1}}};
  program.communicators_of_rank = {{0, 1}, {0, 1}};
  program.program_of_rank = {0, 1};
  program.programs.resize(2);
  const Instruction gather{.kind = InstructionKind::Collective, .index = 1, .operation = 1};
  const Instruction call{.kind = InstructionKind::Call, .index = 0};
  const Instruction send{.kind = InstructionKind::Send, .index = 0, .operation = 0};
  Instruction receive = send;
  receive.kind = InstructionKind::Receive;
  for (RankProgram& rank : program.programs) {
    rank.blocks.push_back({.body = {gather}, .allocations = {}});
  }
  program.programs[0].stream(Stream::Compute) = {call, send, call};
  program.programs[1].stream(Stream::Compute) = {call, receive, call};
  return program;
}

Bytes area(const std::vector<LinkUsePoint>& points, BytesPerSecond bandwidth) {
  Bytes carried;
  for (std::size_t i = 1; i < points.size(); ++i) {
    carried += bandwidth * points[i - 1].share * (points[i].at - points[i - 1].at);
  }
  return carried;
}

// By name: what the points say that a link carried.
std::map<std::string, Bytes> areas(const FoldedProgram& folded, const Timeline& timeline,
                                   const Cluster& cluster) {
  std::map<std::string, Bytes> carried;
  const auto uses = link_use(folded, timeline);
  for (std::size_t l = 0; l < uses.size(); ++l) {
    const FoldedLink& link = folded.links[l];
    REQUIRE((uses[l].empty() || uses[l].back().share == 0.0));
    carried[cluster.links()[static_cast<std::size_t>(link.representative)].name] =
        area(uses[l], link.bandwidth);
  }
  return carried;
}

}  // namespace

TEST_CASE("the area under a link's use is what calls, messages and blocks send over it", "[sim]") {
  const EngineChoice engine = GENERATE(EngineChoice::Analytic, EngineChoice::Event);
  const Cluster cluster(test::small_cluster(2, 1, 1));
  const StepProgram program = gathers_and_a_message();
  const FoldedProgram folded =  // with every link, the implied ones too
      unfolded(program, test::all_in_order(cluster), cluster, test::plain_profile().network);
  const auto carried = areas(folded, run_engine(folded, engine).timeline, cluster);
  // Out of node 0: 2 x 1 GB of the gathers and the message; into it the gathers alone.
  CHECK_THAT(carried.at("node0/nic0>leaf0").value(), WithinRel(3e9, 1e-9));
  CHECK_THAT(carried.at("leaf0>node0/nic0").value(), WithinRel(2e9, 1e-9));
}

TEST_CASE("a link's use never passes what it has where nothing contends", "[sim]") {
  const Cluster cluster(test::small_cluster(2, 1, 1));
  const StepProgram program = gathers_and_a_message();
  const FoldedProgram folded =
      fold(program, test::all_in_order(cluster), cluster, test::plain_profile().network);
  const Timeline timeline = run_engine(folded, EngineChoice::Analytic).timeline;
  double most = 0;
  for (const auto& points : link_use(folded, timeline)) {
    for (const LinkUsePoint& point : points) {
      CHECK(point.share >= 0.0);
      most = std::max(most, point.share);
    }
  }
  // The message is alone on its way, so it fills the narrowest link while it travels.
  CHECK_THAT(most, WithinRel(1.0, 1e-9));
}

TEST_CASE("links of a whole step: area equals load, folded and not, contended too",
          "[sim][contract]") {
  const bool whole = GENERATE(false, true);
  const test::Step step(test::small_job({.tensor = 2, .pipeline = 2, .data = 4}),
                        test::small_cluster(2, 8, 1));
  const FoldedProgram folded = whole ? step.unfolded() : step.folded();
  const auto carried =
      areas(folded, run_engine(folded, EngineChoice::Event).timeline, step.cluster);
  std::size_t met = 0;
  for (const LinkLoad& load :
       link_loads(step.program, step.placement, step.cluster, step.profile.network)) {
    const auto place = carried.find(load.name);  // dropped and folded links go by another name
    if (place == carried.end()) continue;
    CAPTURE(load.name);
    ++met;
    CHECK_THAT(place->second.value(), WithinRel(load.total().value(), 1e-6));
  }
  REQUIRE(met >= 2);
}

}  // namespace stepcast
