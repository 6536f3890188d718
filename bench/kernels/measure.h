// What every kernel benchmark measures with: the timed loop, its rate, and the share of the board's limit.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "bench/kernels/layers.h"

namespace bramble::bench {

/// A Pi 5's: one core's fp32 multiply-adds, and all cores' memory.
inline constexpr double kCoreFlops = 38.4e9;
inline constexpr double kMemoryBytes = 11e9;

/// Our own options, taken out of the command line before Google Benchmark reads it.
struct Options {
  int threads = 1;
  int batch = 16;
  std::vector<std::string> models = {};  ///< empty: measured_models()
  StepOptions step = {};
  bool list_layers = false;
  bool mark_region = false;  ///< one repetition, bracketed for pi5model
};
Options& options();

/// Brackets the timed loop with the system calls that pi5model looks for, if --mark-region was given.
void begin_region();
void end_region();

/// One call's work: operations (0 if bound by memory) and bytes that have to cross the memory bus.
struct Work {
  double flops = 0;
  double bytes = 0;
};

void report(benchmark::State& state, const Work& work, double seconds);

/// Tensors beyond this are in no cache when a call begins, whatever ran before it.
inline constexpr double kBytesNoCacheHolds = 16 << 20;

/// Times body(): once to warm up, then as often as Google Benchmark wants. Under pi5model, which is slow, the warm-up
/// is left out where it would change nothing.
template <class Body>
void measure(benchmark::State& state, const Work& work, Body body) {
  if (!options().mark_region || work.bytes < kBytesNoCacheHolds) body();
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
