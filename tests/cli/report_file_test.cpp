// --report: a whole page or none, and a clear message where it cannot be.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;
using test::ProgramEnd;
using test::run_program;
using test::small_scenario;
using test::TemporaryFolder;
using test::text_of;

std::ptrdiff_t files_in(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

std::string measured_scenario() {
  return small_scenario(R"({"title": "small", "measured": {"step_time": "2 s"}})");
}

Json data_of(const std::string& page_file) {
  const std::string element = R"(<script id="stepcast-data" type="application/json">)";
  const std::string page = text_of(page_file);
  const std::size_t start = page.find(element) + element.size();
  return Json::parse(page.substr(start, page.find("</script", start) - start));
}

// Programs built without the page refuse every report.
bool built_with_page() {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const ProgramEnd end = run_program({"predict", scenario, "--report", folder.path("page.html")});
  if (end.exit_code == 0) return true;
  CHECK(end.exit_code == 2);
  CHECK_THAT(end.errors, Catch::Contains("built without HTML reports"));
  return false;
}

}  // namespace

TEST_CASE("the option --report writes a page beside the answer, over an older one",
          "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string page = folder.write("pages/page.html", "old");
  const ProgramEnd end = run_program({"predict", scenario, "--report", page});
  REQUIRE(end.errors == "");
  REQUIRE(end.exit_code == 0);
  REQUIRE_THAT(end.output, Catch::Contains("step time"));
  REQUIRE_THAT(text_of(page), Catch::StartsWith("<!doctype html>"));
  REQUIRE(run_program({"compare", scenario, scenario, "--report", page}).exit_code == 0);
  REQUIRE_THAT(text_of(page), Catch::Contains("{\"kind\":\"compare\""));
  REQUIRE(files_in(folder.path("pages")) == 1);
}

TEST_CASE("a page that cannot be written: exit 2, one message, nothing left behind",
          "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string fifo = folder.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  for (const std::string& wrong : {folder.path("no/such/folder/page.html"), folder.path(""), fifo,
                                   std::string("/dev/null"), std::string()}) {
    INFO(wrong);
    const ProgramEnd end = run_program({"predict", scenario, "--report", wrong});
    CHECK(end.exit_code == 2);
    CHECK(end.output == "");
    CHECK_THAT(end.errors, Catch::Contains("the report cannot be written: "));
  }
  REQUIRE(files_in(folder.path("")) == 2);
  REQUIRE(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a page of nothing is not written", "[cli]") {
  const TemporaryFolder folder;
  const std::string wrong = folder.write("scenario.json", "{}");
  const std::string page = folder.path("page.html");
  REQUIRE(run_program({"predict", wrong, "--report", page}).exit_code == 2);
  REQUIRE_FALSE(std::filesystem::exists(page));
}

TEST_CASE("a validation is drawn with the figures that it prints, whole or not at all",
          "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("measured.json", measured_scenario());
  const std::string page = folder.write("pages/page.html", "old");
  const ProgramEnd end = run_program({"validate", scenario, "--format", "json", "--report", page});
  REQUIRE(end.errors == "");
  REQUIRE(end.exit_code == 0);
  const Json printed = Json::parse(end.output);
  REQUIRE(printed["runs"][0]["suite"] == "measured");
  REQUIRE(printed["runs"][0]["measured"] == 2.0);
  REQUIRE(data_of(page) == Json{{"kind", "validate"}, {"result", printed}});
  REQUIRE(files_in(folder.path("pages")) == 1);
}

TEST_CASE("a validation's page that cannot be written: exit 2 and one message", "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("measured.json", measured_scenario());
  const ProgramEnd end =
      run_program({"validate", scenario, "--report", folder.path("no/such/folder/page.html")});
  REQUIRE(end.exit_code == 2);
  REQUIRE(end.output == "");
  REQUIRE_THAT(end.errors, Catch::Contains("the report cannot be written: "));
  REQUIRE(files_in(folder.path("")) == 1);
}

