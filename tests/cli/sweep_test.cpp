// The sweep command as its users run it: alone, killed and started again, under mpirun.
#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using nlohmann::json;
using test::ProgramEnd;
using test::run_program;
using test::small_scenario;
using test::TemporaryFolder;

// Two nodes of four GPUs that share an NIC, and three kinds of schedule, recompute, ZeRO.
std::string scenario_text(const std::string& search = "{}") {
  json scenario = json::parse(small_scenario(R"({
    "model": {"num_layers": 8, "hidden_size": 2048, "num_attention_heads": 16, "vocab_size": 32000},
    "cluster": {"node": "dgx_a100_80gb", "nodes": 2, "gpus_per_node": 4,
                "fabric": {"base": "hdr_rail", "nics_per_node": 1}},
    "batch": {"global_batch": 32, "sequence_length": 1024},
    "price": {"usd_per_node_hour": 30}, "training_tokens": 1e9,
    "search": {"tensor_parallel": "divisors", "pipeline_parallel": "divisors",
               "micro_batch": "divisors", "recompute": "all", "zero_stage": "all",
               "overlap_gradient_reduce": "all", "pareto_with": "memory_headroom"}})"));
  scenario["search"].merge_patch(json::parse(search));
  return scenario.dump();
}

json answer(const std::vector<std::string>& arguments) {
  const ProgramEnd end = run_program(arguments);
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  REQUIRE(end.errors == "");  // no progress in a pipe
  return json::parse(end.output);
}

json without_wall_time(json sweep) {
  sweep.erase("wall_time_s");
  sweep["best"]["engine"].erase("wall_time_s");
  for (json& result : sweep["pareto"]) result["engine"].erase("wall_time_s");
  return sweep;
}

std::string table_text(const std::string& file, const std::string& table) {
  SQLite::Database database(file);
  SQLite::Statement query(database, "SELECT * FROM " + table + " ORDER BY 1");
  std::string text;
  while (query.executeStep()) {
    for (int c = 0; c < query.getColumnCount(); ++c) {
      text += query.getColumn(c).isNull() ? "NULL|" : query.getColumn(c).getString() + "|";
    }
    text += "\n";
  }
  return text;
}

std::string database_text(const std::string& file) {
  return table_text(file, "layouts") + table_text(file, "results");
}

