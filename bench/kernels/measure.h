// What every kernel benchmark measures with: the timed loop, its rate, and the share of the board's limit.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>

namespace bramble::bench {

/// A Pi 5's: one core's fp32 multiply-adds, and all cores' memory.
inline constexpr double kCoreFlops = 38.4e9;
inline constexpr double kMemoryBytes = 11e9;

/// --threads N (1 unless given) and --mark-region, taken out of the command line before Google Benchmark reads it.
struct Options {
  int threads = 1;
  bool mark_region = false;  ///< one repetition, bracketed for pi5model
};
Options& options();

/// Brackets the timed loop with the system calls that pi5model looks for, if --mark-region was given.
void begin_region();
void end_region();

/// One call's work: operations (0 if bound by memory) and bytes that have to cross the memory bus at least once.
struct Work {
  double flops = 0;
  double bytes = 0;
};

void report(benchmark::State& state, const Work& work, double seconds);

/// Times body(): once to warm up, then as often as Google Benchmark wants.
template <class Body>
void measure(benchmark::State& state, const Work& work, Body body) {
  body();
  begin_region();
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  end_region();
  report(state, work, elapsed.count());
}

}  // namespace bramble::bench
