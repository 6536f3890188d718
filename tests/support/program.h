// Runs one of our programs as a user does. Under a cross build, in the emulator.
#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace bramble::test {

struct Outcome {
  int code = 0;
  std::string output;  ///< standard output and error, as they came
  std::size_t lines() const { return static_cast<std::size_t>(std::count(output.begin(), output.end(), '\n')); }
};

/// `command` goes to the shell.
inline Outcome run_shell(const std::string& command) {
  FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("no shell");
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

/// In quotes for the shell.
inline std::string quoted(const std::string& word) { return "'" + word + "'"; }

}  // namespace bramble::test
