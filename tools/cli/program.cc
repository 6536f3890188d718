#include "tools/cli/program.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <new>
#include <utility>

namespace bramble::cli {
namespace {

std::atomic<int> noted_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "written by a signal handler");

void note_signal(int signal) { noted_signal = signal; }

// A disk that is full shows only here.
void flush_output() {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    throw std::runtime_error("standard output cannot be written");
  }
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return noted_signal != 0; }

void check_interrupted() {
  if (interrupted()) throw Interrupted();
}

int interrupted_exit_code() { return 128 + noted_signal; }

void print_error(const std::string& message) {
  std::string line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::fflush(stdout);
  std::fprintf(stderr, "bramble: error: %s\n", line.c_str());
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<int()>& body,
                const ExpandArguments& expand) {
  ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more is an error like a full disk
  try {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (expand) arguments = expand(std::move(arguments));
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    const int code = body();
    flush_output();
    return code;
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    print_error(error.what());
    return 2;
  } catch (const UsageError& error) {
    print_error(error.what());
    return 2;
  } catch (const Interrupted&) {
    std::fprintf(stderr, "bramble: interrupted\n");
    return interrupted_exit_code();
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return 1;
}

}  // namespace bramble::cli
