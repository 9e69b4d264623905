// A forked child and the channel to it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stepcast {

/// One end of a two-way connection between a process and its child; closed with its owner.
class Channel {
 public:
  explicit Channel(int descriptor) : descriptor_(descriptor) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// False if the other side has gone.
  bool send(std::string_view message) const;
  /// Whether the other side says something, or has gone, within that time.
  bool wait(std::chrono::milliseconds time) const;
  /// Nothing if the other side has gone before a whole message came.
  std::optional<std::string> receive() const;

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class ChildProcess {
 public:
  /// Forks a child that runs `work` with its end of the channel and leaves by _exit. It dies with
  /// its parent. Throws std::runtime_error where the system gives no process.
  explicit ChildProcess(const std::function<bool(const Channel&)>& work);
  /// Kills the child if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const Channel& channel() const { return *channel_; }

  /// Waits for its end: empty if `work` was true, else how it ended ("killed by signal Killed").
  std::string wait();

 private:
  std::unique_ptr<Channel> channel_;
  pid_t pid_ = -1;
};

}  // namespace stepcast
