#include "sim/search/rank_crew.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "base/input_error.h"
#include "sim/wire.h"

namespace stepcast {
namespace {

// MPI has no descriptor to wait on: messages are looked for this often. A task takes longer.
constexpr int poll_ms = 1;

// What a rank says when it comes.
struct Hello {
  int workers = 0;
  std::string search;
  std::string problem;
};

template <class Wire>
void pass(Wire& wire, Hello& hello) {
  stepcast::pass(wire, hello.workers);
  stepcast::pass(wire, hello.search);
  stepcast::pass(wire, hello.problem);
}

// A task on its way there and its report on its way back. An empty message sends a rank home.
struct Parcel {
  std::size_t number = 0;
  bool answered = true;
  std::string text;  // task, answer or failure
};

template <class Wire>
void pass(Wire& wire, Parcel& parcel) {
  stepcast::pass(wire, parcel.number);
  stepcast::pass(wire, parcel.answered);
  stepcast::pass(wire, parcel.text);
}

CrewReport report_of(Parcel parcel) {
  if (parcel.answered) return {parcel.number, std::move(parcel.text), {}};
  return {parcel.number, std::nullopt, std::move(parcel.text)};
}

Parcel parcel_of(CrewReport report) {
  if (report.answer) return {report.task, true, std::move(*report.answer)};
  return {report.task, false, std::move(report.failure)};
}

std::string problem_of(const Hello& hello, const std::string& search) {
  if (!hello.problem.empty()) return hello.problem;
  return hello.search == search ? "" : "it reads another scenario or catalogue than rank 0";
}

MessagePassing::Message next_message(MessagePassing& ranks) {
  while (true) {
    if (auto message = ranks.receive()) return std::move(*message);
    std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
}

}  // namespace

RankCrew::RankCrew(Crew& local, MessagePassing* ranks, const std::string& search)
    : local_(local), ranks_(ranks) {
  if (ranks_ == nullptr) return;
  idle_of_rank_.resize(static_cast<std::size_t>(ranks_->size()));
  std::string problem;
  for (int others = 1; others < ranks_->size(); ++others) {
    const MessagePassing::Message message = next_message(*ranks_);
    const auto hello = from_bytes<Hello>(message.text);
    const std::string found = problem_of(hello, search);
    if (!found.empty()) problem = fmt::format("rank {}: {}", message.from, found);
    idle_of_rank_[static_cast<std::size_t>(message.from)] = hello.workers;
    remote_ += hello.workers;
  }
  if (problem.empty()) return;
  send_home();
  throw InputError({}, problem, "every rank reads the scenario and the catalogue for itself");
}

RankCrew::~RankCrew() { send_home(); }

void RankCrew::send_home() {
  for (int rank = 1; ranks_ != nullptr && rank < ranks_->size(); ++rank) ranks_->send(rank, "");
}

int RankCrew::size() const { return local_.size() + remote_; }

int RankCrew::idle() const {
  return std::accumulate(idle_of_rank_.begin(), idle_of_rank_.end(), local_.idle());
}

void RankCrew::hand_out(std::size_t number, std::string_view task) {
  const auto rank = std::max_element(idle_of_rank_.begin(), idle_of_rank_.end());
  if (rank == idle_of_rank_.end() || *rank <= local_.idle()) {
    local_.hand_out(number, task);
    return;
  }
  --*rank;
  ranks_->send(static_cast<int>(rank - idle_of_rank_.begin()),
               to_bytes(Parcel{number, true, std::string(task)}));
}

std::vector<CrewReport> RankCrew::wait(int timeout_ms) {
  if (ranks_ == nullptr) return local_.wait(timeout_ms);
  for (int waited = 0; idle() < size(); waited += poll_ms) {
    const bool any_local = local_.idle() < local_.size();
    std::vector<CrewReport> reports = local_.wait(any_local ? poll_ms : 0);
    while (auto message = ranks_->receive()) {
      ++idle_of_rank_[static_cast<std::size_t>(message->from)];
      reports.push_back(report_of(from_bytes<Parcel>(message->text)));
    }
    if (!reports.empty() || (timeout_ms >= 0 && waited >= timeout_ms)) return reports;
    if (!any_local) std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
  return {};
}

void serve_rank(Crew& local, MessagePassing& ranks, const std::string& search,
                const std::string& problem) {
  ranks.send(0, to_bytes(Hello{local.size(), search, problem}));
  while (true) {
    while (const auto message = ranks.receive()) {
      if (message->text.empty()) return;
      const auto parcel = from_bytes<Parcel>(message->text);
      local.hand_out(parcel.number, parcel.text);
    }
    const bool any_busy = local.idle() < local.size();
    for (CrewReport& report : local.wait(poll_ms)) {
      ranks.send(0, to_bytes(parcel_of(std::move(report))));
    }
    if (!any_busy) std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
}

}  // namespace stepcast
