// What Bramble's programs share: one line for each error, exit codes, Ctrl-C.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bramble::cli {

/// Wrong usage of a program: exit code 2. Any other exception: 1.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user has pressed Ctrl-C, or the process was asked to end: exit code 128 + the signal.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// From now on the first SIGINT or SIGTERM is only noted; the second ends the program at once.
void catch_interrupts();
bool interrupted();
/// Throws Interrupted if a signal has been noted.
void check_interrupted();
/// 130 after Ctrl-C.
int interrupted_exit_code();

/// "bramble: error: …" on standard error, in one line.
void print_error(const std::string& message);

/// What stands for the command line's words, the program's name left out.
using ExpandArguments = std::function<std::vector<std::string>(std::vector<std::string>)>;

/// Parses the command line, after `expand` if it is given, calls `body` and returns the exit code. Every exception
/// becomes one line.
int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body,
                const ExpandArguments& expand = {});

}  // namespace bramble::cli
