#include "sim/search/sweep.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sim/predict.h"
#include "sim/predict_all.h"
#include "sim/search/search_worker.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// Two nodes of four GPUs that share an NIC: gradients, pipeline and tensor-parallel traffic meet.
const std::string crowded = R"({
  "model": {"num_layers": 8, "hidden_size": 2048, "num_attention_heads": 16, "vocab_size": 32000},
  "cluster": {"node": "dgx_a100_80gb", "nodes": 2, "gpus_per_node": 4,
              "fabric": {"base": "hdr_rail", "nics_per_node": 1}},
  "batch": {"global_batch": 32, "sequence_length": 1024},
  "price": {"usd_per_node_hour": 30}, "training_tokens": 1e9,
  "search": {"tensor_parallel": "divisors", "pipeline_parallel": [1, 2, 4], "micro_batch": [1, 2],
             "overlap_gradient_reduce": "all", "zero_stage": [0, 1])";

SearchRequest request_of(const std::string& patch) {
  return search_from_json(parse_json(small_scenario(patch), "scenario.json"), "scenario.json", {});
}

StepReport by_auto(const Scenario& scenario) {
  return predict(scenario, PredictOptions{.engine = EngineChoice::Auto});
}

struct Swept {
  explicit Swept(const std::string& patch) : request(request_of(patch)), space(request) {}

  SweepResult run(const LayoutPredictor& predictor = by_auto, int jobs = 2,
                  const std::string& file = "", const SweepControl& control = {}) const {
    SearchWorker worker(space, predictor);
    Crew local(jobs, [&](std::string_view task) { return worker.answer(task); });
    RankCrew crew(local, nullptr, "");
    SweepDatabase database(file, space, "test");
    return sweep(space, crew, database, control);
  }

  SearchRequest request;
  LayoutSpace space;
};

std::string text_of(TrainingJob job) {
  return write_fields(
             [&](Fields& f) {
               describe(f, job.batch);
               f.object("plan", [&](Fields& g) { describe(g, job.plan); }, {});
             },
             false)
      .dump();
}

std::size_t best(const SweepResult& result) { return result.front.members().at(0).layout; }

std::size_t accounted(const SweepResult& result) {
  return result.not_allowed + result.bounded + result.certified + result.simulated + result.failed;
}

void require_same_rows(const SweepResult& a, const SweepResult& b) {
  REQUIRE(a.rows.size() == b.rows.size());
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    REQUIRE(a.rows[i].layout == b.rows[i].layout);
    REQUIRE(a.rows[i].figures.step_time == b.rows[i].figures.step_time);
    REQUIRE(a.rows[i].error == b.rows[i].error);
  }
}

// Every layout through the event engine.
std::vector<StepReport> event_runs(const LayoutSpace& space) {
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < space.size(); ++i) scenarios.push_back(space.scenario(i));
  std::vector<StepReport> reports;
  for (const PredictionOutcome& outcome :
       predict_all(scenarios, PredictOptions{}, 2, [](std::size_t) {})) {
    reports.push_back(outcome.report.value());
  }
  return reports;
}

std::size_t fastest_that_fits(const std::vector<StepReport>& reports) {
  std::size_t fastest = reports.size();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i].fits) continue;
    if (fastest == reports.size() || reports[i].step_time < reports[fastest].step_time) fastest = i;
  }
  return fastest;
}

}  // namespace

TEST_CASE("sweep: every layout through the event engine finds the same best", "[sim][sweep]") {
  const Swept swept(crowded + "}}");
  const SweepResult result = swept.run();
  const std::vector<StepReport> reports = event_runs(swept.space);
  REQUIRE(result.proven);
  REQUIRE(result.valid == swept.space.size());
  REQUIRE(accounted(result) == result.valid);
  REQUIRE(result.bounded > 0);
  const double least = reports[fastest_that_fits(reports)].step_time.value();
  REQUIRE(reports[best(result)].step_time.value() == Approx(least).epsilon(1e-9));
  for (const LayoutRow& row : result.rows) {
    REQUIRE(row.figures.step_time / reports[row.layout].step_time == Approx(1.0).epsilon(1e-9));
  }
}

TEST_CASE("sweep: bounds are bounds", "[sim][sweep]") {
  const std::string schedules = GENERATE("", R"(, "schedule": ["zero_bubble", "zb_v"])");
  const Swept swept(crowded + schedules + "}}");
  SearchWorker worker(swept.space, by_auto);
  const std::vector<StepReport> reports = event_runs(swept.space);
  int below = 0;
  for (std::size_t i = 0; i < swept.space.size(); ++i) {
    CAPTURE(swept.space.title(i));
    const auto bounds = worker.bound(i);
    REQUIRE(bounds.error == "");
    REQUIRE(bounds.figures.step_time <= reports[i].step_time * (1 + 1e-12));
    REQUIRE(bounds.figures.memory <= reports[i].memory_peak() * (1 + 1e-12));
    REQUIRE(bounds.figures.memory > 0.5 * reports[i].memory_peak());
    below += bounds.figures.step_time < reports[i].step_time * (1 - 1e-6);
  }
  REQUIRE(below > 0);  // some of them meet traffic, or this would show nothing
}

