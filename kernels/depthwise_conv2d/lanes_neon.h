// Four channels, or the last one to three, through the same tile body. Include from _neon.cc files only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/simd/neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels::depthwise {

struct WholeLanes {
  float32x4_t load(const float* from) const { return vld1q_f32(from); }
  void store(float* to, float32x4_t vector) const { vst1q_f32(to, vector); }
};

struct PartialLanes {
  std::size_t count;
  float32x4_t load(const float* from) const { return load_partial_f32(from, count); }
  void store(float* to, float32x4_t vector) const { store_partial_f32(to, vector, count); }
};

/// Calls run(c, lanes) for every four of `channels` and for the rest.
template <class Run>
inline void for_each_vector(std::int64_t channels, Run run) {
  std::int64_t c = 0;
  for (; c + 4 <= channels; c += 4) run(c, WholeLanes{});
  if (c < channels) run(c, PartialLanes{static_cast<std::size_t>(channels - c)});
}

}  // namespace bramble::kernels::depthwise
