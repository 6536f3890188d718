#include "bench/kernels/measure.h"

#include <unistd.h>

#include <algorithm>

namespace bramble::bench {

Options& options() {
  static Options instance;
  return instance;
}

// pi5model's marks: closing what never was open, which fails harmlessly.
void begin_region() {
  if (options().mark_region) close(-77001);
}

void end_region() {
  if (options().mark_region) close(-77002);
}

void report(benchmark::State& state, const Work& work, double seconds) {
  const double limit_seconds = std::max(work.flops / (kCoreFlops * options().threads), work.bytes / kMemoryBytes);
  const double each = seconds / static_cast<double>(state.iterations());
  if (work.flops > 0) state.counters["GFLOP/s"] = work.flops / 1e9 / each;
  if (work.bytes > 0) state.counters["GB/s"] = work.bytes / 1e9 / each;
  // Percent of a Pi 5's; above 100 where this machine is faster than the board.
  state.counters["roofline"] = 100 * limit_seconds / each;
}

}  // namespace bramble::bench
