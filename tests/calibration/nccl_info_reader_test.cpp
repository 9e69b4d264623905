#include <catch2/catch.hpp>
#include <string>

#include "base/input_error.h"
#include "calibration/readers/nccl_info.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;

std::string line(const std::string& text, const std::string& thread = "host:1:2") {
  return " 0: " + thread + " [0] NCCL INFO " + text + "\n";
}

const std::string two_ranks =
    line("Using network IBext") + line("Channel 00/02 :    0   1") +
    line("Channel 01/02 :    0   1") + line("Trees [0] 1/-1/-1->0->-1 [1] 1/-1/-1->0->-1") +
    line("Channel 00/0 : 1[200] -> 0[100] [receive] via NET/IBext/0/GDRDMA") +
    line("Channel 00/0 : 0[100] -> 1[200] [send] via NET/IBext/0/GDRDMA") +
    line("Channel 01/0 : 0[100] -> 1[200] via P2P/IPC/read") +
    line("Channel 01/0 : 1[200] -> 0[100] [send] via NET/AWS Libfabric/1/GDRDMA") +
    line("2 coll channels, 1 nvls channels, 2 p2p channels, 2 p2p channels per peer") +
    line("comm 0x5 rank 0 nranks 2 cudaDev 0 busId 100 - Init COMPLETE");

std::string refusal(const std::string& text) {
  try {
    parse_nccl_info(text, "log");
  } catch (const InputError& error) {
    return error.what();
  }
  return "read without complaint";
}

}  // namespace

TEST_CASE("NCCL's log: a communicator's channels, rings and transports", "[calibration]") {
  const NcclInfoLog log = parse_nccl_info("NCCL version 2.18.3+cuda12.2\n" + two_ranks, "log");
  CHECK(log.version == "2.18.3");
  CHECK(log.network == "IBext");
  REQUIRE(log.communicators.size() == 1);
  const NcclCommunicator& communicator = log.communicators[0];
  CHECK(communicator.ranks == 2);
  CHECK(communicator.channels == 2);
  CHECK(communicator.nvls_channels == 1);
  CHECK(communicator.rings == std::vector<std::vector<int>>{{0, 1}, {0, 1}});
  CHECK(communicator.connections ==
        std::map<std::string, int>{{"NET/AWS Libfabric", 1}, {"NET/IBext", 2}, {"P2P/IPC", 1}});
}

TEST_CASE("NCCL's log: communicators that threads set up at once stay apart", "[calibration]") {
  const std::string a = "host:1:2";
  const std::string b = "host:3:4";
  const NcclInfoLog log =
      parse_nccl_info(line("4 coll channels, 4 p2p channels, 1 p2p channels per peer", a) +
                          line("8 coll channels, 8 p2p channels, 1 p2p channels per peer", b) +
                          line("comm 0x6 rank 1 nranks 16 cudaDev 0 busId 1 - Init COMPLETE", b) +
                          line("comm 0x5 rank 0 nranks 8 cudaDev 0 busId 1 - Init COMPLETE", a),
                      "log");
  REQUIRE(log.communicators.size() == 2);
  CHECK(log.communicators[0].ranks == 16);
  CHECK(log.communicators[0].channels == 8);
  CHECK(log.communicators[1].channels == 4);
}

TEST_CASE("NCCL's log: calls in the older and the newer form, and what the environment forces",
          "[calibration]") {
  const NcclInfoLog log = parse_nccl_info(
      line("AllReduce: 33554432 Bytes -> Algo RING proto SIMPLE channel{Lo..Hi}={0..31}") +
          line("1024 Bytes -> Algo 0 proto 1 time 12.5") +
          line("NCCL_ALGO set by environment to RING."),
      "log");
  REQUIRE(log.calls.size() == 2);
  CHECK(log.calls[0].collective == "all_reduce");
  CHECK(log.calls[0].message == 32_MiB);
  CHECK(log.calls[0].algorithm == "ring");
  CHECK(log.calls[0].protocol == "simple");
  CHECK(log.calls[1].algorithm == "tree");
  CHECK(log.calls[1].protocol == "ll128");
  CHECK(log.environment.at("NCCL_ALGO") == "RING");
}

TEST_CASE("NCCL's log: what is wrong is named with its line", "[calibration]") {
  CHECK_THAT(refusal("hello\n"), Contains("log: at /: there is no line of NCCL's"));
  CHECK_THAT(refusal(line("Channel 02/02 :    0   1")), Contains("log: at line 1: \"02/02\""));
  CHECK_THAT(refusal(line("Channel 00/02 :    0   x")),
             Contains("log: at line 1: \"x\" is no rank of a ring"));
  CHECK_THAT(refusal(line("AllReduce: 33554432 Bytes -> Algo RING")),
             Contains("log: at line 1: the line of a call has no size"));
  CHECK_THAT(refusal(line("1024 Bytes -> Algo 9 proto 1 time 12.5")),
             Contains("log: at line 1: \"Algo 9 proto 1\" is none of NCCL's"));
  CHECK_THAT(refusal(line("1024 Bytes -> Algo 1 proto 3 time 12.5")),
             Contains("log: at line 1: \"Algo 1 proto 3\" is none of NCCL's"));
  CHECK_THAT(refusal(line("Channel 00/01 :    0   99") + line("1 coll channels") +
                     line("comm 0x5 rank 0 nranks 2 cudaDev 0 busId 100 - Init COMPLETE")),
             Contains("log: at line 3: a ring of this communicator of 2 ranks passes rank 99"));
  CHECK_THAT(refusal(line("RCCL version : 2.22.3")), Contains("AMD's RCCL"));
}

}  // namespace stepcast
