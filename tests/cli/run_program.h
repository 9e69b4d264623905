// Runs the built program, without a shell, and takes what it prints.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/small_scenario.h"

extern char** environ;

namespace stepcast::test {

struct ProgramEnd {
  int exit_code = -1;  ///< 128 + the signal where one ended it
  std::string output;
  std::string errors;
};

inline std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

inline int exit_code(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait for the program");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Runs a command by its path. `output_file`: where stdout goes instead of into `output`.
inline ProgramEnd run_command(std::vector<std::string> command, std::string output_file = "") {
  const TemporaryFolder folder;
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);

  const std::string output = output_file.empty() ? folder.path("output") : output_file;
  const std::string errors = folder.path("errors");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const int flags = O_WRONLY | O_CREAT;
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, errors.c_str(), flags, 0600);
  pid_t child = 0;
  const int failed = posix_spawn(&child, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw std::runtime_error("cannot start the program");

  ProgramEnd end;
  end.exit_code = exit_code(child);
  end.output = output_file.empty() ? text_of(output) : "";
  end.errors = text_of(errors);
  return end;
}

inline ProgramEnd run_program(std::vector<std::string> arguments, std::string output_file = "") {
  arguments.insert(arguments.begin(), STEPCAST_PROGRAM);
  return run_command(std::move(arguments), std::move(output_file));
}

}  // namespace stepcast::test
