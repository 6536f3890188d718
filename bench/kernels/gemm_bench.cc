// The core alone, its operands packed: what everything above it can reach at most.
#include <vector>

#include "bench/kernels/measure.h"
#include "kernels/gemm/gemm.h"
#include "tests/support/random.h"

namespace bramble::bench {
namespace {

void gemm_packed(benchmark::State& state) {
  const std::int64_t rows = state.range(0), cols = state.range(1), depth = state.range(2);
  const auto a = test::uniform(static_cast<std::size_t>(kernels::gemm_a_elements(rows, depth)), 1);
  const auto b = test::uniform(static_cast<std::size_t>(kernels::gemm_b_elements(depth, cols)), 2);
  std::vector<float> c(static_cast<std::size_t>(rows * cols));
  measure(state, {2.0 * static_cast<double>(rows * cols * depth), 0},
          [&] { kernels::gemm_packed_f32(rows, cols, depth, a.data(), b.data(), c.data(), cols, false); });
}
BENCHMARK(gemm_packed)
    ->ArgNames({"rows", "cols", "depth"})
    ->Args({8, 12, 384})
    ->Args({112, 96, 384})
    ->Args({112, 384, 384})
    ->Args({197, 64, 64})
    ->Unit(benchmark::kMicrosecond);

void gemm_pack_a(benchmark::State& state) {
  const std::int64_t rows = 112, depth = 384;
  const auto source = test::uniform(static_cast<std::size_t>(rows * depth), 1);
  std::vector<float> panels(static_cast<std::size_t>(kernels::gemm_a_elements(rows, depth)));
  measure(state, {0, 2.0 * static_cast<double>(rows * depth) * sizeof(float)},
          [&] { kernels::gemm_pack_a_f32(rows, depth, source.data(), depth, panels.data()); });
}
BENCHMARK(gemm_pack_a)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace bramble::bench
