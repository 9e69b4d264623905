// SimGrid itself reads what is exported for it, in a child process: an engine lives as long as its
// process.
#include "topology/export/simgrid_platform.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <simgrid/s4u.hpp>
#include <string>

#include "base/input_error.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;

namespace {

// What a child process says of the platform.
std::string in_a_child(const std::function<std::string()>& say) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = say();
    const bool written = write(ends[1], said.data(), said.size()) >= 0;
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(status == 0);
  return text;
}

std::string as_simgrid_reads(const std::string& file, const std::string& from,
                             const std::string& to) {
  int argc = 1;
  std::string name = "platform_test";
  std::array<char*, 2> argv{name.data(), nullptr};
  simgrid::s4u::Engine engine(&argc, argv.data());
  engine.load_platform(file);
  std::vector<simgrid::s4u::Link*> links;
  double latency = 0;
  engine.host_by_name(from)->route_to(engine.host_by_name(to), links, &latency);
  std::string text = std::to_string(engine.get_host_count()) + " hosts";
  for (const simgrid::s4u::Link* link : links) {
    text += ", " + link->get_name() + " " + std::to_string(link->get_bandwidth());
  }
  return text;
}

}  // namespace

TEST_CASE("SimGrid loads an exported cluster and takes the same routes", "[sim][contract]") {
  const char* patch = GENERATE(
      R"({"cluster": {"nodes": 2, "fabric": "hdr_rail"}})",
      R"({"cluster": {"node": "a100_pcie_80gb_x8", "nodes": 2, "fabric": "ethernet_100g"}})");
  const Cluster cluster(test::read_text(test::small_scenario(patch)).cluster);
  const test::TemporaryFolder folder;
  const std::string file = folder.write("platform.xml", simgrid_platform(cluster));
  for (const auto& [from, to] : {std::pair{0, 1}, {0, 8}, {3, 14}}) {
    std::string expected = "16 hosts";
    for (const LinkId id : cluster.route(from, to)) {
      const Link& link = cluster.links()[static_cast<std::size_t>(id)];
      expected += ", " + link.name + " " + std::to_string(link.bandwidth.value());
    }
    CHECK(in_a_child([&, source = from, target = to] {
            return as_simgrid_reads(file, "gpu" + std::to_string(source),
                                    "gpu" + std::to_string(target));
          }) == expected);
  }
}

TEST_CASE("a platform of too many GPUs is refused", "[sim]") {
  const Cluster cluster(test::read_text(test::small_scenario(
                                            R"({"cluster": {"nodes": 65, "fabric": "hdr_rail"},
                              "plan": {"data_parallel": 260}, "batch": {"global_batch": 260}})"))
                            .cluster);
  CHECK_THROWS_AS(simgrid_platform(cluster), InputError);
}
