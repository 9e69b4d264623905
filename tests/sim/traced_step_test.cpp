// Traces of Chakra through the engines: times follow by arithmetic from the traced durations and
// what a collective takes alone.
#include "scenarios/import/chakra/traced_step.h"

#include <catch2/catch.hpp>

#include "sim/breakdown.h"
#include "sim/collective_run.h"
#include "sim/predict.h"
#include "tests/base/error_text.h"
#include "tests/support/chakra_traces.h"
#include "tests/support/small_steps.h"

namespace stepcast {

using Catch::Matchers::WithinRel;
using namespace test;

namespace {

SimulatedStep replay(const std::vector<TraceOfRank>& ranks, const TracedGroups& groups = {},
                     EngineChoice engine = EngineChoice::Event) {
  const TemporaryFolder folder;
  const Cluster cluster(small_cluster(1, static_cast<int>(ranks.size()), 1));
  const TracedRun run = read_chakra_traces(write_traces(folder, ranks));
  return run_step(traced_step(run, groups, small_cluster(1, 1, 1).node.gpu),
                  place_in_order(static_cast<int>(ranks.size()), cluster), cluster,
                  plain_profile().network, engine);
}

Seconds alone(CollectiveKind kind, Bytes message, int gpus) {
  return collective_time(kind, message, Cluster(small_cluster(1, gpus, 1)), plain_profile().network,
                         EngineChoice::Analytic);
}

std::string error_of(const std::vector<TraceOfRank>& ranks, const TracedGroups& groups = {}) {
  const std::string text = error_text([&] { replay(ranks, groups); });
  return text.substr(text.find("/run.") + 1);  // without the folder, which has no fixed name
}

constexpr std::int64_t size = 1'000'000'000;

}  // namespace

TEST_CASE("traced compute, all-reduce, compute: the slower rank's start, then each in turn",
          "[sim]") {
  // Rank 0 is ready after 3 ms, rank 1 after 7 ms; then the all-reduce, then 2 ms.
  const auto rank = [](std::uint64_t first) {
    return TraceOfRank{traced_compute(1, first),
                       traced_collective(2, chakra::ALL_REDUCE, size, {1}),
                       traced_compute(3, 2000, {2})};
  };
  const EngineChoice engine = GENERATE(EngineChoice::Event, EngineChoice::Analytic);
  const SimulatedStep step = replay({rank(3000), rank(7000)}, {}, engine);
  const Seconds all_reduce = alone(CollectiveKind::AllReduce, 1_GB, 2);
  CHECK_THAT(step.run.timeline.end().value(), WithinRel((9_ms + all_reduce).value(), 1e-9));
}

TEST_CASE("a traced collective runs beside compute that does not wait for it", "[sim]") {
  const Seconds all_gather = alone(CollectiveKind::AllGather, 2_GB, 2);  // 2 ranks x 1 GB put in
  const Seconds compute = 20_ms;
  REQUIRE(all_gather < compute);
  const TraceOfRank rank{traced_collective(1, chakra::ALL_GATHER, size), traced_compute(2, 20000),
                         traced_compute(3, 1000, {1, 2})};
  const SimulatedStep step = replay({rank, rank});
  CHECK_THAT(step.run.timeline.end().value(), WithinRel(21e-3, 1e-9));
  CHECK(step.folded.ranks.size() == 1);  // both do the same
}

TEST_CASE("a traced step lasts until its last collective has ended", "[sim]") {
  const TraceOfRank rank{traced_compute(1, 1000),
                         traced_collective(2, chakra::REDUCE_SCATTER, size, {1})};
  const SimulatedStep step = replay({rank, rank, rank, rank});
  const Seconds reduce_scatter = alone(CollectiveKind::ReduceScatter, 1_GB, 4);
  CHECK_THAT(step.run.timeline.end().value(), WithinRel((1_ms + reduce_scatter).value(), 1e-9));
  const Breakdown breakdown = break_down(step.folded, step.run.timeline);
  const auto waited = breakdown.parts[static_cast<std::size_t>(Activity::DataCommunication)];
  CHECK_THAT(waited.value(), WithinRel(reduce_scatter.value(), 1e-9));
}

TEST_CASE("a traced message is waited for: late while not sent, then travelling", "[sim]") {
  const SimulatedStep step =
      replay({{traced_compute(1, 5000), traced_message(2, chakra::COMM_SEND_NODE, 1, size, {1})},
              {traced_message(1, chakra::COMM_RECV_NODE, 0, size), traced_compute(2, 4000, {1})}});
  const Seconds message = alone(CollectiveKind::SendReceive, 1_GB, 2);
  CHECK_THAT(step.run.timeline.end().value(), WithinRel((9_ms + message).value(), 1e-9));
  const Breakdown breakdown = break_down(step.folded, step.run.timeline);
  CHECK(step.folded.ranks[static_cast<std::size_t>(breakdown.rank_class)].representative == 1);
  const auto part = [&](Activity activity) {
    return breakdown.parts[static_cast<std::size_t>(activity)].value();
  };
  CHECK_THAT(part(Activity::PipelineBubble), WithinRel(5e-3, 1e-9));
  CHECK_THAT(part(Activity::PipelineCommunication), WithinRel(message.value(), 1e-9));
  CHECK_THAT(part(Activity::Compute), WithinRel(4e-3, 1e-9));
}

TEST_CASE("traced groups meet apart from each other, and metadata only orders", "[sim]") {
  const auto rank = [](std::uint64_t first, const std::string& group) {
    return TraceOfRank{
        traced_compute(1, first), traced_node(2, chakra::METADATA_NODE, {1}),
        with_text(traced_collective(3, chakra::ALL_REDUCE, size, {2}), "pg_name", group)};
  };
  const SimulatedStep step =
      replay({rank(1000, "a"), rank(1000, "a"), rank(6000, "b"), rank(6000, "b")},
             {{"a", {0, 1}}, {"b", {2, 3}}});
  const Seconds all_reduce = alone(CollectiveKind::AllReduce, 1_GB, 2);
  CHECK_THAT(step.run.timeline.end().value(), WithinRel((6_ms + all_reduce).value(), 1e-9));
}

TEST_CASE("compute without a duration takes the GPU's roofline", "[sim]") {
  const GpuSpec gpu = small_cluster(1, 1, 1).node.gpu;
  // As many operations as the peak does in 3 ms, and as many bytes as the memory moves in 2 ms.
  const auto flop = static_cast<std::int64_t>((gpu.fp16 * 3_ms).value());
  const auto bytes = static_cast<std::int64_t>((gpu.memory_bandwidth * 2_ms).value());
  const chakra::Node node = with_number(traced_node(1, chakra::COMP_NODE), "num_ops", flop);
  const SimulatedStep step = replay({{with_number(node, "tensor_size", bytes)}});
  CHECK_THAT(step.run.timeline.end().value(), WithinRel(3e-3, 1e-9));
}

TEST_CASE("traced nodes run as their dependencies say, whatever their place in the file", "[sim]") {
  // 2 waits for 9; 9 is last in the file and takes the host 4 ms.
  chakra::Node host = traced_compute(9, 4000);
  chakra::Attribute& on_host = *host.add_attr();
  on_host.set_name("is_cpu_op");
  on_host.set_bool_val(true);
  const SimulatedStep step =
      replay({{traced_compute(2, 1000, {9}), traced_compute(3, 2500), host}});
  CHECK_THAT(step.run.timeline.end().value(), WithinRel(5e-3, 1e-9));  // 4 + 1; 2.5 runs meanwhile
}

TEST_CASE("traces that no run can have left are refused, with file and node", "[sim]") {
  CHECK(error_of({{traced_compute(1, 10, {7})}}) ==
        "run.0.et: at node 1 \"n1\": it comes after node 7, which is not in the trace");
  CHECK(error_of({{traced_compute(1, 10, {2}), traced_compute(2, 10, {1})}}) ==
        "run.0.et: at node 1 \"n1\": it waits for nodes that wait for each other in a circle");
  CHECK(error_of({{traced_compute(1, 10), traced_compute(1, 10)}}) ==
        "run.0.et: at node 1 \"n1\": two nodes have this number");
  CHECK(error_of({{traced_collective(1, chakra::ALL_REDUCE, 8)}, {traced_compute(1, 10)}}) ==
        "run.0.et: at node 1 \"n1\": the call never comes about: not all of its ranks come to it\n"
        "  rank 0 waits for 1\n"
        "  hint: the traces must be of one run, whole, and --groups must fit them");
  CHECK_THAT(error_of({{traced_collective(1, chakra::ALL_REDUCE, 8)},
                       {traced_collective(1, chakra::ALL_REDUCE, 16)}}),
             Catch::Contains("calls all_reduce of 16 B where rank 0 calls all_reduce of 8 B") ||
                 Catch::Contains("calls all_reduce of 8 B where rank 1 calls all_reduce of 16 B"));
  CHECK_THAT(error_of({{traced_message(1, chakra::COMM_SEND_NODE, 4, 8)}, {}}),
             Catch::Contains("holds no nodes"));
  CHECK(error_of({{traced_message(1, chakra::COMM_SEND_NODE, 4, 8)}}) ==
        "run.0.et: at node 1 \"n1\": the other rank is 4, expected another one of 0 to 0");
  CHECK(error_of({{with_text(traced_collective(1, chakra::ALL_REDUCE, 8), "pg_name", "7")}}) ==
        "run.0.et: at node 1 \"n1\": the trace does not say who is in its group \"7\"\n"
        "  hint: --groups FILE.json does, as in {\"7\": [0, 1]}");
  CHECK(error_of({{traced_collective(1, chakra::GATHER, 8)}}) ==
        "run.0.et: at node 1 \"n1\": comm_type 3 is no collective that is modelled\n"
        "  hint: all-reduce 0, reduce 1, all-gather 2, broadcast 5, all-to-all 6, reduce-scatter 7 "
        "and 8 and barrier 9 are");
  CHECK(error_of({{with_number(traced_node(1, chakra::COMM_SEND_NODE), "comm_size", 8)}}) ==
        "run.0.et: at node 1 \"n1\": \"comm_dst\" is missing\n"
        "  hint: chakra_converter's traces of PyTorch do not name the other rank");
}

TEST_CASE("calls that ranks make in opposite orders are refused instead of waited for", "[sim]") {
  const auto call = [](std::uint64_t id, const std::string& group) {
    return with_text(traced_collective(id, chakra::ALL_REDUCE, 8), "pg_name", group);
  };
  const std::string error = error_of({{call(1, "a"), call(2, "b")}, {call(1, "b"), call(2, "a")}},
                                     {{"a", {0, 1}}, {"b", {0, 1}}});
  CHECK_THAT(error, Catch::Contains("the call never comes about"));
}

}  // namespace stepcast