TEST_CASE("a sweep's page shows every row, whether or not they are printed", "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string page = folder.path("page.html");
  const ProgramEnd end = run_program(
      {"sweep", scenario, "--quiet", "--rows", "-", "--format", "json", "--report", page});
  REQUIRE(end.errors == "");
  REQUIRE(end.exit_code == 0);
  const Json printed = Json::parse(end.output);
  REQUIRE_FALSE(printed["rows"].empty());
  const Json data = data_of(page);
  REQUIRE(data["kind"] == "sweep");
  REQUIRE(data["result"] == printed);
  REQUIRE(run_program({"sweep", scenario, "--quiet", "--report", page}).exit_code == 0);
  REQUIRE(data_of(page)["result"]["rows"].size() == printed["rows"].size());
}

TEST_CASE("a sweep's page that cannot be written is told before the search", "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const ProgramEnd end = run_program(
      {"sweep", scenario, "--quiet", "--report", folder.path("no/such/folder/page.html")});
  REQUIRE(end.exit_code == 2);
  REQUIRE(end.output == "");
  REQUIRE_THAT(end.errors, Catch::Contains("the report cannot be written: "));
}

TEST_CASE(
    "calibrate draws what it prints as JSON, and without a file it lists every row in its text",
    "[cli][contract]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const std::string page = folder.path("page.html");
  const std::string examples = "docs/examples/calibration/";
  const std::vector<std::string> fit{"calibrate", "--scenario", examples + "scenario.json",
                                     "--nccl-log", examples + "all_reduce.txt"};
  const auto with = [&fit](std::vector<std::string> more) {
    more.insert(more.begin(), fit.begin(), fit.end());
    return run_program(more);
  };
  const ProgramEnd end = with({"--format", "json", "--report", page});
  REQUIRE(end.errors == "");
  REQUIRE(end.exit_code == 0);
  REQUIRE(data_of(page) == Json{{"kind", "calibrate"}, {"result", Json::parse(end.output)}});
  REQUIRE(data_of(page)["result"]["bus_bandwidths"][0]["points"].size() == 46);
  const ProgramEnd text = with({"--report", page});
  REQUIRE(text.exit_code == 0);
  REQUIRE_THAT(text.output, !Catch::Contains("Every measurement"));
  const ProgramEnd bare = with({"--report"});
  REQUIRE(bare.exit_code == 0);
  REQUIRE_THAT(bare.output, Catch::Contains("Every measurement"));
  const ProgramEnd wrong = with({"--report", folder.path("no/such/folder/page.html")});
  REQUIRE(wrong.exit_code == 2);
  REQUIRE(wrong.output == "");
  REQUIRE_THAT(wrong.errors, Catch::Contains("the report cannot be written: "));
}

TEST_CASE("commands without a page refuse --report", "[cli]") {
  const ProgramEnd topology = run_program({"topology", "a.json", "--report", "page.html"});
  REQUIRE(topology.exit_code == 2);
}

TEST_CASE("the page of validated logs holds what validate --nccl prints as JSON", "[cli]") {
  if (!built_with_page()) return;
  const TemporaryFolder folder;
  const ProgramEnd log =
      run_program({"topology", "collectives", "--node", "dgx_a100_80gb", "--sizes", "1M:16M"});
  folder.write("logs/one.txt", log.output);
  folder.write("logs/clusters.json", R"({"one": {"node": "dgx_a100_80gb", "nodes": 1}})");
  const std::string page = folder.path("page.html");
  const ProgramEnd end = run_program(
      {"validate", "--nccl", folder.path("logs"), "--format", "json", "--report", page});
  REQUIRE(end.exit_code == 0);
  REQUIRE(data_of(page) == Json{{"kind", "validate_nccl"}, {"result", Json::parse(end.output)}});
  REQUIRE(data_of(page)["result"]["logs"][0]["rows"].size() == 5);  // 1, 2, 4, 8, 16 MiB
}

}  // namespace stepcast
