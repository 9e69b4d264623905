// --memory-snapshot, as Python's own pickle reads it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

bool has_python() { return std::system("python3 -c 'import pickle' 2>/dev/null") == 0; }

// What PyTorch's visualiser would draw, added up: peak of blocks that are allocated, and segments.
constexpr const char* add_up = R"(
import json, pickle, sys
snapshot = pickle.load(open(sys.argv[1], 'rb'))
trace = snapshot['device_traces'][0]
blocks = [block for segment in snapshot['segments'] for block in segment['blocks']]
alive = sum(b['requested_size'] for b in blocks if b['state'] == 'active_allocated')
most, live = alive, {}
for event in trace:
    if event['action'] == 'alloc':
        assert event['addr'] not in live
        live[event['addr']] = event['size']
        alive += event['size']
    elif event['action'] == 'free_completed':
        assert live.pop(event['addr']) == event['size']
        alive -= event['size']
    most = max(most, alive)
times = [event['time_us'] for event in trace]
print(json.dumps({
    'peak': most, 'left': len(live), 'events': len(trace), 'in_order': times == sorted(times),
    'segments': sum(s['total_size'] for s in snapshot['segments']),
    'in_segments': all(s['total_size'] == sum(b['size'] for b in s['blocks'])
                       for s in snapshot['segments']),
    'frames': sorted({f['name'] for event in trace for f in event['frames']})}))
)";

}  // namespace

TEST_CASE("a memory snapshot holds the step's allocations and the segments they are in",
          "[cli][contract]") {
  if (!has_python()) {
    WARN("skipped: there is no python3");
    return;
  }
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string snapshot = folder.path("snapshot.pickle");
  const ProgramEnd end =
      run_program({"predict", scenario, "--format", "json", "--memory-snapshot", snapshot});
  REQUIRE(end.exit_code == 0);
  const std::string script = folder.write("add_up.py", add_up);
  const std::string sums = folder.path("sums.json");
  REQUIRE(std::system(("python3 " + script + " " + snapshot + " > " + sums).c_str()) == 0);
  const auto drawn = nlohmann::json::parse(text_of(sums));
  const auto memory = nlohmann::json::parse(end.output)["memory"];
  REQUIRE(drawn["left"] == 0);
  REQUIRE(drawn["events"] > 0);
  REQUIRE(drawn["in_order"] == true);
  REQUIRE(drawn["in_segments"] == true);
  REQUIRE(drawn["segments"].get<double>() <= memory["peak_reserved_bytes"].get<double>());
  // Sizes are whole bytes, rounded up.
  const double peak = drawn["peak"].get<double>();
  REQUIRE(peak == Approx(memory["peak_allocated_bytes"].get<double>()).epsilon(1e-6));
  REQUIRE(peak >= memory["peak_allocated_bytes"].get<double>());
  const auto frames = drawn["frames"].get<std::vector<std::string>>();
  REQUIRE(std::count(frames.begin(), frames.end(), "activations") == 1);
  REQUIRE(std::count(frames.begin(), frames.end(), "backward of micro-batch 0") == 1);
}

TEST_CASE("a memory snapshot is of one scenario, in a folder that exists", "[cli]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string snapshot = folder.path("snapshot.pickle");
  const ProgramEnd two =
      run_program({"predict", scenario, scenario, "--memory-snapshot", snapshot});
  REQUIRE(two.exit_code == 2);
  REQUIRE(two.output == "");
  REQUIRE(two.errors == scenario +
                            ": at /: --memory-snapshot is for one scenario, here are 2\n"
                            "  hint: name one file that holds one scenario\n");
  REQUIRE_FALSE(std::filesystem::exists(snapshot));
  const ProgramEnd nowhere =
      run_program({"predict", scenario, "--memory-snapshot", "no/such/folder/m.pickle"});
  REQUIRE(nowhere.exit_code == 2);
  REQUIRE_THAT(nowhere.errors, Catch::Contains("the memory snapshot cannot be written: "));
}
