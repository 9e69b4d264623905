#include "cli/search.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "base/unit_text.h"
#include "cli/search_progress.h"
#include "sim/predict_all.h"
#include "sim/search/search_worker.h"

namespace stepcast {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// While it lives, the first SIGINT or SIGTERM asks the search to stop and a second one ends the
// program. Workers, forked meanwhile, take no notice of the first: their parent ends them.
class InterruptWatch {
 public:
  InterruptWatch() {
    interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &before_[0]);
    ::sigaction(SIGTERM, &action, &before_[1]);
  }
  ~InterruptWatch() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
  }
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  struct sigaction before_[2] = {};
};

class Stopwatch {
 public:
  Seconds elapsed() const {
    return Seconds(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

LayoutPredictor predictor_of(const ScenarioOptions& options) {
  return [engine = options.engine](const Scenario& scenario) {
    return predict(scenario, PredictOptions{.engine = engine});
  };
}

// The full predictions of the front, which the database does not hold.
std::vector<Prediction> predict_front(const LayoutSpace& space, const SweepResult& result,
                                      const ScenarioOptions& options) {
  std::vector<Scenario> scenarios;
  for (const Front::Member& member : result.front.members()) {
    Scenario& scenario = scenarios.emplace_back(space.scenario(member.layout));
    const std::string& cluster =
        space.request().variants[static_cast<std::size_t>(space.variant_of(member.layout))].name;
    if (!cluster.empty()) scenario.title += " (" + cluster + ")";
  }
  const std::vector<PredictionOutcome> outcomes = predict_all(
      scenarios, PredictOptions{.engine = options.engine}, options.jobs, [](std::size_t) {});
  std::vector<Prediction> front;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (!outcomes[i].report) throw std::runtime_error(outcomes[i].error);
    front.push_back({scenarios[i], *outcomes[i].report});
  }
  return front;
}

Crew crew_of(const LayoutSpace& space, const ScenarioOptions& options) {
  const auto worker = std::make_shared<SearchWorker>(space, predictor_of(options));
  return Crew(options.jobs, [worker](std::string_view task) { return worker->answer(task); });
}

SweepAnswer run(const LayoutSpace& space, RankCrew& crew, const ScenarioOptions& options,
                const SearchOptions& search) {
  const Stopwatch watch;
  SweepAnswer answer;
  answer.space = &space;
  {
    SweepDatabase database(search.database, space, STEPCAST_VERSION);
    SearchProgressLine line(space.request().keys.goal, options.quiet);
    SweepControl control;
    control.progress = [&](const SweepProgress& progress) { line.show(progress); };
    control.stop = [&] {
      return interrupted != 0 || (search.time_limit && watch.elapsed() > *search.time_limit);
    };
    answer.result = sweep(space, crew, database, control);
  }
  answer.front = predict_front(space, answer.result, options);
  answer.wall_time = watch.elapsed();
  return answer;
}

int mpi_number(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace

bool is_mpi_job() { return mpi_number("OMPI_COMM_WORLD_SIZE", 1) > 1; }

bool is_first_rank() { return mpi_number("OMPI_COMM_WORLD_RANK", 0) == 0; }

SweepAnswer search(const LayoutSpace& space, const ScenarioOptions& options,
                   const SearchOptions& search) {
  const InterruptWatch watch;
  Crew local = crew_of(space, options);
  RankCrew crew(local, nullptr, "");
  return run(space, crew, options, search);
}

std::optional<SweepAnswer> search_on_all_ranks(const LayoutSpace* space, const std::string& problem,
                                               const ScenarioOptions& options,
                                               const SearchOptions& search) {
  const std::string known = space == nullptr ? "" : fingerprint(space->request());
  std::optional<Crew> local;
  if (space != nullptr) local.emplace(crew_of(*space, options));
  const std::unique_ptr<MessagePassing> ranks = join_mpi_job();
  if (ranks->rank() > 0) {
    Crew nobody(0, {});
    serve_rank(local ? *local : nobody, *ranks, known, problem);
    return std::nullopt;
  }
  RankCrew crew(*local, ranks.get(), known);
  return run(*space, crew, options, search);
}

CLI::Option* add_time_limit(CLI::App& command, SearchOptions& options) {
  return command
      .add_option_function<std::string>(
          "--time-limit",
          [&options](const std::string& text) { options.time_limit = parse_seconds(text); },
          "Stop after this long and say how far the best layout may be from the best one, as in "
          "\"90 s\"")
      ->check([](const std::string& text) {
        return parse_seconds(text) ? "" : "\"" + text + "\" is no time, as \"90 s\" or \"2 h\"";
      })
      ->type_name("TIME");
}

}  // namespace stepcast
