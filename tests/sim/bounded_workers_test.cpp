#include "sim/bounded_workers.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <new>
#include <thread>

using namespace stepcast;
using namespace std::chrono_literals;

namespace {

// Tasks by their first letter.
std::string work(std::string_view task) {
  switch (task.front()) {
    case 'c':
      std::raise(SIGKILL);
      return {};
    case 's':
      std::this_thread::sleep_for(60s);
      return "slept";
    case 'm':
      try {
        const std::vector<char> large(std::size_t{4} << 30U, 'x');
        return {large.front()};
      } catch (const std::bad_alloc&) {
        return "no memory";
      }
    default:
      return "did " + std::string(task);
  }
}

}  // namespace

TEST_CASE("bounded workers: a task that crashes, lasts or grows costs its own answer only",
          "[sim]") {
  BoundedWorkers workers({1, 2s, 1_GiB}, work);
  const auto end_of = [&](std::string_view task) { return workers.run(task, 10s)->end; };
  CHECK(workers.run("this", 10s)->answer == "did this");
  CHECK(end_of("crash") == TaskEnd::Died);
  CHECK(end_of("sleep") == TaskEnd::TooLong);
  CHECK(workers.run("memory", 10s)->answer == "no memory");
  CHECK(workers.run("that", 10s)->answer == "did that");
}

TEST_CASE("bounded workers: who finds all of them busy waits only so long", "[sim]") {
  BoundedWorkers workers({1, 2s, 1_GiB}, work);
  TaskEnd end = TaskEnd::Died;
  std::thread busy([&] { end = workers.run("sleep", 10s)->end; });
  while (workers.run("this", 0ms)) {  // until the other has the worker
  }
  CHECK(workers.run("that", 10s)->answer == "did that");
  busy.join();
  CHECK(end == TaskEnd::TooLong);
}

TEST_CASE("bounded workers: threads that share them get the answers to their own tasks", "[sim]") {
  BoundedWorkers workers({3, 10s, 1_GiB}, work);
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string task = std::to_string(t) + " " + std::to_string(i);
        if (workers.run(task, 30s)->answer != "did " + task) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(8, 0));
}
