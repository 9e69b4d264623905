#include "base/contract.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

namespace stepcast {

namespace {

struct Death {
  int signal = 0;
  std::string message;
};

/// Breaks a contract in a child process.
Death broken_contract() {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // the test runner has its own handler
    dup2(pipe_ends[1], STDERR_FILENO);
    const int ranks = 0;
    STEPCAST_REQUIRES(ranks >= 1);
    _exit(0);
  }
  close(pipe_ends[1]);
  Death death;
  std::array<char, 256> block{};
  for (ssize_t count = 0; (count = read(pipe_ends[0], block.data(), block.size())) > 0;) {
    death.message.append(block.data(), static_cast<std::size_t>(count));
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) death.signal = WTERMSIG(status);
  return death;
}

}  // namespace

TEST_CASE("a broken contract stops the program and names the condition and its place", "[base]") {
  const Death death = broken_contract();
  REQUIRE(death.signal == SIGABRT);
  REQUIRE_THAT(death.message,
               Catch::StartsWith("stepcast: internal fault: requires ranks >= 1, at "));
  REQUIRE_THAT(death.message, Catch::Contains("contract_test.cpp:"));
}

TEST_CASE("a kept contract does nothing", "[base]") {
  STEPCAST_REQUIRES(1 + 1 == 2);
  SUCCEED();
}

}  // namespace stepcast
