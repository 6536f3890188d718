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

void report(benchmark::State& state, const Work& work) {
  using benchmark::Counter;
  const double limit_seconds = std::max(work.flops / (kCoreFlops * options().threads), work.bytes / kMemoryBytes);
  if (work.flops > 0) {
    state.counters["GFLOPS"] = Counter(work.flops / 1e9, Counter::kIsIterationInvariantRate);
  } else {
    state.counters["GB/s"] = Counter(work.bytes / 1e9, Counter::kIsIterationInvariantRate);
  }
  // Seconds at a Pi 5's limit over seconds taken: above 1 where the machine is faster than the board.
  state.counters["of_pi5"] = Counter(limit_seconds, Counter::kIsIterationInvariantRate);
}

}  // namespace bramble::bench
