// Worker processes that are handed tasks as they come free: one that crashes or is killed costs its
// task only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/child_process.h"

namespace stepcast {

/// A task that has come to its end: an answer, or how the worker died.
struct CrewReport {
  std::size_t task = 0;
  std::optional<std::string> answer;
  std::string failure;
};

class Crew {
 public:
  /// Answers a task; runs in a worker, which holds what the process held when it was forked.
  using Work = std::function<std::string(std::string_view task)>;

  /// Forks `size` workers at once: best while the process is small.
  Crew(int size, Work work);

  int size() const { return static_cast<int>(workers_.size()); }
  int idle() const;
  /// Gives a task to an idle worker. `number` comes back with its report. Requires idle() > 0.
  void hand_out(std::size_t number, std::string_view task);
  /// What has come in within `timeout_ms` (-1: however long it takes). Nothing where nobody works.
  std::vector<CrewReport> wait(int timeout_ms);

 private:
  struct Worker {
    std::unique_ptr<ChildProcess> process;
    std::optional<std::size_t> task;  // the one it works on
  };

  void start(Worker& worker);
  CrewReport report_of(Worker& worker);

  Work work_;
  std::vector<Worker> workers_;
};

}  // namespace stepcast
