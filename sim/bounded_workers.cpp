#include "sim/bounded_workers.h"

#include <sys/resource.h>

#include <stdexcept>

#include "base/contract.h"
#include "sim/wire.h"

namespace stepcast {

template <class Wire>
void pass(Wire& wire, TaskOutcome& outcome) {
  pass(wire, outcome.end);
  pass(wire, outcome.answer);
}

namespace {

void limit_memory(Bytes memory) {
  const auto bytes = static_cast<rlim_t>(memory.value());
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_AS, &limit);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

TaskOutcome run_in_child(std::string_view task, const WorkLimits& limits,
                         const BoundedWorkers::Work& work) {
  ChildProcess child([&](const Channel& worker) {
    limit_memory(limits.memory);
    return worker.send(work(task));
  });
  if (!child.channel().wait(limits.time)) return {TaskEnd::TooLong, {}};
  std::optional<std::string> answer = child.channel().receive();
  if (!answer) return {TaskEnd::Died, {}};
  return {TaskEnd::Answered, std::move(*answer)};
}

TaskOutcome run_task(std::string_view task, const WorkLimits& limits,
                     const BoundedWorkers::Work& work) {
  try {
    return run_in_child(task, limits, work);
  } catch (const std::runtime_error&) {  // the system has no process to give, now
    return {TaskEnd::Died, {}};
  }
}

// Until its owner has gone.
bool serve_tasks(const Channel& owner, const WorkLimits& limits, const BoundedWorkers::Work& work) {
  while (const std::optional<std::string> task = owner.receive()) {
    if (!owner.send(to_bytes(run_task(*task, limits, work)))) break;
  }
  return true;
}

}  // namespace

BoundedWorkers::BoundedWorkers(const WorkLimits& limits, const Work& work) {
  STEPCAST_REQUIRES(limits.workers >= 1);
  for (int i = 0; i < limits.workers; ++i) {
    workers_.push_back(std::make_unique<ChildProcess>(
        [&](const Channel& owner) { return serve_tasks(owner, limits, work); }));
    idle_.push_back(workers_.back().get());
  }
}

BoundedWorkers::~BoundedWorkers() = default;

std::optional<TaskOutcome> BoundedWorkers::run(std::string_view task,
                                               std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!came_free_.wait_for(lock, patience, [this] { return !idle_.empty(); })) return std::nullopt;
  const ChildProcess* worker = idle_.back();
  idle_.pop_back();
  lock.unlock();

  std::optional<std::string> outcome;
  if (worker->channel().send(task)) outcome = worker->channel().receive();
  if (!outcome) return TaskOutcome{};  // the worker itself has died: it is not handed out again

  lock.lock();
  idle_.push_back(worker);
  lock.unlock();
  came_free_.notify_one();
  return from_bytes<TaskOutcome>(*outcome);
}

}  // namespace stepcast
