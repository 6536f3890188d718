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
  if (work.flops > 0) {
    state.counters["GFLOPS"] = work.flops / 1e9 / each;
  } else {
    state.counters["GB/s"] = work.bytes / 1e9 / each;
  }
  // Above 100 where this machine is faster than the board.
  state.counters["%_of_pi5_limit"] = 100 * limit_seconds / each;
}

}  // namespace bramble::bench
