#include "sim/child_process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

namespace stepcast {
namespace {

std::runtime_error system_failure(const char* what) {
  return std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

bool send_all(int descriptor, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(descriptor, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int descriptor, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::recv(descriptor, at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("killed by signal ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

[[noreturn]] void run_child(const std::function<bool(const Channel&)>& work, int descriptor) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool done = false;
  try {
    const Channel parent(descriptor);
    done = work(parent);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "stepcast: child process: %s\n", fault.what());
  }
  ::_exit(done ? 0 : 1);
}

}  // namespace

Channel::~Channel() { ::close(descriptor_); }

bool Channel::send(std::string_view message) const {
  const std::size_t size = message.size();
  return send_all(descriptor_, &size, sizeof size) && send_all(descriptor_, message.data(), size);
}

bool Channel::wait(std::chrono::milliseconds time) const {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + time;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd ready{descriptor_, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (count < 0 && errno == EINTR) continue;
    return count > 0;
  }
}

std::optional<std::string> Channel::receive() const {
  std::size_t size = 0;
  if (!receive_all(descriptor_, &size, sizeof size)) return std::nullopt;
  std::string message(size, '\0');
  if (!receive_all(descriptor_, message.data(), size)) return std::nullopt;
  return message;
}

ChildProcess::ChildProcess(const std::function<bool(const Channel&)>& work) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw system_failure("cannot open a channel to a child process");
  }
  channel_ = std::make_unique<Channel>(ends[0]);
  std::fflush(nullptr);  // or the child would print it again
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ends[0]);
    run_child(work, ends[1]);
  }
  ::close(ends[1]);
  if (pid_ < 0) throw system_failure("cannot start a child process");
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

std::string ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status == 0 ? std::string() : how_it_ended(status);
}

}  // namespace stepcast
