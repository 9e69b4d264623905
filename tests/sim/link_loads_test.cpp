#include "sim/link_loads.h"

#include <catch2/catch.hpp>
#include <map>

#include "sim/collective_run.h"
#include "sim/flows.h"
#include "tests/support/small_steps.h"

namespace stepcast {

using Catch::Matchers::WithinRel;

namespace {

std::map<std::string, LinkLoad> by_name(const std::vector<LinkLoad>& loads) {
  std::map<std::string, LinkLoad> map;
  for (const LinkLoad& load : loads) map.emplace(load.name, load);
  return map;
}

NetworkProfile plain_network() { return test::plain_profile().network; }

Bytes carried(const LinkLoad& load, Activity activity) {
  return load.carried[static_cast<std::size_t>(activity)];
}

}  // namespace

TEST_CASE("links: a ring all-gather sends (n - 1) / n of the message over every link it crosses",
          "[sim]") {
  // One node of 4 GPUs, one ring: 3/4 of 4 GB up from and down to every GPU. Simple adds no flags.
  const Cluster cluster(test::small_cluster(1, 4, 1));
  const StepProgram program = collective_program(CollectiveKind::AllGather, 4_GB, 4);
  const std::vector<LinkLoad> loads =
      link_loads(program, test::all_in_order(cluster), cluster, plain_network());
  REQUIRE(loads.size() == 1);
  CHECK(loads[0].alike == 8);
  CHECK_THAT(loads[0].total().value(), WithinRel(3e9, 1e-9));
  CHECK(loads[0].busiest() == Activity::Other);
  // 3 GB over 240 GB/s in a step of 50 ms: a quarter of what it could
  CHECK_THAT(loads[0].utilisation(50_ms), WithinRel(0.25, 1e-9));
}

TEST_CASE("links: messages of different activities add up on the links that they share", "[sim]") {
  // Two nodes of one GPU. GPU 0 sends 1 GB for the pipeline three times, in a block that is called
  // twice and once outside, and both GPUs all-gather 2 GB of data: each sends half.
  const Cluster cluster(test::small_cluster(2, 1, 1));
  StepProgram program;
  program.operations = {{CollectiveKind::SendReceive, 1_GB}, {CollectiveKind::AllGather, 2_GB}};
  program.communicators = {{{0, 1}, CommunicatorKind::Pair}, {{0, 1}}};
  program.communicators_of_rank = {{0, 1}, {0, 1}};
  program.program_of_rank = {0, 1};
  program.programs.resize(2);
  const Instruction send{.kind = InstructionKind::Send,
                         .activity = Activity::PipelineCommunication,
                         .index = 0,
                         .operation = 0};
  Instruction receive = send;
  receive.kind = InstructionKind::Receive;
  const Instruction gather{.kind = InstructionKind::Collective,
                           .activity = Activity::DataCommunication,
                           .index = 1,
                           .operation = 1};
  const Instruction call{.kind = InstructionKind::Call, .index = 0};
  program.programs[0].blocks.push_back({.body = {send}, .allocations = {}});
  program.programs[0].stream(Stream::Compute) = {call, call, send, gather};
  program.programs[1].stream(Stream::Compute) = {receive, receive, receive, gather};
  const auto loads =
      by_name(link_loads(program, test::all_in_order(cluster), cluster, plain_network()));
  const LinkLoad& out = loads.at("node0/nic0>leaf0");
  CHECK_THAT(carried(out, Activity::PipelineCommunication).value(), WithinRel(3e9, 1e-9));
  CHECK_THAT(carried(out, Activity::DataCommunication).value(), WithinRel(1e9, 1e-9));
  CHECK_THAT(out.total().value(), WithinRel(4e9, 1e-9));
  CHECK(out.busiest() == Activity::PipelineCommunication);
  // Only the all-gather goes back: out of node 1 and into node 0, which stands first.
  const LinkLoad& back = loads.at("leaf0>node0/nic0");
  CHECK(back.alike == 2);
  CHECK_THAT(back.total().value(), WithinRel(1e9, 1e-9));
}

}  // namespace stepcast