// Starts the program, and kills it and what it has forked after a while.
void run_and_kill(std::vector<std::string> arguments, std::chrono::milliseconds after) {
  arguments.insert(arguments.begin(), STEPCAST_PROGRAM);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  REQUIRE(posix_spawn(&child, argv[0], &files, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&files);
  std::this_thread::sleep_for(after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
}

// Rows of what was reported may only ever be added to.
bool begins_like(const std::string& file, const std::string& whole) {
  if (!std::filesystem::exists(file) || std::filesystem::file_size(file) == 0) return true;
  SQLite::Database database(file, SQLite::OPEN_READWRITE);  // rolls back what was not committed
  if (!database.tableExists("results")) return true;
  SQLite::Statement query(database, "SELECT layout FROM results");
  while (query.executeStep()) {
    if (whole.find("\n" + query.getColumn(0).getString() + "|") == std::string::npos) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("sweep answers with the best layout, its scenario and the proof", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string best = folder.path("best.json");
  const std::string rows = folder.path("rows.csv");
  const json sweep =
      answer({"sweep", scenario, "--format", "json", "--best", best, "--rows", rows});
  REQUIRE(sweep["proven"] == true);
  REQUIRE_FALSE(sweep.contains("gap"));
  REQUIRE_FALSE(sweep.contains("rows"));
  const auto count = [&](const char* key) { return sweep[key].get<int>(); };
  REQUIRE(count("layouts_valid") == count("layouts_not_allowed") + count("layouts_bounded") +
                                        count("layouts_certified") + count("layouts_simulated") +
                                        count("layouts_failed"));
  // The best layout's scenario predicts what the sweep says of it.
  const std::string again = folder.write("again.json", sweep["best"]["scenario"].dump());
  for (const std::string& file : {again, best}) {
    const json predicted = answer({"predict", file, "--engine", "auto", "--format", "json"});
    REQUIRE(predicted["step_time_s"] == sweep["best"]["step_time_s"]);
    REQUIRE(predicted["memory"] == sweep["best"]["memory"]);
  }
  const std::string csv = test::text_of(rows);
  REQUIRE_THAT(csv, Catch::StartsWith("layout,cluster,tensor_parallel,"));
  REQUIRE(std::count(csv.begin(), csv.end(), '\n') ==
          1 + count("layouts_certified") + count("layouts_simulated"));
}

TEST_CASE("sweep: rows as JSON lines and in the answer are the same", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string file = folder.path("rows.jsonl");
  answer({"sweep", scenario, "--format", "json", "--rows", file});
  const json sweep = answer({"sweep", scenario, "--format", "json", "--rows", "-"});
  std::istringstream lines(test::text_of(file));
  json rows = json::array();
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  REQUIRE(rows == sweep["rows"]);
  REQUIRE(rows.size() > 1);
}

TEST_CASE("sweep: killed at ten random moments, it ends with the table of an undisturbed run",
          "[cli][sweep][slow]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string undisturbed = folder.path("undisturbed.sqlite");
  const auto begin = std::chrono::steady_clock::now();
  const json whole = answer({"sweep", scenario, "--format", "json", "--db", undisturbed});
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  const std::string expected = database_text(undisturbed);
  REQUIRE(std::count(expected.begin(), expected.end(), '\n') > 100);

  const std::string killed = folder.path("killed.sqlite");
  const std::uint32_t seed = GENERATE(1u, 2u);
  std::mt19937 random(seed);
  // Ten runs share the time of one, so that they fall on every part of it.
  std::uniform_int_distribution<int> moment(0, static_cast<int>(took.count() / 5));
  for (int i = 0; i < 10; ++i) {
    run_and_kill({"sweep", scenario, "--db", killed}, std::chrono::milliseconds(moment(random)));
    REQUIRE(begins_like(killed, expected));
  }
  const json after = answer({"sweep", scenario, "--format", "json", "--db", killed});
  REQUIRE(database_text(killed) == expected);
  REQUIRE(without_wall_time(after) == without_wall_time(whole));
}

TEST_CASE("sweep: the same sweep twice adds nothing", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string file = folder.path("sweep.sqlite");
  const json first = answer({"sweep", scenario, "--format", "json", "--db", file});
  const std::string before = database_text(file);
  const json second = answer({"sweep", scenario, "--format", "json", "--db", file, "--jobs", "1"});
  REQUIRE(database_text(file) == before);
  REQUIRE(without_wall_time(first) == without_wall_time(second));
}

TEST_CASE("sweep: two ranks of an MPI job answer as one process", "[cli][sweep][mpi]") {
#ifdef __SANITIZE_ADDRESS__
  WARN("skipped: the address sanitizer refuses modules that look up their own names first");
  return;
#endif
  const char* mpirun = std::getenv("STEPCAST_TEST_MPIRUN");
  const std::string launcher = mpirun == nullptr ? "/usr/bin/mpirun" : mpirun;
  if (!std::filesystem::exists(launcher)) {
    WARN("skipped: there is no " + launcher);
    return;
  }
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string alone = folder.path("alone.sqlite");
  const std::string together = folder.path("together.sqlite");
  const json one = answer({"sweep", scenario, "--format", "json", "--db", alone});
  std::vector<std::string> command{launcher, "--oversubscribe", "-n", "2"};
  if (::geteuid() == 0) command.emplace_back("--allow-run-as-root");
  for (const std::string& word :
       {std::string(STEPCAST_PROGRAM), std::string("sweep"), scenario, std::string("--format"),
        std::string("json"), std::string("--db"), together}) {
    command.push_back(word);
  }
  const ProgramEnd end = test::run_command(command);
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  REQUIRE(without_wall_time(json::parse(end.output)) == without_wall_time(one));
  REQUIRE(database_text(together) == database_text(alone));
}

TEST_CASE("sweep: a cluster that cannot be read is a row with its error", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write(
      "scenario.json", small_scenario(R"({"cluster": {"node": ["dgx_a100_80gb", "dgx_h100_80gb"]},
                         "attention": "flash3", "search": {"tensor_parallel": [2, 4]}})"));
  const json sweep = answer({"sweep", scenario, "--format", "json", "--rows", "-"});
  REQUIRE(sweep["proven"] == true);
  REQUIRE_THAT(sweep["clusters"][0]["error"].get<std::string>(),
               Catch::Contains("flash3 needs a Hopper GPU"));
  REQUIRE_THAT(sweep["rows"].back()["error"].get<std::string>(),
               Catch::Contains("flash3 needs a Hopper GPU"));
  REQUIRE(sweep["best"]["scenario"]["cluster"]["node"] == "dgx_h100_80gb");
}

TEST_CASE("sweep: what nothing can meet is an answer too", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const json sweep = answer({"sweep", scenario, "--format", "json", "--deadline", "1 s"});
  REQUIRE(sweep["best"].is_null());
  REQUIRE(sweep["proven"] == true);
  REQUIRE(sweep["layouts_not_allowed"] == sweep["layouts_valid"]);
}

TEST_CASE("compare --search sets the best layouts of clusters side by side", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("scenario.json", scenario_text(R"({"pareto_with": null})"));
  const json compared = answer(
      {"compare", "--search", scenario, "--set", "cluster.nodes=[2, 4]", "--format", "json"});
  REQUIRE(compared["scenarios"].size() == 2);
  REQUIRE(compared["searches"].size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(compared["searches"][i]["proven"] == true);
    REQUIRE(compared["scenarios"][i]["step_time_s"] ==
            compared["searches"][i]["best"]["step_time_s"]);
  }
  const std::string nodes = R"({"cluster": {"nodes": 4}})";
  json four = json::parse(scenario_text(R"({"pareto_with": null})"));
  four.merge_patch(json::parse(nodes));
  const json alone = answer({"sweep", folder.write("four.json", four.dump()), "--format", "json"});
  REQUIRE(alone["best"]["step_time_s"] == compared["scenarios"][1]["step_time_s"]);
}

TEST_CASE("sweep: wrong input is one message, nothing on stdout, exit code 2", "[cli][sweep]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", scenario_text());
  const std::string suite =
      folder.write("suite.json",
                   R"({"schema": 1, "runs": [)" + small_scenario() + "," + small_scenario() + "]}");
  const std::string unpriced = folder.write("unpriced.json", small_scenario());
  const std::string text = folder.write("text.sqlite", std::string(5000, 'x'));
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"sweep", "no_such_file.json"}, "no_such_file.json"},
      {{"sweep", scenario, scenario}, "a sweep is of one scenario"},
      {{"sweep", suite}, "the suite has 2 runs"},
      {{"sweep", scenario, "--objective", "fame"}, "--objective"},
      {{"sweep", unpriced, "--objective", "training_usd"}, "needs the key \"price\""},
      {{"sweep", scenario, "--deadline", "soon"}, "at /search/deadline"},
      {{"sweep", scenario, "--fit-probability", "1.5"}, "at /search/fit_probability"},
      {{"sweep", scenario, "--max-nodes", "0"}, "at /search/max_nodes"},
      {{"sweep", scenario, "--time-limit", "soon"}, "is no time"},
      {{"sweep", scenario, "--rows", folder.path("rows.txt")},
       "rows are written as CSV or as JSON"},
      {{"sweep", scenario, "--rows", folder.path("no/rows.csv")}, "--rows"},
      {{"sweep", scenario, "--db", text}, "not a database"},
      {{"sweep", scenario, "--set", "search.tensor_paralel=[1]"},
       "did you mean \"tensor_parallel\""},
      {{"compare", "--search", scenario}, "one cluster is nothing to compare"},
      {{"compare", scenario, scenario, "--objective", "step_time"}, "--search"},
      {{"predict", scenario, "--set", "cluster.nodes=[2, 4]"}, "stepcast sweep searches them all"},
  };
  for (const Case& wrong : cases) {
    CAPTURE(wrong.arguments);
    const ProgramEnd end = run_program(wrong.arguments);
    CHECK(end.exit_code == 2);
    CHECK(end.output == "");
    CHECK_THAT(end.errors, Catch::Contains(wrong.message));
  }
  REQUIRE_FALSE(std::filesystem::exists(folder.path("rows.txt")));
}

}  // namespace stepcast
