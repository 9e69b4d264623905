// `stepcast serve`: a page on this machine where a scenario is edited and its answer moves along.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#include "cli/command.h"
#include "cli/http_server.h"
#include "reports/served_page.h"
#include "scenarios/catalogue.h"
#include "sim/bounded_workers.h"
#include "sim/wire.h"

namespace stepcast {

template <class Wire>
void pass(Wire& wire, ServedAnswer& answer) {
  pass(wire, answer.status);
  pass(wire, answer.json);
}

namespace {

namespace fs = std::filesystem;

// What one request may cost, so that no page can keep the machine busy. 1T parameters on 3,072 GPUs
// take less than a second and 100 MB.
constexpr std::chrono::seconds time_limit(10);
constexpr Bytes memory_limit = 2_GiB;
// How long a request waits while all workers are busy.
constexpr std::chrono::seconds patience(10);

struct ServeOptions {
  std::string path;  ///< empty: the guide that ships with the program
  int port = 8315;
  int jobs = 1;
};

std::string guide_folder() {
  return (fs::path(catalogue_folder()).parent_path() / "guide").string();
}

std::string folder_of(const std::string& path) {
  if (fs::is_directory(path)) return path;
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

// In a process of its own, with little memory.
std::string answer_in_worker(std::string_view text, const std::string& folder) {
  try {
    return to_bytes(answer_scenario(text, folder));
  } catch (const std::bad_alloc&) {
    return to_bytes(refusal(422, fmt::format("this needs more than {} GiB", memory_limit / 1_GiB),
                            "ask for fewer GPUs or micro-batches; stepcast predict has no limit"));
  }
}

ServedAnswer predict_bounded(BoundedWorkers& workers, const std::string& text) {
  const std::optional<TaskOutcome> outcome = workers.run(text, patience);
  if (!outcome) return refusal(503, "all workers are busy", "ask again in a moment");
  switch (outcome->end) {
    case TaskEnd::Answered:
      return from_bytes<ServedAnswer>(outcome->answer);
    case TaskEnd::TooLong:
      return refusal(422, fmt::format("this takes longer than {} s", time_limit.count()),
                     "ask for fewer GPUs or micro-batches; stepcast predict has no limit");
    case TaskEnd::Died:
      return refusal(422, "the prediction died, perhaps for want of memory",
                     "ask for fewer GPUs or micro-batches; stepcast predict has no limit");
  }
  return {};
}

/// SIGINT and SIGTERM are taken by whoever waits for them, in this process and all that it forks.
sigset_t hold_back_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Until a signal comes.
void answer_requests(HttpServer& server, const sigset_t& signals) {
  bool ended_well = true;
  const pthread_t waiting = pthread_self();
  std::thread listener([&] {
    ended_well = server.listen();
    pthread_kill(waiting, SIGTERM);
  });
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
  listener.join();
  if (!ended_well) throw std::runtime_error("the system ended the server");
}

Answer run_serve(const ServeOptions& options) {
  const std::string path = options.path.empty() ? guide_folder() : options.path;
  const std::string folder = folder_of(path);
  const std::string page = served_page(written_scenarios(path));
  const sigset_t signals = hold_back_signals();
  BoundedWorkers workers({options.jobs, time_limit, memory_limit},
                         [&](std::string_view text) { return answer_in_worker(text, folder); });
  HttpServer server({
      {"GET", "/", "text/html; charset=utf-8",
       [&](const auto&) {
         return ServedAnswer{200, page};
       }},
      {"POST", "/predict", "application/json",
       [&](const std::string& body) { return predict_bounded(workers, body); }},
  });
  const int port = server.bind(options.port);
  std::fputs(fmt::format("http://127.0.0.1:{}/\n", port).c_str(), stdout);
  std::fflush(stdout);
  answer_requests(server, signals);
  return {};
}

}  // namespace

void add_serve(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "serve", "A page on this machine: edit a scenario and see time, memory and cost move");
  command->footer("The page is for this machine only: it is served on 127.0.0.1 until Ctrl-C.");
  const auto options = std::make_shared<ServeOptions>();
  command->add_option(
      "PATH", options->path,
      "Scenarios to start from: a file, a suite or a folder (unless said, the guide); "
      "scenarios on the page may name parts in its folder and in the catalogue");
  command->add_option("--port", options->port, "Its port; 0: any that is free")
      ->check(CLI::Range(0, 65535).description(""))
      ->capture_default_str()
      ->type_name("N");
  options->jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  command
      ->add_option("--jobs", options->jobs,
                   "Predictions at a time, as many as cores unless said; one more waits")
      ->check(CLI::Range(1, 64).description(""))
      ->type_name("N");
  command->callback([options, &chosen] { chosen = [options] { return run_serve(*options); }; });
}

}  // namespace stepcast
