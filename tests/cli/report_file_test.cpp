// --report: a whole page or none, and a clear message where it cannot be.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using test::ProgramEnd;
using test::run_program;
using test::small_scenario;
using test::TemporaryFolder;
using test::text_of;

std::ptrdiff_t files_in(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
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

TEST_CASE("commands without a page refuse --report", "[cli]") {
  const ProgramEnd end = run_program({"validate", "a.json", "--report", "page.html"});
  REQUIRE(end.exit_code == 2);
}

}  // namespace stepcast
