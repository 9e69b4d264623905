// Work for others under limits: each task in a process of its own that may take only so long and so
// much memory, so that no task costs more than its own answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "sim/child_process.h"

namespace stepcast {

struct WorkLimits {
  int workers = 1;  ///< tasks at a time
  std::chrono::milliseconds time{};
  Bytes memory;  ///< address space of a task's process
};

enum class TaskEnd {
  Answered,
  TooLong,  ///< it was ended at the limit
  Died      ///< it crashed, or memory ran out where nothing could be said any more
};

struct TaskOutcome {
  TaskEnd end = TaskEnd::Died;
  std::string answer;
};

/// Threads may share one. Its workers are forked when it is made, one by one and before there are
/// any threads: a process with threads cannot fork safely (docs/decisions/0014). They do nothing
/// but fork a process for each task and watch it, so what a task does to its memory is gone with
/// it.
class BoundedWorkers {
 public:
  using Work = std::function<std::string(std::string_view task)>;

  BoundedWorkers(const WorkLimits& limits, const Work& work);
  ~BoundedWorkers();
  BoundedWorkers(const BoundedWorkers&) = delete;
  BoundedWorkers& operator=(const BoundedWorkers&) = delete;

  /// Nothing where no worker came free within `patience`.
  std::optional<TaskOutcome> run(std::string_view task, std::chrono::milliseconds patience);

 private:
  std::mutex mutex_;
  std::condition_variable came_free_;
  std::vector<std::unique_ptr<ChildProcess>> workers_;
  std::vector<const ChildProcess*> idle_;
};

}  // namespace stepcast
