#include "sim/crew.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/contract.h"

namespace stepcast {

Crew::Crew(int size, Work work) : work_(std::move(work)), workers_(static_cast<std::size_t>(size)) {
  STEPCAST_REQUIRES(size >= 0);
  for (Worker& worker : workers_) start(worker);
}

int Crew::idle() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(),
                                        [](const Worker& worker) { return !worker.task; }));
}

void Crew::hand_out(std::size_t number, std::string_view task) {
  const auto worker =
      std::find_if(workers_.begin(), workers_.end(), [](const Worker& w) { return !w.task; });
  STEPCAST_REQUIRES(worker != workers_.end());
  if (!worker->process) start(*worker);
  worker->task = number;
  worker->process->channel().send(task);  // a dead one shows at its answer
}

std::vector<CrewReport> Crew::wait(int timeout_ms) {
  std::vector<Worker*> busy;
  std::vector<pollfd> polled;
  for (Worker& worker : workers_) {
    if (!worker.task) continue;
    busy.push_back(&worker);
    polled.push_back({worker.process->channel().descriptor(), POLLIN, 0});
  }
  std::vector<CrewReport> reports;
  if (busy.empty()) return reports;
  if (::poll(polled.data(), polled.size(), timeout_ms) < 0) {
    if (errno == EINTR) return reports;
    throw std::runtime_error(std::strerror(errno));
  }
  for (std::size_t i = 0; i < busy.size(); ++i) {
    if (polled[i].revents != 0) reports.push_back(report_of(*busy[i]));
  }
  return reports;
}

void Crew::start(Worker& worker) {
  worker.process = std::make_unique<ChildProcess>([this](const Channel& parent) {
    while (const std::optional<std::string> task = parent.receive()) {
      if (!parent.send(work_(*task))) return false;
    }
    return true;
  });
}

CrewReport Crew::report_of(Worker& worker) {
  CrewReport report{*worker.task, worker.process->channel().receive(), {}};
  worker.task.reset();
  if (!report.answer) {
    report.failure = "the worker process failed: " + worker.process->wait();
    worker.process.reset();  // another is started for its next task
  }
  return report;
}

}  // namespace stepcast