TEST_CASE("sweep: a layout that only contention makes slow does not mislead", "[sim][sweep]") {
  const Swept swept(crowded + "}}");
  // The layout with the least bound, so the first to be judged, meets traffic that no bound sees.
  SearchWorker bounding(swept.space, by_auto);
  std::size_t planted = 0;
  Seconds least = bounding.bound(0).figures.step_time;
  for (std::size_t i = 1; i < swept.space.size(); ++i) {
    const Seconds bound = bounding.bound(i).figures.step_time;
    if (bound < least) std::tie(planted, least) = std::pair(i, bound);
  }
  const TrainingJob slow = swept.space.job(planted);
  const LayoutPredictor predictor = [&](const Scenario& scenario) {
    StepReport report = by_auto(scenario);
    if (text_of(scenario.job) == text_of(slow)) report.step_time = 3.0 * report.step_time;
    return report;
  };
  const SweepResult honest = swept.run();
  const SweepResult misled = swept.run(predictor);
  REQUIRE(misled.rows.front().layout == planted);
  REQUIRE(best(misled) != planted);
  REQUIRE(misled.proven);
  // All but the planted one are as they were: the best of those is the answer.
  const std::vector<StepReport> reports = event_runs(swept.space);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (i == planted || !reports[i].fits) continue;
    REQUIRE(reports[best(misled)].step_time <= reports[i].step_time * (1 + 1e-9));
  }
  REQUIRE(misled.rows.size() >= honest.rows.size());
}

TEST_CASE("sweep: rows do not depend on how many work on them", "[sim][sweep]") {
  const Swept swept(crowded + "}}");
  const SweepResult one = swept.run(by_auto, 1);
  const SweepResult five = swept.run(by_auto, 5);
  require_same_rows(one, five);
  REQUIRE(best(one) == best(five));
  REQUIRE(one.bounded == five.bounded);
}

TEST_CASE("sweep: the Pareto front is that of all layouts", "[sim][sweep]") {
  const Swept swept(crowded + R"(, "recompute": "all", "pareto_with": "memory_headroom"}})");
  const SweepResult result = swept.run();
  REQUIRE(result.proven);
  const std::vector<StepReport> reports = event_runs(swept.space);
  const auto beaten = [&](std::size_t i) {
    for (std::size_t j = 0; j < reports.size(); ++j) {
      const bool no_worse = reports[j].step_time <= reports[i].step_time &&
                            reports[j].memory_peak() <= reports[i].memory_peak();
      const bool better = reports[j].step_time < reports[i].step_time * (1 - 1e-9) ||
                          reports[j].memory_peak() < reports[i].memory_peak() * (1 - 1e-9);
      if (j != i && reports[j].fits && no_worse && better) return true;
    }
    return false;
  };
  REQUIRE(result.front.members().size() > 1);
  for (const Front::Member& member : result.front.members()) REQUIRE_FALSE(beaten(member.layout));
  // Every layout that nothing beats has its equal on the front.
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i].fits || beaten(i)) continue;
    bool found = false;
    for (const Front::Member& member : result.front.members()) {
      const StepReport& on_front = reports[member.layout];
      found = found ||
              (on_front.step_time.value() == Approx(reports[i].step_time.value()).epsilon(1e-8) &&
               on_front.memory_peak().value() ==
                   Approx(reports[i].memory_peak().value()).epsilon(1e-8));
    }
    REQUIRE(found);
  }
}

TEST_CASE("sweep: constraints hold for the best layout", "[sim][sweep]") {
  const Swept free_choice(crowded + R"(, "objective": "training_usd"}})");
  const SweepResult cheapest = free_choice.run();
  const double usd = cheapest.front.members().at(0).costs.at(0);
  // 2 nodes at 30 USD an hour: cost = 60 x hours, so a deadline just below rules the best out ...
  const std::string hours = std::to_string(usd / 60 * 0.999) + " h";
  const Swept too_short(crowded + R"(, "deadline": ")" + hours + R"("}})");
  const SweepResult none = too_short.run();
  REQUIRE(none.front.members().empty());
  REQUIRE(none.proven);
  // ... and so does a budget, while one just above leaves it in.
  const std::string above = std::to_string(usd * 1.001);
  const Swept enough(crowded + R"(, "max_training_usd": )" + above + "}}");
  REQUIRE(best(enough.run()) == best(cheapest));
}

