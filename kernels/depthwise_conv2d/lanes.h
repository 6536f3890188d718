// Four channels, or the last one to three, through the same tile body.
#pragma once

#include <cstddef>

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

}  // namespace bramble::kernels::depthwise
