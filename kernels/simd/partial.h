// The last one to three floats of a row as a vector, so that a tail goes through the same instructions as the rest and
// rounds the same.
#pragma once

#include <cstddef>

#include "kernels/simd/neon.h"

namespace bramble::kernels {

/// source[0..count) in the low lanes, zeros above. 1 <= count <= 3; reads nothing beyond.
inline float32x4_t load_partial_f32(const float* source, std::size_t count) {
  float32x4_t vector = vld1q_lane_f32(source, vdupq_n_f32(0), 0);
  if (count > 1) vector = vld1q_lane_f32(source + 1, vector, 1);
  if (count > 2) vector = vld1q_lane_f32(source + 2, vector, 2);
  return vector;
}

/// The low `count` lanes to target. 1 <= count <= 3; writes nothing beyond.
inline void store_partial_f32(float* target, float32x4_t vector, std::size_t count) {
  vst1q_lane_f32(target, vector, 0);
  if (count > 1) vst1q_lane_f32(target + 1, vector, 1);
  if (count > 2) vst1q_lane_f32(target + 2, vector, 2);
}

/// A loop's body written once for whole vectors and for the tail: it gets one of these two to load and store with.
struct AllLanes {
  float32x4_t load(const float* source) const { return vld1q_f32(source); }
  void store(float* target, float32x4_t vector) const { vst1q_f32(target, vector); }
};

struct FirstLanes {
  std::size_t count;
  float32x4_t load(const float* source) const { return load_partial_f32(source, count); }
  void store(float* target, float32x4_t vector) const { store_partial_f32(target, vector, count); }
};

/// for (c = begin; c < end; c += 4) body(lanes, c);
template <class Body>
inline void for_each_vector(std::size_t begin, std::size_t end, Body&& body) {
  std::size_t c = begin;
  for (; c + 4 <= end; c += 4) body(AllLanes{}, c);
  if (c < end) body(FirstLanes{end - c}, c);
}

}  // namespace bramble::kernels