TEST_CASE("sweep: a worker that dies, or a prediction that throws, is a row with its error",
          "[sim][sweep]") {
  const Swept swept(crowded + "}}");
  const SweepResult good = swept.run();
  const TrainingJob victim = swept.space.job(best(good));
  const auto dies = [&](const std::function<void()>& end) {
    return swept.run([&](const Scenario& scenario) {
      if (text_of(scenario.job) == text_of(victim)) end();
      return by_auto(scenario);
    });
  };
  const SweepResult crashed = dies([] { std::raise(SIGKILL); });
  const SweepResult thrown = dies([] { throw std::runtime_error("no such luck"); });
  for (const SweepResult* result : {&crashed, &thrown}) {
    REQUIRE(result->failed == 1);
    REQUIRE_FALSE(result->proven);
    REQUIRE(best(*result) != best(good));
    REQUIRE(accounted(*result) == result->valid);
  }
  const auto error_of = [&](const SweepResult& result) {
    for (const LayoutRow& row : result.rows) {
      if (row.layout == best(good)) return row.error;
    }
    return std::string("no row");
  };
  REQUIRE(error_of(crashed) == "the worker process failed: killed by signal Killed");
  REQUIRE(error_of(thrown) == "no such luck");
}

TEST_CASE("sweep: one that is stopped says what may be missed, and goes on from its database",
          "[sim][sweep]") {
  const TemporaryFolder folder;
  const Swept swept(crowded + "}}");
  const SweepResult whole = swept.run();
  REQUIRE(whole.rows.size() > 1);
  const std::string file = folder.path("sweep.sqlite");
  // Stops when the first row has been judged.
  bool seen = false;
  SweepControl control;
  control.progress = [&](const SweepProgress& progress) {
    seen = seen || (!progress.bounding && progress.best);
  };
  control.stop = [&] { return seen; };
  // Slow answers, or all would be judged at once.
  const SweepResult part = swept.run(by_auto, 1, file, control);
  if (!part.proven) {
    REQUIRE(part.gap.has_value());
    REQUIRE(*part.gap >= 0);
    REQUIRE(*part.gap < 1);
  }
  require_same_rows(whole, swept.run(by_auto, 2, file));
  // Once more: nothing is predicted any more, by a predictor that could not.
  const SweepResult again = swept.run(
      [](const Scenario&) -> StepReport { throw std::runtime_error("asked again"); }, 2, file);
  require_same_rows(whole, again);
  REQUIRE(again.proven);
}

TEST_CASE("sweep: one that is stopped at once has no layout to compare", "[sim][sweep]") {
  const Swept swept(crowded + "}}");
  SweepControl control;
  control.stop = [] { return true; };
  const SweepResult result = swept.run(by_auto, 1, "", control);
  REQUIRE_FALSE(result.proven);
  REQUIRE_FALSE(result.gap.has_value());
  REQUIRE(result.front.members().empty());
}

TEST_CASE("sweep database: refuses what is not its own", "[sim][sweep]") {
  const TemporaryFolder folder;
  const Swept one(crowded + "}}");
  const Swept other(crowded + R"(, "fit_probability": 0.9}})");
  const std::string file = folder.path("sweep.sqlite");
  const auto error_of = [&](const Swept& swept, const std::string& name,
                            const std::string& program) {
    try {
      const SweepDatabase database(name, swept.space, program);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  REQUIRE(error_of(one, file, "1.0") == "no error");
  REQUIRE(error_of(one, file, "1.0") == "no error");
  REQUIRE_THAT(error_of(other, file, "1.0"), Catch::Contains("belongs to another search"));
  REQUIRE_THAT(error_of(one, file, "1.1"), Catch::Contains("of version 1.0, this is version 1.1"));
  REQUIRE_THAT(error_of(one, folder.write("text", std::string(5000, 'x')), "1.0"),
               Catch::Contains("not a database"));
  REQUIRE_THAT(error_of(one, folder.path("no/such/folder"), "1.0"),
               Catch::Contains("unable to open"));
  const SweepDatabase open(file, one.space, "1.0");
  REQUIRE_THAT(error_of(one, file, "1.0"), Catch::Contains("another sweep is writing to it"));
}

TEST_CASE("front: keeps what nothing beats, best first", "[sim][sweep]") {
  Front front;
  front.add(1, {3.0, 1.0});
  front.add(2, {1.0, 3.0});
  front.add(3, {2.0, 2.0});
  front.add(4, {2.5, 2.5});  // beaten by 3
  REQUIRE(front.members().size() == 3);
  front.add(5, {1.0, 2.0});  // beats 2 and 3
  REQUIRE(front.members().size() == 2);
  REQUIRE(front.members()[0].layout == 5);
  REQUIRE(front.members()[1].layout == 1);
  REQUIRE(front.covers({1.0, 2.0}));
  REQUIRE(front.covers({1.0 - 1e-12, 2.0}));
  REQUIRE_FALSE(front.covers({0.999, 2.0}));
}
