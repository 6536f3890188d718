#include "kernels/gemm/packed_weight.h"

#include <algorithm>

#include "kernels/gemm/gemm.h"

namespace bramble::kernels {
namespace {

// Calls visit(index in PyTorch's order, index in the packed form) for every weight.
template <class Visit>
void for_each_weight(const PackedWeightShape& shape, Visit visit) {
  const std::int64_t taps = shape.kernel_height * shape.kernel_width;
  const std::int64_t group_elements = packed_weight_elements(shape.depth(), shape.cols());
  for (std::int64_t out = 0; out < shape.out_channels; ++out) {
    const std::int64_t group = out / shape.cols();
    for (std::int64_t in = 0; in < shape.in_per_group; ++in) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t k = tap * shape.in_per_group + in;
        visit((out * shape.in_per_group + in) * taps + tap,
              group * group_elements + packed_weight_offset(shape.depth(), shape.cols(), k, out % shape.cols()));
      }
    }
  }
}

}  // namespace

std::int64_t packed_weight_elements(std::int64_t k, std::int64_t n) { return gemm_b_elements(k, n); }

std::int64_t packed_weight_elements(const PackedWeightShape& shape) {
  return shape.groups * packed_weight_elements(shape.depth(), shape.cols());
}

std::int64_t packed_weight_offset(std::int64_t depth, std::int64_t cols, std::int64_t k, std::int64_t n) {
  const std::int64_t first = n / kGemmTileCols * kGemmTileCols;
  const std::int64_t width = std::min(kGemmTileCols, round_up(cols - first, 4));
  return first * depth + k * width + (n - first);
}

void pack_weight_f32(const PackedWeightShape& shape, const float* torch, float* packed) {
  std::fill_n(packed, packed_weight_elements(shape), 0.0f);
  for_each_weight(shape, [&](std::int64_t from, std::int64_t to) { packed[to] = torch[from]; });
}

void unpack_weight_f32(const PackedWeightShape& shape, const float* packed, float* torch) {
  for_each_weight(shape, [&](std::int64_t to, std::int64_t from) { torch[to] = packed[from]; });
}

}  // namespace bramble::kernels
