// Google Benchmark's program, with two options of our own: --threads N and --mark-region.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "bench/kernels/measure.h"

namespace {

/// Takes our options out of the arguments. False where one is wrong.
bool take_options(std::vector<char*>& arguments) {
  auto& options = bramble::bench::options();
  std::vector<char*> rest;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--mark-region") {
      options.mark_region = true;
    } else if (argument == "--threads" && i + 1 < arguments.size()) {
      options.threads = std::atoi(arguments[++i]);
    } else {
      rest.push_back(arguments[i]);
    }
  }
  // One repetition: the first is accepted whatever it took.
  static char once[] = "--benchmark_min_time=0";
  if (options.mark_region) rest.push_back(once);
  arguments = rest;
  return options.threads >= 1;
}

int run(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  if (!take_options(arguments)) {
    std::fputs("bramble: error: --threads takes a number of 1 or more\n", stderr);
    return 2;
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (count > 1) {
    std::fprintf(stderr, "bramble: error: unknown option '%s' (options: --threads N, --mark-region, --benchmark_*)\n",
                 arguments[1]);
    return 2;
  }
  benchmark::AddCustomContext("threads", std::to_string(bramble::bench::options().threads));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bramble: error: %s\n", error.what());
    return 1;
  }
}
