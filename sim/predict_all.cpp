#include "sim/predict_all.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "base/contract.h"
#include "sim/child_process.h"
#include "sim/wire.h"

namespace stepcast {

// The bindings name every member, so that one more does not compile until it is passed too.
template <class Wire>
void pass(Wire& wire, EngineReport& report) {
  auto& [name, certified, gpus, rank_classes, activities, wall_time] = report;
  pass(wire, name);
  pass(wire, certified);
  pass(wire, gpus);
  pass(wire, rank_classes);
  pass(wire, activities);
  pass(wire, wall_time);
}

template <class Wire>
void pass(Wire& wire, MemoryReport& report) {
  auto& [capacity, peak_stage, peak_rank, stages, low, high, timeline, host_capacity, host_peak] =
      report;
  pass(wire, capacity);
  pass(wire, peak_stage);
  pass(wire, peak_rank);
  pass(wire, stages);
  pass(wire, low);
  pass(wire, high);
  pass(wire, timeline);
  pass(wire, host_capacity);
  pass(wire, host_peak);
}

template <class Wire>
void pass(Wire& wire, ClaimCheck& check) {
  auto& [claim, claimed, predicted, claimed_to] = check;
  pass(wire, claim);
  pass(wire, claimed);
  pass(wire, predicted);
  pass(wire, claimed_to);
}

template <class Wire>
void pass(Wire& wire, LinkLoad& load) {
  auto& [name, alike, bandwidth, carried] = load;
  pass(wire, name);
  pass(wire, alike);
  pass(wire, bandwidth);
  pass(wire, carried);
}

template <class Wire>
void pass(Wire& wire, StepReport& report) {
  auto& [title, gpus, step_time, step_time_low, step_time_high, tokens_per_s, tokens_per_s_per_gpu,
         model_flop_rate_per_gpu, mfu, hfu, breakdown, critical_stage, bubble_fraction, memory,
         fits, oom_probability, cost, engine, claims, warnings, bottleneck, links] = report;
  const auto each = [&wire](auto&... members) { (pass(wire, members), ...); };
  each(title, gpus, step_time, step_time_low, step_time_high, tokens_per_s, tokens_per_s_per_gpu);
  each(model_flop_rate_per_gpu, mfu, hfu, breakdown, critical_stage, bubble_fraction, memory);
  each(fits, oom_probability, cost, engine, claims, warnings, bottleneck, links);
}

template <class Wire>
void pass(Wire& wire, PredictionOutcome& outcome) {
  pass(wire, outcome.report);
  pass(wire, outcome.error);
}

namespace {

PredictionOutcome outcome_of(const Scenario& scenario, const Predictor& predictor) {
  try {
    return {predictor(scenario), {}};
  } catch (const std::exception& fault) {
    return {std::nullopt, fault.what()};
  }
}

class WorkerPool {
 public:
  WorkerPool(std::span<const Scenario> scenarios, const Predictor& predictor,
             const DoneNote& progress)
      : scenarios_(scenarios),
        predictor_(predictor),
        progress_(progress),
        outcomes_(scenarios.size()) {}

  std::vector<PredictionOutcome> run(std::size_t jobs) {
    workers_.resize(std::min(jobs, scenarios_.size()));
    for (Worker& worker : workers_) start(worker);
    for (Worker& worker : workers_) hand_out(worker);
    while (done_ < scenarios_.size()) {
      for (Worker* worker : answering()) take_answer(*worker);
    }
    return std::move(outcomes_);
  }

 private:
  struct Worker {
    std::unique_ptr<ChildProcess> process;
    bool busy = false;
    std::size_t scenario = 0;  // the one it works on
  };

  void start(Worker& worker) {
    worker.process = std::make_unique<ChildProcess>([this](const Channel& parent) {
      while (const std::optional<std::string> request = parent.receive()) {
        const auto index = from_bytes<std::size_t>(*request);
        if (!parent.send(to_bytes(outcome_of(scenarios_[index], predictor_)))) return false;
      }
      return true;
    });
  }

  void hand_out(Worker& worker) {
    worker.busy = next_ < scenarios_.size();
    if (!worker.busy) return;
    worker.scenario = next_++;
    worker.process->channel().send(to_bytes(worker.scenario));  // a dead one shows at its answer
  }

  // Workers that have answered or died.
  std::vector<Worker*> answering() {
    std::vector<Worker*> busy;
    std::vector<pollfd> polled;
    for (Worker& worker : workers_) {
      if (!worker.busy) continue;
      busy.push_back(&worker);
      polled.push_back({worker.process->channel().descriptor(), POLLIN, 0});
    }
    while (::poll(polled.data(), polled.size(), -1) < 0) {
      if (errno != EINTR) throw std::runtime_error(std::strerror(errno));
    }
    std::vector<Worker*> ready;
    for (std::size_t i = 0; i < busy.size(); ++i) {
      if (polled[i].revents != 0) ready.push_back(busy[i]);
    }
    return ready;
  }

  void take_answer(Worker& worker) {
    PredictionOutcome& outcome = outcomes_[worker.scenario];
    if (const std::optional<std::string> answer = worker.process->channel().receive()) {
      outcome = from_bytes<PredictionOutcome>(*answer);
    } else {
      outcome.error = "the worker process failed: " + worker.process->wait();
      if (next_ < scenarios_.size()) start(worker);
    }
    progress_(++done_);
    hand_out(worker);
  }

  std::span<const Scenario> scenarios_;
  const Predictor& predictor_;
  const DoneNote& progress_;
  std::vector<PredictionOutcome> outcomes_;
  std::vector<Worker> workers_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const Predictor& predictor, int jobs,
                                           const DoneNote& progress) {
  STEPCAST_REQUIRES(jobs >= 1);
  return WorkerPool(scenarios, predictor, progress).run(static_cast<std::size_t>(jobs));
}

std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const PredictOptions& options, int jobs,
                                           const DoneNote& progress) {
  const Predictor predictor = [&](const Scenario& scenario) { return predict(scenario, options); };
  return predict_all(scenarios, predictor, jobs, progress);
}

}  // namespace stepcast
