// Runs the built program on a pseudo-terminal, as a user at a screen does.
#pragma once

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace stepcast::test {

/// All that it writes on the terminal, stdout and stderr as they come.
inline std::string run_on_terminal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), STEPCAST_PROGRAM);
  std::vector<char*> argv;
  for (std::string& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);

  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child < 0) throw std::runtime_error("there is no pseudo-terminal");
  if (child == 0) {
    setenv("TERM", "xterm-256color", 1);
    execv(argv[0], argv.data());
    _exit(127);
  }
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count; (count = read(terminal, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  close(terminal);
  waitpid(child, nullptr, 0);
  return text;
}

}  // namespace stepcast::test
