#include "sim/forked_run.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace stepcast {
namespace {

std::runtime_error system_failure(const char* what) {
  return std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

// One end of a pipe, closed with its owner.
class PipeEnd {
 public:
  explicit PipeEnd(int descriptor) : descriptor_(descriptor) {}
  ~PipeEnd() { ::close(descriptor_); }
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;

  bool write(const void* data, std::size_t size) const {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, at, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      at += written;
      size -= static_cast<std::size_t>(written);
    }
    return true;
  }

  bool read(void* data, std::size_t size) const {
    char* at = static_cast<char*>(data);
    while (size > 0) {
      const ssize_t got = ::read(descriptor_, at, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int descriptor_;
};

bool write_timeline(const Timeline& timeline, const PipeEnd& pipe) {
  const std::int64_t head[2] = {timeline.activities,
                                static_cast<std::int64_t>(timeline.ranks.size())};
  if (!pipe.write(head, sizeof head)) return false;
  for (const RankTimeline& rank : timeline.ranks) {
    for (const std::vector<Span>& spans : rank.streams) {
      const auto count = static_cast<std::int64_t>(spans.size());
      if (!pipe.write(&count, sizeof count)) return false;
      if (!pipe.write(spans.data(), spans.size() * sizeof(Span))) return false;
    }
  }
  return true;
}

bool read_timeline(Timeline& timeline, const PipeEnd& pipe) {
  std::int64_t head[2];
  if (!pipe.read(head, sizeof head)) return false;
  timeline.activities = head[0];
  timeline.ranks.resize(static_cast<std::size_t>(head[1]));
  for (RankTimeline& rank : timeline.ranks) {
    for (std::vector<Span>& spans : rank.streams) {
      std::int64_t count = 0;
      if (!pipe.read(&count, sizeof count)) return false;
      spans.resize(static_cast<std::size_t>(count));
      if (!pipe.read(spans.data(), spans.size() * sizeof(Span))) return false;
    }
  }
  return true;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("killed by signal ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

[[noreturn]] void run_child(const std::function<Timeline()>& simulate, const PipeEnd& pipe) {
  bool sent = false;
  try {
    sent = write_timeline(simulate(), pipe);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "stepcast: simulation: %s\n", fault.what());
  }
  ::_exit(sent ? 0 : 1);
}

}  // namespace

Timeline run_forked(const std::function<Timeline()>& simulate) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_failure("cannot open a pipe");
  const PipeEnd reading(ends[0]);
  auto writing = std::make_unique<PipeEnd>(ends[1]);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw system_failure("cannot start a simulation process");
  if (child == 0) run_child(simulate, *writing);
  writing.reset();
  Timeline timeline;
  const bool complete = read_timeline(timeline, reading);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!complete || status != 0) {
    throw std::runtime_error("the simulation process failed: " + how_it_ended(status));
  }
  return timeline;
}

}  // namespace stepcast
